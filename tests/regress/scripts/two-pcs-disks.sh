qemu-system-x86_64 -M pc -m 256 -accel tcg -nographic -drive file=a.img,format=raw,if=ide -drive file=b.img,format=raw,if=ide -drive file=c.img,format=raw,if=virtio
