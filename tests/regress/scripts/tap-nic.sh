qemu-system-x86_64 -m 1G -nic tap,ifname=tap1,script=no,downscript=no,model=e1000,mac=52:54:00:11:22:34 disk.qcow2 -curses
