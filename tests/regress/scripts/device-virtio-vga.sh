qemu-system-x86_64 -m 256 -accel tcg -device virtio-vga -nographic
