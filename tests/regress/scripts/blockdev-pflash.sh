qemu-system-x86_64 \
 -machine q35,smm=on,accel=tcg,pflash0=code,pflash1=vars \
 -blockdev node-name=code,driver=file,filename=OVMF_CODE_4M.fd,read-only=on \
 -blockdev node-name=vars,driver=file,filename=OVMF_VARS.fd \
 -m 1G -nographic
