qemu-system-x86_64 -M q35 -m 256 -accel tcg -nographic -netdev user,id=n,net=10.9.0.0/24,dhcpstart=10.9.0.9,restrict=on -device virtio-net-pci,netdev=n,mac=52:54:00:00:00:02,mq=off,vectors=6
