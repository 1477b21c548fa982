sudo qemu-system-aarch64 -M virt -accel hvf -cpu host -smp 4 -m 4096 \
 -bios edk2-aarch64-code.fd -netdev vmnet-bridged,id=net0,ifname=en0 -device virtio-net-device,netdev=net0 \
 -drive file=ubuntu.qcow2,format=qcow2,if=none,id=hd0 -device virtio-blk-device,drive=hd0 \
 -device virtio-gpu-pci -device qemu-xhci -device usb-kbd -device usb-tablet -display cocoa,show-cursor=on -serial mon:stdio
