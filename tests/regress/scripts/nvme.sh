qemu-system-x86_64 -M q35 -m 512 -drive file=nvm.img,if=none,id=nvm,format=raw -device nvme,serial=deadbeef,drive=nvm -nographic
