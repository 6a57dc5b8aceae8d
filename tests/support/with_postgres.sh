#!/usr/bin/env bash
# with_postgres.sh [--pgbouncer] COMMAND…: runs it beside a PostgreSQL cluster of its own, which
# libpq's environment names (PGHOST, PGPORT, PGUSER, PGPASSWORD) and which is gone at the end.
#
# With --pgbouncer the tests reach it through pgbouncer in transaction mode, at SYNAPSEX_TEST_POOLER
# (host:port); libpq's environment still names the cluster itself.
set -Eeuo pipefail

if [[ ${1-} != --inside ]]; then
    # Nothing here has to survive a crash of the machine. -t: a cluster in a temporary folder, so that
    # one left behind by a killed run stops no other; in memory where there is room (tests make a
    # database each, and so a folder of files).
    room=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1 || true)
    if [[ -z ${TMPDIR-} ]] && ((${room:-0} > 2000000)); then
        export TMPDIR=/dev/shm SYNAPSEX_TEST_TMPDIR=unset
    fi
    exec pg_virtualenv -t -o fsync=off -o max_connections=300 -- "$0" --inside "$@"
fi
shift
[[ ${SYNAPSEX_TEST_TMPDIR-} != unset ]] || unset TMPDIR SYNAPSEX_TEST_TMPDIR
[[ ${1-} == --pgbouncer ]] || exec env SYNAPSEX_TEST_ENGINE=postgres "$@"
shift

folder=$(mktemp -d)
pid=''
clean_up() {
    if [[ -n $pid ]]; then
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    fi
    rm -rf -- "$folder"
}
trap clean_up EXIT

port=$((PGPORT + 1000))
cat >"$folder/pgbouncer.ini" <<INI
[databases]
* = host=$PGHOST port=$PGPORT user=$PGUSER password=$PGPASSWORD
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 500
server_idle_timeout = 1
INI
user=()
if [[ $EUID -eq 0 ]]; then  # as root it refuses to run
    chown -R postgres "$folder"
    user=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
"${user[@]}" /usr/sbin/pgbouncer -q "$folder/pgbouncer.ini" >"$folder/log" 2>&1 &
pid=$!
for ((i = 0; i < 100; i++)); do
    if PGHOST=127.0.0.1 PGPORT=$port psql -qAtc 'SELECT 1' >/dev/null 2>&1; then break; fi
    if ((i == 99)) || ! kill -0 "$pid" 2>/dev/null; then
        echo 'pgbouncer did not start:' >&2
        cat "$folder/log" >&2
        exit 1
    fi
    sleep 0.1
done
SYNAPSEX_TEST_ENGINE=postgres SYNAPSEX_TEST_POOLER=127.0.0.1:$port "$@"
