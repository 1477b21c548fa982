qemu-system-x86_64 -M q35 \
  -m 1G \
  # -smp 4 \
  -nographic
