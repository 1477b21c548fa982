qemu-system-x86_64 -M q35 -m 256 -accel tcg -nographic -device nvme,id=nv,serial=1234 -drive file=n.img,format=raw,if=none,id=ns -device nvme-ns,drive=ns,bus=nv,nsid=1
