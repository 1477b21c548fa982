qemu-system-x86_64 -nodefaults -no-user-config -machine q35 -m 256 \
 -chardev stdio,id=char0,mux=on,signal=off,logfile=serial.log -serial chardev:char0 -mon chardev=char0,mode=readline \
 -chardev socket,id=qmp0,path=/tmp/qmp.sock,server=on,wait=off -mon chardev=qmp0,mode=control \
 -device virtio-serial -chardev vc,id=hv -device virtconsole,chardev=hv \
 -kernel vmlinuz -initrd initrd.gz -append 'console=ttyS0 root=/dev/vda rw' -device virtio-rng-pci -no-reboot
