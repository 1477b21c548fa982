qemu-system-x86_64 -m 256 -accel tcg -nographic -drive file=a.qcow2,if=none,id=d0 -device virtio-blk,drive=d0,serial=abc
