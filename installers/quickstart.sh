#!/usr/bin/env bash
# From a clone to a VM that reports to its own control plane, on this machine and for the user who
# calls it. What it makes is in build/release and in .quickstart/, but for the packages that the
# viewer of the API reference has from npm; --help says the rest.
set -Eeuo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/build_tools.sh"  # sets $root
# shellcheck source-path=SCRIPTDIR
source "$root/installers/processes.sh"
# shellcheck source-path=SCRIPTDIR
source "$root/installers/database.sh"
# shellcheck source-path=SCRIPTDIR
source "$root/installers/packages.sh"
readonly called_from=$PWD
readonly bin="$root/build/release/bin"
readonly base="$root/.quickstart"
readonly data="$base/data"
readonly logs="$base/logs"
readonly viewer="$root/controlplane/services/api_gateway/viewer"
readonly owner_file="$base/owner.json"
readonly credentials="$base/credentials.json"
readonly tool="$base/synapsexctl"  # the command-line tool with its sign-in built in
readonly programs=(synapsex-controlplane synapsex-agent synapsex-executor synapsexctl)
readonly email="owner@synapsex.local"

usage() {
    cat <<'TEXT'
Usage: installers/quickstart.sh [options]

Builds SynapseX, starts a control plane on 127.0.0.1, enrolls this machine as its first VM and shows
it. Running it again is safe and quick: what is built, running and enrolled stays. The control plane
has SQLite, or the empty PostgreSQL database that DATABASE_URL names (postgresql://…) at first.

  --port N       the control plane's port (default: the last one, at first 8080)
  --no-install   install no packages, even if some are missing
  --yes          do not ask
  --status       say what runs
  --stop         stop what runs; the data stays
  --clean        stop, and delete .quickstart/ with all data; the build stays
  --help         this text

It needs Debian 12 or later (or the packages of installers/packages.txt from elsewhere), 2 GB of
memory and 2 GB of disk. Missing packages are installed as root or through sudo; nothing else needs
root, nothing needs systemd.
TEXT
}

# --- saying what happens --------------------------------------------------------------------------
readonly steps_total=7
step_number=0
step_started=0

is_terminal() { [[ -t 1 ]]; }
say() { printf '%s\n' "$*"; }

# One clear sentence, and the end.
die() {
    trap - ERR
    is_terminal && printf '\r\e[K'
    printf 'quickstart: %s\n' "$*" >&2
    exit 1
}
trap 'die "unexpected failure in line $LINENO ($BASH_COMMAND); run it again to go on."' ERR
trap 'die "interrupted. Run it again to go on."' INT TERM

step() {
    step_number=$((step_number + 1))
    step_started=$SECONDS
    printf '[%d/%d] %s\n' "$step_number" "$steps_total" "$*"
}
done_step() { printf '      %s (%d s)\n' "$1" "$((SECONDS - step_started))"; }

# A line that the next one replaces; nothing where nobody looks.
progress() { if is_terminal; then printf '\r\e[K      %s' "$*"; fi; }
end_progress() { if is_terminal; then printf '\r\e[K'; fi; }

# confirm QUESTION DEFAULT: an empty answer is the default, y or n; the end of the input is a no;
# nobody to ask is a yes, for scripts.
confirm() {
    [[ $assume_yes == no && -t 0 ]] || return 0
    local answer choices='[Y/n]'
    [[ $2 == y ]] || choices='[y/N]'
    read -r -p "$1 $choices " answer || { say ''; return 1; }
    [[ ${answer:-$2} == [yY]* ]]
}

# --- build ----------------------------------------------------------------------------------------
build_failed() {
    end_progress
    tail -n 20 -- "$logs/build.log" >&2
    die "the build failed; all of its output is in $logs/build.log"
}

# Writes everything to the log and shows how far it is.
follow_build() {
    local line last_said=$SECONDS
    while IFS= read -r line; do
        printf '%s\n' "$line"
        [[ $line =~ ^\[[0-9]+/[0-9]+\] ]] || continue
        if [[ -t 3 ]]; then
            printf '\r\e[K      %s %d s' "${BASH_REMATCH[0]}" "$((SECONDS - step_started))" >&3
        elif ((SECONDS - last_said >= 30)); then
            printf '      %s %d s\n' "${BASH_REMATCH[0]}" "$((SECONDS - step_started))" >&3
            last_said=$SECONDS
        fi
    done >>"$logs/build.log"
}

# The API reference is a plain page without its viewer, which comes from npm: taken along where npm
# is, and not worth 400 packages where it is not.
fetch_viewer() {
    has_npm_packages "$viewer" && return
    command -v npm >/dev/null && [[ -w $viewer ]] || return 0
    progress 'fetching the viewer of the API reference'
    export -f install_npm
    # shellcheck disable=SC2016  # for the inner shell
    npm_config_fetch_retries=0 timeout 120 bash -c 'install_npm "$1"' _ "$viewer" >>"$logs/build.log" 2>&1 </dev/null &&
        has_new_viewer=yes
    end_progress
}

build() {
    : >"$logs/build.log"
    drop_foreign_build release
    make_writable "$root/build/release"
    cd -- "$root"
    fetch_viewer
    if [[ ! -f build/release/build.ninja || $has_new_viewer == yes ]]; then
        progress 'configuring'
        cmake --preset release >>"$logs/build.log" 2>&1 || build_failed
    fi
    { NINJA_STATUS='[%f/%t] ' cmake --build --preset release -j "$(build_jobs)" \
        --target "${programs[@]}" 2>&1 | follow_build; } 3>&1 || build_failed
    end_progress
    done_step 'Built'
}

# --- the port --------------------------------------------------------------------------------------
is_port_taken() { (exec 4<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }
die_of_port() { die "port $port is in use by another program; choose one with --port N."; }

# The status of GET $1, without needing curl.
http_status() {
    local line
    {
        exec 4<>"/dev/tcp/127.0.0.1/$port" || return 1
        printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' "$1" >&4
        IFS= read -r -t 5 line <&4 || return 1
        exec 4>&-
    } 2>/dev/null
    [[ $line =~ ^HTTP/1\.1\ ([0-9]{3}) ]] && printf '%s\n' "${BASH_REMATCH[1]}"
}

die_of_end() {
    tail -n 5 -- "$logs/$1.log" >&2 || true
    die "the $1 ended; see $logs/$1.log"
}

# --- control plane --------------------------------------------------------------------------------
# Made aside and then renamed, the data last: a run that dies in between leaves nothing half made.
initialise() {
    if [[ -d $data/controlplane ]]; then
        [[ ! -e $data/controlplane/keys/root.key ]] || return 0
        # Made by a release that had no root key: init makes what is missing.
        with_database "$bin/synapsex-controlplane" init --config /dev/null --data-dir "$data/controlplane" \
            --listen "127.0.0.1:$port" --email "$email" >"$base/init.new" 2>&1 ||
            die "the root key could not be made: $(tail -n 1 -- "$base/init.new")"
        rm -f -- "$base/init.new"
        return 0
    fi
    stop agent
    rm -rf -- "$data/controlplane.new" "$data/agent" "$credentials" "$base/password-shown"
    with_database "$bin/synapsex-controlplane" init --config /dev/null --data-dir "$data/controlplane.new" \
        --listen "127.0.0.1:$port" --email "$email" --tenant-name Quickstart \
        --credentials-file "$owner_file.new" >"$base/init.new" 2>&1 || {
        cat -- "$base/init.new" >&2
        die 'the control plane could not be initialised.'
    }
    [[ -f $owner_file.new ]] ||
        die "the database, $(database_name), has an owner already; name an empty one."
    rm -f -- "$base/init.new"  # it holds the password, which has a place of its own
    mv -f -- "$owner_file.new" "$owner_file"
    mv -- "$data/controlplane.new" "$data/controlplane"
}

start_control_plane() {
    local stamp attempt
    stamp="port $port $(build_stamp synapsex-controlplane)"
    if ! is_current controlplane "$stamp"; then
        # It may be minutes until the agent asks again, and the old port another program's by then.
        stop agent
        stop controlplane
        is_port_taken && die_of_port
        initialise
        with_database start controlplane "$stamp" "$bin/synapsex-controlplane" serve --config /dev/null \
            --data-dir "$data/controlplane" --listen "127.0.0.1:$port"
        printf '%s\n' "$port" >"$base/port"
    fi
    for ((attempt = 0; attempt < 300; attempt++)); do
        [[ $(http_status /readyz || true) == 200 ]] && break
        if ((attempt > 20)) && ! pid_of controlplane >/dev/null; then
            is_port_taken && die_of_port  # somebody was quicker
            die_of_end controlplane
        fi
        sleep 0.1
    done
    ((attempt < 300)) || die "the control plane is not ready after 30 s; see $logs/controlplane.log"
    done_step "Ready on $url"
}

# --- command line tool ----------------------------------------------------------------------------
# Never holding the lock: it may outlive this script.
ctl() { "$tool" "$@" 9>&-; }

# What it says is said only where the user does not: options and the environment go before. The
# file of the sign-in knows the address; before there is one, the tool has to.
write_tool() {
    # shellcheck disable=SC2016  # for the tool's shell
    {
        say '#!/usr/bin/env bash'
        printf 'default=%q\n' "$credentials"
        say 'export SYNAPSEX_CREDENTIALS=${SYNAPSEX_CREDENTIALS:-$default}'
        printf '[[ -e $default ]] || export SYNAPSEX_URL=${SYNAPSEX_URL:-%q}\n' "$url"
        printf 'exec -a "$0" %q "$@"\n' "$bin/synapsexctl"
    } >"$tool.new"
    chmod 700 -- "$tool.new"
    mv -f -- "$tool.new" "$tool"
}

# One member of the owner's file; what stands there needs no escapes.
owner_member() { sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p' "$owner_file"; }

sign_in() {
    write_tool
    # Named, so that no token of another port goes to whoever has that port now.
    if ! ctl --url "$url" whoami >/dev/null 2>&1; then
        [[ -f $owner_file ]] || die "$owner_file is gone; sign in with: $tool login --url $url"
        owner_member password | ctl login --url "$url" --email "$(owner_member email)" \
            --password-stdin >/dev/null || die 'the command-line tool could not sign in.'
    fi
    # Whose signatures are to count on the VMs: the owner's, made once and kept.
    [[ -e $base/credentials.trust/root.json ]] ||
        ctl --credentials "$credentials" trust init --operator "$email" >/dev/null 2>&1 ||
        die "no trust root could be made; see: $tool --credentials $credentials trust init"
    done_step "Signed in as $email"
}

# --- agent ----------------------------------------------------------------------------------------
# The VM's id, once this machine has enrolled.
enrolled_vm() {
    sed -n 's/.*"vmId": *"\([^"]*\)".*/\1/p' "$data/agent/identity.json" 2>/dev/null || true
}

# A VM that was removed never comes back under its old identity.
forget_removed_agent() {
    local enrolled answer
    enrolled=$(enrolled_vm)
    [[ -n $enrolled ]] || return 0
    if answer=$(ctl --json vms get "$enrolled" 2>&1) || [[ $answer != *vms.not_found* ]]; then
        return 0
    fi
    say "      $enrolled was removed; enrolling this machine anew"
    stop agent
    rm -rf -- "$data/agent"
}

start_agent() {
    local stamp attempt token_arguments=()
    forget_removed_agent
    stamp="port $port $(build_stamp synapsex-agent synapsex-executor)"
    if ! is_current agent "$stamp"; then
        stop agent
        mkdir -p -- "$data/agent" "$run/agent"
        if [[ -z $(enrolled_vm) ]]; then
            ctl --json tokens create --name quickstart --ttl 1h --force \
                --token-file "$data/agent/token" >/dev/null ||
                die 'no enrollment token could be made.'
            token_arguments=(--token-file "$data/agent/token")
        fi
        start agent "$stamp" "$bin/synapsex-agent" --supervise --config /dev/null --url "$url" \
            --data-dir "$data/agent" --run-dir "$run/agent" "${token_arguments[@]}"
    fi
    for ((attempt = 0; attempt < 600; attempt++)); do
        vm=$(enrolled_vm)
        [[ -n $vm ]] && break
        ((attempt <= 20)) || pid_of agent >/dev/null || die_of_end agent
        sleep 0.1
    done
    [[ -n $vm ]] || die "the agent has not enrolled after 60 s; see $logs/agent.log"
    done_step "Enrolled as $vm"
}

wait_until_online() {
    local attempt
    for ((attempt = 0; attempt < 180; attempt++)); do
        [[ $(ctl vms list --ids --state online 2>/dev/null || true) == *"$vm"* ]] && break
        progress "waiting for the first heartbeat, $((SECONDS - step_started)) s"
        sleep 0.5
    done
    ((attempt < 180)) || die "this machine is not online after 90 s; see $logs/agent.log"
    # Samples come every 15 s; asking for them live shows the first as soon as it is there.
    progress 'waiting for the first sample, at most 15 s or so'
    timeout 60 "$tool" --json vms watch "$vm" --count 1 >/dev/null 2>&1 9>&- || true
    end_progress
    done_step 'Online'
}

# --- the end --------------------------------------------------------------------------------------
summary() {
    local shown
    printf -v shown '%q' "$tool"
    [[ $called_from != "$root" ]] || shown=.quickstart/synapsexctl
    say ''
    ctl vms get "$vm"
    say ''
    say "API reference  $url/docs"
    has_npm_packages "$viewer" ||
        say '               (a plain page: its viewer comes with npm, if that is here at the next run)'
    say "Owner          $email"
    if [[ ! -e $base/password-shown ]]; then
        say "Password       $(owner_member password)"
        say '               (not shown again; it stays in .quickstart/owner.json, for you alone)'
        : >"$base/password-shown"
    fi
    say "Trust root     $base/credentials.trust (your VMs pin it; keep a copy)"
    say "Logs           $logs"
    printf '\nTry next:\n'
    say "  $shown vms watch $vm"
    say "  $shown vms packages $vm --limit 20"
    say "  $shown keys create --name my-first-script"
    say ''
    say "All of it took $SECONDS s. --stop stops it, --clean deletes it."
}

# Who may not look must not say that nothing runs.
require_access() {
    [[ ! -d $base || ( -r $base && -x $base ) ]] ||
        die "$base belongs to $(stat -c %U -- "$base") and cannot be seen by this user."
}

show_status() {
    local name pid
    for name in controlplane agent; do
        if pid=$(pid_of "$name"); then say "$name runs (pid $pid)"; else say "$name is stopped"; fi
    done
    pid_of controlplane >/dev/null || return 0
    say "control plane: $url"
    ctl vms list || true
}

clean() {
    [[ -d $base ]] || { say 'There is nothing to delete.'; return; }
    [[ ! -L $base ]] || die "$base is a link to $(readlink -f -- "$base"), which has the keys" \
        'and all data; nothing was deleted. End it with --stop and delete both by hand.'
    if [[ $assume_yes == no ]]; then
        [[ -t 0 ]] || die '--clean deletes all data; confirm it with --yes.'
        confirm "Stop and delete $base with all its data?" n || die 'nothing was deleted.'
    fi
    stop agent
    stop controlplane
    [[ ! -f $base/database-url ]] || read -r database_url <"$base/database-url"
    rm -rf -- "$base" "$run"
    say 'Stopped, and .quickstart is gone.'
    [[ -z $database_url ]] || say "The data is in $(database_name) still; drop that database."
}

# --- the order of things --------------------------------------------------------------------------
parse_arguments() {
    while (($# > 0)); do
        case $1 in
            --port)
                [[ ${2:-} =~ ^[1-9][0-9]{0,4}$ && $2 -le 65535 ]] ||
                    die '--port takes a number from 1 to 65535.'
                port=$2
                shift
                ;;
            --no-install) install=no ;;
            --yes) assume_yes=yes ;;
            --status | --stop | --clean) action=${1#--} ;;
            --help | -h) usage; exit 0 ;;
            *) die "there is no option $1; see --help." ;;
        esac
        shift
    done
}

# What runs stays on its port unless it is started anew.
choose_port() {
    [[ ! -f $base/port ]] || read -r last_port <"$base/port"
    [[ $action == up && -n $port ]] || port=${last_port:-8080}
    url="http://127.0.0.1:$port"
}

# Told before minutes of building, and before anything is stopped.
check_port() {
    [[ $port == "$last_port" ]] && pid_of controlplane >/dev/null && return
    ! is_port_taken || die_of_port
}

# The database is named by a URL, and CMake, ninja and shells read the others in paths.
check_root() {
    local character
    for character in '%' '?' '#' ';' '$' '`' "'" '"' $'\\' '(' ')' '&' '<' '>' '|' '*'; do
        [[ $root != *"$character"* ]] ||
            die "the path $root has a $character in it, which does not work; move the checkout."
    done
}

# Sockets have names of at most 107 bytes, and a checkout may lie deep.
choose_run_directory() {
    local LC_ALL=C  # lengths in bytes
    run="$base/run"
    if ((${#run} > 70)); then
        run="/tmp/synapsex-quickstart-$EUID-$(printf '%s' "$root" | cksum | cut -d' ' -f1)"
    fi
}

make_directories() {
    (umask 077 && make_writable "$base" && make_writable "$run") || exit 1
    [[ -O $run && -O $base && ! -L $run ]] ||
        die "$base and $run have to belong to the user who runs this."
    mkdir -p -- "$data" "$logs"
}

# One at a time; nothing to take where nothing was made.
take_lock() {
    [[ -d $base ]] || return 0
    { exec 9>"$base/lock"; } 2>/dev/null || {
        make_writable "$base"
        die "$base/lock cannot be written by this user."
    }
    flock -n 9 || die 'another quickstart runs in this checkout.'
}

port=''
last_port=''
install=yes
assume_yes=no
action=up
vm=''
has_new_viewer=no
parse_arguments "$@"
require_access
choose_port
choose_run_directory

wanted_database=${DATABASE_URL:-}
# Nothing else that the caller's environment says about control planes is for this one.
for variable in $(compgen -e); do
    case $variable in SYNAPSEX_* | *DATABASE_URL) unset "$variable" ;; esac
done

case $action in
    status) show_status; exit 0 ;;
    clean) take_lock; clean; exit 0 ;;
    stop)
        take_lock
        stop agent
        stop controlplane
        say 'Stopped. The data is kept; run it again to go on.'
        exit 0
        ;;
esac

check_root
say "SynapseX quickstart, in $root"
make_directories
take_lock
choose_database "$wanted_database"
check_port
step 'Packages'
install_packages
step 'Build (the first time takes some minutes)'
build
step "Control plane with $(database_name)"
start_control_plane
step 'Command-line tool'
sign_in
step 'Agent for this machine'
start_agent
step 'First signs of life'
wait_until_online
step 'Ready'
summary
