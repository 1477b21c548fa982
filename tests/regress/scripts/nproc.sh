qemu-system-x86_64 -smp $(nproc) -m ${MEM:-2G} -drive file=${DISK:?no disk},if=virtio -nographic
