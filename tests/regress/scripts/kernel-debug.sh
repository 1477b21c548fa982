qemu-system-x86_64 -kernel vmlinuz -append "console=ttyS0 nokaslr" -nographic -s -S -no-reboot -d int,cpu_reset -D qemu.log
