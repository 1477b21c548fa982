#!/bin/sh
# The argument is known to the inner shell alone.
sh -c 'qemu-system-x86_64 -m "$1" -nographic' start 256
