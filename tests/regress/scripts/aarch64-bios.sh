qemu-system-aarch64 -M virt -cpu cortex-a57 -m 1G -nographic -bios QEMU_EFI.fd \
 -drive if=none,file=debian-arm64.qcow2,id=hd0 -device virtio-blk-device,drive=hd0 \
 -netdev user,id=user0 -device virtio-net-device,netdev=user0
