#!/bin/sh
# run.sh: installs what is missing, builds guestmux with gcc and with clang
# under the sanitizers, runs every test, and ends in one line:
#
#   N passed, N failed
#
# For developers, in the same build directories:
#   run.sh --unit            the unit tests alone, both builds
#   run.sh --regress [NAME]  the real binary's tests, or one file of them
#   run.sh --slow            Debian booted by kernel, UEFI and secure boot (root
#                            makes its image), an arm64 one by UEFI, and the
#                            comparison with xterm.js, which needs node
#   run.sh --bench           the benchmarks, against their peers
#
# GUESTMUX_BUILD names the build directory (default: build/tests in the tree).
set -eu

cd "$(dirname "$0")/.."
tree=$(pwd)
builds=${GUESTMUX_BUILD:-$tree/build/tests}
plain=$builds/gcc
sanitized=$builds/clang-asan
fuzz_seconds=${GUESTMUX_FUZZ_SECONDS:-10}

usage() {
    sed -n '2,/^set/s/^# \{0,1\}//p' tests/run.sh
    exit "$1"
}

# However it ends before there is something to add up, it ends in the line.
give_up() {
    echo "run.sh: $*"
    echo "0 passed, 1 failed"
    exit 1
}

# configure DIRECTORY COMPILER OPTION...: a build directory is set up once.
configure() {
    where=$1 compiler=$2
    shift 2
    if [ -f "$where/build.ninja" ]; then
        return 0
    fi
    CC=$compiler meson setup --werror "$@" "$where" >"$builds/setup.log" 2>&1 ||
        { cat "$builds/setup.log"; return 1; }
}

build() {
    ninja -C "$1" >"$builds/build.log" 2>&1 ||
        { tail -n 60 "$builds/build.log"; return 1; }
}

# The regress tests wait more than they work: one more than processors.
jobs=$(($(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1))

# run_suites DIRECTORY NAME ARGUMENT...: leaves meson-logs/NAME.json.
run_suites() {
    where=$1 log=$2
    shift 2
    rm -f "$where/meson-logs/$log.json"
    meson test -C "$where" --no-rebuild --num-processes "$jobs" \
        --logbase "$log" "$@" </dev/null || true
}

everything=yes unit=yes regress=yes bench='' slow='' only=''
case ${1:-} in
'') ;;
--unit) everything='' regress='' ;;
--regress) everything='' unit='' only=${2:-} ;;
--slow) everything='' unit='' regress='' slow=yes ;;
--bench) everything='' unit='' regress='' bench=bench ;;
-h|--help) usage 0 ;;
*) usage 2 >&2 ;;
esac

sh tests/packages.sh "${bench:-test}" || give_up "packages are missing"
mkdir -p "$builds"

echo "run.sh: building with gcc"
configure "$plain" gcc -Dbuildtype=debugoptimized ||
    give_up "meson setup failed (gcc)"
build "$plain" || give_up "the gcc build failed"

if [ -n "$bench" ]; then
    exec sh tests/bench/run.sh "$plain/src/guestmux"
fi

if [ -n "$unit" ]; then
    echo "run.sh: building with clang, address and undefined sanitizers"
    configure "$sanitized" clang -Db_sanitize=address,undefined \
        -Db_lundef=false || give_up "meson setup failed (clang)"
    build "$sanitized" || give_up "the clang build failed"
fi
if [ -n "$regress" ]; then
    echo "run.sh: making the tiny guest"
    sh tests/guest/make-guest.sh >/dev/null || give_up "no tiny guest"
fi

# What was run is kept as arguments: the path of the tree may have blanks.
if [ -n "$everything" ]; then
    run_suites "$plain" all --no-suite slow
    set -- "$plain/meson-logs/all.json"
elif [ -n "$slow" ]; then
    sh tests/compare/install.sh "$plain/tests/compare" ||
        echo "run.sh: @xterm/headless is not there"
    echo "run.sh: making the cloud image"
    sh tests/guest/make-cloud-image.sh >/dev/null ||
        echo "run.sh: the cloud image is not there"
    run_suites "$plain" slow --suite slow
    set -- "$plain/meson-logs/slow.json"
elif [ -n "$unit" ]; then
    run_suites "$plain" all --suite unit
    set -- "$plain/meson-logs/all.json"
else
    run_suites "$plain" regress --suite regress ${only:+"regress-$only"}
    set -- "$plain/meson-logs/regress.json"
fi
if [ -n "$unit" ]; then
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
    export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    export GUESTMUX_FUZZ_SECONDS="$fuzz_seconds"
    run_suites "$sanitized" sanitized --suite unit --suite fuzz
    set -- "$@" "$sanitized/meson-logs/sanitized.json"
fi
exec python3 tests/summary.py "$@"
