#!/usr/bin/env bash
# Whether the agent's programs run on Debian 12 and 13 and Ubuntu 22.04 and 24.04: which libraries
# they load, and which versions of symbols they ask of them. The limits are what Ubuntu 22.04 has.
#
#   check_symbols.sh PROGRAM…    prints the highest of each kind; 1 if one is above its limit
set -euo pipefail

readonly libraries=' ld-linux-x86-64.so.2 ld-linux-aarch64.so.1 libc.so.6 libcrypto.so.3 libcurl.so.4 libgcc_s.so.1 libm.so.6 libssl.so.3 libz.so.1 '
# GLIBCXX and CXXABI are not among them: libstdc++ is linked in.
declare -rA limits=([GLIBC]=2.34 [GCC]=7.0.0 [OPENSSL]=3.0.0 [CURL_OPENSSL]=4 [ZLIB]=1.2.11)

wrong=0
complain() {
    printf '%s: %s\n' "$1" "$2" >&2
    wrong=1
}

is_above() { [[ $1 != "$2" && $(printf '%s\n' "$1" "$2" | sort -V | tail -n 1) == "$1" ]]; }

# The first symbols of a version, to find what brought it.
symbols_of() {
    readelf --wide --dyn-syms -- "$1" | awk -v end="@$2" 'index($8, end) { sub(/@.*/, "", $8); print $8 }' |
        sort -u | sed '4,$ { s/.*/…/; q }' | paste -sd ' '
}

check_libraries() {
    local program=$1 library
    while read -r library; do
        [[ $libraries == *" $library "* ]] ||
            complain "$program" "needs $library, which is not on the list of check_symbols.sh"
    done < <(readelf --wide --dynamic -- "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
}

check_versions() {
    local program=$1 version kind number
    local -A highest=()
    while read -r version; do
        kind=${version%_*} number=${version##*_}
        if [[ -z ${limits[$kind]:-} ]]; then
            complain "$program" "needs $version ($(symbols_of "$program" "$version")), not meant to be needed at all"
            continue
        fi
        ! is_above "$number" "${limits[$kind]}" ||
            complain "$program" "needs $version ($(symbols_of "$program" "$version")), above ${limits[$kind]}"
        [[ -n ${highest[$kind]:-} ]] && is_above "${highest[$kind]}" "$number" || highest[$kind]=$number
    done < <(readelf --wide --version-info -- "$program" | sed -n 's/.* Name: \([A-Za-z_]*_[0-9.]*\) .*/\1/p' | sort -u)
    printf '%s:' "${program##*/}"
    for kind in $(printf '%s\n' "${!highest[@]}" | sort); do printf ' %s_%s' "$kind" "${highest[$kind]}"; done
    printf '\n'
}

(($# > 0)) || { echo 'check_symbols.sh PROGRAM…' >&2; exit 2; }
for program; do
    [[ $(LC_ALL=C readelf --file-header -- "$program" 2>/dev/null) == *'ELF Header'* ]] || {
        complain "$program" 'is no program'
        continue
    }
    check_libraries "$program"
    check_versions "$program"
done
exit "$wrong"
