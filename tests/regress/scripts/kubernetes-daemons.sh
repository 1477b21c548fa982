#!/usr/bin/env bash
set -euo pipefail
declare -A MACS=([server]=52:54:00:00:00:01 [node-0]=52:54:00:00:00:02)
BASE=debian-12-generic-amd64.qcow2
for vm in server node-0 node-1; do
  qemu-img create -f qcow2 -F qcow2 -b "$BASE" "$vm.qcow2" 20G
  cloud-localds "$vm-seed.img" "user-data-$vm"
  qemu-system-x86_64 -name "$vm" -machine accel=kvm:tcg -m 2048 -smp 1 -daemonize -display none \
    -drive file="$vm.qcow2",if=virtio -drive file="$vm-seed.img",if=virtio,format=raw \
    -netdev tap,id=n0,ifname="tap-$vm",script=no,downscript=no -device virtio-net-pci,netdev=n0,mac=52:54:00:12:34:56 \
    -serial file:"$vm.log" -pidfile "$vm.pid"
done
