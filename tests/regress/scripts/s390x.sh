qemu-system-s390x -machine s390-ccw-virtio -cpu max -m 1G -nographic -drive file=s.qcow2,if=none,id=d -device virtio-blk-ccw,drive=d -netdev user,id=n -device virtio-net-ccw,netdev=n
