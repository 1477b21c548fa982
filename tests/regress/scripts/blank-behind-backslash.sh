qemu-system-x86_64 \
  -M q35  \ 
  -m 256 \
  -nographic
