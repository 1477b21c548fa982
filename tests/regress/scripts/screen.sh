screen -dmS vm1 qemu-system-x86_64 -M q35 -m 256 -nographic
tmux new-session -d -s vm2 "qemu-system-x86_64 -M q35 -m 256 -nographic"
