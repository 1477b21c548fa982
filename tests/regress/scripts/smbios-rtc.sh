qemu-system-x86_64 -M q35 -m 2G -smbios type=1,serial=ds=nocloud-net\;s=http://10.0.2.2:8000/ -rtc base=localtime,clock=host -drive file=img.qcow2,if=virtio -nographic
