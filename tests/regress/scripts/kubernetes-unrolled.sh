#!/bin/bash
ARCH=x86_64
COMMON=(-machine q35,accel=kvm:tcg -cpu max -nographic
        -smp 2 # two each
        -m 2G)
qemu-system-$ARCH "${COMMON[@]}" -name control -drive file=control.qcow2,if=virtio,format=qcow2 -nic user,hostfwd=tcp:127.0.0.1:2201-:22,hostfwd=tcp:127.0.0.1:6443-:6443 -nic socket,mcast=230.0.0.1:1234,mac=52:54:00:00:00:01,model=virtio-net-pci &
qemu-system-$ARCH "${COMMON[@]}" -name worker0 -drive file=worker0.qcow2,if=virtio,format=qcow2 -nic user,hostfwd=tcp:127.0.0.1:2202-:22 -nic socket,mcast=230.0.0.1:1234,mac=52:54:00:00:00:02,model=virtio-net-pci &
wait
