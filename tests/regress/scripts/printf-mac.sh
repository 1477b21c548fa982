MAC=$(printf '52:54:00:%02x' 1)
qemu-system-x86_64 -M q35 -m 256 -nographic -nic user,mac=$MAC
