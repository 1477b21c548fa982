#!/bin/sh
# Makes the tiny Linux guest that the tests, the demo and the benchmarks boot,
# and prints the directory that holds it:
#
#   vmlinuz     the distribution's kernel
#   initrd.gz   busybox and the scripts beside this file
#   guest.env   ARCH, QEMU, MACHINE and CONSOLE, to be read by a shell
#
# It is made once and kept in ${XDG_CACHE_HOME:-~/.cache}/guestmux; nothing is
# downloaded but distribution packages, and nothing is installed: the kernel
# and busybox come out of their packages into the cache.  Several runs at a
# time are fine: each builds beside the cache and renames into place.
#
# Kernel parameters that the guest knows (see init): gm.name=NAME, gm.shell,
# gm.acpi=ignore, gm.run=COMMAND,ARGUMENT,...
set -eu
umask 022

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/guestmux

say() { echo "make-guest: $*" >&2; }
die() { say "$*"; exit 1; }

case $(uname -m) in
x86_64)
    arch=x86_64 deb_arch=amd64 machine=q35 tty=ttyS0 ;;
aarch64|arm64)
    arch=aarch64 deb_arch=arm64 machine=virt tty=ttyAMA0 ;;
*)
    die "no guest for a $(uname -m) machine yet (x86_64 and aarch64 are known)"
    ;;
esac

key=$( (echo "$arch"; cat "$here/make-guest.sh" "$here/init" "$here"/bin/*) |
    sha256sum | cut -c1-12)
result=$cache/guest-$key
if [ -f "$result/guest.env" ]; then
    echo "$result"
    exit 0
fi

mkdir -p "$cache"
work=$(mktemp -d "$cache/making.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# apt's lists are asked for before they are fetched again: that needs root and
# takes longest.
apt_knows() {
    [ -n "$(apt-cache depends "$1" 2>/dev/null)" ]
}

apt_lists() {
    apt_knows "$1" && return 0
    [ "$(id -u)" = 0 ] ||
        die "apt does not know $1; run 'apt-get update' as root first"
    apt-get -qq update >&2 || die "apt-get update failed"
    apt_knows "$1" || die "apt does not know the package $1"
}

# Unpacks the package $1 into $2.  A package fetched earlier is used again.
unpack() {
    found=
    for found in "$cache/$1"_*.deb; do :; done
    if [ ! -f "$found" ]; then
        apt_lists "$1"
        (cd "$work" && apt-get -qq -o APT::Sandbox::User=root \
            download "$1" >&2) || die "cannot download the package $1"
        for found in "$work/$1"_*.deb; do :; done
        [ -f "$found" ] || die "apt-get downloaded no $1"
        mv -f "$found" "$cache/"
        found=$cache/${found##*/}
    fi
    dpkg-deb -x "$found" "$2" || die "cannot unpack $found"
}

from_packages() {
    kernel=
    for kernel in "$cache"/linux-image-[0-9]*-cloud-"$deb_arch"_*.deb; do :; done
    if [ -f "$kernel" ]; then
        kernel=${kernel##*/}
        kernel=${kernel%%_*}
    else
        apt_lists "linux-image-cloud-$deb_arch"
        # The package is an empty one that depends on the kernel of the day.
        kernel=$(apt-cache depends "linux-image-cloud-$deb_arch" |
            sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
        [ -n "$kernel" ] || die "linux-image-cloud-$deb_arch names no kernel"
    fi
    unpack "$kernel" "$work/pkg"
    unpack busybox-static "$work/pkg"
    for vmlinuz in "$work"/pkg/boot/vmlinuz-*; do :; done
    for modules in "$work"/pkg/lib/modules/* "$work"/pkg/usr/lib/modules/*; do
        [ -d "$modules" ] && break
    done
    for busybox in "$work/pkg/bin/busybox" "$work/pkg/usr/bin/busybox"; do
        [ -x "$busybox" ] && break
    done
}

from_this_machine() {
    release=$(uname -r)
    for vmlinuz in "/boot/vmlinuz-$release" "/lib/modules/$release/vmlinuz" \
        /boot/vmlinuz /boot/vmlinuz-* /boot/Image; do
        [ -r "$vmlinuz" ] && break
    done
    [ -r "$vmlinuz" ] || die "no readable kernel: install your distribution's \
kernel package and make /boot/vmlinuz* readable"
    modules=/lib/modules/$release
    busybox=$(command -v busybox.static || command -v busybox ||
        die "no busybox: install busybox-static (Fedora, Alpine: busybox, \
busybox-static; Arch: busybox)")
}

if command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
    from_packages
else
    from_this_machine
fi
[ -r "$vmlinuz" ] || die "the kernel package holds no kernel"

root=$work/root
mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/tmp" \
    "$root/root" "$root/etc/acpi/PWRF" "$root/lib/modules"
cp "$busybox" "$root/bin/busybox"
"$root/bin/busybox" true || die "$busybox does not run here"
# Links by name: the guest's own "busybox --install" would cost boot time.
for applet in $("$root/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
done
cp "$here/init" "$root/init"
for script in "$here"/bin/*; do
    rm -f "$root/bin/${script##*/}"
    cp "$script" "$root/bin/"
done
chmod 755 "$root/init" "$root/bin"/*
printf '#!/bin/sh\nexec power-button\n' >"$root/etc/acpi/PWRF/00000080"
chmod 755 "$root/etc/acpi/PWRF/00000080"
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
# shellcheck disable=SC2016
echo 'export PATH=/bin TERM=linux PS1="$(hostname):\w# "' >"$root/etc/profile"

# What a kernel has built in is simply not there.
for module in evdev button virtio virtio_ring virtio_pci_legacy_dev \
    virtio_pci_modern_dev virtio_pci virtio_console virtio_blk failover \
    net_failover virtio_net pvpanic pvpanic-pci; do
    file=$(find "$modules" -name "$module.ko*" 2>/dev/null | head -n 1)
    case $file in
    *.ko) cp "$file" "$root/lib/modules/" ;;
    *.ko.xz) xz -dc "$file" >"$root/lib/modules/$module.ko" ;;
    *.ko.zst) zstd -qdc "$file" >"$root/lib/modules/$module.ko" ;;
    *.ko.gz) gzip -dc "$file" >"$root/lib/modules/$module.ko" ;;
    esac
done

mkdir "$work/out"
cp "$vmlinuz" "$work/out/vmlinuz"
(cd "$root" && find . | LC_ALL=C sort |
    "$root/bin/busybox" cpio -o -H newc 2>/dev/null) |
    gzip -9n >"$work/out/initrd.gz"
cat >"$work/out/guest.env" <<ENV
ARCH=$arch
QEMU=qemu-system-$arch
MACHINE=$machine
CONSOLE=$tty
ENV
chmod 755 "$work/out"
chmod 644 "$work/out"/*

# Whoever renames first wins; the others' guest is the same.
mv -T "$work/out" "$result" 2>/dev/null || [ -f "$result/guest.env" ] ||
    die "cannot move the guest to $result"
echo "$result"
