qemu-system-x86_64 -M q35 -m 256 -drive file=my,,odd,,name.qcow2,if=virtio,format=qcow2 -drive 'file=with space.img,if=virtio,format=raw' -nographic
