qemu-system-i386 -m 64 -accel tcg -hda dos.img -fda floppy.img -boot a -nographic -net nic,model=ne2k_pci -net user
