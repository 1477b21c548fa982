qemu-system-x86_64 -m 256 -accel tcg -nographic -drive file=r.img,format=raw,if=none,id=d,readonly=on -device virtio-blk-pci,drive=d
