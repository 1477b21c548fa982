#!/bin/sh
# install.sh DIRECTORY: has npm put what test_xterm.py compares with there.
# Only `tests/run.sh --slow` needs it.
set -eu

where=${1:?usage: install.sh DIRECTORY}
here=$(cd "$(dirname "$0")" && pwd)
if [ -d "$where/node_modules/@xterm/headless" ]; then
    exit 0
fi
command -v npm >/dev/null || { echo "install.sh: npm is not installed"; exit 1; }
mkdir -p "$where"
cp "$here/package.json" "$here/package-lock.json" "$where/"
cd "$where"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
