#!/bin/sh
case "$1" in
  start) qemu-system-x86_64 -M q35 -m 256 -drive file=x.qcow2,if=virtio -display none -daemonize ;;
  stop) echo system_powerdown | socat - unix-connect:mon ;;
esac
