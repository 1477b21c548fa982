qemu-system-x86_64 -m 1G -k de -vnc :0 -usbdevice tablet -cdrom live.iso -boot d -serial vc -monitor vc
