for i in 1 2; do qemu-system-x86_64 -M q35 -m $((128 * i)) -name n$i -nographic; done > log 2>&1 &
