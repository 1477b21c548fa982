#!/bin/sh
# Makes a live CD of the tiny guest of make-guest.sh, and prints the directory
# that holds it:
#
#   live.iso    boots by isolinux (El Torito), on the serial port
#
# For PCs; it is made once and kept in ${XDG_CACHE_HOME:-~/.cache}/guestmux.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guest/from-packages.sh
. "$here/from-packages.sh"

host_kind
finished live-cd live.iso "$here/make-guest.sh" "$here/init" "$here"/bin/*
[ "$arch" = x86_64 ] || die "isolinux is for PCs"
has_apt || die "this needs apt-get and dpkg-deb"
need_tools xorriso
begin_work

guest=$(sh "$here/make-guest.sh")
unpack isolinux "$work/pkg"
unpack syslinux-common "$work/pkg"
mkdir -p "$work/cd/isolinux" "$work/out"
cp "$guest/vmlinuz" "$guest/initrd.gz" "$work/cd/"
cp "$work/pkg/usr/lib/ISOLINUX/isolinux.bin" \
    "$work/pkg/usr/lib/syslinux/modules/bios/ldlinux.c32" "$work/cd/isolinux/"
cat >"$work/cd/isolinux/isolinux.cfg" <<CFG
SERIAL 0 115200
DEFAULT live
PROMPT 1
TIMEOUT 20
LABEL live
  KERNEL /vmlinuz
  INITRD /initrd.gz
  APPEND console=ttyS0 panic=-1 gm.name=live
CFG
xorriso -as mkisofs -quiet -r -J -V LIVE -o "$work/out/live.iso" \
    -b isolinux/isolinux.bin -c isolinux/boot.cat \
    -no-emul-boot -boot-load-size 4 -boot-info-table "$work/cd" >&2 ||
    die "xorriso failed"
finish_work
