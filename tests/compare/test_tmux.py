"""Recorded sessions: our screens are tmux's, cell by cell."""

import os
import pathlib
import socket
import subprocess
import sys
import tempfile

import cells
import comparison

TIMEOUT = 60
CONFIG = """
set -g status off
set -g history-limit 1000
set -g remain-on-exit on
"""


class Tmux:
    """A tmux of our own whose pane shows what we write."""

    def __init__(self, rows, cols):
        self.directory = tempfile.TemporaryDirectory()
        self.place = pathlib.Path(self.directory.name)
        (self.place / "conf").write_text(CONFIG)
        self.env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
                    "HOME": str(self.place), "TERM": "xterm-256color",
                    "TMUX_TMPDIR": str(self.place)}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.place / "pipe"))
        self.listener.listen()
        self.listener.settimeout(TIMEOUT)
        pane = pathlib.Path(__file__).parent / "tmux_pane.py"
        self.run("-f", str(self.place / "conf"), "new-session", "-d", "-x",
                 str(cols), "-y", str(rows), sys.executable, str(pane),
                 str(self.place / "pipe"))
        self.peer = self.listener.accept()[0]
        self.peer.settimeout(TIMEOUT)

    def run(self, *words):
        return subprocess.run(
            ["tmux", "-u", "-L", "compare", *words], env=self.env, check=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=TIMEOUT,
        ).stdout.decode()

    def write(self, data):
        self.peer.sendall(b"%d\n%s" % (len(data), data))
        answer = b""
        while not answer.endswith(b"\n"):
            piece = self.peer.recv(100)
            if not piece:
                raise RuntimeError("the pane ended")
            answer += piece

    def screen(self, rows, cols):
        """The cursor, and the rows of cells."""
        place, text = self.run(
            "display-message", "-p", "#{cursor_y} #{cursor_x}", ";",
            "capture-pane", "-e", "-p", "-N").split("\n", 1)
        row, col = place.split()
        return ((int(row), min(int(col), cols - 1)),
                cells.from_capture(text, rows))

    def close(self):
        self.peer.close()
        self.listener.close()
        self.run("kill-server")
        self.directory.cleanup()


def screens(recording, offsets):
    tmux = Tmux(recording.rows, recording.cols)
    try:
        at = 0
        for offset in offsets:
            tmux.write(recording.for_others[at:offset])
            at = offset
            yield tmux.screen(recording.rows, recording.cols)
    finally:
        tmux.close()


if __name__ == "__main__":
    sys.exit(comparison.main("tmux", screens))
