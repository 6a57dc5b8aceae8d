# shellcheck shell=bash
# shellcheck disable=SC2154  # set by who sources it
# Programs of ours in the background, each known by its name: $run/NAME.pid, $run/NAME.stamp,
# $logs/NAME.log. Sourced by installers/quickstart.sh; they are run from $bin.

# The pid in $run/$1.pid, if that process runs one of our programs. A pid file alone proves nothing:
# numbers are given again.
pid_of() {
    local pid program
    [[ -f $run/$1.pid ]] && read -r pid <"$run/$1.pid" || return 1
    [[ $pid =~ ^[0-9]+$ ]] || return 1
    program=$(readlink -- "/proc/$pid/exe" 2>/dev/null) || return 1
    program=${program% (deleted)}  # built anew since
    [[ ${program%/*} == "$bin" && ${program##*/} == synapsex-* ]] || return 1
    printf '%s\n' "$pid"
}

# What a program is made of, to see whether it was built anew.
build_stamp() { (cd -- "$bin" && stat -c '%n %s %Y %i' -- "$@"); }

# start NAME STAMP PROGRAM ARGUMENT…: in the background and without a terminal. The new process
# writes its own pid file first, so there is no moment in which it runs and nobody knows.
start() {
    local name=$1 stamp=$2
    shift 2
    printf '%s\n' "$stamp" >"$run/$name.stamp"
    # What it wrote before is kept once.
    [[ ! -f $logs/$name.log ]] || mv -f -- "$logs/$name.log" "$logs/$name.log.1"
    (
        umask 077
        # shellcheck disable=SC2016  # for the inner shell
        exec setsid bash -c 'echo "$$" >"$1.new" && mv -f "$1.new" "$1" && shift && exec "$@"' \
            _ "$run/$name.pid" "$@" </dev/null >>"$logs/$name.log" 2>&1 9>&-
    ) &
    disown
}

# Asks, waits 15 s, insists.
stop() {
    local name=$1 pid attempt
    if pid=$(pid_of "$name"); then
        kill -TERM "$pid" 2>/dev/null || true
        for ((attempt = 0; attempt < 150; attempt++)); do
            pid_of "$name" >/dev/null || break
            sleep 0.1
        done
        ! pid=$(pid_of "$name") || kill -KILL "$pid" 2>/dev/null || true
    fi
    rm -f -- "$run/$name.pid" "$run/$name.stamp"
}

# Runs, and was started from the programs that are there now.
is_current() { pid_of "$1" >/dev/null && [[ $(cat -- "$run/$1.stamp" 2>/dev/null) == "$2" ]]; }
