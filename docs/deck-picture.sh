#!/bin/sh
# deck-picture.sh BINARY: makes docs/deck.svg anew, out of a real deck.
#
# Three tiny guests run in directories of their own, the deck runs in a tmux
# of 110x32; what tmux has on its screen becomes the picture.  One of the
# guests panics, so that the picture shows how a death looks.
set -eu

binary=$(realpath "$1")
cd "$(dirname "$0")/.."
guest=$(sh tests/guest/make-guest.sh)
# Sets MACHINE and CONSOLE.
# shellcheck source=/dev/null
. "$guest/guest.env"

place=$(mktemp -d /tmp/gm-deck.XXXXXX)
ln -s "$binary" "$place/guestmux"
ln -s "$guest" "$place/guest"
mkdir -m 700 "$place/run"
export XDG_RUNTIME_DIR="$place/run" XDG_STATE_HOME="$place/state" \
    XDG_DATA_HOME="$place/data" XDG_CONFIG_HOME="$place/config" LC_ALL=C.UTF-8

gm() { "$place/guestmux" -L demo "$@" </dev/null; }
screen() { tmux -S "$place/tmux" capture-pane -p "$@"; }

clean_up() {
    tmux -S "$place/tmux" kill-server 2>/dev/null || true
    gm kill --yes control0 worker0 worker1 >/dev/null 2>&1 || true
    gm kill-server >/dev/null 2>&1 || true
    rm -rf "$place"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# say GUEST PATTERN COMMAND: types and waits for what it brings up.
say() {
    cursor=$(gm send "$1" --enter --json "$3" |
        sed -n 's/.*"cursor": *\([0-9]*\).*/\1/p')
    gm wait "$1" --after "$cursor" --for "$2" --timeout 60 >/dev/null
}

# A screen has no events to wait for: it is looked at again.
until_shown() {
    tries=0
    while ! screen | grep -q "$1"; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || { screen; exit 1; }
        sleep 0.1
    done
}

cat >"$place/guestmux.json" <<FLEET
{
  "version": 1,
  "defaults": {
    "machine": "$MACHINE", "accel": "tcg", "memory": "128M",
    "kernel": "guest/vmlinuz", "initrd": "guest/initrd.gz"
  },
  "guests": {
    "control0": { "append": "console=$CONSOLE quiet gm.shell gm.name=control0" },
    "worker0": { "append": "console=$CONSOLE quiet gm.shell gm.name=worker0" },
    "worker1": {
      "append": "console=$CONSOLE gm.shell gm.name=worker1",
      "args": ["-device", "pvpanic-pci"]
    }
  }
}
FLEET
gm up -d -f "$place/guestmux.json" >/dev/null
tmux -S "$place/tmux" -f /dev/null new-session -d -x 110 -y 32 \
    "exec '$place/guestmux' -L demo"
tmux -S "$place/tmux" set -g status off
for name in control0 worker0 worker1; do
    gm wait "$name" --for '# $' --since-boot --timeout 120 >/dev/null
done
# A serial line tells no size: the guest is told its pane's.
say worker0 'PID' 'clear; stty cols 40 rows 15; exec top -d 3600'
gm send worker1 --enter panic >/dev/null
gm wait worker1 --state crashed,guest-panicked --timeout 60 >/dev/null
for command in 'clear; stty cols 41' 'uname -rm' 'ls -C --color=always /' \
    'grep Mem /proc/meminfo'; do
    say control0 '# $' "$command"
done
until_shown 'kernel panicked'
# The message about the death gives way to the keys after a while.
until_shown 'C-\] d detach'
screen -e -N | python3 docs/capture-svg.py "guestmux's deck with three guests" \
    >"$place/deck.svg"
cp "$place/deck.svg" docs/deck.svg
