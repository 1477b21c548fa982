qemu-system-aarch64 -M virt,highmem=off -cpu max -smp 2 -m 256 -accel tcg -nographic -drive file=d.qcow2,if=virtio -device virtio-rng-pci -device ramfb -device qemu-xhci -device usb-kbd
