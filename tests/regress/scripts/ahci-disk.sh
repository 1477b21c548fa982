qemu-system-x86_64 -m 256 -accel tcg -nographic -drive id=d,file=d.img,if=none,format=raw -device ich9-ahci,id=ahci -device ide-hd,drive=d,bus=ahci.0
