#!/usr/bin/env bash
# How fast the HTTP server is beside nginx, in the same minute on the same machine.
# README.md says how to read the result.
#
#   run.sh --server <bench_http_server>
#       the server alone: inline and pooled answers, TLS beside clear, memory of a parked connection
#   run.sh --control-plane <folder of synapsex-controlplane and bench_http_server>
#       a control plane of its own: who one is, a page of members, refusals for their rate, memory
#   run.sh --url <http://127.0.0.1:8080/v1/auth/me>
#       one that runs already; SYNAPSEX_API_KEY is the key
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

readonly rounds=${ROUNDS:-5}
readonly seconds=${SECONDS_EACH:-5}
readonly connections=64
api_key=${SYNAPSEX_API_KEY:-sk_sx_0000000000000000000000000000000000000000000}
# An answer as long as that of GET /v1/auth/me.
readonly body='{"id":"usr_01jgkx8m4e6w9p2r5t7v9x1z3b","email":"operator@example.com",'\
'"fullName":"Olivia Operator","tenantId":"ten_01jgkx8m4e6w9p2r5t7v9x1z3c","role":"owner"}'

die() { echo "run.sh: $*" >&2; exit 1; }
for tool in nginx wrk curl node openssl; do
    command -v "$tool" >/dev/null ||
        die "$tool is not installed (apt-get install nginx-light wrk curl nodejs openssl)"
done

work=$(mktemp -d)
pids=()
stop_all() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap stop_all EXIT

# One worker, one fixed answer of the size of GET /v1/auth/me, nothing logged. Sets nginx_url.
start_nginx() {
    local port
    for _ in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 10000))
        cat >"$work/nginx.conf" <<CONF
daemon off;
worker_processes 1;
pid $work/nginx.pid;
error_log $work/nginx_error.log;
events { worker_connections 4096; }
http {
    access_log off;
    keepalive_requests 100000000;
    client_body_temp_path $work; proxy_temp_path $work; fastcgi_temp_path $work;
    uwsgi_temp_path $work; scgi_temp_path $work;
    server {
        listen 127.0.0.1:$port;
        location / {
            default_type application/json;
            return 200 '$body';
        }
    }
}
CONF
        nginx -p "$work" -c "$work/nginx.conf" 2>>"$work/nginx_start.log" &
        local pid=$!
        if curl -s --retry 20 --retry-connrefused --retry-delay 0 --retry-max-time 3 -o /dev/null \
            "http://127.0.0.1:$port/" && kill -0 "$pid" 2>/dev/null; then
            pids+=("$pid")
            nginx_url=http://127.0.0.1:$port/
            return
        fi
        kill "$pid" 2>/dev/null || true
    done
    cat "$work/nginx_start.log" >&2
    die "nginx did not start"
}

# Requests a second of one run. Fails if any answer was not 2xx, unless they are to be `refused`.
answers=served
measure() {
    local url=$1 time=$2 output
    output=$(wrk -t1 -c"$connections" -d"${time}s" -H "X-API-Key: $api_key" "$url")
    [[ $answers == refused ]] || ! grep -q 'Non-2xx' <<<"$output" ||
        die "$url answered with errors: $output"
    awk '/^Requests\/sec/ { print $2 }' <<<"$output"
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
spread() { sort -n | awk '{ v[NR] = $1 } END { printf "%.0f..%.0f", v[1], v[NR] }'; }

# compare <name> <url> [<peer's name> <peer's url>]: rounds of the peer (nginx unless said), us, the
# peer, us … after a warm-up of both.
compare() {
    local name=$1 url=$2 peer_name=${3:-nginx} peer_url=${4:-$nginx_url} round
    : >"$work/peer"; : >"$work/ours"
    measure "$peer_url" 1 >/dev/null
    measure "$url" 1 >/dev/null
    for ((round = 0; round < rounds; round++)); do
        measure "$peer_url" "$seconds" >>"$work/peer"
        measure "$url" "$seconds" >>"$work/ours"
    done
    local peer ours
    peer=$(median <"$work/peer"); ours=$(median <"$work/ours")
    printf '%-22s %9.0f/s (%s)   %-5s %9.0f/s (%s)   ratio %.2f\n' "$name" \
        "$ours" "$(spread <"$work/ours")" "$peer_name" "$peer" "$(spread <"$work/peer")" \
        "$(awk "BEGIN { print $ours / $peer }")"
}

# Resident memory of a process, in KiB.
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }

# flat_memory <name> <url> <pid>: what a million requests leave behind.
flat_memory() {
    local name=$1 url=$2 pid=$3 before after output count=0
    measure "$url" 3 >/dev/null
    before=$(resident "$pid")
    while ((count < 1000000)); do
        output=$(wrk -t1 -c"$connections" -d"${seconds}s" -H "X-API-Key: $api_key" "$url")
        count=$((count + $(awk '/ requests in / { print $1 }' <<<"$output")))
    done
    after=$(resident "$pid")
    printf '%-22s %9s requests: %d KiB before, %d KiB after\n' "$name" "$count" "$before" "$after"
}

# A certificate of its own, in $work.
make_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj /CN=localhost -keyout "$work/server.key" -out "$work/server.crt" 2>/dev/null
}

# start <command …>: runs it until run.sh ends; `said` is its first line, `started` its pid.
start() {
    mkfifo "$work/stdin"
    "$@" <"$work/stdin" >"$work/said" &
    started=$!
    pids+=("$started")
    exec 3>"$work/stdin"  # closing it ends the program
    # The one line that matters starts with a port or a URL; node's test runner may speak first.
    until said=$(grep -m 1 -E '^(http|[0-9]+ [0-9]+$)' "$work/said"); do
        kill -0 "$started" 2>/dev/null || die "$1 did not start"
        sleep 0.05
    done
}

[[ $# -eq 2 ]] || die "usage: see the head of this file"
nginx -v 2>&1 | sed 's/.*: //'
echo "$(nproc) cores, wrk -t1 -c$connections, $rounds rounds of ${seconds}s each, median (min..max)"
start_nginx
case $1 in
    --server)
        make_certificate
        start "$2" "$work/server.crt" "$work/server.key"
        clear=http://127.0.0.1:${said% *}
        secret=https://127.0.0.1:${said#* }
        node "$here/parked_memory.mjs" "$clear/park" "$started" 2000
        node "$here/parked_memory.mjs" "$secret/park" "$started" 2000
        compare "inline" "$clear/inline"
        compare "through the pool" "$clear/pool"
        compare "inline, TLS" "$secret/inline" "clear" "$clear/inline"
        compare "through the pool, TLS" "$secret/pool" "clear" "$clear/pool"
        ;;
    --control-plane)
        SYNAPSEX_BIN=$2 start node "$here/control_plane_with_key.mjs" --access-log false
        controlplane=$started
        read -r url key members limited_key pid <<<"$said"
        exec 4>&3
        api_key=$key
        compare "GET /v1/auth/me" "$url/v1/auth/me"
        compare "50 members, SQLite" "$url$members?limit=50"
        flat_memory "memory" "$url/v1/auth/me" "$pid"
        if [[ -x $2/bench_http_server ]]; then
            make_certificate
            rm "$work/stdin" "$work/said"
            start "$2/bench_http_server" "$work/server.crt" "$work/server.key"
            api_key=$limited_key
            answers=refused
            compare "429, over its limit" "$url/v1/auth/me" "bare" "http://127.0.0.1:${said% *}/inline"
            exec 3>&-
        fi
        exec 4>&-
        wait "$controlplane"
        ;;
    --url) compare "$2" "$2" ;;
    *) die "unknown option $1" ;;
esac
