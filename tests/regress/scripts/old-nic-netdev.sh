qemu-system-x86_64 -m 256 -accel tcg -nographic -netdev user,id=n0,hostfwd=tcp:127.0.0.1:2222-:22 -net nic,netdev=n0,model=rtl8139,macaddr=52:54:00:01:02:03
