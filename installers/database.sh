# shellcheck shell=bash
# shellcheck disable=SC2154  # set by who sources it
# Which database the control plane of the quickstart has: SQLite, or the PostgreSQL that DATABASE_URL
# named when it was first started. Sourced by installers/quickstart.sh; needs $base, $data and die.

database_url=''  # empty: SQLite, in the data directory

# choose_database URL: what the caller asks for, empty for what there is.
choose_database() {
    local wanted=$1
    [[ ! -f $base/database-url ]] || read -r database_url <"$base/database-url"
    [[ -n $wanted && $wanted != "$database_url" ]] || return 0
    [[ $wanted =~ ^postgres(ql)?:// ]] ||
        die 'DATABASE_URL is not postgresql://…; unset it for SQLite.'
    [[ ! -d $data/controlplane ]] ||
        die "the data is in $(database_name); --clean deletes it, to begin anew elsewhere."
    database_url=$wanted
    # It may hold a password.
    (umask 077 && printf '%s\n' "$database_url" >"$base/database-url")
}

# For people: without user, password and options.
database_name() {
    local place=${database_url#*://}
    place=${place##*@}
    if [[ -z $database_url ]]; then echo SQLite; else echo "PostgreSQL at ${place%%\?*}"; fi
}

# with_database COMMAND…: told through the environment, which no list of processes shows.
with_database() {
    [[ -z $database_url ]] || local -x DATABASE_URL=$database_url
    "$@"
}
