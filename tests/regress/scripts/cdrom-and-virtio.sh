qemu-system-x86_64 -M q35 -m 256 -accel tcg -nographic -cdrom c.iso -drive file=v.img,format=raw,if=virtio,cache=unsafe,discard=unmap
