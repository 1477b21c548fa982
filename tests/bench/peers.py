"""The two sides of a benchmark: guestmux, and the peers it is measured against.

The terminal under all of them is tests/bench/ptybench.c, which drains at once
(or as fast as it is told).  Each side runs in a box of its own (harness.Box).
"""

import os
import shlex
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "regress"))

import harness  # noqa: E402  pylint: disable=wrong-import-position

PTYBENCH = os.environ.get("PTYBENCH", os.path.join(
    os.path.dirname(os.path.dirname(harness.BINARY)),
    "tests/bench/ptybench"))
PROGRAM = os.path.join(os.path.dirname(PTYBENCH), "benchprog")
ROWS, COLS = 50, 200
# No letter of these is in a corpus, so no screen diff can split them.
READY, END = "@#ready#@", "@#end#@#end#@#end#@"


class Pty:
    """ptybench with a command on its pty."""

    def __init__(self, box, *command, env=None):
        self.process = subprocess.Popen(
            [PTYBENCH, str(ROWS), str(COLS), *command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=box.env | (env or {}), cwd=box.work)
        box.children.append(self.process)
        self.child = int(self.process.stdout.readline())

    def order(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        harness.require(answer and answer != "failed", f"ptybench: {line}")
        return answer

    def wait(self, text):
        return self.order("wait " + text)

    def start(self, go, text=END):
        """Starts what waits at the FIFO go; (seconds, bytes drawn) until
        text shows."""
        _, micros, drained = self.order(f"start {go} {text}").split()
        return int(micros) / 1e6, int(drained)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Tmux:
    """tmux: its server, and a client."""

    name = "tmux"

    def __init__(self, box):
        self.box = box

    def run(self, *arguments):
        return subprocess.run(["tmux", "-L", "bench", *arguments],
                              env=self.box.env, check=True,
                              capture_output=True, text=True).stdout

    def console(self, command, history=2000, others=()):
        """The client's terminal; others: commands in panes beside it."""
        config = self.box.write("tmux.conf", f"""
set -g history-limit {history}
set -g default-terminal screen-256color
set -g status-interval 0
""")
        self.box.env["TMUX_TMPDIR"] = self.box.path
        pty = Pty(self.box, "tmux", "-L", "bench", "-f", config,
                  "new-session", shlex.join(command))
        pty.wait(READY)
        for other in others:
            self.run("split-window", "-d", shlex.join(other))
            self.run("select-layout", "tiled")
        self.server = int(self.run("display-message", "-p", "#{pid}"))
        return pty

    def pids(self, pty):
        return [self.server, pty.child]


class Screen:
    """GNU screen, in one window."""

    name = "screen"

    def __init__(self, box):
        self.box = box

    def console(self, command, history=2000, **_):
        config = self.box.write("screenrc", f"""
startup_message off
defscrollback {history}
defutf8 on
""")
        self.box.env["SCREENDIR"] = self.box.at("screen")
        os.makedirs(self.box.env["SCREENDIR"], 0o700, exist_ok=True)
        pty = Pty(self.box, "screen", "-c", config, "-S", "bench", *command)
        pty.wait(READY)
        self.server = self.find_server(pty.child)
        return pty

    @staticmethod
    def find_server(client):
        # The client forks it: it is the client's child, with the window's
        # command as its own.
        children = subprocess.run(["pgrep", "-P", str(client)], check=False,
                                  capture_output=True, text=True).stdout
        return int(children.split()[0])

    def pids(self, pty):
        return [self.server, pty.child]


class Bare:
    """Nothing between the program and the terminal: what the tty allows."""

    name = "bare tty"

    def __init__(self, box):
        self.box = box

    def console(self, command, **_):
        pty = Pty(self.box, *command)
        pty.wait(READY)
        return pty

    def pids(self, pty):
        return [pty.child]


class Dvtm:
    """dvtm, whose one process is everything; panes beside each other."""

    name = "dvtm"

    def __init__(self, box):
        self.box = box

    def console(self, command, others=(), **_):
        # The last window made has the focus.
        commands = [shlex.join(other) for other in (*others, command)]
        pty = Pty(self.box, "dvtm", *commands)
        pty.wait(READY)
        self.server = None
        return pty

    def pids(self, pty):
        return [pty.child]


class Guestmux:
    """Us: exec consoles, and the deck."""

    name = "guestmux"

    def __init__(self, box):
        self.box = box

    def console(self, command, history=None, others=(), single=False):
        extra = {"history": history} if history else {}
        guests = {"bench": {"exec": command} | extra} | {
            f"other{i}": {"exec": other} for i, other in enumerate(others)}
        file = self.box.write("guestmux.json",
                              {"version": 1, "guests": guests})
        self.box.up("-f", file)
        attach = ("console", "bench") if single else ("attach",)
        pty = Pty(self.box, harness.BINARY, "-L", "t", *attach)
        pty.wait(READY)
        self.server = self.box.server_pid()
        return pty

    def pids(self, pty):
        return [self.server, pty.child]


def fifo(box):
    path = box.at("w", "go")
    os.mkfifo(path)
    return path


def in_boxes(sides, function):
    """function(side) for each of sides, each in a fresh box."""
    results = []
    for side in sides:
        box = harness.Box("bench")
        try:
            results.append(function(side(box)))
        except harness.Failure:
            print(box.tell(), file=sys.stderr)
            raise
        finally:
            box.remove()
    return results


def cpu(side, pty):
    """Seconds of CPU that the side has used so far, all its processes."""
    return sum(map(harness.cpu_seconds, side.pids(pty)))
