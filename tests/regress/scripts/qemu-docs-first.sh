qemu-system-x86_64 linux.img -m 512M
