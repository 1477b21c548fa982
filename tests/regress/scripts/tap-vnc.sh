sudo qemu-system-x86_64 -M q35 -m 1G -drive file=disk.qcow2,if=virtio -netdev tap,id=n0,ifname=tap0,script=no,downscript=no -device virtio-net-pci,netdev=n0,mac=52:54:00:11:22:33 -vnc :1 -daemonize
