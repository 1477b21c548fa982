#!/bin/sh
ACCEL="-accel tcg"
[ -w /dev/kvm ] && ACCEL="-accel kvm"
qemu-system-x86_64 -M q35 $ACCEL -m 256 -nographic
