qemu-system-x86_64 -m 512 -nic user -boot d -cdrom alpine-virt-3.19.0-x86_64.iso -hda alpine.qcow2 -display gtk
