qemu-system-x86_64 -M q35 -m 256 -snapshot -drive file=d.qcow2,if=virtio -nographic
