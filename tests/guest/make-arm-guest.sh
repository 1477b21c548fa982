#!/bin/sh
# Makes the tiny guest of make-guest.sh for aarch64, on a machine of any kind
# that has apt, and prints the directory that holds it:
#
#   vmlinuz     Debian's kernel for clouds, arm64: a UEFI program
#   initrd.gz   busybox (arm64) and the scripts beside this file
#
# It is made once and kept in ${XDG_CACHE_HOME:-~/.cache}/guestmux.  apt works
# with lists and a configuration of its own there: this machine's architectures
# and packages stay as they are.
set -eu
umask 022

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/guestmux

say() { echo "make-arm-guest: $*" >&2; }
die() { say "$*"; exit 1; }

key=$( (cat "$here/make-arm-guest.sh" "$here/init" "$here"/bin/*) |
    sha256sum | cut -c1-12)
result=$cache/arm-guest-$key
if [ -f "$result/initrd.gz" ]; then
    echo "$result"
    exit 0
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    die "this needs apt-get and dpkg-deb"
fi
mkdir -p "$cache/arm64"
work=$(mktemp -d "$cache/making.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Another architecture's packages, of this machine's sources.
mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial"
: >"$work/apt/status"
arm_apt() {
    command=$1
    shift
    "$command" -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
        -o APT::Sandbox::User=root -o Dir::State="$work/apt" \
        -o Dir::State::lists="$work/apt/lists" \
        -o Dir::State::status="$work/apt/status" -o Dir::Cache="$work/apt" \
        -o Dir::Cache::archives="$work/apt/archives" "$@"
}

updated=
arm_update() {
    [ -n "$updated" ] || arm_apt apt-get update >&2 ||
        die "apt-get update for arm64 failed"
    updated=yes
}

# The path of the package $1.  One fetched earlier is used again.
package() {
    found=
    for found in "$cache/arm64"/$1_*.deb; do :; done
    if [ ! -f "$found" ]; then
        (cd "$work" && arm_apt apt-get download "$1" >&2) ||
            die "cannot download the package $1 for arm64"
        for found in "$work"/$1_*.deb; do :; done
        [ -f "$found" ] || die "apt-get downloaded no $1"
        mv -f "$found" "$cache/arm64/"
        found=$cache/arm64/${found##*/}
    fi
}

kernel=
for kernel in "$cache/arm64"/linux-image-[0-9]*-cloud-arm64_*.deb; do :; done
if [ -f "$kernel" ]; then
    kernel=${kernel##*/}
    kernel=${kernel%%_*}
else
    arm_update
    # The package is an empty one that depends on the kernel of the day.
    kernel=$(arm_apt apt-cache depends linux-image-cloud-arm64 |
        sed -n 's/^ *Depends: \(linux-image-[0-9][^:]*\).*/\1/p' | head -n 1)
    [ -n "$kernel" ] || die "linux-image-cloud-arm64 names no kernel"
fi
for name in "$kernel" busybox-static; do
    for found in "$cache/arm64/$name"_*.deb; do :; done
    [ -f "$found" ] || arm_update
    package "$name"
    dpkg-deb -x "$found" "$work/pkg" || die "cannot unpack $found"
done

# This machine's busybox knows the applets' names and packs the archive.
native=$(sh "$here/make-guest.sh")
[ -f "$native/initrd.gz" ] || die "there is no guest of this machine's kind"
for found in "$cache"/busybox-static_*.deb; do :; done
[ -f "$found" ] || die "there is no busybox of this machine's kind"
dpkg-deb -x "$found" "$work/native"
for busybox in "$work/native/bin/busybox" "$work/native/usr/bin/busybox"; do
    [ -x "$busybox" ] && break
done

root=$work/root
mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/tmp" \
    "$root/root" "$root/etc" "$root/lib/modules"
for found in "$work/pkg/bin/busybox" "$work/pkg/usr/bin/busybox"; do
    [ -f "$found" ] && cp "$found" "$root/bin/busybox"
done
for applet in $("$busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
done
cp "$here/init" "$root/init"
for script in "$here"/bin/*; do
    rm -f "$root/bin/${script##*/}"
    cp "$script" "$root/bin/"
done
chmod 755 "$root/init" "$root/bin"/*
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
# shellcheck disable=SC2016
echo 'export PATH=/bin TERM=linux PS1="$(hostname):\w# "' >"$root/etc/profile"
for module in virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev \
    virtio_pci virtio_console virtio_blk failover net_failover virtio_net; do
    found=$(find "$work/pkg" -name "$module.ko" | head -n 1)
    [ -z "$found" ] || cp "$found" "$root/lib/modules/"
done

mkdir "$work/out"
for found in "$work"/pkg/boot/vmlinuz-*; do cp "$found" "$work/out/vmlinuz"; done
[ -f "$work/out/vmlinuz" ] || die "the kernel package holds no kernel"
(cd "$root" && find . | LC_ALL=C sort |
    "$busybox" cpio -o -H newc 2>/dev/null) | gzip -9n >"$work/out/initrd.gz"
chmod 755 "$work/out"
chmod 644 "$work/out"/*

# Whoever renames first wins; the others' guest is the same.
mv -T "$work/out" "$result" 2>/dev/null || [ -f "$result/initrd.gz" ] ||
    die "cannot move the guest to $result"
echo "$result"
