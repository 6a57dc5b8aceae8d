# Sourced by what makes a Debian root. debian_mirror: prints where this machine gets its own packages
# from; fails, and says why, where apt names no such place.
# shellcheck shell=bash
debian_mirror() {
    local release site
    # shellcheck disable=SC1091  # the machine's
    release=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
    # shellcheck disable=SC2016  # for apt
    site=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v release="$release" '$2 == release && $3 == "main" && !site { site = $1 } END { print site }')
    if [[ -z $site ]]; then
        printf '/etc/apt names no place of Debian main for %s.\n' "${release:-this release}" >&2
        return 1
    fi
    printf '%s\n' "$site"
}
