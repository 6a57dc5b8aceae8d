# shellcheck shell=bash
# shellcheck disable=SC2154  # set by who sources it
# Debian packages that are missing, installed with the user's consent. Sourced by
# installers/quickstart.sh, which says what die, say, progress, done_step and confirm do.

# apt COMMAND…: says how long it takes, since it says nothing else.
apt() {
    local sudo=() pid
    [[ $EUID -eq 0 ]] || sudo=(sudo --)
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=2 \
        -o DPkg::Lock::Timeout=120 "$@" >>"$logs/packages.log" 2>&1 </dev/null 9>&- &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        progress "installing, $((SECONDS - step_started)) s"
        sleep 0.5
    done
    wait "$pid"
}

install_packages() {
    local needed=() faster=() program
    if [[ $install == no ]] || ! command -v apt-get >/dev/null; then
        for program in c++ cmake ninja protoc; do
            command -v "$program" >/dev/null ||
                die "$program is missing; install what installers/packages.txt lists."
        done
        done_step 'Installing nothing: taking the compilers and libraries that are here'
        return
    fi
    mapfile -t needed < <(missing_packages build)
    mapfile -t faster < <(missing_packages faster)
    # For shorter builds alone nobody is asked for a password.
    if [[ ${#needed[@]} -eq 0 && (${#faster[@]} -eq 0 || $EUID -ne 0) ]]; then
        done_step 'All packages are there'
        return
    fi
    say "      Missing: ${needed[*]:-none that is needed}"
    [[ ${#faster[@]} -eq 0 ]] || say "      For shorter builds: ${faster[*]}"
    [[ $EUID -eq 0 ]] || command -v sudo >/dev/null ||
        die "packages are missing and there is no sudo; as root: apt-get install ${needed[*]}"
    confirm '      Install them?' y || die 'nothing was installed.'
    [[ $EUID -eq 0 ]] || sudo -v || die 'sudo did not let us install packages.'
    apt update || true  # what is in the lists already may do
    [[ ${#needed[@]} -eq 0 ]] || apt install --no-install-recommends "${needed[@]}" ||
        die "packages could not be installed (is there a network?); see $logs/packages.log"
    [[ ${#faster[@]} -eq 0 ]] || apt install --no-install-recommends "${faster[@]}" || true
    end_progress
    done_step 'Installed'
}
