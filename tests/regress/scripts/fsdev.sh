qemu-system-x86_64 -M q35 -m 1G -fsdev local,security_model=none,id=fsdev0,path=/tmp -device virtio-9p-pci,id=fs0,fsdev=fsdev0,mount_tag=hostshare -nographic
