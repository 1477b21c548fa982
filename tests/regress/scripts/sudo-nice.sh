sudo -E -u kvm nice -n 5 taskset -c 0,1 qemu-system-x86_64 -M q35 -m 256 -nographic
