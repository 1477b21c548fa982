qemu-system-x86_64 -M q35 -m 256 -drive file=d.qcow2,if=virtio,snapshot=on -nographic
