#!/usr/bin/env bash
# Makes a small Debian 12 with what our packages depend on, once for all checkouts, and prints where
# it is. Tests copy it; SYNAPSEX_VM_CACHE names another place than /var/cache/synapsex-vm.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/../support/debian_mirror.sh"
readonly suite=bookworm
readonly packages=adduser,ca-certificates,libargon2-1,libboost-json1.81.0,libboost-url1.81.0,libcurl4,libpqxx-6.4,libprotobuf-lite32,libsqlite3-0,libssl3,zlib1g
readonly cache=${SYNAPSEX_VM_CACHE:-/var/cache/synapsex-vm}
architecture=$(dpkg --print-architecture)
# A change of what is in it makes another one.
folder="$cache/packages-$suite-$architecture-$(printf '%s' "$packages" | cksum | cut -d' ' -f1)"

mkdir -p -- "$cache"
exec 9>"$cache/packages.lock"
flock 9
if [[ ! -d $folder ]]; then
    site=$(debian_mirror)
    rm -rf -- "$folder.new"
    debootstrap --variant=minbase --include="$packages" "$suite" "$folder.new" "$site" >&2 9>&-
    rm -rf -- "$folder.new"/var/cache/apt/archives/*.deb "$folder.new"/usr/share/{doc,locale,man}/*
    mv -T -- "$folder.new" "$folder"
fi
printf '%s\n' "$folder"
