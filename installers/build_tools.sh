# shellcheck shell=bash
# What it takes to build: Debian packages, npm packages, how many compilers at once, folders to
# write to. Sourced by installers/quickstart.sh and tests/run.sh, which say what die does.
root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
readonly root

# The packages of a section of packages.txt.
packages_of() {
    awk -v section="[$1]" '/^#/ || !NF { next } /^\[/ { on = $0 == section; next } on' \
        "$root/installers/packages.txt"
}

# As Debian's package, or, for what is a program, as one of the same name from elsewhere.
is_there() {
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]] ||
        command -v "$1" >/dev/null || [[ -x /usr/sbin/$1 || -x /usr/sbin/${1%-light} ]]
}

# missing_packages SECTION…: those that are not installed.
missing_packages() {
    local section package
    for section in "$@"; do
        for package in $(packages_of "$section"); do
            is_there "$package" || printf '%s\n' "$package"
        done
    done
}

# A compiler takes up to 1.5 GB here; fewer of them are quicker than swapping.
build_jobs() {
    awk -v cores="$(nproc)" '/^MemAvailable:/ {
        jobs = int($2 / 1500000)
        print (jobs < 1 ? 1 : (jobs > cores ? cores : jobs))
    }' /proc/meminfo
}

# make_writable FOLDER: makes it if it is missing, or dies with the system's reason.
make_writable() {
    local said='' reason
    said=$(export LC_ALL=C && mkdir -p -- "$1" 2>&1 && touch -- "$1" 2>&1) && [[ -w $1 ]] && return
    reason=${said##*: }
    die "$1 cannot be written: ${reason:-Permission denied}."
}

# A checkout that was copied together with its build directory cannot go on with it.
drop_foreign_build() {
    local cache="$root/build/$1/CMakeCache.txt"
    [[ -f $cache ]] || return 0
    grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache" || rm -rf -- "$root/build/$1"
}

# npm's own record of what it installed is newer than what was asked for.
has_npm_packages() { [[ $1/node_modules/.package-lock.json -nt $1/package-lock.json ]]; }

install_npm() {
    (cd -- "$1" && npm ci --ignore-scripts --no-audit --no-fund)
}
