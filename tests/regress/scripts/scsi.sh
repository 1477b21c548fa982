qemu-system-x86_64 -M q35 -m 512 -device virtio-scsi-pci,id=scsi0,num_queues=4 -drive if=none,id=hd,file=a.qcow2,discard=unmap -device scsi-hd,drive=hd,bus=scsi0.0,rotation_rate=1 -nographic
