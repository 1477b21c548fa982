#!/bin/bash
MEM=${MEM:-1024}
if [ -w /dev/kvm ]; then
  ACCEL="-accel kvm -cpu host"
else
  ACCEL="-accel tcg"
fi
qemu-system-x86_64 $ACCEL -m $MEM -drive file=a.qcow2,if=virtio -nographic
