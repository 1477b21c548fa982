# from-packages.sh: what the scripts here share; they source it. It takes things
# out of distribution packages, without installing them, and keeps what was made
# in ${XDG_CACHE_HOME:-~/.cache}/guestmux, under a name that depends on how it is
# made. Several runs at a time are fine: each works beside the cache and renames
# into place.
#
# shellcheck shell=sh disable=SC2034
umask 022

cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/guestmux
script=${0##*/}
script=${script%.sh}
debs=$cache   # where packages are kept
foreign=      # another architecture's name, whose packages are wanted
updated=
PATH=$PATH:/usr/sbin:/sbin

say() { echo "$script: $*" >&2; }
die() { say "$*"; exit 1; }

need_tools() {
    for tool; do
        command -v "$tool" >/dev/null ||
            die "$tool is missing: sh tests/packages.sh test installs it"
    done
}

# Sets arch (QEMU's word), deb_arch, machine and tty after this machine.
host_kind() {
    case $(uname -m) in
    x86_64) arch=x86_64 deb_arch=amd64 machine=q35 tty=ttyS0 ;;
    aarch64|arm64) arch=aarch64 deb_arch=arm64 machine=virt tty=ttyAMA0 ;;
    *) die "no guest for a $(uname -m) machine yet (x86_64 and aarch64 are known)" ;;
    esac
}

# finished KIND MARK FILE...: sets result, the directory of what is made of these
# files; when it is there whole (MARK is), prints it and ends the script.
finished() {
    kind=$1 mark=$2
    shift 2
    key=$( (echo "${arch:-}"; cat "$0" "$here/from-packages.sh" "$@") |
        sha256sum | cut -c1-12)
    result=$cache/$kind-$key
    if [ -f "$result/$mark" ]; then
        touch -c "$result" 2>/dev/null || true # it is used
        echo "$result"
        exit 0
    fi
}

# Makes work, a directory that is gone at the end.
begin_work() {
    mkdir -p "$cache" "$debs"
    work=$(mktemp -d "$cache/making.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
}

# Moves work/out into the cache and prints where it is. Whoever renames first
# wins; the others' is the same. What nobody used for a week is removed.
finish_work() {
    find "$cache" -maxdepth 1 -name "$kind-*" -mtime +7 -exec rm -rf {} +
    chmod 755 "$work/out"
    chmod 644 "$work/out"/*
    mv -T "$work/out" "$result" 2>/dev/null || [ -f "$result/$mark" ] ||
        die "cannot move $work/out to $result"
    echo "$result"
}

write_env() {
    printf 'ARCH=%s\nQEMU=qemu-system-%s\nMACHINE=%s\nCONSOLE=%s\n' \
        "$arch" "$arch" "$machine" "$tty" >"$1"
}

# Packages -------------------------------------------------------------------

has_apt() {
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null
}

# An apt command, for this machine's packages; or another architecture's, of this
# machine's sources, with lists of its own: the machine stays as it is.
apt_for() {
    command=$1
    shift
    if [ -z "$foreign" ]; then
        "$command" -qq -o APT::Sandbox::User=root "$@"
        return
    fi
    mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial"
    [ -f "$work/apt/status" ] || : >"$work/apt/status"
    "$command" -qq -o APT::Sandbox::User=root \
        -o APT::Architecture="$foreign" -o APT::Architectures="$foreign" \
        -o Dir::State="$work/apt" -o Dir::State::lists="$work/apt/lists" \
        -o Dir::State::status="$work/apt/status" -o Dir::Cache="$work/apt" \
        -o Dir::Cache::archives="$work/apt/archives" "$@"
}

apt_knows() {
    [ -n "$(apt_for apt-cache depends "$1" 2>/dev/null)" ]
}

# Lists are asked before they are fetched again: that needs root and takes
# longest.
apt_lists() {
    apt_knows "$1" && return 0
    [ -n "$foreign" ] || [ "$(id -u)" = 0 ] ||
        die "apt does not know $1; run 'apt-get update' as root first"
    [ -n "$updated" ] || apt_for apt-get update >&2 ||
        die "apt-get update failed"
    updated=yes
    apt_knows "$1" || die "apt does not know the package $1"
}

# unpack PACKAGE DIRECTORY. A package fetched earlier is used again.
unpack() {
    found=
    for found in "$debs/$1"_*.deb; do :; done
    if [ ! -f "$found" ]; then
        apt_lists "$1"
        (cd "$work" && apt_for apt-get download "$1" >&2) ||
            die "cannot download the package $1"
        for found in "$work/$1"_*.deb; do :; done
        [ -f "$found" ] || die "apt-get downloaded no $1"
        mv -f "$found" "$debs/"
        found=$debs/${found##*/}
    fi
    dpkg-deb -x "$found" "$2" || die "cannot unpack $found"
}

# unpack_kernel ARCHITECTURE DIRECTORY: Debian's kernel for clouds; sets vmlinuz
# and modules.
unpack_kernel() {
    kernel=
    for kernel in "$debs"/linux-image-[0-9]*-cloud-"$1"_*.deb; do :; done
    if [ -f "$kernel" ]; then
        kernel=${kernel##*/}
        kernel=${kernel%%_*}
    else
        apt_lists "linux-image-cloud-$1"
        # The package is an empty one that depends on the kernel of the day.
        kernel=$(apt_for apt-cache depends "linux-image-cloud-$1" |
            sed -n 's/^ *Depends: \(linux-image-[0-9][^:]*\).*/\1/p' |
            head -n 1)
        [ -n "$kernel" ] || die "linux-image-cloud-$1 names no kernel"
    fi
    unpack "$kernel" "$2"
    for vmlinuz in "$2"/boot/vmlinuz-*; do :; done
    for modules in "$2"/lib/modules/* "$2"/usr/lib/modules/*; do
        [ -d "$modules" ] && break
    done
    [ -r "$vmlinuz" ] || die "the kernel package holds no kernel"
}

# unpack_busybox DIRECTORY: sets busybox.
unpack_busybox() {
    unpack busybox-static "$1"
    for busybox in "$1/bin/busybox" "$1/usr/bin/busybox"; do
        [ -x "$busybox" ] && break
    done
}

# The tiny guest -------------------------------------------------------------

# What a kernel has built in is simply not there.
copy_modules() {
    for module in evdev button virtio virtio_ring virtio_pci_legacy_dev \
        virtio_pci_modern_dev virtio_pci virtio_console virtio_blk failover \
        net_failover virtio_net pvpanic pvpanic-pci; do
        file=$(find "$modules" -name "$module.ko*" 2>/dev/null | head -n 1)
        case $file in
        *.ko) cp "$file" "$1/" ;;
        *.ko.xz) xz -dc "$file" >"$1/$module.ko" ;;
        *.ko.zst) zstd -qdc "$file" >"$1/$module.ko" ;;
        *.ko.gz) gzip -dc "$file" >"$1/$module.ko" ;;
        esac
    done
}

# make_initrd BUSYBOX FILE: the guest's busybox, the scripts beside this file, and
# modules, packed by native, a busybox that runs here.
make_initrd() {
    root=$work/root
    mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/tmp" \
        "$root/root" "$root/etc/acpi/PWRF" "$root/lib/modules"
    cp "$1" "$root/bin/busybox"
    # Links by name: the guest's own "busybox --install" would cost boot time.
    for applet in $("$native" --list); do
        [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
    done
    cp "$here/init" "$root/init"
    for tool in "$here"/bin/*; do
        rm -f "$root/bin/${tool##*/}"
        cp "$tool" "$root/bin/"
    done
    printf '#!/bin/sh\nexec power-button\n' >"$root/etc/acpi/PWRF/00000080"
    chmod 755 "$root/init" "$root/bin"/* "$root/etc/acpi/PWRF/00000080"
    echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
    echo 'root:x:0:' >"$root/etc/group"
    # shellcheck disable=SC2016
    echo 'export PATH=/bin TERM=linux PS1="$(hostname):\w# "' \
        >"$root/etc/profile"
    copy_modules "$root/lib/modules"
    (cd "$root" && find . | LC_ALL=C sort |
        "$native" cpio -o -H newc 2>/dev/null) | gzip -9n >"$2"
}
