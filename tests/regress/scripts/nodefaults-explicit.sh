qemu-system-x86_64 -nodefaults -m 256 -accel tcg -vga std -serial stdio -display none -netdev user,id=n -device e1000,netdev=n,mac=52:54:00:00:00:01
