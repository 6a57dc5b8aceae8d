#!/usr/bin/env bash
# The recipe of the root that VMs of a Debian suite start from: make_root.sh SUITE FOLDER. A root is
# named by a hash of this file, so an edit makes a new one.
set -Eeuo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/../../support/debian_mirror.sh"
readonly suite=$1 folder=$2

die() {
    printf 'make_root.sh: %s\n' "$*" >&2
    exit 1
}

# What a small server has, what tests play attackers with, and what our packages depend on: a booted
# VM has no mirror to get it from.
packages=(systemd systemd-sysv dbus iproute2 procps ca-certificates openssl python3
    libargon2-1 libsqlite3-0 zlib1g)
case $suite in
    bookworm) packages+=(cloud-init python3-cffi-backend libcurl4 libpqxx-6.4 libprotobuf-lite32 libssl3) ;;
    trixie) packages+=(libcurl4t64 libpqxx-7.10 libprotobuf-lite32t64 libssl3t64) ;;
    *) die "there is no recipe for $suite; add it to $0." ;;
esac

# One at a time, in namespaces of its own: whatever ends this ends it all and undoes its mounts.
if [[ ${3:-} != --apart ]]; then
    mkdir -p -- "${folder%/*}"
    exec flock --close -- "${folder%/*}/$suite.lock" \
        unshare --mount --pid --fork --kill-child --mount-proc -- "$0" "$suite" "$folder" --apart
fi
[[ ! -d $folder ]] || exit 0  # somebody else made it while this waited

site=$(debian_mirror)
readonly new="${folder%/*}/.$suite.new"
rm -rf --one-file-system -- "$new"
debootstrap --variant=minbase --include="$(IFS=,; printf '%s' "${packages[*]}")" \
    "$suite" "$new" "$site" || {
    tail -n 20 -- "$new/debootstrap/debootstrap.log" >&2 || true
    die "debootstrap of $suite from $site failed."
}

cd -- "$new"
# A line for / here would have the guest remount the file system that it lies on.
: >etc/fstab
# No mirror, no name server; each VM gets an id, a name and hosts of its own.
rm -rf -- etc/apt/sources.list etc/apt/sources.list.d/* etc/machine-id etc/hostname
: >etc/resolv.conf
# Until a test lets it: it would look for a cloud at each start.
[[ ! -d etc/cloud ]] || : >etc/cloud/cloud-init.disabled
# Nothing that starts by itself at some hour.
for timer in apt-daily apt-daily-upgrade dpkg-db-backup e2scrub_all fstrim; do
    ln -sf /dev/null "etc/systemd/system/$timer.timer"
done
rm -rf -- var/cache/apt/archives/*.deb var/lib/apt/lists/* usr/share/{doc,man,locale}/*
mv -- "$new" "$folder"
