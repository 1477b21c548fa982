qemu-system-x86_64 -m 256 -accel tcg -nographic -net user,hostfwd=tcp:127.0.0.1:2222-:22 -net nic
