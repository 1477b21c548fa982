env QEMU_AUDIO_DRV=none SDL_VIDEODRIVER=dummy qemu-system-x86_64 -M q35 -m 256 -nographic
