qemu-system-x86_64 -M pc -m 256 -boot menu=on,order=dc -fda floppy.img -hda c.img -hdb d.img -cdrom e.iso -nographic -net none
