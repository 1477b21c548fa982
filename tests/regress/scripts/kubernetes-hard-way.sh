#!/bin/bash
NODES=(controller worker-0 worker-1)
start_vm() {
  local name=$1
  local index=$2
  sudo qemu-system-x86_64 -name "$name" -enable-kvm -cpu host -smp 2 -m 2048 \
    -drive file="${name}.qcow2",if=virtio \
    -netdev bridge,id=net0,br=virbr0 -device virtio-net-pci,netdev=net0,mac=52:54:00:12:34:0$index \
    -display none -daemonize -pidfile "${name}.pid" &
}
for i in 0 1 2; do
  start_vm "${NODES[$i]}" "$i"
done
