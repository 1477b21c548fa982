qemu-system-x86_64 -M q35 -m 256 -accel tcg -vnc unix:x.sock -usb -device usb-tablet
