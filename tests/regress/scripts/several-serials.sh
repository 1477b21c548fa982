qemu-system-x86_64 -M q35 -m 256 -display none -serial mon:stdio -serial file:second.log -serial null -serial tcp:127.0.0.1:4555,server=on,wait=off
