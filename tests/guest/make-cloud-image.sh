#!/bin/sh
# Makes a Debian image like those that clouds boot (systemd, cloud-init, an ssh
# server, the guest agent, no password of its own) and prints the directory that
# holds it:
#
#   cloud.qcow2  a disk with a GUID partition table: an EFI system partition with
#                shim and GRUB, signed, and the root file system, "cloud"
#   vmlinuz      its kernel, and
#   initrd.img   its initial ram disk, to be booted with root=LABEL=cloud
#   cloud.env    ARCH, QEMU, MACHINE and CONSOLE, to be read by a shell
#
# It is made once, in a minute or two, and kept in
# ${XDG_CACHE_HOME:-~/.cache}/guestmux; what is downloaded are distribution
# packages.  Needs root.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guest/from-packages.sh
. "$here/from-packages.sh"

release=bookworm
esp_mib=32 root_mib=2048

host_kind
case $deb_arch in
amd64) efi=x64 boot_efi=BOOTX64.EFI efi_target=x86_64-efi ;;
arm64) efi=aa64 boot_efi=BOOTAA64.EFI efi_target=arm64-efi ;;
esac
finished cloud cloud.env
need_tools mmdebstrap mke2fs qemu-img sfdisk mkfs.vfat mcopy
[ "$(id -u)" = 0 ] || die "making a Debian root file system needs root"
begin_work

# The sources of this machine are used as they are where it is a Debian.
mmdebstrap --quiet --mode=root --variant=minbase --architectures="$deb_arch" \
    --include="linux-image-cloud-$deb_arch,systemd-sysv,udev,dbus,cloud-init,\
cloud-guest-utils,fdisk,qemu-guest-agent,openssh-server,iproute2,\
iputils-ping,isc-dhcp-client,ifupdown,sudo,procps,netbase,e2fsprogs" \
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
echo 'LABEL=cloud / ext4 errors=remount-ro 0 1' >"$root/etc/fstab"
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
mkdir -p "$root/boot/grub"
cat >"$root/boot/grub/grub.cfg" <<CFG
set timeout=2
menuentry 'Debian GNU/Linux' {
    linux /boot/${kernel##*/} root=LABEL=cloud ro console=$tty
    initrd /boot/${initrd##*/}
}
CFG

# The EFI system partition: shim, which firmware with secure boot trusts; GRUB,
# which shim trusts and which finds its configuration where it was built for.
unpack shim-signed "$work/pkg"
unpack "grub-efi-$deb_arch-signed" "$work/pkg"
cat >"$work/grub.cfg" <<'CFG'
search --no-floppy --label cloud --set root
set prefix=($root)/boot/grub
configfile $prefix/grub.cfg
CFG
mkfs.vfat -C -n ESP "$work/esp.img" $((esp_mib * 1024)) >/dev/null
mmd -i "$work/esp.img" ::/EFI ::/EFI/BOOT ::/EFI/debian
mcopy -i "$work/esp.img" "$work/pkg/usr/lib/shim/shim$efi.efi.signed" \
    "::/EFI/BOOT/$boot_efi"
mcopy -i "$work/esp.img" \
    "$work/pkg/usr/lib/grub/$efi_target-signed/grub$efi.efi.signed" \
    "::/EFI/BOOT/grub$efi.efi"
mcopy -i "$work/esp.img" "$work/grub.cfg" ::/EFI/debian/grub.cfg

# A MiB in front, and one behind for the table's copy.
disk=$work/disk.img
truncate -s $((1 + esp_mib + root_mib + 1))M "$disk"
sfdisk -q "$disk" <<TABLE || die "sfdisk failed"
label: gpt
start=1MiB, size=${esp_mib}MiB, type=uefi
start=$((1 + esp_mib))MiB, size=${root_mib}MiB, type=linux
TABLE
dd if="$work/esp.img" of="$disk" bs=1M seek=1 conv=notrunc status=none
mke2fs -q -t ext4 -L cloud -d "$root" \
    -E offset=$(((1 + esp_mib) * 1048576)) "$disk" ${root_mib}M >&2 ||
    die "mke2fs failed"
qemu-img convert -q -f raw -O qcow2 "$disk" "$work/out/cloud.qcow2" >&2 ||
    die "qemu-img failed"
write_env "$work/out/cloud.env"
finish_work
