qemu-system-ppc64 -M pseries -m 1G -nographic -nodefaults -serial mon:stdio -drive file=p.qcow2,if=virtio
