for ((i=0;i<3;i++)); do
  qemu-system-x86_64 -M q35 -m 256 -name n$i -nographic
done
