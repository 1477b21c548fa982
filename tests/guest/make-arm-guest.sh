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

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guest/from-packages.sh
. "$here/from-packages.sh"

finished arm-guest initrd.gz "$here/init" "$here"/bin/*
has_apt || die "this needs apt-get and dpkg-deb"
begin_work

# This machine's busybox knows the applets' names and packs the archive.
unpack_busybox "$work/native"
native=$busybox
foreign=arm64
debs=$cache/arm64
mkdir -p "$debs"
unpack_kernel arm64 "$work/pkg"
unpack_busybox "$work/pkg"

mkdir "$work/out"
cp "$vmlinuz" "$work/out/vmlinuz"
make_initrd "$busybox" "$work/out/initrd.gz"
finish_work
