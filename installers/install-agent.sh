#!/bin/sh
# Installs the SynapseX agent on this machine and enrolls it; --help says how. In one file, so that it
# can be copied anywhere, and in functions that the last line calls: a file that was cut off does
# nothing, and `synapsexctl tokens create --print` puts its own call in that line's place.
set -eu

readonly version=0.1.0
readonly package=synapsex-agent
readonly config=/etc/synapsex/agent.toml
readonly environment=/etc/synapsex/agent.env  # of the unit, root's alone: a proxy may have a password
readonly installed_ca=/etc/synapsex/agent-ca.crt
readonly installed_token=/etc/synapsex/enrollment-token
readonly token_bytes_max=4096
readonly online_seconds_max=60

readonly exit_failed=1 exit_usage=2 exit_machine=3 exit_package=4 exit_not_online=5

usage() {
    cat <<'TEXT'
Usage: install-agent.sh --url URL --token-file FILE [options]
       install-agent.sh --uninstall [--purge] [--dry-run]

Installs the SynapseX agent on this machine (Debian from 12 or Ubuntu from 22.04 on, with systemd),
enrolls it at a control plane and waits until it is online. Root runs it. Running it again with the
same arguments changes nothing; after an interruption it goes on.

  --url URL         the control plane, https://host[:port]; http:// only to this machine itself
  --token-file FILE an enrollment token, for its owner alone (mode 0600); - is standard input.
                    It is moved out of FILE, and erased once the agent has enrolled. An agent that
                    has enrolled needs none; it is used if the control plane has removed the VM.
  --name NAME       the name of this machine in the fleet, once it enrolls [the host name]
  --ca-file FILE    PEM file with the authorities to trust instead of the system's; a copy of it
                    is kept in /etc/synapsex
  --proxy URL       the HTTP proxy of the agent, of apt and of --deb-url; none: no proxy any more
  --deb FILE        the package, from a file
  --deb-url URL     the package, from there, if it has
  --deb-sha256 HEX  this SHA-256. With neither --deb nor --deb-url it comes from the repositories
                    that apt has here.
  --dry-run         say what would be done, and change nothing
  --uninstall       remove the agent; its settings and its identity stay. What stands before it,
                    as in a script that was printed, does not count.
  --purge           with --uninstall: delete those, too
  --version, --help

Settings go into /etc/synapsex/agent.toml, in which everything else stays as it is, comments too. The
token is read from a file, never from an argument, and shown nowhere. A password in the URL of a
proxy can be seen in the process list while this runs; it may be put into /etc/synapsex/agent.env
instead.

Exit codes: 0 the agent is online (or removed, or shown what would be done), 1 a step failed, 2 the
arguments are wrong, 3 not this machine or not root, 4 there is no package or it cannot be
installed, 5 it is installed and not online after 60 s, or is refused. Whatever failed is said.
TEXT
}

# --- saying what happens --------------------------------------------------------------------------

say() { printf '%s\n' "$*"; }
warn() { printf 'install-agent: %s\n' "$*" >&2; }
# die CODE SENTENCE
die() {
    code=$1
    shift
    warn "$*"
    is_told=yes
    exit "$code"
}
is_told=no

changes=0
# change TEXT COMMAND…: does it, or only says it.
change() {
    changes=$((changes + 1))
    if [ "$is_dry_run" = yes ]; then
        say "would $1"
        return 0
    fi
    say "$1"
    shift
    "$@"
}

# --- arguments ------------------------------------------------------------------------------------

url='' token_file='' name='' ca_file='' proxy='' deb='' deb_url='' deb_sha256=''
is_dry_run=no action=install is_purge=no

parse_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --url | --token-file | --name | --ca-file | --proxy | --deb | --deb-url | --deb-sha256)
                [ -n "${2:-}" ] || die $exit_usage "$1 takes a value; see --help."
                take_value "$1" "$2"
                shift
                ;;
            --dry-run) is_dry_run=yes ;;
            --uninstall) action=uninstall && forget_values ;;
            --purge) is_purge=yes ;;
            --version) say "install-agent.sh $version"; exit 0 ;;
            --help | -h) usage; exit 0 ;;
            sxe_*) die $exit_usage 'a token is no argument: others see arguments. Put it into a file' \
                'of mode 0600 and name that with --token-file, and make another token: this one was seen.' ;;
            *) die $exit_usage "there is no option $1; see --help." ;;
        esac
        shift
    done
}

# A printed script has its address and the rest before what is given to it.
forget_values() { url='' token_file='' name='' ca_file='' proxy='' deb='' deb_url='' deb_sha256=''; }

take_value() {
    case $1 in
        --url) url=$2 ;;
        --token-file) token_file=$2 ;;
        --name) name=$2 ;;
        --ca-file) ca_file=$2 ;;
        --proxy) proxy=$2 ;;
        --deb) deb=$2 ;;
        --deb-url) deb_url=$2 ;;
        --deb-sha256) deb_sha256=$(printf '%s' "$2" | tr A-F a-f) ;;
    esac
}

check_arguments() {
    if [ "$action" = uninstall ]; then
        [ -z "$url$token_file$name$ca_file$proxy$deb$deb_url$deb_sha256" ] ||
            die $exit_usage 'after --uninstall come --purge and --dry-run alone.'
        return 0
    fi
    [ $is_purge = no ] || die $exit_usage '--purge goes with --uninstall.'
    [ -z "$url" ] || check_url "$url"
    case $name in *[[:cntrl:]]*) die $exit_usage '--name has control characters in it.' ;; esac
    check_proxy
    check_ca_file
    [ -z "$deb" ] || [ -z "$deb_url" ] || die $exit_usage 'give --deb or --deb-url, not both.'
    [ -z "$deb_url" ] || check_deb_url
    [ -z "$deb_sha256" ] || [ -n "$deb_url" ] || die $exit_usage '--deb-sha256 goes with --deb-url.'
}

# The agent checks it again, by the rules of URLs.
check_url() {
    case $1 in
        *[!]A-Za-z0-9._~:/%[-]*) die $exit_usage "'$1' is not a URL such as https://host:port." ;;
        https://[!/]*) return 0 ;;
        http://[!/]*) ;;
        *) die $exit_usage "'$1' is not a URL such as https://host:port." ;;
    esac
    host=${1#http://}
    host=${host%%/*}
    case $host in
        localhost | localhost:* | '[::1]' | '[::1]':*) return 0 ;;
        127.*.*.*) case ${host%:*} in *[!0-9.]*) ;; *) return 0 ;; esac ;;
    esac
    die $exit_usage "http:// is allowed only to this machine itself; use https:// for '$host'."
}

check_proxy() {
    case $proxy in
        '' | none) ;;
        *[!]A-Za-z0-9._~:/%@!\&+,\;=[-]*)
            die $exit_usage '--proxy has characters in it that a URL has as %XX.' ;;
        http://[!/]* | https://[!/]*) ;;
        *) die $exit_usage '--proxy takes http://host:port, https://host:port or none.' ;;
    esac
}

check_ca_file() {
    [ -n "$ca_file" ] || return 0
    [ -r "$ca_file" ] || die $exit_usage "$ca_file (--ca-file) cannot be read."
    read_ca_file
    case $ca_text in
        *'PRIVATE KEY'*) die $exit_usage "$ca_file has a private key in it, which belongs on no VM;" \
            'give the certificate of the authority alone.' ;;
        *'-----BEGIN CERTIFICATE-----'*) ;;
        *) die $exit_usage "$ca_file has no certificate in it (-----BEGIN CERTIFICATE-----)." ;;
    esac
}

# Once, for it may be a pipe.
read_ca_file() { ca_text=$(head -c 1000000 -- "$ca_file"); }

check_deb_url() {
    case $deb_url in
        https://[!/]* | http://[!/]*) ;;
        *) die $exit_usage '--deb-url takes an http:// or https:// URL.' ;;
    esac
    case $deb_sha256 in
        '') die $exit_usage '--deb-url needs --deb-sha256: what sha256sum says of that file.' ;;
        *[!0-9a-f]*) die $exit_usage "'$deb_sha256' is no SHA-256." ;;
    esac
    [ ${#deb_sha256} -eq 64 ] || die $exit_usage "'$deb_sha256' is no SHA-256: it has 64 digits."
}

# check_deb FILE: of our package, for this machine.
check_deb() {
    [ -r "$1" ] || die $exit_package "$1 cannot be read."
    [ "$(field_of "$1" Package)" = $package ] || die $exit_package "$1 is no package $package."
    architecture=$(field_of "$1" Architecture)
    [ "$architecture" = "$(dpkg --print-architecture)" ] ||
        die $exit_package "$1 is for $architecture, and this machine is $(dpkg --print-architecture)."
}
field_of() { dpkg-deb --field "$1" "$2" 2>/dev/null || true; }

# --- this machine ---------------------------------------------------------------------------------

check_machine() {
    os_id='' os_version='' os_name='this system'
    if [ -r /etc/os-release ]; then
        # shellcheck source=/dev/null
        os_id=$(. /etc/os-release && printf '%s' "${ID:-}")
        # shellcheck source=/dev/null
        os_version=$(. /etc/os-release && printf '%s' "${VERSION_ID:-}")
        # shellcheck source=/dev/null
        os_name=$(. /etc/os-release && printf '%s' "${PRETTY_NAME:-${ID:-this system}}")
    fi
    # Debian's testing has no number yet.
    case $os_id in
        debian) is_recent 12 ;;
        ubuntu) is_recent 22 ;;
        *) false ;;
    esac || die $exit_machine "the agent has packages for Debian from 12 and Ubuntu from 22.04 on;" \
        "this is $os_name."
    [ "$(id -u)" -eq 0 ] || die $exit_machine 'only root can install it: sudo sh install-agent.sh …'
    [ -d /run/systemd/system ] || die $exit_machine 'systemd does not run here. In a container, install' \
        'the package and run synapsex-agent --supervise.'
}
is_recent() { [ -z "$os_version" ] || [ "${os_version%%.*}" -ge "$1" ]; }

# One at a time. The folder itself is the lock, so that nothing is left.
take_lock() {
    exec 9</etc
    flock --nonblock 9 || die $exit_failed 'another install-agent.sh runs on this machine.'
}

work=''
end() {
    code=$?
    [ -z "$work" ] || rm -rf -- "$work"
    [ $code -eq 0 ] || [ $is_told = yes ] || warn 'a step failed; see above. Run it again to go on.'
}
make_work_folder() {
    trap end EXIT
    trap 'die $exit_failed "interrupted. Run it again to go on."' INT TERM HUP
    work=$(mktemp -d -t install-agent.XXXXXX)
    chmod 755 -- "$work"  # apt fetches as a user of its own
}

# --- the package ----------------------------------------------------------------------------------

package_state() { dpkg-query --show --showformat '${db:Status-Status}' $package 2>/dev/null || true; }
is_installed() { [ "$(package_state)" = installed ]; }
installed_version() { dpkg-query --show --showformat '${Version}' $package; }

# quietly COMMAND…: what it says goes into a file.
quietly() {
    (
        unset TMPDIR
        export DEBIAN_FRONTEND=noninteractive
        case $proxy in '' | none) ;; *) export http_proxy="$proxy" https_proxy="$proxy" ;; esac
        exec "$@"
    ) >"$work/log" 2>&1 </dev/null 9<&-
}
# logged COMMAND…: quietly, unless it fails.
logged() { quietly "$@" || show_failure; }
show_failure() {
    tail -n 20 -- "$work/log" >&2
    return 1
}

# What a dpkg that was cut off left, of whatever package, apt wants to have finished first.
apt_get() {
    set -- apt-get -q -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 "$@"
    quietly "$@" && return 0
    grep -q 'dpkg --configure -a' "$work/log" || show_failure || return 1
    logged dpkg --configure -a && logged "$@"
}
install_with_apt() { apt_get install "$@" || die $exit_package 'apt could not install it; see above.'; }

# The same of ours, which may be all that is missing.
finish_dpkg() {
    case $(package_state) in '' | installed | not-installed | config-files) return 0 ;; esac
    change 'finish what dpkg was doing when it was cut off' \
        logged dpkg --configure -a || die $exit_package 'dpkg --configure -a failed; see above.'
}

install_package() {
    finish_dpkg
    if [ -n "$deb_url" ]; then
        install_from_url
    elif [ -n "$deb" ]; then
        install_file "$(readlink -f -- "$deb")" "$deb"
    elif ! is_installed; then
        install_from_repository
    fi
}

# install_file FILE NAME: nothing, if that version or a later one is here.
install_file() {
    wanted=$(field_of "$1" Version)
    if is_installed; then
        dpkg --compare-versions "$wanted" ne "$(installed_version)" || return 0
        if dpkg --compare-versions "$wanted" lt "$(installed_version)"; then
            say "$package $(installed_version) is installed, which is later than $wanted of $2; it stays"
            return 0
        fi
    fi
    change "install $package $wanted from $2" install_with_apt --reinstall "$1"
}

# apt fetches it, for it is there on every machine, unlike curl.
install_from_url() {
    if [ "$is_dry_run" = yes ]; then
        change "download $deb_url, check its SHA-256 and install it, if it is later than what is here"
        return 0
    fi
    logged /usr/lib/apt/apt-helper download-file "$deb_url" "$work/$package.deb" ||
        die $exit_package "$deb_url could not be downloaded; see above."
    printf '%s  %s\n' "$deb_sha256" "$work/$package.deb" | sha256sum --check --status ||
        die $exit_package "$deb_url is not what was meant: its SHA-256 is" \
            "$(sha256sum "$work/$package.deb" | cut -d ' ' -f 1), not $deb_sha256. Nothing was installed."
    check_deb "$work/$package.deb"
    install_file "$work/$package.deb" "$deb_url"
}

install_from_repository() {
    if [ "$is_dry_run" = yes ]; then
        change "install $package from the repositories of apt, with their lists as they are now"
        return 0
    fi
    has_candidate || apt_get update || warn 'the lists of packages could not be updated; see above.'
    has_candidate || die $exit_package "no repository of apt has $package here; give the package with" \
        '--deb FILE, or --deb-url URL and --deb-sha256 HEX.'
    change "install $package from a repository of apt" install_with_apt $package
}
has_candidate() { apt-cache policy $package | grep -q '^  Candidate: [0-9]'; }

# --- settings -------------------------------------------------------------------------------------

# The agent's own reading of a file; what this shell's environment says is not for it.
print_config() { env -i PATH="$PATH" $package --config "$1" --print-config; }
# value_of KEY: of `print_config`'s output, still escaped.
value_of() { sed -n "s/^$1 = \"\(.*\)\"  # [a-z]*\$/\1/p"; }
setting() { [ ! -e $config ] || print_config $config 2>/dev/null | value_of "$1"; }

find_data_dir() {
    data_dir=''
    ! is_installed || data_dir=$(setting data_dir)
    [ -n "$data_dir" ] || data_dir=/var/lib/synapsex/agent
}
is_enrolled() { [ -e "$data_dir/identity.json" ]; }
# Given earlier and not used yet; in the second place it is the worker's.
is_token_here() { [ -s $installed_token ] || [ -s "$data_dir/enrollment-token" ]; }

toml_escaped() { printf '%s' "$1" | sed 's/[\\"]/\\&/g'; }

# with_setting KEY TEXT: standard input, a TOML file, with that setting. A line that has it already
# keeps what stands around the value; a new one comes after the line that shows it as an example.
with_setting() {
    key=$1 value="\"$2\"" awk '
        BEGIN {
            key = ENVIRON["key"]
            value = ENVIRON["value"]
            setting = "^[ \t]*(" key "|\"" key "\"|'\''" key "'\'')[ \t]*=[ \t]*"
            example = "^#[ \t]*" key "[ \t]*="
        }
        { lines[NR] = $0 }
        !place && $0 ~ setting { place = NR }
        !hint && $0 ~ example { hint = NR }
        function changed(line,    before) {
            match(line, setting)
            before = substr(line, 1, RLENGTH)
            line = substr(line, RLENGTH + 1)
            match(line, /^("([^"\\]|\\.)*"|'\''[^'\'']*'\''|[^ \t#]*)/)
            return before value substr(line, RLENGTH + 1)
        }
        END {
            for (n = 1; n <= NR; n++) {
                print n == place ? changed(lines[n]) : lines[n]
                if (!place && n == hint) print key " = " value
            }
            if (!place && !hint) print key " = " value
        }'
}

# Whether that is the name that it would enroll with, or none was given.
is_name() {
    is=$(setting name)
    [ -z "$1" ] || [ "${is:-$(uname -n)}" = "$(toml_escaped "$1")" ]
}

# settings_wanted: "key value" a line, the value as TOML writes it.
settings_wanted() {
    [ -z "$url" ] || printf 'url %s\n' "$(toml_escaped "$url")"
    [ -z "$token" ] || printf 'token_file %s\n' $installed_token
    [ -z "$name" ] || printf 'name %s\n' "$(toml_escaped "$name")"
    [ -z "$ca_file" ] || printf 'ca_file %s\n' $installed_ca
    case $proxy in
        '') ;;
        none) say 'proxy never' ;;
        *) say 'proxy environment' ;;
    esac
}

is_name_changed=no
write_config() {
    is_name "$name" || is_name_changed=yes
    current=$(readlink -m -- $config)
    [ -e "$current" ] || current=/usr/share/$package/agent.toml
    [ -e "$current" ] || current=/dev/null  # not installed yet, in a dry run
    cp -- "$current" "$work/agent.toml"
    settings_wanted >"$work/settings"
    while read -r key text; do
        with_setting "$key" "$text" <"$work/agent.toml" >"$work/agent.toml.next"
        mv -- "$work/agent.toml.next" "$work/agent.toml"
    done <"$work/settings"
    [ -e $config ] && cmp -s -- "$work/agent.toml" $config && return 0
    check_config
    changed=$(diff -- "$current" "$work/agent.toml" | sed -n 's/^> //p' | paste -s | sed 's/\t/, /g')
    change "set in $config: $changed" put_file "$work/agent.toml" "$(readlink -m -- $config)" 644
}

# That the agent finds there what was meant: this script reads lines, and TOML is more than lines.
check_config() {
    is_installed || return 0
    print_config "$work/agent.toml" >"$work/read" 2>"$work/log" || die $exit_failed \
        "$config cannot be understood; mend it and run this again: $(tail -n 1 -- "$work/log")"
    while read -r key text; do
        [ "$(value_of "$key" <"$work/read")" = "$text" ] || die $exit_failed \
            "$config writes $key in a way that this script does not change; set it there to \"$text\"."
    done <"$work/settings"
}

# put_file FILE PLACE MODE: complete or not at all, with owner and mode of what it replaces.
put_file() {
    mkdir -p -- "${2%/*}"
    rm -f -- "$2.new"
    if [ -e "$2" ]; then
        cp -p -- "$2" "$2.new"
    else
        (umask 077 && : >"$2.new")
        chmod -- "$3" "$2.new"
    fi
    cat -- "$1" >"$2.new"
    sync -- "$2.new"
    mv -f -- "$2.new" "$2"
}

write_ca_file() {
    [ -n "$ca_file" ] || return 0
    printf '%s\n' "$ca_text" >"$work/ca.crt"
    cmp -s -- "$work/ca.crt" $installed_ca ||
        change "copy $ca_file to $installed_ca" put_file "$work/ca.crt" $installed_ca 644
}

# The agent's proxy, without a user's name and password.
proxy_there() {
    [ ! -e $environment ] || sed -n 's|^https_proxy=||p' $environment | tr -d \"\' | sed 's|//.*@|//|'
}

# Whatever else stands there, as no_proxy, stays; so does the password that a person has put in.
write_environment() {
    [ -n "$proxy" ] || return 0
    [ "$proxy" != "$(proxy_there)" ] || return 0
    (umask 077 && : >"$work/agent.env")
    [ ! -e $environment ] ||
        sed '/^https\{0,1\}_proxy=/d' $environment >"$work/agent.env"
    if [ "$proxy" != none ]; then
        printf 'http_proxy="%s"\nhttps_proxy="%s"\n' "$proxy" "$proxy" >>"$work/agent.env"
    elif ! grep -q '^[^#]' "$work/agent.env"; then
        [ ! -e $environment ] || change "delete $environment" rm -f -- $environment
        return 0
    fi
    cmp -s -- "$work/agent.env" $environment ||
        change "write the proxy into $environment" put_file "$work/agent.env" $environment 600
}

# --- the token ------------------------------------------------------------------------------------

token=''  # neither exported nor an argument of a program

# Before anything is changed; for an agent that has enrolled only once it turns out that it needs one.
read_token() {
    case $token_file in
        '') ;;
        -) token=$(head -c $token_bytes_max | tr -d '[:space:]') ;;
        *) read_token_file ;;
    esac
    if [ -z "$token" ]; then
        is_token_here || die $exit_usage 'there is no enrollment token; make one with' \
            'synapsexctl tokens create --token-file FILE, and give it with --token-file FILE.'
        return 0
    fi
    case $token in
        *[!A-Za-z0-9._-]*) ;;
        sxe_?*) return 0 ;;
    esac
    die $exit_usage 'what was given as a token is none (sxe_…); copy it again.'
}

read_token_file() {
    [ -e "$token_file" ] || { is_token_here && return 0; }
    [ -e "$token_file" ] || die $exit_usage "there is no file $token_file (--token-file)."
    [ -f "$token_file" ] || die $exit_usage "$token_file is no file; - is standard input."
    case $(stat -L -c %a -- "$token_file") in
        *00) ;;
        *) die $exit_usage "others than its owner may read $token_file: make another token, or, if" \
            "nobody else was here, chmod 600 $token_file" ;;
    esac
    token=$(head -c $token_bytes_max -- "$token_file" | tr -d '[:space:]')
}

# Moved, so that there is one of it at any time; the agent erases it once it has enrolled.
write_token() {
    [ -n "$token" ] || return 0
    given=''
    case $token_file in
        -) ;;
        *) [ "$(readlink -m -- "$token_file")" = $installed_token ] || given=$token_file ;;
    esac
    if [ ! -f $installed_token ] || [ "$(cat -- $installed_token)" != "$token" ]; then
        change "move the token from ${given:-standard input} to $installed_token" put_token
    fi
    [ -z "$given" ] || [ "$is_dry_run" = yes ] ||
        shred --iterations=0 --zero --remove=unlink -- "$given" || warn "delete $given."
}
put_token() {
    mkdir -p -- ${installed_token%/*}
    (umask 077 && printf '%s\n' "$token" >$installed_token.new)
    sync -- $installed_token.new
    mv -f -- $installed_token.new $installed_token
}

# --- the service ----------------------------------------------------------------------------------

unit_is() { systemctl is-"$1" --quiet $package.service 2>/dev/null; }
unit_says() { systemctl show --property "$1" --value $package.service; }

# Settings that are newer than the running worker, from a run of this that was cut off.
has_unread_settings() {
    set -- $config $environment $installed_ca
    is_enrolled || set -- "$@" $installed_token
    [ -n "$(find "$@" -newer /run/synapsex/worker.pid 2>/dev/null)" ]
}

since=''  # an instant that a heartbeat of now is not before
start_agent() {
    ! is_installed || unit_is enabled ||
        change "enable $package.service" systemctl --quiet enable $package.service
    if [ $changes -eq 0 ] && unit_is active && ! has_unread_settings; then return 0; fi
    since=$(date -u +%Y-%m-%dT%H:%M:%S)
    change "restart $package.service" systemctl restart $package.service || die $exit_not_online \
        "the service does not start: $(last_trouble)"
}

status_text() { $package status --json 2>/dev/null || true; }
# member JSON NAME: a text of it; quotes in there lose their backslash.
member() {
    printf '%s' "$1" | sed -n 's/.*"'"$2"'":"\(\([^"\\]\|\\.\)*\)".*/\1/p' | sed 's/\\"/"/g'
}

is_online() {
    status=$(status_text)
    case $status in *'"connected":true'*) ;; *) return 1 ;; esac
    is_enrolled && expr "x$(member "$status" lastHeartbeatAt)" '>=' "x$since" >/dev/null
}

is_token_offered() { [ "$token_file" = - ] || { [ -n "$token_file" ] && [ -e "$token_file" ]; }; }

# The agent asks the control plane once more, and enrolls as a new one if it is as it said.
is_again=no
enroll_again() {
    is_again=yes
    ! is_token_offered || read_token
    say 'The control plane has removed this VM or replaced its key, or is another one: it enrolls again.'
    write_config
    write_token
    since=$(date -u +%Y-%m-%dT%H:%M:%S)
    change "restart $package.service" systemctl restart $package.service || die $exit_not_online \
        "the service does not start: $(last_trouble)"
}

# What the control plane says to an agent that was removed there: it will not change its mind.
is_forgotten() {
    case $status in
        *'"lastProblem":"auth.agent_revoked'* | *'"lastProblem":"auth.unknown_key'*) return 0 ;;
        *'"lastProblem":"auth.key_replaced'*) return 0 ;;
    esac
    return 1
}

wait_until_online() {
    seconds=0
    until is_online; do
        case $(unit_says ActiveState) in
            failed) die $exit_not_online "the agent is installed and has given up. $(last_trouble)" ;;
            inactive) die $exit_not_online "the agent is installed and not running. $(why_inactive)" ;;
        esac
        if is_forgotten && [ $is_again = no ]; then
            is_token_offered || is_token_here || die $exit_not_online 'the control plane has removed this VM or' \
                'replaced its key, or is another one. To enroll it as a new VM, run this again with a' \
                'new token (synapsexctl tokens create --token-file FILE): --token-file FILE.'
            enroll_again
            seconds=0
        fi
        [ $seconds -lt $online_seconds_max ] || die $exit_not_online \
            "the agent is installed and not online after $seconds s; it keeps trying. $(last_trouble)"
        sleep 1
        seconds=$((seconds + 1))
    done
}

# The last warning or error of the service in this life, and what to do about it.
last_trouble() {
    line=$(journalctl --quiet --no-pager --output=cat --unit=$package.service \
        "_SYSTEMD_INVOCATION_ID=$(unit_says InvocationID)" |
        grep -E '"level":"(warning|error)"' | tail -n 1)
    trouble=$(member "$line" message)
    for each in code detail; do
        more=$(member "$line" $each)
        [ -z "$more" ] || trouble="$trouble; $more"
    done
    case $trouble in
        *net.tls_authority*) advice='Give the certificate of its authority with --ca-file.' ;;
        *net.tls*) advice='See TLS in docs/operating.md.' ;;
        *net.*) advice='Look at the URL, name resolution, firewalls and --proxy.' ;;
        *'refuses the enrollment'* | *'enrollment token'*)
            advice='Make another token (synapsexctl tokens create) and run this again with it.' ;;
        *) advice='' ;;
    esac
    trouble=${trouble:-nothing}
    say "It says: ${trouble%.}. ${advice:+$advice }All of it: journalctl -u $package"
}
why_inactive() {
    /usr/libexec/synapsex/prepare-agent is-configured || return 0
    say "All of it: systemctl status $package"
}

# --- the whole of it ------------------------------------------------------------------------------

install_agent() {
    find_data_dir
    was_enrolled=no
    if is_enrolled; then was_enrolled=yes; else read_token; fi
    [ -n "$url" ] || [ -n "$(setting url)" ] || is_enrolled ||
        die $exit_usage '--url is missing: the address of the control plane.'
    install_package
    find_data_dir
    write_ca_file
    write_environment
    write_config
    write_token
    start_agent
    if [ "$is_dry_run" = yes ]; then
        [ "$was_enrolled" = no ] || ! is_token_offered || say 'This machine has enrolled already;' \
            'the token would be used only if the control plane has removed it.'
        [ $changes -gt 0 ] || say 'Nothing would be changed.'
        say "would wait until it is online, $online_seconds_max s at most"
        return 0
    fi
    wait_until_online
    status=$(status_text)
    [ "$was_enrolled" = no ] || [ $is_again = yes ] || ! is_token_offered ||
        say 'This machine has enrolled already; the token is not used and stays valid.'
    [ $changes -gt 0 ] || say 'Nothing had to be changed.'
    tell_of_name
    say "This machine is online as $(member "$status" vmId), at $(member "$status" url)."
}

# The name in agent.toml is said once, when the agent enrolls.
tell_of_name() {
    [ "$is_name_changed$was_enrolled$is_again" = yesyesno ] || return 0
    say "The fleet knows this machine by the name with which it enrolled; --name does not change that." \
        "To rename it there, where you are signed in: synapsexctl agents rename" \
        "$(member "$status" agentId) $(shell_word "$name")"
}
shell_word() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

uninstall_agent() {
    state=$(package_state)
    case $state-$is_purge in
        '-'* | not-installed-*) say "$package is not installed."; return 0 ;;
        config-files-no)
            say "$package is removed already. Its settings and identity are here: --purge deletes them."
            return 0
            ;;
    esac
    finish_dpkg
    if [ $is_purge = yes ]; then
        change "remove $package with its settings, its identity and what it has not sent yet" \
            apt_get purge $package || die $exit_package 'apt could not remove it; see above.'
    else
        change "remove $package; its settings and its identity stay" \
            apt_get remove $package || die $exit_package 'apt could not remove it; see above.'
    fi
    [ "$is_dry_run" = yes ] ||
        say 'The control plane has the VM still, as offline: synapsexctl agents remove takes it away.'
}

main() {
    LC_ALL=C
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    TMPDIR=/run
    export LC_ALL PATH TMPDIR
    umask 022
    parse_arguments "$@"
    check_arguments
    check_machine
    [ -z "$deb" ] || check_deb "$deb"
    take_lock
    make_work_folder
    "${action}_agent"
}

main "$@"
