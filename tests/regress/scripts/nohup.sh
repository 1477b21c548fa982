nohup setsid qemu-system-x86_64 -M q35 -m 256 -nographic >/dev/null 2>&1 </dev/null &
echo $! > pid
