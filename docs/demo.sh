#!/bin/sh
# demo.sh: from a fresh checkout to a deck of running guests.
#
# Installs what is missing, builds guestmux, makes a tiny Linux guest out of
# distribution packages, and opens four of them.  Nothing is installed of
# guestmux itself; the demo lies in ${XDG_CACHE_HOME:-~/.cache}/guestmux/demo,
# and its server is called "demo".
#
#   demo.sh        opens the deck
#   demo.sh stop   shuts the guests down and ends the demo's server
set -eu

cd "$(dirname "$0")/.."
tree=$(pwd)
build=${GUESTMUX_BUILD:-$tree/build/demo}
demo=${XDG_CACHE_HOME:-$HOME/.cache}/guestmux/demo
guestmux=$build/src/guestmux

say() { printf '%s\n' "$*"; }

if [ "${1:-}" = stop ]; then
    "$guestmux" -L demo down --yes --force --timeout 30 || true
    "$guestmux" -L demo kill-server
    exit 0
fi

sh tests/packages.sh run
say "demo: building guestmux in $build"
if [ ! -f "$build/build.ninja" ]; then
    meson setup -Dbuildtype=release "$build" >/dev/null
fi
ninja -C "$build" src/guestmux >"$build/demo.log" || {
    tail -n 40 "$build/demo.log"
    exit 1
}
say "demo: making the tiny guest"
guest=$(sh tests/guest/make-guest.sh)
# Sets QEMU, MACHINE and CONSOLE.
# shellcheck source=/dev/null
. "$guest/guest.env"

mkdir -p "$demo"
ln -sfn "$guest" "$demo/guest"
cpu=''
[ "$ARCH" = x86_64 ] || cpu='"cpu": "max", '
cat >"$demo/guestmux.json" <<FLEET
{
  "version": 1,
  "defaults": {
    "machine": "$MACHINE", "accel": "tcg", $cpu"memory": "128M",
    "kernel": "guest/vmlinuz", "initrd": "guest/initrd.gz",
    "append": "console=$CONSOLE quiet panic=-1 gm.shell"
  },
  "guests": {
    "control0": { "append": "console=$CONSOLE panic=-1 gm.shell gm.name=control0" },
    "worker0": { "append": "console=$CONSOLE quiet gm.shell gm.name=worker0" },
    "worker1": { "append": "console=$CONSOLE quiet gm.shell gm.name=worker1" },
    "old": {
      "command": "$QEMU -nographic -machine $MACHINE -m 128 -accel tcg -kernel guest/vmlinuz -initrd guest/initrd.gz -append 'console=$CONSOLE quiet gm.shell gm.name=old'"
    }
  }
}
FLEET

explain() {
    say "
  The demo's fleet file is $demo/guestmux.json

  leave the deck (the guests go on):   Ctrl-] d
  come back to it:                     $guestmux -L demo
  help inside the deck:                Ctrl-] ?
  stop the guests and the server:      sh docs/demo.sh stop
"
}

explain
if [ -t 0 ] && [ -t 1 ]; then
    "$guestmux" -L demo up -f "$demo/guestmux.json"
    explain
else
    "$guestmux" -L demo up -d -f "$demo/guestmux.json"
    "$guestmux" -L demo ls
    say "demo: no terminal here, so the deck was not opened"
fi
