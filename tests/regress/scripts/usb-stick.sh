qemu-system-x86_64 -M q35 -m 512 -usb -drive if=none,id=stick,format=raw,file=usb.img -device nec-usb-xhci,id=xhci -device usb-storage,bus=xhci.0,drive=stick -nographic
