#!/usr/bin/env bash
# Builds and runs the tests; --help says which. Everything it makes is in build/.
set -Eeuo pipefail

# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/../installers/build_tools.sh"  # sets $root
readonly build="$root/build/ci"
readonly logs="$root/build/test-logs"
readonly programs=(synapsex-controlplane synapsex-agent synapsex-executor synapsexctl next_release)

usage() {
    cat <<'TEXT'
Usage: tests/run.sh [--long] [--no-install] [name]

Installs what the tests need, builds with AddressSanitizer and UndefinedBehaviorSanitizer, and runs
unit tests on SQLite and PostgreSQL, the rules of the architecture, stories with the real programs,
attacks, other people's clients, what is concurrent under ThreadSanitizer, VMs that boot Debian (as
root, where systemd-nspawn works), the Debian packages, and the quickstart with a release build.

  name          only the test programs and test files with this in their name: vm_registry,
                heartbeat, openapi, quickstart; or all of a kind: unit, or the files of a folder of
                tests: architecture, functional (without the quickstart), hostile, interop,
                packages, vm
  --long        also the stories of ten minutes, planted faults (mutants) and the benches
  --no-install  install nothing; what needs more than is there fails or is skipped
  --help        this text

Logs are in build/test-logs. It ends with one line, "N passed, N failed, N skipped".
TEXT
}

# --- saying what happens ------------------------------------------------------------------------

bold='' red='' green='' plain=''
if [[ -t 1 ]]; then
    bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
fi

passed=0
failed=0
skipped=0
step_log=''
step_number=0

die() {
    printf 'run.sh: %s\n' "$*" >&2
    exit 2
}
trap 'trap - ERR; die "unexpected failure in line $LINENO: $BASH_COMMAND"' ERR

# step NAME SECONDS COMMAND…: runs it with an end, output to a log of its own. Shows the log's tail
# if it fails; returns its status.
step() {
    local name=$1 seconds=$2 started=$SECONDS status=0
    shift 2
    step_number=$((step_number + 1))
    step_log=$(printf '%s/%02d-%s.log' "$logs" "$step_number" "${name// /-}")
    printf '%s==> %s%s\n' "$bold" "$name" "$plain"
    # Through bash, since timeout cannot start a function.
    # shellcheck disable=SC2016  # for the inner shell
    timeout --kill-after=20 "$seconds" bash -c '"$@"' _ "$@" >"$step_log" 2>&1 </dev/null ||
        status=$?
    if ((status == 0)); then
        printf '    %sok%s, %d s\n' "$green" "$plain" "$((SECONDS - started))"
        return 0
    fi
    show_failure "$status" "$seconds"
    printf '    %sfailed%s after %d s; all of it: %s\n' "$red" "$plain" "$((SECONDS - started))" "$step_log"
    return "$status"
}

# The summary of failures that node writes is at the end, as are a compiler's errors.
show_failure() {
    local status=$1 seconds=$2
    tail -n 80 -- "$step_log" | sed 's/^/    | /'
    ((status == 124 || status == 137)) && printf '    | (ended after %d s)\n' "$seconds"
    return 0
}

# What has to work before anything can be tested: no test, but its failure counts as one.
must() {
    step "$@" && return 0
    failed=$((failed + 1))
    return 1
}

# A step that is a test by itself.
check() {
    must "$@" || return 1
    passed=$((passed + 1))
}

skip() {
    printf '%s==> %s%s\n    skipped: %s\n' "$bold" "$1" "$plain" "$2"
    skipped=$((skipped + 1))
}

finish() {
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    ((failed == 0 && passed > 0)) || exit 1
    exit 0
}

# --- what the tests need ------------------------------------------------------------------------

# shellcheck disable=SC2317  # called through step
as_root() {
    if [[ $EUID -eq 0 ]]; then "$@"; else sudo -n -- "$@"; fi
}

# shellcheck disable=SC2317  # called through step
install_missing() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=3 update ||
        echo 'The package lists could not be updated; trying with what is here.'
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=3 \
        -o DPkg::Lock::Timeout=120 install --no-install-recommends "$@"
}

install_packages() {
    command -v apt-get >/dev/null || return 0
    local sections=(build faster test package package-test) missing
    [[ $EUID -ne 0 ]] || sections+=(vm)
    [[ $is_long == no ]] || sections+=(long)
    mapfile -t missing < <(missing_packages "${sections[@]}")
    ((${#missing[@]} > 0)) || return 0
    if [[ $install == no ]]; then
        printf 'Not installed, and --no-install was given: %s\n' "${missing[*]}"
        return 0
    fi
    printf 'Installing: %s\n' "${missing[*]}"
    export -f as_root install_missing
    must 'packages' 900 install_missing "${missing[@]}" || finish
}

check_node() {
    command -v node >/dev/null || die 'node is not installed; Debian 12 has it as nodejs.'
    node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 18 || (major === 18 && minor >= 19) ? 0 : 1)' ||
        die "node $(node --version) is too old; 18.19 or later is needed."
}

# npm_packages NAME FOLDER
npm_packages() {
    has_npm_packages "$2" && return 0
    # They may be of another day; better than none.
    [[ $install == yes ]] || { [[ -d $2/node_modules ]]; return; }
    export -f install_npm
    must "npm packages of $1" 600 install_npm "$2"
}

# --- build --------------------------------------------------------------------------------------

# build_preset PRESET TARGET…: all targets if none is named.
build_preset() {
    local preset=$1 targets=()
    shift
    (($# == 0)) || targets=(--target "$@")
    must "build $preset" 2400 cmake --build --preset "$preset" -j "$(build_jobs)" "${targets[@]}"
}

configure() {
    local preset=$1
    shift
    drop_foreign_build "$preset"
    must "configure $preset" 300 cmake --preset "$preset" "$@"
}

# --- unit tests ---------------------------------------------------------------------------------

# matching_unit_tests [OPTION OF CTEST…]: test programs whose name has the wanted text.
matching_unit_tests() {
    ctest --test-dir "$build" -N -R "$unit_pattern" "$@" 2>/dev/null |
        sed -n 's/^ *Test *#[0-9]*: //p'
}

# The tests in the programs, not the programs, are what is counted; a program that crashed has left
# no report and counts as one failure.
unit_tests() {
    run_unit_tests 'unit tests' ctest --preset ci -R "$unit_pattern" -j "$(nproc)"
    [[ -n $(matching_unit_tests -L both_engines) ]] || return 0
    if ! command -v pg_virtualenv >/dev/null; then
        skip 'unit tests on PostgreSQL' 'postgresql is not installed'
        return 0
    fi
    local tests=(ctest --preset ci -L both_engines -R "$unit_pattern" -j "$(nproc)")
    run_unit_tests 'unit tests on PostgreSQL' "$root/tests/support/with_postgres.sh" "${tests[@]}"
    [[ -x /usr/sbin/pgbouncer ]] || {
        skip 'unit tests through pgbouncer' 'pgbouncer is not installed'
        return 0
    }
    run_unit_tests 'unit tests through pgbouncer' \
        "$root/tests/support/with_postgres.sh" --pgbouncer "${tests[@]}"
}

# run_unit_tests NAME COMMAND…
run_unit_tests() {
    local name=$1 reports="$build/reports" counts
    shift
    rm -rf -- "$reports"
    mkdir -p -- "$reports"
    GTEST_OUTPUT="xml:$reports/" step "$name" 900 "$@" && counts=0 || counts=1
    count_unit_tests "$reports" "$counts"
}

count_unit_tests() {
    local reports=$1 has_failed=$2 report tests failures absent crashed told
    for report in "$reports"/*.xml; do
        [[ -f $report ]] || continue
        tests=$(attribute tests "$report")
        failures=$(($(attribute failures "$report") + $(attribute errors "$report")))
        absent=$(($(attribute disabled "$report") + $(grep -c '<skipped' "$report" || true)))
        passed=$((passed + tests - failures - absent))
        failed=$((failed + failures))
        skipped=$((skipped + absent))
    done
    # Programs that ctest calls failed: those with a failure in their report, and those without one.
    crashed=$(sed -n 's/.*tests passed, \([0-9]*\) tests failed.*/\1/p' "$step_log" | tail -n 1)
    told=$(cat "$reports"/*.xml 2>/dev/null | grep -cE '<testsuites [^>]*failures="[1-9]' || true)
    crashed=$((${crashed:-$has_failed} - told))
    ((crashed <= 0)) || failed=$((failed + crashed))
}

# The attribute of a report's first element.
attribute() {
    local value
    value=$(grep -m 1 '<testsuites ' "$2" | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p")
    printf '%s\n' "${value:-0}"
}

# --- tests in node ------------------------------------------------------------------------------

# Files of a folder of tests whose name has the wanted text, or all if it is the folder's; the
# quickstart has a step of its own.
matching_files() {
    local file
    for file in "$root/tests/$1"/*.test.mjs; do
        [[ -f $file && ${file##*/} != quickstart.test.mjs ]] || continue
        [[ -z $wanted || $wanted == "$1" || ${file##*/} == *"$wanted"* ]] || continue
        printf '%s\n' "$file"
    done
    return 0
}

runner=()  # what node is run by

# node_tests NAME SECONDS FILE…: counts what node counts. A file that still runs 30 seconds before
# the end says what it waits for.
node_tests() {
    local name=$1 seconds=$2 status=0
    shift 2
    (($# > 0)) || return 0
    local report="$logs/${name// /-}.tap"
    rm -f -- "$report"
    local deadline=$(($(date +%s) + seconds - 30))
    step "$name" "$seconds" env SYNAPSEX_TEST_DEADLINE="$deadline" \
        "${runner[@]}" node --test --test-concurrency="$(nproc)" \
        --test-reporter=spec --test-reporter-destination=stdout \
        --test-reporter=tap --test-reporter-destination="$report" "$@" || status=$?
    count_node_tests "$report" "$status"
    sed -n 's/^ℹ \(.*\)/    \1/p' "$step_log" |
        grep -vE '^ *(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ' || true
}

count_node_tests() {
    local report=$1 status=$2 wrong
    if ! grep -q '^# pass ' "$report" 2>/dev/null; then
        failed=$((failed + 1))  # it did not come to its end
        return
    fi
    wrong=$(($(node_count fail "$report") + $(node_count cancelled "$report")))
    ((status == 0 || wrong > 0)) || wrong=1
    passed=$((passed + $(node_count pass "$report")))
    failed=$((failed + wrong))
    skipped=$((skipped + $(node_count skipped "$report")))
}

node_count() { sed -n "s/^# $1 \([0-9]*\)\$/\1/p" "$2" | tail -n 1; }

# --- the steps ----------------------------------------------------------------------------------

architecture_tests() {
    local files
    mapfile -t files < <(matching_files architecture)
    node_tests architecture 300 "${files[@]}"
    [[ -z $wanted || $wanted == architecture ]] || return 0
    if command -v shellcheck >/dev/null; then
        check 'shell scripts' 120 shellcheck -x "$root"/tests/run.sh "$root"/.ci/run \
            "$root"/installers/*.sh "$root"/tests/{bench/*,support,packages,vm/kit}/*.sh \
            "$root"/packaging/deb/*.sh "$root"/packaging/deb/debian/{prepare-agent,*.post*} || true
    else
        skip 'shell scripts' 'shellcheck is not installed'
    fi
}

# The stories with real programs: ours, attackers', other people's.
story_tests() {
    local files
    mapfile -t files < <(matching_files functional)
    node_tests functional "$([[ $is_long == yes ]] && echo 3000 || echo 1200)" "${files[@]}"
    # What is about SQLite's file, or about no database at all, is told once.
    local once='full_disk|start_refusals|outage|clock|trust|agent_commands|agent_processes'
    once+='|check_egress|run_script'
    mapfile -t files < <(matching_files functional | { grep -vE "/($once)\." || true; })
    if ((${#files[@]} > 0)) && command -v pg_virtualenv >/dev/null; then
        runner=("$root/tests/support/with_postgres.sh")
        node_tests 'functional on PostgreSQL' 1200 "${files[@]}"
        runner=()
    fi
    mapfile -t files < <(matching_files hostile)
    node_tests hostile 600 "${files[@]}"
    mapfile -t files < <(matching_files interop)
    ((${#files[@]} > 0)) || return 0
    if npm_packages interop "$root/tests/interop"; then
        node_tests interop 600 "${files[@]}"
    elif [[ $install == no ]]; then
        skip interop 'its npm packages are not installed, and --no-install was given'
    fi
}

needs_programs() {
    local folder
    [[ -n $wanted ]] || return 0
    for folder in architecture functional hostile interop; do
        [[ -z $(matching_files "$folder") ]] || return 0
    done
    return 1
}

sanitized_tests() {
    local units targets=()
    [[ $wanted != vm ]] || return 0
    npm_packages 'the API reference' "$root/controlplane/services/api_gateway/viewer" ||
        echo 'Without the npm package of the viewer, /docs is a plain page.'
    configure ci || return 0
    mapfile -t units < <(matching_unit_tests)
    if [[ -n $wanted ]]; then
        targets=("${units[@]}")
        ! needs_programs || targets+=("${programs[@]}")
        ((${#targets[@]} > 0)) || return 0
    fi
    build_preset ci "${targets[@]}" || return 0
    export SYNAPSEX_BIN="$build/bin"
    export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:check_initialization_order=1
    export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    ((${#units[@]} == 0)) || unit_tests
    architecture_tests
    story_tests
    unset ASAN_OPTIONS UBSAN_OPTIONS SYNAPSEX_BIN
}

# What runs concurrently, a second time, under ThreadSanitizer.
thread_tests() {
    local targets
    [[ $wanted != vm ]] || return 0
    mapfile -t targets < <(matching_unit_tests -L concurrent)
    ((${#targets[@]} > 0)) || return 0
    configure tsan || return 0
    build_preset tsan "${targets[@]}" || return 0
    run_unit_tests 'unit tests under ThreadSanitizer' \
        ctest --preset tsan -L concurrent -R "$unit_pattern" -j "$(nproc)"
}

# build_packages FOR: once, for VMs and for the packages' own tests. They stay in build/packages, and
# those of an earlier release below, to be upgraded from. Fails if there are none.
has_packages=''
build_packages() {
    local folder="$root/build/packages" builder="$root/packaging/deb/build.sh"
    [[ -z $has_packages ]] || { [[ $has_packages == yes ]]; return; }
    if ! command -v dh >/dev/null || ! command -v debootstrap >/dev/null; then
        skip "$1" 'debhelper or debootstrap is not installed'
        return 1
    fi
    has_packages=no
    must 'build packages' 2400 "$builder" --if-changed || return 1
    must 'build older packages' 600 "$builder" --if-changed --version 0.0.1 --output "$folder/older" ||
        return 1
    rm -rf -- "$folder/programs"
    dpkg-deb --extract "$folder"/synapsex-controlplane_*.deb "$folder/programs"
    dpkg-deb --extract "$folder"/synapsexctl_*.deb "$folder/programs"
    has_packages=yes
}

# In VMs that boot Debian. Their roots are made beforehand, once: tests/vm/README.md.
vm_tests() {
    local files why
    mapfile -t files < <(matching_files vm)
    ((${#files[@]} > 0)) || return 0
    why=$("$root/tests/vm/prepare.mjs" --why-not)
    [[ -z $why ]] || { skip vm "$why"; return 0; }
    build_packages vm || return 0
    must 'roots of VMs' 900 "$root/tests/vm/prepare.mjs" bookworm trixie || return 0
    export SYNAPSEX_DEBS="$root/build/packages" SYNAPSEX_BIN="$root/build/packages/programs/usr/bin"
    node_tests vm "$([[ $is_long == yes ]] && echo 3000 || echo 900)" "${files[@]}"
    unset SYNAPSEX_DEBS SYNAPSEX_BIN
}

package_tests() {
    local files
    mapfile -t files < <(matching_files packages)
    ((${#files[@]} > 0)) || return 0
    build_packages packages || return 0
    export SYNAPSEX_BIN="$root/build/packages/programs/usr/bin"
    node_tests packages "$([[ $is_long == yes ]] && echo 3000 || echo 900)" "${files[@]}"
    unset SYNAPSEX_BIN
}

# It builds the release, in a copy of the checkout.
quickstart_test() {
    [[ -z $wanted || quickstart == *"$wanted"* ]] || return 0
    export SYNAPSEX_QUICKSTART=1
    ! command -v pg_virtualenv >/dev/null || runner=("$root/tests/support/with_postgres.sh")
    node_tests quickstart 1800 "$root/tests/functional/quickstart.test.mjs"
    runner=()
}

# Faults that are put in on purpose, in a copy of the checkout: whether the tests find them.
planted_faults() {
    [[ $is_long == yes && ( -z $wanted || mutants == *"$wanted"* ) ]] || return 0
    if ! command -v pg_virtualenv >/dev/null || [[ ! -x /usr/sbin/pgbouncer ]]; then
        skip mutants 'postgresql or pgbouncer is not installed'
        return 0
    fi
    check mutants 3600 "$root/tests/mutants/run.mjs" || return 0
    tail -n 1 -- "$step_log" | sed 's/^/    /'
}

# Each prints its ratio against a peer in the same run.
bench() {
    local name="bench $1" seconds=$2
    shift 2
    [[ -z $wanted || $name == *"$wanted"* ]] || return 0
    if check "$name" "$seconds" "$@"; then sed 's/^/    /' "$step_log"; fi
}

benches() {
    [[ $is_long == yes && ( -z $wanted || bench == *"$wanted"* || $wanted == bench* ) ]] || return 0
    local folder="$root/build/release"
    configure release -DSYNAPSEX_TESTS=ON -DSYNAPSEX_BENCH=ON || return 0
    build_preset release bench_json bench_tokens bench_db bench_claims bench_outbox bench_http_server "${programs[@]}" ||
        return 0
    bench json 120 "$folder/bin/bench_json"
    bench tokens 120 "$folder/bin/bench_tokens"
    bench db 600 "$folder/bin/bench_db"
    bench claims 300 "$root/tests/bench/db/on_both_engines.sh" "$folder/bin/bench_claims"
    bench outbox 300 "$root/tests/bench/db/on_both_engines.sh" "$folder/bin/bench_outbox"
    bench 'http server' 600 "$root/tests/bench/http/run.sh" --server "$folder/bin/bench_http_server"
    bench 'http control plane' 600 "$root/tests/bench/http/run.sh" --control-plane "$folder/bin"
    configure release -DSYNAPSEX_TESTS=OFF -DSYNAPSEX_BENCH=OFF || true
}

is_long=no
install=yes
wanted=''
while (($# > 0)); do
    case $1 in
        --long) is_long=yes ;;
        --no-install) install=no ;;
        --help | -h) usage; exit 0 ;;
        -*) die "there is no option $1; see --help." ;;
        *) [[ -z $wanted ]] || die 'name one thing, or nothing.'; wanted=$1 ;;
    esac
    shift
done
unit_pattern=${wanted:-.}
[[ $wanted != unit ]] || unit_pattern=.

cd -- "$root"
make_writable "$logs"
rm -rf -- "${logs:?}"/*
[[ $is_long == no ]] || export SYNAPSEX_LONG=1
install_packages
check_node
sanitized_tests
thread_tests
vm_tests
package_tests
quickstart_test
planted_faults
benches
((passed + failed + skipped > 0)) || die "nothing is named like $wanted."
printf '%d minutes in all; logs are in %s\n' "$(((SECONDS + 59) / 60))" "$logs"
finish
