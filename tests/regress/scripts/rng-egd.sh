qemu-system-x86_64 -M q35 -m 256 -accel tcg -nographic -object rng-random,id=r,filename=/dev/urandom -device virtio-rng-pci,rng=r
