qemu-system-x86_64 -M q35 -m 256 -accel tcg -nographic -device virtio-serial -chardev socket,path=qga.sock,server=on,wait=off,id=q -device virtserialport,chardev=q,name=org.qemu.guest_agent.0
