#!/bin/sh
# run.sh BINARY [BENCH...]: guestmux beside its peers (see bench.py).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
binary=$1
shift
for tool in tmux strace; do
    command -v "$tool" >/dev/null || echo "bench: $tool is missing" >&2
done
GUESTMUX=$(cd "$(dirname "$binary")" && pwd)/${binary##*/}
PTYBENCH=${GUESTMUX%/src/*}/tests/bench/ptybench
export GUESTMUX PTYBENCH
exec python3 "$here/bench.py" "$@"
