"""record.py REPLAY [NAME...]: makes the recordings that the tests compare.

Programs run on a terminal of a fixed size with a fixed environment, keys are
typed when what they wait for is there, and our emulator answers their queries.
The guest is the tiny one (tests/guest), under QEMU with SeaBIOS and iPXE. Needs
vttest, htop, vim, less, dialog, whiptail, top and tmux; the tests need none of
them, for the recordings are in the tree.
"""

import fcntl
import gzip
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
RECORDINGS = HERE / "recordings"
# How long a program may take to print what is waited for, and how long it must
# be silent to be taken for done, seconds.
PATIENCE, QUIET = 60, 0.4
MAX_WAITS = 16


class Session:
    """A program on a terminal, recorded."""

    def __init__(self, replay, argv, rows=24, cols=80, term="xterm-256color",
                 env=(), cwd="/"):
        self.rows, self.cols, self.argv = rows, cols, argv
        self.data, self.waits, self.seen = b"", [], 0
        self.answerer = subprocess.Popen(
            [replay, str(rows), str(cols), "answer"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "TERM": term,
                       "LC_ALL": "C.UTF-8", "HOME": cwd, "TZ": "UTC",
                       "SHELL": "/bin/sh", "PS1": "$ ", **dict(env)}
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            fcntl.ioctl(0, termios.TIOCSWINSZ,
                        struct.pack("HHHH", rows, cols, 0, 0))
            os.execvpe(argv[0], argv, environment)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, cols, 0, 0))

    def turn(self, timeout):
        """Reads and answers once; None: nothing came, False: the end."""
        ready = select.select([self.master, self.answerer.stdout], [], [],
                              timeout)[0]
        if self.answerer.stdout in ready:
            os.write(self.master, os.read(self.answerer.stdout.fileno(), 4096))
        if self.master in ready:
            try:
                piece = os.read(self.master, 65536)
            except OSError:
                return False
            if not piece:
                return False
            self.data += piece
            self.answerer.stdin.write(piece)
        return True if ready else None

    def settle(self, seconds=QUIET):
        """Until the program has been silent for so long."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            state = self.turn(seconds)
            if not state:
                break
        self.waits.append(len(self.data))

    def expect(self, pattern):
        """Until what was not looked at yet has the pattern, and quiet."""
        end = time.monotonic() + PATIENCE
        while True:
            found = re.search(pattern.encode(), self.data[self.seen:], re.S)
            if found:
                break
            if time.monotonic() > end or self.turn(1) is False:
                raise RuntimeError(f"{self.argv}: no {pattern!r} in "
                                   f"{self.data[self.seen:][-2000:]!r}")
        self.settle()
        self.seen = len(self.data)

    def type(self, keys, pattern=None):
        self.seen = len(self.data)
        os.write(self.master, keys.encode())
        if pattern:
            self.expect(pattern)
        else:
            self.settle()
            self.seen = len(self.data)

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.master)
        self.answerer.stdin.close()
        self.answerer.wait()


def tiny_guest():
    done = subprocess.run(["sh", str(ROOT / "tests/guest/make-guest.sh")],
                          stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().strip()


def qemu(replay, *words):
    return Session(replay, ["qemu-system-x86_64", "-machine", "q35", "-accel",
                            "tcg", "-m", "128", "-nographic", *words])


def boot(replay):
    """SeaBIOS, iPXE's banner, a kernel, and what its busybox draws."""
    guest = tiny_guest()
    session = qemu(replay, "-kernel", f"{guest}/vmlinuz", "-initrd",
                   f"{guest}/initrd.gz", "-append",
                   "console=ttyS0 panic=-1 gm.shell")
    session.expect(r"iPXE")
    session.expect(r"~# ")
    return session


def guest_boot(replay):
    session = boot(replay)
    session.type("dmesg | head -40\r", r"~# ")
    return session


def guest_tools(replay):
    session = boot(replay)
    session.type("stty rows 24 cols 80; export TERM=linux\r", r"~# ")
    session.type("ls --color=always -l / /bin | head -60\r", r"~# ")
    session.type("vi /etc/notes\r")
    for keys in ("ihello\rworld, a line that is long enough to be wrapped at "
                 "the last column of the screen, and then some more",
                 "\x1b", "yyppp", "kdw", ":set nu\r", "Oabove\x1b", ":q!\r"):
        session.type(keys)
    session.type("dmesg | less\r")
    for keys in (" ", "  ", "b", "/Linux\r", "G", "g", "q"):
        session.type(keys)
    session.type("top -d 1\r", r"COMMAND")
    session.type("q")
    session.type("clear; printf '\\033[2J\\033[3Jafter\\n'\r", r"after")
    return session


def netboot(replay):
    """iPXE all the way: it finds an address, and nothing to boot."""
    session = qemu(replay, "-boot", "n", "-netdev", "user,id=n", "-device",
                   "e1000e,netdev=n")
    session.expect(r"iPXE")
    session.expect(r"(No more network devices|Nothing to boot|No bootable)")
    return session


def home():
    """A directory with files that look the same every time."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="record."))
    text = "".join(
        f"{number:4} the quick brown fox jumps over the lazy dog{'.' * (number % 50)}\n"
        for number in range(1, 200))
    (place / "text").write_text(text)
    (place / "program.c").write_text((HERE / "replay.c").read_text())
    (place / "wide").write_text(
        "日本語のテキスト and some latin\nÅngström café naïve\n"
        "e\u0301 a\u0308 o\u0302 combining\n한국어 텍스트\n──┼──│▒▒◆\n" * 8)
    (place / ".vimrc").write_text("syntax on\nset nocompatible number ruler\n"
                                  "set t_BE= encoding=utf-8 mouse=a\n")
    return str(place)


# What shows processes or a host's name sees none but its own (as root).
ALONE = ["unshare", "--pid", "--fork", "--uts", "--mount-proc", "sh", "-c",
         "hostname guest; exec \"$@\"", "sh"]


def keys(session, *all_keys):
    for one in all_keys:
        session.type(one)
    return session


def vim(replay):
    session = Session(replay, ["vim", "-n", "program.c"], cwd=home())
    session.settle()
    return keys(session, "\x06", "/print\r", "ww", "ihello \x1b", "3dd", "u",
                ":vsplit wide\r", "\x17w", "\x04", "Go日本\x1b", ":sp text\r",
                "gg", "V5j", "\x1b", ":set list\r", "100%", ":qa!\r")


def less(replay):
    session = Session(replay, ["less", "-N", "text", "wide"], cwd=home(),
                      term="vt220")
    session.settle()
    return keys(session, " ", " ", "b", "y", "k", "/lazy\r", "n", "G", "g",
                "30j", "-S\r", ":n\r", " ", "q")


def man(replay):
    """Bold and underlined text as pagers print it."""
    lines = "".join(f"B\bBO\bOL\bLD\bD word {n} and _\bu_\bn_\bd_\be_\br line\n"
                    for n in range(60))
    place = home()
    (pathlib.Path(place) / "page").write_text(lines)
    session = Session(replay, ["less", "page"], cwd=place, term="linux")
    session.settle()
    return keys(session, " ", "j", "k", "/word 30\r", "q")


def htop(replay):
    session = Session(replay, ALONE + ["htop", "-d", "100"], cwd=home())
    session.settle(1)
    return keys(session, "\x1b[B", "\x1b[B", "\x1bOP", "q", "\x1bOQ",
                "\x1b[B\x1b[B", "\x1b", "\x1b[6~", "t", "q")


def top(replay):
    session = Session(replay, ALONE + ["top", "-d", "100"], cwd=home())
    session.settle(1)
    return keys(session, "1", "z", "x", "y", "c", "V", "h", "\x1b", "q")


def dialog(replay):
    place = home()
    script = """
export DIALOGRC=/dev/null
dialog --title Menu --menu 'Choose one:' 15 50 6 1 One 2 Two 3 Three 4 Four
dialog --title Check --checklist 'Several:' 15 50 6 a A on b B off c C on
dialog --title Text --textbox text 20 70
echo 40 | dialog --title Gauge --gauge 'Working' 8 50
dialog --title Calendar --calendar 'A day' 0 0 1 1 2024
dialog --title Form --form 'A form' 12 50 3 Name 1 1 x 1 10 20 20 Host 2 1 y 2 10 20 20
"""
    (pathlib.Path(place) / "script").write_text(script)
    session = Session(replay, ["sh", "script"], cwd=place)
    session.settle()
    return keys(session, "\x1b[B", "\x1b[B", "\t", "\r", " ", "\x1b[B", " ",
                "\r", "\x1b[6~", "\x1b[B", "\r", "\t", "\x1b[B", "\r", "abc",
                "\t", "\r")


def whiptail(replay):
    place = home()
    script = """
whiptail --title Menu --menu 'Choose one:' 15 50 6 1 One 2 Two 3 Three 4 Four
whiptail --title Check --checklist 'Several:' 15 50 6 a A on b B off c C on
whiptail --title Text --scrolltext --textbox text 20 70
whiptail --title Input --inputbox 'A name:' 8 50 somebody
whiptail --title Sure --yesno 'Really?' 8 40
"""
    (pathlib.Path(place) / "script").write_text(script)
    session = Session(replay, ["sh", "script"], cwd=place, term="linux")
    session.settle()
    return keys(session, "\x1b[B", "\x1b[B", "\t", "\r", " ", "\x1b[B", " ",
                "\t", "\r", "\x1b[6~", "\x1b[B", "\t", "\r", "x", "\r", "\t",
                "\r")


def tmux(replay):
    place = home()
    session = Session(replay, ALONE + ["tmux", "-u", "-L", "record", "-f",
                                       "/dev/null", "new-session", "sh"], rows=30,
                      cols=100, cwd=place, env={"TMUX_TMPDIR": place})
    session.settle(1)
    keys(session, "cat text\r", "\x02%", "\x02\"", "cat wide\r", "\x02o",
         "printf '\\033[1;31mred\\033[4:3m curly\\033[0;48;5;22m green\\n'\r",
         "\x02[", "\x1b[5~", "q", "\x02z", "\x02z", "\x02c", "ls\r", "\x02p",
         "\x02 ", "\x02?", "q", "\x02:kill-server\r")
    return session


def vttest(replay, steps, rows=24, cols=80):
    """steps: what is chosen in the menus; then return after return."""
    session = Session(replay, ["vttest", "24x80.132"], rows=rows, cols=cols,
                      term="vt220")
    session.expect(r"Enter choice number \(0 - \d+\): ")
    for step in steps[:-1]:
        session.type(step + "\r", r"Enter choice number \(0 - \d+\): ")
    session.type(steps[-1] + "\r")
    for _ in range(60):
        if re.search(rb"Enter choice number \(0 - \d+\): *$",
                     re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"",
                            session.data[-200:])):
            break
        session.type("\r")
    return session


def printed(text):
    """What `cat` shows of a text made for it."""
    def make(replay):
        place = pathlib.Path(home())
        (place / "made").write_text(text)
        session = Session(replay, ["cat", "made"], cwd=str(place))
        session.settle()
        return session
    return make


def attributes():
    """All of SGR: each alone, in colours, erased in colours."""
    lines = []
    for number in (0, 1, 2, 3, 4, 5, 7, 8, 9, 21, 53):
        lines.append(f"\x1b[{number}mSGR {number}\x1b[0m plain")
    for style in range(6):
        lines.append(f"\x1b[4:{style}munder {style}\x1b[58:5:{style + 1}m "
                     f"palette\x1b[58:2::1:2:{style}m rgb\x1b[59m own\x1b[m")
    lines.append("".join(f"\x1b[{n}m{n} " for n in
                         (*range(30, 38), *range(90, 98))) + "\x1b[39m default")
    lines.append("".join(f"\x1b[{n}m{n} " for n in
                         (*range(40, 48), *range(100, 108))) + "\x1b[49m.")
    lines.append("".join(f"\x1b[38;5;{n}m{n:4}" for n in range(0, 256, 15)))
    lines.append("".join(f"\x1b[48:2::{n}:{255 - n}:9m " for n in
                         range(0, 256, 4)) + "\x1b[m")
    lines.append("\x1b[44m\x1b[K\x1b[mbehind\x1b[41m\x1b[5@\x1b[3X\x1b[m")
    lines.append("\x1b[1;31;42mx\x1b[22;39;49my\x1b[0m"
                 "\x1b[38;2;1;2;3mrgb\x1b[38:2:9:8:7mrgb\x1b[m")
    return "\n".join(lines) + "\n"


def characters():
    """Wide, combining and joined ones, at edges too; line drawing."""
    lines = ["日本語のテキスト and latin, 한국어, Ελληνικά, кириллица",
             "e\u0301 a\u0308 o\u0302\u0323 n\u0303 combining",
             "half ｱｲｳ full ＡＢＣ", "─│┌┐└┘├┤┬┴┼ ═║╔╗ ▀▄█▌▐ ░▒▓ ◆●○",
             "\x1b(0lqqqwqqqk x   x   x `afgijnotuvy\x1b(B ascii",
             "\x0e\x1b)0lqk\x0fback"]
    for column in range(74, 80):
        lines.append("." * column + "日本e\u0301x")
    lines.append("\x1b[?7l" + "." * 79 + "日x\x1b[?7h")
    lines.append("\x1b[4hab日本\x1b[4D한\x1b[4l")
    lines.append("日本語\x1b[5D*\x1b[3D#\x1b[8C\x1b[2P")
    lines.append("x\x1b[5bREP 日\x1b[3b")
    return "\n".join(lines) + "\n"


SESSIONS = {
    "attributes": printed(attributes()),
    "characters": printed(characters()),
    "dialog": dialog,
    "guest-boot": guest_boot,
    "guest-netboot": netboot,
    "guest-tools": guest_tools,
    "htop": htop,
    "less": less,
    "man": man,
    "tmux": tmux,
    "top": top,
    "vim": vim,
    "vttest-1": lambda replay: vttest(replay, ["1"]),
    "vttest-2": lambda replay: vttest(replay, ["2"]),
    "vttest-3": lambda replay: vttest(replay, ["3", "8"]),
    "vttest-3-shift": lambda replay: vttest(replay, ["3", "9"]),
    "vttest-8": lambda replay: vttest(replay, ["8"]),
    "vttest-11-bce": lambda replay: vttest(replay, ["11", "6", "4"]),
    "vttest-11-bce-index": lambda replay: vttest(replay, ["11", "6", "5"]),
    "vttest-11-colour": lambda replay: vttest(replay, ["11", "6", "2"]),
    "vttest-11-rep": lambda replay: vttest(replay, ["11", "7", "2"]),
    "vttest-11-sd": lambda replay: vttest(replay, ["11", "7", "3"]),
    "vttest-11-sl": lambda replay: vttest(replay, ["11", "7", "4"]),
    "vttest-11-sr": lambda replay: vttest(replay, ["11", "7", "5"]),
    "vttest-11-su": lambda replay: vttest(replay, ["11", "7", "6"]),
    "whiptail": whiptail,
}


def save(name, session):
    waits = session.waits
    if len(waits) > MAX_WAITS:
        step = len(waits) / MAX_WAITS
        waits = [waits[int(number * step)] for number in range(MAX_WAITS)]
    (RECORDINGS / f"{name}.gz").write_bytes(
        gzip.compress(session.data, mtime=0))
    index_path = RECORDINGS / "index.json"
    index = json.loads(index_path.read_text()) if index_path.exists() else {}
    index[name] = {"rows": session.rows, "cols": session.cols,
                   "waits": sorted(set(waits) - {0})}
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}"
                       for key, value in sorted(index.items()))
    index_path.write_text("{\n" + lines + "\n}\n")
    print(f"{name}: {len(session.data)} bytes, {len(session.waits)} waits")


def main():
    replay = os.path.abspath(sys.argv[1])
    RECORDINGS.mkdir(exist_ok=True)
    for name in sys.argv[2:] or SESSIONS:
        session = SESSIONS[name](replay)
        session.close()
        save(name, session)


if __name__ == "__main__":
    main()
