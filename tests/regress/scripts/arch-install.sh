$ qemu-img create -f qcow2 disk.qcow2 4G
$ qemu-system-x86_64 -cdrom arch.iso -boot order=d -drive file=disk.qcow2,format=qcow2 -m 4G
