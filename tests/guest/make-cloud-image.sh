#!/bin/sh
# Makes a Debian image like those that clouds boot (systemd, cloud-init, an ssh
# server, no password of its own) and prints the directory that holds it:
#
#   cloud.qcow2  the root file system, without a partition table
#   vmlinuz      its kernel, and
#   initrd.img   its initial ram disk, to be booted with root=/dev/vda
#   cloud.env    ARCH, QEMU, MACHINE and CONSOLE, to be read by a shell
#
# It is made once, in about a minute, and kept in
# ${XDG_CACHE_HOME:-~/.cache}/guestmux; what is downloaded are distribution
# packages.  Needs root, mmdebstrap, mke2fs and qemu-img.  Several runs at a
# time are fine: each builds beside the cache and renames into place.
set -eu
umask 022

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/guestmux
release=bookworm
size=2G

say() { echo "make-cloud-image: $*" >&2; }
die() { say "$*"; exit 1; }

case $(uname -m) in
x86_64) arch=x86_64 deb_arch=amd64 machine=q35 tty=ttyS0 ;;
aarch64|arm64) arch=aarch64 deb_arch=arm64 machine=virt tty=ttyAMA0 ;;
*) die "no cloud image for a $(uname -m) machine (x86_64 and aarch64 are known)" ;;
esac

key=$( (echo "$arch"; cat "$here/make-cloud-image.sh") |
    sha256sum | cut -c1-12)
result=$cache/cloud-$key
if [ -f "$result/cloud.env" ]; then
    echo "$result"
    exit 0
fi

PATH=$PATH:/usr/sbin:/sbin
for tool in mmdebstrap mke2fs qemu-img; do
    command -v $tool >/dev/null || die "$tool is missing (install the packages \
mmdebstrap, e2fsprogs and qemu-utils)"
done
[ "$(id -u)" = 0 ] || die "making a Debian root file system needs root"

mkdir -p "$cache"
work=$(mktemp -d "$cache/making.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# The sources of this machine are used as they are where it is a Debian.
mmdebstrap --quiet --mode=root --variant=minbase --architectures="$deb_arch" \
    --include="linux-image-cloud-$deb_arch,systemd-sysv,udev,dbus,cloud-init,\
openssh-server,iproute2,iputils-ping,isc-dhcp-client,ifupdown,sudo,procps,\
netbase,e2fsprogs" \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$release" "$work/root" >&2 || die "mmdebstrap failed"

root=$work/root
mkdir "$work/out"
for kernel in "$root"/boot/vmlinuz-*; do :; done
for initrd in "$root"/boot/initrd.img-*; do :; done
cp "$kernel" "$work/out/vmlinuz"
cp "$initrd" "$work/out/initrd.img"

# As images for clouds come: no machine id, no host keys, no host's name.
: >"$root/etc/machine-id"
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/hostname"
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
echo '/dev/vda / ext4 errors=remount-ro 0 1' >"$root/etc/fstab"
# Only a seed is looked for, so that nothing waits for a network's service; and
# what takes minutes without KVM is left out.
cat >"$root/etc/cloud/cloud.cfg.d/90_guestmux.cfg" <<CFG
datasource_list: [ NoCloud, None ]
locale: C.UTF-8
ssh_genkeytypes: [ ed25519 ]
CFG
# Machines that run tests can be so slow that a serial line is given up.
mkdir -p "$root/etc/systemd/system.conf.d"
cat >"$root/etc/systemd/system.conf.d/slow.conf" <<CFG
[Manager]
DefaultTimeoutStartSec=15min
DefaultDeviceTimeoutSec=15min
CFG

truncate -s "$size" "$work/root.img"
mke2fs -q -t ext4 -L cloud -d "$root" "$work/root.img" >&2 ||
    die "mke2fs failed"
qemu-img convert -q -f raw -O qcow2 "$work/root.img" \
    "$work/out/cloud.qcow2" >&2 || die "qemu-img failed"
cat >"$work/out/cloud.env" <<ENV
ARCH=$arch
QEMU=qemu-system-$arch
MACHINE=$machine
CONSOLE=$tty
ENV
chmod 755 "$work/out"
chmod 644 "$work/out"/*

# Whoever renames first wins; the others' image is the same.
mv -T "$work/out" "$result" 2>/dev/null || [ -f "$result/cloud.env" ] ||
    die "cannot move the image to $result"
echo "$result"
