qemu-system-x86_64 --machine q35 --m 512 --nographic --drive file=a.img,if=virtio,format=raw
