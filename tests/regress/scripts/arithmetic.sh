BASE=1024
qemu-system-x86_64 -M q35 -m $((BASE*2)) -nographic
