#!/bin/sh
# packages.sh build|run|test|bench: installs what is missing to build guestmux, to
# run guests with it, to test it, or to measure it beside its peers (each with
# what comes before).
#
# On Debian and its kin by apt-get, as root or through sudo; elsewhere it says
# which packages are missing, and fails.
set -eu

say() { echo "packages: $*" >&2; }

deb_build='gcc meson ninja-build pkg-config python3 scdoc libjansson-dev
    libuv1-dev libutf8proc-dev libpcre2-dev libtickit-dev libncurses-dev
    libarchive-dev libyaml-dev libzstd-dev libcrypt-dev'
case $(uname -m) in
aarch64|arm64) deb_run=qemu-system-arm ;;
*) deb_run=qemu-system-x86 ;;
esac
deb_run="$deb_run qemu-utils"
deb_test='libcmocka-dev clang clang-format clang-tidy libclang-rt-dev tmux
    ncurses-term ovmf qemu-system-arm qemu-efi-aarch64 python3-jsonschema
    mmdebstrap e2fsprogs fdisk dosfstools mtools xorriso openssh-client libwrap0
    iproute2 fish zsh'

deb_bench='strace screen dvtm procps'

case ${1:-} in
build) debs=$deb_build ;;
run) debs="$deb_build $deb_run" ;;
test) debs="$deb_build $deb_run $deb_test" ;;
bench) debs="$deb_build $deb_run $deb_test $deb_bench" ;;
*) say "usage: packages.sh build|run|test|bench"; exit 2 ;;
esac

missing_debs() {
    for deb in $debs; do
        dpkg-query -W -f '${db:Status-Status}\n' "$deb" 2>/dev/null |
            grep -qx installed || printf '%s ' "$deb"
    done
}

known_debs() {
    for deb; do
        # A name that this release does not have is another's: its clang
        # brings the run-time library along.
        if apt-cache pkgnames "$deb" | grep -Fqx "$deb"; then
            printf '%s ' "$deb"
        fi
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        say "as root, run: apt-get install $missing"
        exit 1
    fi
}

with_apt() {
    missing=$(missing_debs)
    [ -n "$missing" ] || return 0
    say "installing $missing"
    as_root apt-get -qq update >&2
    # shellcheck disable=SC2086
    missing=$(known_debs $missing)
    [ -n "$missing" ] || return 0
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
        -o Dpkg::Use-Pty=0 install --no-install-recommends $missing \
        </dev/null >&2
}

# Elsewhere what counts is whether the things are there.
missing_things() {
    for command in cc meson ninja pkg-config python3; do
        command -v $command >/dev/null || printf '%s ' $command
    done
    for library in jansson libuv libutf8proc libpcre2-8 tickit ncursesw \
        libarchive yaml-0.1 libzstd; do
        pkg-config --exists $library 2>/dev/null || printf '%s ' $library
    done
    [ "$1" = build ] && return
    command -v "qemu-system-$(uname -m | sed s/arm64/aarch64/)" >/dev/null ||
        printf 'qemu '
    command -v qemu-img >/dev/null || printf 'qemu-img '
    [ "$1" = run ] && return
    pkg-config --exists cmocka 2>/dev/null || printf 'cmocka '
    command -v tmux >/dev/null || printf 'tmux '
}

advice() {
    if command -v dnf >/dev/null; then
        echo "dnf install gcc meson pkgconf python3 scdoc jansson-devel" \
            "libuv-devel utf8proc-devel pcre2-devel libtickit-devel" \
            "ncurses-devel libarchive-devel libyaml-devel libzstd-devel libxcrypt-devel" \
            "qemu-img libcmocka-devel clang clang-tools-extra tmux" \
            "qemu-system-x86-core busybox"
    elif command -v pacman >/dev/null; then
        echo "pacman -S --needed gcc meson pkgconf python scdoc jansson" \
            "libuv libutf8proc pcre2 ncurses libarchive libyaml zstd cmocka" \
            "clang tmux qemu-base qemu-img busybox (and libtickit from the AUR)"
    elif command -v apk >/dev/null; then
        echo "apk add build-base meson pkgconf python3 scdoc jansson-dev" \
            "libuv-dev utf8proc-dev pcre2-dev libtickit-dev ncurses-dev" \
            "libarchive-dev yaml-dev zstd-dev qemu-img cmocka-dev clang clang-extra-tools compiler-rt tmux" \
            "qemu-system-x86_64 busybox-static"
    elif command -v zypper >/dev/null; then
        echo "zypper install gcc meson pkgconf python3 scdoc" \
            "libjansson-devel libuv-devel utf8proc-devel pcre2-devel" \
            "libtickit-devel ncurses-devel libarchive-devel libyaml-devel" \
            "libzstd-devel libcmocka-devel clang tmux qemu-x86 qemu-tools busybox-static"
    elif command -v brew >/dev/null; then
        echo "brew install meson pkg-config python scdoc jansson libuv" \
            "utf8proc pcre2 libtickit ncurses libarchive libyaml zstd cmocka tmux" \
            "qemu"
    else
        echo "your system's packages of these"
    fi
}

if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
    with_apt
else
    missing=$(missing_things "$1")
    if [ -n "$missing" ]; then
        say "missing: $missing"
        say "install: $(advice)"
        exit 1
    fi
fi
