qemu-system-x86_64 \
  -machine q35 \
  -m 1G `# memory` \
  -nographic `# serial console` \
  -hda a.img
