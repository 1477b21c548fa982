MEM=256
sh -c 'qemu-system-x86_64 -m $MEM -nographic'
