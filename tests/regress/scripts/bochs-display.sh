qemu-system-x86_64 -m 256 -accel tcg -serial mon:stdio -vga none -device bochs-display -display none
