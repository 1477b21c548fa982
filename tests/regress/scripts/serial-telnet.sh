qemu-system-x86_64 -m 512 -hda router.img -serial telnet:127.0.0.1:5001,server,nowait -monitor telnet:127.0.0.1:5002,server,nowait -display none -daemonize
