qemu-system-x86_64 -m 256 -accel tcg -nographic -device i6300esb -watchdog-action pause -device pvpanic
