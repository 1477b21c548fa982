"""Several people at one server; sizes; several channels of one guest."""

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess

from harness import (BINARY, FAILED, Skip, main, proc_read, python, require,
                     require_equal, require_in, until)

ECHO = ["sh", "-c", "stty -echo; echo ready; exec cat"]


def named(box, name, *arguments, cols=80, rows=24, **env):
    """The deck of somebody, in a terminal of its own."""
    env = {"GUESTMUX_NAME": name} | env
    words = [f"{key}={shlex.quote(value)}" for key, value in env.items()]
    return box.terminal(" ".join(
        [*words, BINARY, "-L", "t", *arguments]), cols, rows)


def size_of(box, guest):
    console = box.guest(guest)["consoles"][0]
    return console["rows"], console["cols"]


# Several people.

def test_two_decks_see_each_other(box):
    box.up("-f", box.console_fleet(g=ECHO))
    anna = named(box, "anna", cols=100)
    anna.wait_for("typing → g")
    require("watch" not in anna.screen(), "company of oneself")
    bert = named(box, "bert", cols=90)
    anna.wait_for("bert watches")
    bert.wait_for("anna watches")
    anna.wait_for("^.● g @ ")
    bert.type("hello")
    anna.wait_for("bert types")
    require("bert types" not in bert.screen(), "told to itself")
    anna.wait_for("bert watches")
    clients = box.gm("clients").out
    require_in("anna", clients)
    require(re.search(r"bert +deck .*g:console", clients), clients)
    anna.keys("C-]", "w")
    anna.wait_for("bert")
    anna.wait_for("since [0-9]+:[0-9]+")
    anna.keys("q")
    bert.keys("C-]", "d")
    anna.wait_gone("bert watches")
    anna.wait_gone("g @ ")


def test_one_takes_the_keyboard(box):
    box.up("-f", box.console_fleet(g=ECHO))
    anna = named(box, "anna", cols=100)
    anna.wait_for("typing → g")
    bert = named(box, "bert", cols=100)
    bert.wait_for("typing → g")
    anna.keys("C-]", "W")
    anna.wait_for("keyboard taken")
    bert.wait_for("anna has the keyboard")
    bert.type("x")
    bert.wait_for("not sent: anna has the keyboard of g; C-] W takes it")
    refused = box.gm("send", "g", "y", code=FAILED)
    require_in("anna has taken the keyboard", refused.err)
    anna.type("mine")
    anna.keys("Enter")
    bert.wait_for("mine")
    bert.keys("C-]", "W")
    anna.wait_for("bert took the keyboard of g; C-] W takes it back")
    bert.type("yours")
    bert.keys("Enter")
    anna.wait_for("yours")
    # Whoever is killed lets go of it.
    os.kill(bert.pid(), signal.SIGKILL)
    for pid in box.own_processes():
        if b"GUESTMUX_NAME=bert" in proc_read(pid, "environ"):
            # it may end by itself, its shell being gone
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    anna.wait_gone("bert has the keyboard")
    anna.type("free")
    anna.keys("Enter")
    anna.wait_for("free")
    require("x" not in box.capture("g").replace("ready", ""),
            "what was refused came through")


def test_one_alone_takes_the_keyboard_and_gives_it_back(box):
    box.up("-f", box.console_fleet(g=["cat"]))
    anna = named(box, "anna")
    anna.wait_for("typing → g")
    for _ in range(2):
        anna.keys("C-]", "W")
        anna.wait_for("keyboard taken")
        require_in("has the keyboard of g", box.gm("clients").out)
        anna.keys("C-]", "W")
        anna.wait_for("everybody can type to g again")
        anna.wait_gone("keyboard taken")
        require("has the keyboard" not in box.gm("clients").out, "kept")


def test_a_read_only_deck_changes_nothing(box):
    box.up("-f", box.console_fleet(g=ECHO))
    anna = named(box, "anna", cols=100, rows=30)
    anna.wait_for("typing → g")
    until(lambda: size_of(box, "g")[0] > 24, "the console to be the pane's")
    before = size_of(box, "g")
    guest = named(box, "guest", "attach", "--read-only", cols=60, rows=20)
    guest.wait_for("watching g")
    anna.wait_for("guest watches")
    guest.type("x")
    guest.wait_for("read-only: typing is off")
    guest.keys("C-]", "s")
    guest.wait_for("keys → ")
    guest.keys(*"KRrSspxce")
    guest.wait_for("read-only: this deck changes nothing")
    guest.keys("Escape")
    guest.wait_for("watching g")
    for keys in "xMWf":
        guest.keys("C-]", keys)
    guest.keys("C-]", "~")
    guest.wait_for("─ messages ─")
    until(lambda: len(re.findall(
        r":\d\d  read-only: this deck changes nothing", guest.screen())) == 13,
          "thirteen refusals")
    guest.keys("q")
    require_equal(box.guest("g")["state"], "running", "state")
    require_equal(size_of(box, "g"), before, "the console's size")
    require_in("read-only", box.gm("clients").out)


def test_a_read_only_guest_is_typed_to_by_nobody(box):
    path = box.write("f.json", {"version": 1, "guests": {
        "g": {"exec": ECHO, "read-only": True}}})
    box.up("-f", path)
    deck = named(box, "anna", cols=100)
    deck.wait_for("ready")
    deck.type("x")
    deck.wait_for("g is read-only: its fleet file says that nobody types")
    require_in("read-only", box.gm("send", "g", "x", code=FAILED).err)
    box.gm("kill", "--yes", "g")
    box.wait_state("g", "stopped", "crashed")


# Sizes.

def test_the_deck_used_last_decides_about_the_size(box):
    box.up("-f", box.console_fleet(g=ECHO))
    large = named(box, "large", cols=120, rows=40)
    large.wait_for("typing → g")
    until(lambda: size_of(box, "g")[0] > 30, "the large deck's size")
    full = size_of(box, "g")
    small = named(box, "small", cols=60, rows=15)
    small.wait_for("typing → g")
    until(lambda: size_of(box, "g")[0] < 15, "the small deck's size")
    # The large one shows where the console ends.
    large.wait_for("─┘")
    large.type("x")
    until(lambda: size_of(box, "g") == full, "the large deck's size again")
    large.wait_gone("─┘")
    small.type("x")
    until(lambda: size_of(box, "g")[0] < 15, "the small deck's size again")
    small.keys("C-]", "d")
    until(lambda: size_of(box, "g") == full, "the size of who is left")


def test_a_fixed_size_is_kept_and_told_to_the_kernel(box):
    path = box.fleet({"n1": {"console": {"rows": 20, "cols": 60}}})
    box.up("-f", path)
    box.wait_shell("n1")
    deck = named(box, "anna", cols=120, rows=40)
    deck.wait_for("60x20")
    deck.wait_for("─{60}┘")
    box.shell("n1", "cat /proc/cmdline", "systemd.tty.rows.ttyS0=20 "
              "systemd.tty.columns.ttyS0=60")
    deck.resize(44, 14)
    deck.wait_for(":~#")
    # The shell's prompt is in view, and so is what lies beside it.
    box.shell("n1", "printf '\\033[2J\\033[1;55Hri%s\\033[20;1Hlo%s' ght w; "
              "read x", "right$")
    deck.wait_for("low")
    require("right" not in deck.screen(), deck.screen())
    deck.keys("C-]", "C-Up")
    deck.wait_for(r"60x20\+0\+\d")
    deck.keys("C-]", "C-Right")
    deck.keys("C-]", "C-Right")
    deck.keys("C-]", "C-Up")
    deck.wait_for("right")
    require_equal(size_of(box, "n1"), (20, 60), "the console's size")
    # Typing brings the cursor back into view.
    deck.keys("Enter")
    deck.wait_for(":~#")


WIDE = """
for row in range(40):
    print(f"row {row:02} " + "-" * 60 + f" middle {row:02} " + "=" * 40
          + f" end {row:02}")
import time
time.sleep(600)
"""


def test_a_narrow_scrollback_is_panned(box):
    box.write("guestmux.json", json.dumps({"version": 1, "guests": {
        "g": {"exec": python(WIDE), "console": {"rows": 20, "cols": 132}}}}))
    box.up()
    deck = box.deck(cols=80)
    deck.wait_for("row 39")
    deck.keys("C-]", "[", "g")
    deck.wait_for("row 00")
    require("end" not in deck.screen(), deck.screen())
    # to the end of the line: the view follows the cursor
    deck.keys("$")
    deck.wait_for("end 00")
    require("row 00" not in deck.screen(), deck.screen())
    deck.wait_for(r"\]\+[0-9]+ ")
    deck.keys("v", "b", "b", "y")
    deck.wait_for("copied 1 line")
    require_equal(box.gm("buffer", "show").out.strip(), "end 00")
    # back where it was, and the console has kept its width
    deck.wait_for("row 39")
    require_equal(size_of(box, "g"), (20, 132))
    # the view pans without the cursor, too
    deck.keys("C-]", "[", "g")
    deck.wait_for("row 00")
    for _ in range(4):
        deck.keys("C-]", "C-Right")
    deck.wait_for("end 00")
    for _ in range(4):
        deck.keys("C-]", "C-Left")
    deck.wait_for("row 00")
    # a panned live view stays where it is when copy mode begins
    deck.keys("q")
    deck.wait_for("row 39")
    for _ in range(4):
        deck.keys("C-]", "C-Right")
    deck.wait_for("end 39")
    deck.keys("C-]", "[", "k", "$")
    deck.wait_for("end 3[89]")
    deck.keys("0")
    deck.wait_for("row 39")


def test_fit_types_at_a_prompt_only(box):
    path = box.fleet({"n1": {}, "n2": {"append": "console=ttyS0 quiet"}})
    box.up("-f", path)
    box.wait_shell("n1")
    peer = box.api()
    peer.call("console-resize", guest="n1", rows=33, cols=101)
    # busybox's stty has nothing to say about a size of 0x0.
    done = box.shell("n1", "stty size", "^stty: standard input|^[0-9]+ [0-9]+")
    require("33 101" not in done.out, "known before")
    box.wait_shell("n1")
    require_equal(box.gm("fit", "n1", "--print").out,
                  "stty rows 33 cols 101\n", "what would be typed")
    until(lambda: "typed" in box.gm("fit", "n1", code=None).out,
          "the prompt to be there")
    box.shell("n1", "stty size", "^33 101")
    # Where somebody is asked for a name nothing is typed.
    box.gm("wait", "n2", "--for", "login: $", "--since-boot", "--timeout",
           "180", patience=190)
    asked = box.gm("fit", "n2", code=FAILED)
    require_in("the guest asks for a login", asked.err)
    require_in("stty rows 24 cols 80", asked.err)
    require("stty" not in box.capture("n2"), "it was typed")
    # The deck's key says the same.
    deck = named(box, "anna", "attach", "n2", cols=120, rows=40)
    deck.wait_for("typing → n2")
    deck.keys("C-]", "f")
    deck.wait_for("not typed: the guest asks for a login")


# Several channels.

def check_channels(box, word):
    box.shell("n1", f"echo on-$((6*7))-{word}; tty", "/dev/ttyS0")
    box.shell("n1:hvc0", f"echo at-$((6*7))-{word}; tty", "/dev/hvc0")
    require_in(f"on-42-{word}", box.capture("n1:ttyS0"))
    require(f"on-42-{word}" not in box.capture("n1:hvc0"), "mixed up")
    require_in(f"at-42-{word}", box.capture("n1:hvc0"))


def test_serial_port_and_virtio_console_of_one_guest(box):
    path = box.fleet({"n1": {
        "append": "console=ttyS0 console=hvc0 quiet panic=-1 gm.shell",
        "consoles": ["ttyS0", "hvc0"]}})
    box.up("-f", path)
    for console in ("n1", "n1:hvc0"):
        box.gm("wait", console, "--for", r":[^ ]*# ", "--since-boot",
               "--timeout", "180", patience=190)
    check_channels(box, "first")
    require(os.path.exists(box.guest_log("n1", "hvc0")), "no log")
    deck = named(box, "anna", cols=120, rows=40)
    deck.wait_for("1 n1 ")
    deck.wait_for("2 n1:hvc0 ")
    deck.keys("C-]", "2")
    deck.wait_for("typing → n1:hvc0")
    deck.type("echo deck-$((40+2))")
    deck.keys("Enter")
    box.gm("wait", "n1:hvc0", "--for", "^deck-42", "--since-boot",
           "--timeout", "180", patience=190)
    box.kill_server()
    check_channels(box, "second")
    require_equal(len(box.qemus()), 1, "QEMUs")


# One console, as lines.

def test_an_arm_machine_has_the_consoles_that_were_named(box):
    """Its CPUs stand still: what QEMU made of the consoles is asked."""
    if not shutil.which("qemu-system-aarch64"):
        raise Skip("qemu-system-aarch64 is not installed")
    path = box.write("guestmux.json", {"version": 1, "guests": {"arm": {
        "arch": "aarch64", "accel": "tcg", "memory": "128M", "nics": [],
        "consoles": ["ttyAMA0", "hvc0", "hvc1"], "args": ["-S"]}}})
    box.up("-f", path)
    guest = box.guest("arm")
    require_equal([console["name"] for console in guest["consoles"]],
                  ["ttyAMA0", "hvc0", "hvc1"])
    chardevs = {chardev["label"]: chardev["filename"] for chardev in
                box.json("qmp", "arm", "query-chardev")}
    ptys = [chardevs[f"gmcon{index}"] for index in range(3)]
    require(all(pty.startswith("pty:/dev/pts/") for pty in ptys), str(ptys))
    require_equal(len(set(ptys)), 3, "ptys")
    for console in ("ttyAMA0", "hvc0", "hvc1"):
        require(os.path.exists(box.guest_log("arm", console)),
                f"{console} has no log")
        box.gm("capture", f"arm:{console}")
    # What the machine does not have is told before anything starts.
    bad = box.write("bad.json", {"version": 1, "guests": {"arm": {
        "arch": "aarch64", "consoles": ["ttyS0"]}}})
    require_in("ttyAMA0", box.gm("check", bad, code=1).err)


def test_a_plain_console_is_lines_and_a_keyboard(box):
    box.up("-f", box.console_fleet(
        g=["sh", "-c", "stty -echo; printf 'one\\033[31m two\\033[0m\\n'; "
           "while read x; do printf '\\033[1mgot %s\\033]0;t\\007\\n' $x; "
           "done"]))
    plain = named(box, "anna", "console", "g", TERM="dumb")
    plain.wait_for("C-\\] d leaves")
    plain.wait_for("^one two")
    plain.type("word")
    plain.keys("Enter")
    plain.wait_for("^got word")
    plain.keys("C-]", "d")
    require_equal(plain.wait_end(), 0, "exit status")
    # Through pipes: what is said is sent, and its end leaves.
    done = box.gm("console", "--plain", "g", text="piped\n")
    require_in("one two\n", done.out)
    box.gm("wait", "g", "--for", "^got piped", "--since-boot", "--timeout",
           "180", patience=190)
    require("\033" not in done.out, "an escape sequence came through")
    # A file is sent to its end, too; of nothing the end comes at once.
    for name, content in ((box.write("typed", "filed\nagain\n"), "again"),
                          ("/dev/null", "again")):
        with open(name, encoding="ascii") as file:
            child = box.spawn("console", "--plain", "g", stdin=file, text=True)
            out, err = child.communicate(timeout=180)
        require_equal((child.returncode, err), (0, ""), "exit status, errors")
        require_in("one two\n", out)
        box.gm("wait", "g", "--for", f"^got {content}", "--since-boot",
               "--timeout", "180", patience=190)


def test_a_plain_console_ends_with_its_guest(box):
    box.up("-f", box.console_fleet(
        g=["sh", "-c", "echo ready; read x; echo last; exit 3"]))
    child = box.spawn("console", "--plain", "g", stdin=subprocess.PIPE,
                      text=True)
    box.wait_client("console")
    box.gm("send", "g", "--enter", "x")
    require_equal(child.wait(timeout=180), 1, "exit status")
    require_in("last", child.stdout.read())
    require_in("g: crashed", child.stderr.read())


def test_a_plain_console_that_is_late_prints_what_came_last(box):
    """It hears of the end before it has asked for all of the log."""
    box.up("-f", box.console_fleet(
        g=["sh", "-c", "echo ready; read x; echo last; read x; exit 3"]))
    child = box.spawn("console", "--plain", "g", stdin=subprocess.PIPE,
                      text=True)
    require_equal(child.stdout.readline(), "ready\n")
    os.kill(child.pid, signal.SIGSTOP)
    try:
        box.shell("g", "x", "^last")
        box.gm("send", "g", "--enter", "y")
        box.wait_state("g", "crashed")
    finally:
        os.kill(child.pid, signal.SIGCONT)
    require_equal(child.wait(timeout=180), 1, "exit status")
    require_in("last\ny\n", child.stdout.read())
    require_in("g: crashed", child.stderr.read())


def test_one_console_over_an_odd_terminal_leaves_it_clean(box):
    box.up("-f", box.console_fleet(g=python(
        "import os\nprint('ready', flush=True)\n"
        "while True: os.write(1, os.read(0, 64))")))
    for cols, rows in ((41, 10), (133, 37)):
        one = box.terminal(f"{BINARY} -L t console g; echo back-$?; exec cat",
                           cols, rows)
        one.wait_for("ready")
        until(lambda size=(rows, cols): size_of(box, "g") == size,
              "the console to be the terminal's size")
        one.keys("C-]", "d")
        one.wait_for("^back-0")
        require_equal(one.format("#{alternate_on} #{cursor_flag} "
                                 "#{mouse_any_flag}"), "0 1 0",
                      "the terminal's modes")


if __name__ == "__main__":
    main(globals())
