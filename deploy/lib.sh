# shellcheck shell=bash disable=SC2034  # variables are used by those who source this
# Sourced by the commands of this folder: messages, Debian packages, long steps, clearing up.

deploy=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$deploy")

# What building and running need beyond Swift itself. g++ brings the C headers and the linker that Swift uses, zlib1g-dev
# is for swift-nio-extras, curl is for the readiness probe.
build_packages=(
    ca-certificates curl g++ git libcurl4-openssl-dev librabbitmq-dev libssl-dev pkg-config rabbitmq-server zlib1g-dev
)

# Bash cannot catch a signal that was ignored when it started, as SIGINT is in a job that a script put into the
# background: start again with it restored.
if [[ $(trap -p INT) == "trap -- '' SIGINT" ]]; then
    exec env --default-signal=INT "$BASH" "$0" "$@"
fi

complain() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# fail CODE TEXT
fail() {
    local code=$1
    shift
    complain "$*"
    exit "$code"
}

require_swift() {
    command -v swift >/dev/null || fail 69 "swift is not on PATH; install Swift 6.2 or newer (https://swift.org/install)"
    swift --version >/dev/null 2>&1 || fail 69 "swift does not run: $(swift --version 2>&1 | tail -n 1)"
}

# Installs those of the packages that are missing; with nothing missing it does nothing.
# require_packages LOG PACKAGE...
require_packages() {
    local log=$1 missing=() as_root=() package
    shift
    command -v dpkg-query >/dev/null || fail 69 "this is not Debian; install the equivalents of: $*"
    for package; do
        # A line for each architecture; also not-installed and half-installed.
        dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0
    if [[ $(id -u) -ne 0 ]]; then
        # Asked for now: the step below has no terminal.
        if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [[ -t 0 ]] && sudo -v; }; }; then
            as_root=(sudo -n)
        else
            fail 69 "missing packages: ${missing[*]}. As root, run: $deploy/install-packages ${missing[*]}"
        fi
    fi
    # Not to be killed half way.
    patience=900
    visibly "install ${missing[*]}" "$log" "${as_root[@]}" "$deploy/install-packages" "${missing[@]}" ||
        fail 69 "the packages could not be installed; the log above says why"
    patience=10
}

# How many seconds a process group has for its end before it is killed.
patience=10

# Process groups that were started and have not been waited for.
groups=()

# Starts a command in a process group of its own, which Ctrl-C on the terminal does not reach; its pid is $started.
# start LOG COMMAND...       LOG is - for the output of this script
start() {
    local log=$1
    shift
    set -m
    if [[ $log == - ]]; then "$@" </dev/null & else "$@" </dev/null >>"$log" 2>&1 & fi
    started=$!
    set +m
    groups+=("$started")
}

# Waits for a command that `start` started and returns its code.
await() {
    local code=0 group rest=()
    wait "$1" 2>/dev/null || code=$?
    for group in "${groups[@]}"; do [[ $group == "$1" ]] || rest+=("$group"); done
    groups=("${rest[@]}")
    return "$code"
}

# Runs a command to its end; a signal to this script does not have to wait for it.
run() {
    start - "$@"
    await "$started"
}

# Ends all that `start` started, the youngest first, and waits until it is gone. By SIGINT, on which a Swift build ends
# its compilers too: they are in groups of their own.
stop_all() {
    local index group tries
    for ((index = ${#groups[@]} - 1; index >= 0; index--)); do
        group=${groups[index]}
        kill -INT -- "-$group" 2>/dev/null || continue
        for ((tries = 0; tries < patience * 20; tries++)); do
            kill -0 -- "-$group" 2>/dev/null || break
            sleep 0.05
        done
        kill -KILL -- "-$group" 2>/dev/null || true
        wait "$group" 2>/dev/null || true
    done
    groups=()
}

# Runs a command that takes its time. A terminal shows the last line of its output in place, anything else gets a line
# every 15 seconds; then how long it took, and if it failed the end of its output.
# visibly LABEL LOG COMMAND...
visibly() {
    local label=$1 log=$2 since=$SECONDS said=$SECONDS code=0 line
    shift 2
    : >"$log"
    [[ -t 1 ]] || printf '%s …\n' "$label"
    start "$log" "$@"
    while kill -0 "$started" 2>/dev/null; do
        sleep 0.3
        if [[ -t 1 ]]; then
            line="$label, $((SECONDS - since)) s: $(last_line "$log")"
            printf '\r\033[K%s' "${line:0:$(($(tput cols 2>/dev/null || echo 80) - 1))}"
        elif ((SECONDS - said >= 15)); then
            said=$SECONDS
            printf '  %d s: %s\n' "$((SECONDS - since))" "$(last_line "$log")"
        fi
    done
    await "$started" || code=$?
    [[ ! -t 1 ]] || printf '\r\033[K'
    if ((code == 0)); then
        printf '%s: done in %d s\n' "$label" "$((SECONDS - since))"
    else
        printf '%s: failed after %d s with code %d; the end of its output:\n' "$label" "$((SECONDS - since))" "$code" >&2
        tail -n 40 "$log" | sed 's/^/  /' >&2
    fi
    return "$code"
}

last_line() { tail -c 2000 "$1" | tr '\r' '\n' | grep -v '^[[:space:]]*$' | tail -n 1 || true; }

# Calls the function on every way out, once, undisturbed.
# at_exit FUNCTION
at_exit() {
    # shellcheck disable=SC2064
    trap "clear_up $1" EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
}

clear_up() {
    local code=$?
    trap '' INT TERM HUP
    trap - EXIT
    [[ ! -t 1 ]] || printf '\r\033[K'
    ((patience <= 10)) || complain "stopping as soon as the packages are installed"
    stop_all
    "$1"
    exit "$code"
}
