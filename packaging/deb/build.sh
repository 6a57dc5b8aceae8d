#!/usr/bin/env bash
# Builds the Debian packages; --help says how. What it makes besides them is in build/package.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/../../installers/build_tools.sh"  # sets $root
readonly folder="$root/packaging/deb"
readonly stage="$root/build/package/deb"

usage() {
    cat <<'TEXT'
Usage: packaging/deb/build.sh [--output DIR] [--version VERSION] [--if-changed]

Builds synapsex-agent, synapsex-controlplane and synapsexctl as .deb files for this machine's
architecture. The same commit gives the same bytes, in whatever folder it is built.

  --output DIR       where the files go [build/packages]
  --version VERSION  SemVer [the file VERSION]
  --if-changed       nothing if DIR has the packages of these very sources
  --help             this text

SOURCE_DATE_EPOCH is the time of the last commit unless it is set.
TEXT
}

die() {
    printf 'build.sh: %s\n' "$*" >&2
    exit 1
}

# A pre-release is before its release: 1.0.0-rc.1 is 1.0.0~rc.1 to dpkg.
debian_version() {
    [[ $1 =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$ ]] ||
        die "'$1' is no version; one is like 1.2.3 or 1.2.3-rc.1."
    local rest=${1#*-}
    if [[ $rest == "$1" ]]; then printf '%s\n' "$1"; else printf '%s~%s\n' "${1%%-*}" "${rest//-/.}"; fi
}

epoch_of_commit() {
    git -C "$root" log -1 --format=%ct 2>/dev/null ||
        die 'this is no checkout with a commit; say SOURCE_DATE_EPOCH, in seconds since 1970.'
}

# The packages have it always, so that they are the same wherever they are built.
fetch_viewer() {
    local viewer="$root/controlplane/services/api_gateway/viewer"
    has_npm_packages "$viewer" || install_npm "$viewer" ||
        die "the viewer of the API reference did not come from npm; try again, or bring $viewer/node_modules."
}

# The version and what the packages are made from, by content. The files of tests and documents are
# not among them.
fingerprint() {
    {
        printf '%s\n' "$version" "$SOURCE_DATE_EPOCH"
        (cd -- "$root" && find CMake* cmake shared agent controlplane packaging/deb \
            installers/install-agent.sh -type f \
            -not -path '*/node_modules/*' -print0 | sort -z | xargs -0 sha256sum --)
    } | sha256sum | cut -d' ' -f1
}

has_packages() {
    [[ $(cat -- "$output/fingerprint" 2>/dev/null) == "$(fingerprint)" ]] &&
        [[ $(find "$output" -maxdepth 1 -name 'synapsex*.deb' | wc -l) == 3 ]]
}

# What debhelper works in: debian/ and nothing else, so that the checkout stays as it is.
make_stage() {
    rm -rf -- "$stage"
    mkdir -p -- "$stage"
    cp -r -- "$folder/debian" "$stage/debian"
    cat >"$stage/debian/changelog" <<TEXT
synapsex (${deb_version}) unstable; urgency=medium

  * Release ${version}.

 -- SynapseX maintainers <maintainers@synapsex.invalid>  $(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")
TEXT
}

output="$root/build/packages"
version=''
if_changed=no
while (($# > 0)); do
    case $1 in
        --output) output=${2:?--output takes a folder}; shift ;;
        --version) version=${2:?--version takes a version}; shift ;;
        --if-changed) if_changed=yes ;;
        --help | -h) usage; exit 0 ;;
        *) die "there is no option $1; see --help." ;;
    esac
    shift
done
[[ -n $version ]] || read -r version <"$root/VERSION"
deb_version=$(debian_version "$version")
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(epoch_of_commit)}
mapfile -t missing < <(missing_packages build package)
((${#missing[@]} == 0)) || die "not installed: ${missing[*]}"

make_writable "$output"
output=$(cd -- "$output" && pwd -P)
[[ $if_changed == no ]] || ! has_packages || { echo "The packages in $output are those of these sources."; exit 0; }
fetch_viewer
drop_foreign_build package
make_stage
export SYNAPSEX_SOURCE=$root SYNAPSEX_VERSION=$version SYNAPSEX_JOBS DEB_BUILD_OPTIONS=noautodbgsym
SYNAPSEX_JOBS=$(build_jobs)
umask 022
cd -- "$stage"
dpkg-buildpackage --build=binary --no-sign --no-check-builddeps
rm -f -- "$output"/synapsex*.deb "$output/fingerprint"
mv -- ../synapsex*_"${deb_version}"_*.deb "$output/"
rm -f -- ../synapsex_"${deb_version}"_*.{buildinfo,changes}
fingerprint >"$output/fingerprint"
