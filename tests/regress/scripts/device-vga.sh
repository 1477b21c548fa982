qemu-system-x86_64 -M q35 -m 256 -accel tcg -device VGA,vgamem_mb=64 -serial stdio -display none
