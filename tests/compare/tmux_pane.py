"""Runs in a pane of tmux: writes there what comes through a socket.

Each piece is "LENGTH NEWLINE BYTES"; when the pane's terminal has taken it,
which it shows by answering a query behind it, "done" goes back.
"""

import os
import socket
import sys
import tty

QUERY, ANSWER = b"\x1b[5n", b"\x1b[0n"


def main():
    tty.setraw(0)
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(sys.argv[1])
        stream = peer.makefile("rwb")
        for line in stream:
            data = stream.read(int(line))
            left = data.count(QUERY) + 1
            data += QUERY
            answers = b""
            os.set_blocking(1, True)
            while data:
                data = data[os.write(1, data[:1024]):]
            while answers.count(ANSWER) < left:
                answers += os.read(0, 4096)
            stream.write(b"done\n")
            stream.flush()


main()
