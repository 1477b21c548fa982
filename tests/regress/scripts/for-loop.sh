for i in 1 2 3; do
  qemu-system-x86_64 -M q35 -m 256 -name vm$i -drive file=vm$i.qcow2,if=virtio -nographic &
done
