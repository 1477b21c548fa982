qemu-system-x86_64 -M q35 -m 1G -kernel vmlinuz -initrd initrd.gz -append "console=ttyS0 root=/dev/vda rw" \
 -virtfs local,path=/tmp,mount_tag=host0,security_model=none,id=host0 -nographic
