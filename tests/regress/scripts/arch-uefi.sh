#!/bin/sh
qemu-system-x86_64 -enable-kvm -cpu host -smp 4 -m 4G \
  -drive if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd \
  -drive if=pflash,format=raw,file=my_uefi_vars.fd \
  -drive file=disk.qcow2,if=virtio,aio=threads,cache.direct=on \
  -nic user,model=virtio-net-pci \
  -vga virtio -display sdl,gl=on
