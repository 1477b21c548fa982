#!/bin/bash
ARGS=()
ARGS+=(-machine q35)
ARGS+=(-m "1G")   # memory
ARGS+=(-drive "if=virtio,file=a b.qcow2,format=qcow2")
# network
ARGS+=(
  -netdev user,id=n0,hostfwd=tcp::2222-:22
  # -netdev tap,id=n0
  -device virtio-net-pci,netdev=n0
)
exec qemu-system-x86_64 "${ARGS[@]}" -nographic
