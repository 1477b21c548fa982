ISO="Win11_23H2.iso"
VIRTIO='virtio-win-0.1.240.iso'
mkdir -p /tmp/emulated_tpm
swtpm socket --tpmstate dir=/tmp/emulated_tpm --ctrl type=unixio,path=/tmp/emulated_tpm/swtpm-sock --tpm2 &
exec qemu-system-x86_64 \
  -name "Windows 11" \
  -machine type=q35,accel=kvm,smm=on \
  -cpu host,hv_relaxed,hv_spinlocks=0x1fff,hv_vapic,hv_time \
  -smp 4,sockets=1,cores=2,threads=2 -m 8G \
  -global driver=cfi.pflash01,property=secure,value=on \
  -drive if=pflash,format=raw,unit=0,file=/usr/share/OVMF/OVMF_CODE_4M.ms.fd,readonly=on \
  -drive if=pflash,format=raw,unit=1,file=win_VARS.fd \
  -chardev socket,id=chrtpm,path=/tmp/emulated_tpm/swtpm-sock \
  -tpmdev emulator,id=tpm0,chardev=chrtpm -device tpm-tis,tpmdev=tpm0 \
  -drive "file=$ISO,media=cdrom,index=0" -drive file="${VIRTIO}",media=cdrom,index=1 \
  -drive file=win.qcow2,if=virtio,index=2 \
  -usb -device usb-tablet -rtc base=localtime,clock=host \
  -spice port=5930,disable-ticketing=on -device virtio-serial-pci \
  -chardev spicevmc,id=vdagent,name=vdagent -device virtserialport,chardev=vdagent,name=com.redhat.spice.0 \
  -vga qxl -nic user,smb=/home/me/share -boot order=d "$@"
