qemu-system-aarch64 -M virt -cpu cortex-a53 -m 256 -accel tcg -nographic -kernel vmlinuz -append console=ttyAMA0
