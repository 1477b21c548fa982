qemu-system-x86_64 -M q35 -m 256 -accel tcg -nographic -fw_cfg name=opt/x,string=y -global ICH9-LPC.disable_s3=1
