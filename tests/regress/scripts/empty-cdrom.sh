qemu-system-x86_64 -M q35 -m 256 -accel tcg -nographic -drive if=none,id=cd -device ide-cd,drive=cd
