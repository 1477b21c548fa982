qemu-system-x86_64 -M q35 -machine usb=off,vmport=off -accel tcg,thread=single -smp 2,maxcpus=4 -m 256M -nographic
