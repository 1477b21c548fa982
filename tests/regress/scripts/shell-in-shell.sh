#!/bin/sh
DISK="my disk.img"
export MEM=256
bash -c '
  # its own shell
  exec qemu-system-x86_64 -M q35 -m $MEM \
    -nographic
'
sudo screen -dmS two \
  bash -lc "cd /srv && exec qemu-system-x86_64 -M q35 -hda \"$DISK\" -nographic"
tmux -L vms new-session -d -s three -x 80 'qemu-system-x86_64 -M q35 -m '$MEM' -nographic' \; set status off
