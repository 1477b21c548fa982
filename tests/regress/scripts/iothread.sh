qemu-system-x86_64 -M q35 -accel tcg -m 1G -display none -object iothread,id=io1 \
  -drive if=none,id=d0,file=disk.qcow2,format=qcow2,cache=none,aio=threads \
  -device virtio-blk-pci,drive=d0,iothread=io1 -serial stdio
