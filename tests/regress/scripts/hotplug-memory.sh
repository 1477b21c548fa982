qemu-system-x86_64 -M pc -m 256,slots=2,maxmem=1G -accel tcg -nographic -object memory-backend-ram,id=m1,size=128M -device pc-dimm,id=d1,memdev=m1
