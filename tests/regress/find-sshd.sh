#!/bin/sh
# Prints the path of an sshd: the machine's, or one out of Debian's package, in
# the cache. To install that package would start a daemon that nobody asked for.
set -eu

here=$(cd "$(dirname "$0")/../guest" && pwd)
# shellcheck source=tests/guest/from-packages.sh
. "$here/from-packages.sh"

if command -v sshd; then
    exit 0
fi
sshd=$cache/openssh-server/usr/sbin/sshd
if [ ! -x "$sshd" ]; then
    has_apt || die "there is no sshd"
    begin_work
    unpack openssh-server "$work/openssh-server"
    # another run may have been faster
    mv -T "$work/openssh-server" "$cache/openssh-server" 2>/dev/null ||
        [ -x "$sshd" ]
fi
if ldd "$sshd" | grep -q 'not found'; then
    die "its libraries are missing: $(ldd "$sshd" | grep 'not found')"
fi
echo "$sshd"
