qemu-system-x86_64 -m 256 -accel tcg -display vnc=unix:x.sock -serial vc
