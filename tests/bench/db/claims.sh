#!/usr/bin/env bash
# claims.sh PROGRAM [rounds]: bench_claims on a PostgreSQL cluster of its own that keeps its promises
# (fsync on), then on SQLite.
set -Eeuo pipefail

if [[ ${1-} != --inside ]]; then exec pg_virtualenv -t -o fsync=on -- "$0" --inside "$@"; fi
shift
program=$1
rounds=${2:-5}
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
createdb bench
printf 'PostgreSQL %s, fsync %s\n' "$(psql -qAtc 'SHOW server_version')" "$(psql -qAtc 'SHOW fsync')"
"$program" "postgresql://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT/bench" "$rounds"
printf 'SQLite\n'
"$program" "sqlite://$folder/bench.db" "$rounds"
