#!/usr/bin/env bash
# on_both_engines.sh PROGRAM [arguments…]: a bench, given the URL of a database first, on a PostgreSQL
# cluster of its own that keeps its promises (fsync on), then on SQLite.
set -Eeuo pipefail

if [[ ${1-} != --inside ]]; then exec pg_virtualenv -t -o fsync=on -- "$0" --inside "$@"; fi
program=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
createdb bench
printf 'PostgreSQL %s, fsync %s\n' "$(psql -qAtc 'SHOW server_version')" "$(psql -qAtc 'SHOW fsync')"
"$program" "postgresql://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT/bench" "$@"
printf 'SQLite\n'
"$program" "sqlite://$folder/bench.db" "$@"
