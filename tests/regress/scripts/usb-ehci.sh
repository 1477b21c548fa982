qemu-system-x86_64 -m 256 -accel tcg -nographic -device usb-ehci,id=ehci -device usb-tablet,bus=ehci.0
