IGNITION_CONFIG="/path/to/example.ign"
IMAGE="fedora-coreos-qemu.x86_64.qcow2"
IGNITION_DEVICE_ARG="-fw_cfg name=opt/com.coreos/config,string=${IGNITION_CONFIG}"
qemu-kvm -m 2048 -cpu host -nographic -snapshot \
	-drive "if=virtio,file=${IMAGE}" ${IGNITION_DEVICE_ARG} \
	-nic user,model=virtio,hostfwd=tcp::2222-:22
