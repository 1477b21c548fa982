#!/bin/ksh
qemu-system-x86_64 -m 1024 -nographic \
	-drive file=openbsd.raw,format=raw,if=ide,index=0,media=disk \
	-drive file=install74.iso,format=raw,media=cdrom \
	-net nic,model=e1000 -net user
