qemu-system-x86_64 -M q35 -m 256 -accel tcg -nographic -audiodev none,id=a -device intel-hda -device hda-duplex,audiodev=a
