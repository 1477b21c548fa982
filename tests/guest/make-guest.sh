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
# and busybox come out of their packages into the cache.
#
# Kernel parameters that the guest knows (see init): gm.name=NAME, gm.shell,
# gm.acpi=ignore, gm.run=COMMAND,ARGUMENT,...
set -eu

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/guest/from-packages.sh
. "$here/from-packages.sh"

host_kind
finished guest guest.env "$here/init" "$here"/bin/*
begin_work

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

if has_apt; then
    unpack_kernel "$deb_arch" "$work/pkg"
    unpack_busybox "$work/pkg"
else
    from_this_machine
fi
"$busybox" true || die "$busybox does not run here"

native=$busybox
mkdir "$work/out"
cp "$vmlinuz" "$work/out/vmlinuz"
make_initrd "$busybox" "$work/out/initrd.gz"
write_env "$work/out/guest.env"
finish_work
