qemu-system-x86_64 -m 256 -accel tcg -nographic -bios bios-256k.bin
