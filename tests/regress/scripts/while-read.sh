while read name ip; do
  qemu-system-x86_64 -name $name -m 256 -nographic
done < hosts
