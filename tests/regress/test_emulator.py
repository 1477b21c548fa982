"""What a guest asks of its terminal, and what of it reaches the operator."""

import gzip
import pathlib
import re
import time

from harness import (BINARY, main, python, require, require_equal, shell,
                     until)

# Turns on what is asked for, and shows what comes as typing, one read a line.
ECHO = """
import os, sys, tty
tty.setraw(0)
os.write(1, sys.argv[1].encode().decode('unicode_escape').encode('latin-1'))
while True:
    os.write(1, repr(os.read(0, 1000)).encode() + b'\\r\\n')
"""

# Writes what is typed, an expression of Python a line, without an echo of it.
OBEY = """
import os, sys, tty
tty.setcbreak(0)
os.write(1, b'ready\\r\\n')
for line in sys.stdin:
    os.write(1, eval(line))
"""


RECORDINGS = pathlib.Path(__file__).parents[1] / "compare" / "recordings"


def echo_guest(box, modes):
    box.up("-f", box.console_fleet(a=python(ECHO) + [modes + "ready\\r\\n"]))
    box.gm("wait", "a", "--for", "ready", "--since-boot")


def obeying_guest(box):
    box.up("-f", box.console_fleet(a=python(OBEY)))
    box.gm("wait", "a", "--for", "ready", "--since-boot")


def obey(peer, expression):
    """Has the guest of OBEY write bytes."""
    peer.call("console-send", guest="a", text=repr(expression) + "\n")


def screen(peer, view, accept):
    """The first SCREEN of a view that is as wanted; all are acknowledged."""
    def is_wanted(event):
        if event["event"] != "SCREEN" or event["data"]["view"] != view:
            return False
        peer.call("view-ack", view=view, frame=event["data"]["frame"])
        return accept(event["data"])
    return peer.event(is_wanted)["data"]


def has_text(text):
    return lambda data: text in str(data.get("rows", ""))


def test_firmware_leaves_the_scrollback_and_long_lines_whole(box):
    """A recorded boot: SeaBIOS and iPXE reset, turn wrapping off, clear."""
    for name in ("guest-boot", "guest-tools"):
        data = gzip.decompress((RECORDINGS / f"{name}.gz").read_bytes())
        require(data.count(b"\x1bc\x1b[?7l\x1b[2J") >= 2, "no firmware in it")
        pathlib.Path(box.at(name)).write_bytes(data)
    box.up("-f", box.console_fleet(**{
        name[6:]: ["sh", "-c", f"cat {box.at(name)}; echo all of it; read x"]
        for name in ("guest-boot", "guest-tools")}))
    for name in ("boot", "tools"):
        box.gm("wait", name, "--for", "all of it", "--since-boot")
    shown = box.capture("boot", "--history", "9999", "--join")
    for line in ("SeaBIOS (version", "iPXE (http", "Booting from ROM..."):
        require(line in shown, f"{line!r} is lost")
    version = re.search(r"Linux version .*\)$", shown, re.MULTILINE)
    require(version and len(version[0]) > 150, "a long line did not wrap")
    # CSI 2 J moved what stood there to the scrollback, CSI 3 J took nothing
    shown = box.capture("tools", "--history", "9999")
    for line in ("SeaBIOS (version", "busybox", "export TERM=linux"):
        require(line in shown, f"{line!r} is lost")


def test_a_view_has_the_title(box):
    obeying_guest(box)
    peer = box.api()
    view = peer.call("view-open", guest="a", rows=24, cols=80)["view"]
    require_equal(screen(peer, view, lambda data: True)["title"], "")
    obey(peer, b"\x1b]2;who am I\x07")
    screen(peer, view, lambda data: data.get("title") == "who am I")
    obey(peer, b"x\r\n")
    require("title" not in screen(peer, view, has_text("x")),
            "a title that stays is sent again")
    other = peer.call("view-open", guest="a", rows=5, cols=20)["view"]
    require_equal(screen(peer, other, lambda data: True)["title"], "who am I")
    obey(peer, b"\x1bc")
    screen(peer, view, lambda data: data.get("title") == "")


def test_synchronized_output_is_shown_whole(box):
    obeying_guest(box)
    peer = box.api()
    view = peer.call("view-open", guest="a", rows=24, cols=80)["view"]
    screen(peer, view, lambda data: True)
    cursor = peer.call("console-send", guest="a", text=repr(
        b"\x1b[?2026hfirst\r\n\x1b[?2026lsecond\r\n") + "\n")["cursor"]
    peer.call("console-wait", guest="a", pattern="second", after=cursor,
              timeout_ms=20000)
    screen(peer, view, has_text("first"))


def test_a_guest_cannot_stop_its_screen(box):
    obeying_guest(box)
    peer = box.api()
    view = peer.call("view-open", guest="a", rows=24, cols=80)["view"]
    screen(peer, view, lambda data: True)
    start = time.monotonic()
    obey(peer, b"\x1b[?2026hheld\r\n")
    screen(peer, view, has_text("held"))
    took = time.monotonic() - start
    require(took >= 0.14, f"shown after {took * 1000:.0f} ms already")
    # from then on the mode holds nothing back, until it ends
    obey(peer, b"later\r\n")
    screen(peer, view, has_text("later"))


# Fills four rows with its count, in synchronized frames back to back: with the
# end of each half of the next one is there already. One for each line typed; so
# little that it is read at once.
FRAMES = """
import os, sys
def rows(count, first):
    return b''.join(b'\\x1b[%d;1H%d' % (row, count)
                    for row in (first, first + 1))
os.write(1, b'\\x1b[?2026h' + rows(1000, 1))
for count, line in enumerate(sys.stdin, 1000):
    os.write(1, rows(count, 3) + b'\\x1b[?2026l\\x1b[?2026h'
             + rows(count + 1, 1))
"""


def test_synchronized_frames_back_to_back_are_shown_each_and_whole(box):
    box.up("-f", box.console_fleet(a=["sh", "-c", "stty -echo; exec " + shell(
        python(FRAMES))]))
    peer = box.api()
    view = peer.call("view-open", guest="a", rows=24, cols=80)["view"]
    shown = {}

    def is_shown(*wanted):
        """Takes frames until the two halves have these counts."""
        def take(data):
            for row, *runs in data.get("rows", []):
                shown[row] = runs[0][1] if runs else ""
            return [shown.get(row) for row in range(4)] == \
                [str(count) for count in wanted for _ in range(2)]
        screen(peer, view, take)

    is_shown(1000, "")
    for count in range(1000, 1020):
        # A view rests for 33 ms at most after each frame.
        start = time.monotonic()
        until(lambda at=start: time.monotonic() > at + 0.05, "its next frame")
        peer.call("console-send", guest="a", text="\n")
        is_shown(count, count)
        # … and a guest cannot hold back its screen for ever.
        is_shown(count + 1, count)


def test_the_deck_tells_of_its_terminals_focus(box):
    echo_guest(box, "\\x1b[?1004h")
    deck = box.deck()
    deck.wait_for(r"\[I'")
    deck.type("\x1b[O!")
    # In one read or in two: the report and the key go their own ways.
    deck.wait_for(r"\[O(?:'\s+│b')?!")
    deck.type("\x1b[I")
    deck.wait_for(r"(?s)\[I.*\[O.*\[I")
    deck.keys("C-]", "s")
    deck.wait_for(r"(?s)\[I.*\[O.*\[I.*\[O")


def test_a_wheel_is_arrows_to_a_program_that_asked(box):
    echo_guest(box, "\\x1b[?1049h\\x1b[?1007h")
    deck = box.deck()
    deck.wait_for("ready")
    col, row = cell_of(deck, "ready")
    deck.type(f"\x1b[<64;{col};{row}M")
    deck.wait_for(r"(?s)(\[A.*){3}")
    deck.type(f"\x1b[<65;{col};{row}M")
    deck.wait_for(r"(?s)(\[B.*){3}")


def test_a_mouse_is_told_to_a_guest_that_asked(box):
    echo_guest(box, "\\x1b[?1002h\\x1b[?1006h")
    peer = box.api()
    view = peer.call("view-open", guest="a", rows=24, cols=80)["view"]
    for arguments, answer in (
            ({"event": "press", "button": 1}, r"\[<0;10;6M"),
            ({"event": "move", "button": 1}, r"\[<32;10;6M"),
            ({"event": "release", "button": 1}, r"\[<0;10;6m"),
            ({"event": "press", "button": 4, "control": True},
             r"\[<80;10;6M")):
        peer.call("view-mouse", view=view, row=5, col=9, **arguments)
        box.gm("wait", "a", "--for", answer, "--since-boot")
    # nobody asked for moves without a button, and nothing is outside
    peer.call("view-mouse", view=view, row=5, col=9, event="move")
    peer.call("view-mouse", view=view, row=24, col=9, event="press", button=1)
    peer.call("view-mouse", view=view, row=0, col=0, event="press", button=3)
    box.gm("wait", "a", "--for", r"\[<2;1;1M", "--since-boot")
    shown = box.capture("a")
    require("[<35" not in shown and ";25M" not in shown, shown)
    reply = peer.ask("view-mouse", view=view, row=0, col=0, event="wiggle")
    require("error" in reply, reply)


def test_a_guest_that_did_not_ask_hears_of_no_mouse(box):
    echo_guest(box, "")
    peer = box.api()
    view = peer.call("view-open", guest="a", rows=24, cols=80)["view"]
    peer.call("view-mouse", view=view, row=5, col=9, event="press", button=1)
    peer.call("console-send", guest="a", text="!")
    box.gm("wait", "a", "--for", "b'!'", "--since-boot")
    require_equal(box.capture("a").split(), ["ready", "b'!'"])


def cell_of(deck, text):
    """1-based column and row of a text on the operator's screen."""
    for row, line in enumerate(deck.screen().splitlines(), 1):
        if text in line:
            return line.index(text) + 1, row
    raise AssertionError(deck.screen())


def test_the_deck_passes_the_mouse_on(box):
    echo_guest(box, "\\x1b[?1002h\\x1b[?1006h")
    deck = box.deck()
    deck.wait_for("ready")
    col, row = cell_of(deck, "ready")
    deck.type(f"\x1b[<0;{col + 3};{row + 2}M")
    deck.wait_for(r"\[<0;4;3M")
    deck.type(f"\x1b[<32;{col + 4};{row + 2}M\x1b[<0;{col + 4};{row + 2}m")
    deck.wait_for(r"\[<32;5;3M")
    deck.wait_for(r"\[<0;5;3m")
    deck.type(f"\x1b[<64;{col};{row}M")
    deck.wait_for(r"\[<64;1;1M")
    # Shift keeps it the operator's
    deck.type(f"\x1b[<4;{col + 7};{row}M\x1b[<4;{col + 7};{row}m!")
    deck.wait_for("b'!'")
    require(";8;1" not in deck.screen(), deck.screen())


def test_the_operators_terminal_tells_what_the_guest_wants(box):
    obeying_guest(box)
    peer = box.api()
    deck = box.deck()
    deck.wait_for("running")
    flags = "#{mouse_standard_flag}#{mouse_button_flag}#{mouse_all_flag}"
    until(lambda: deck.format(flags) == "010", "drags, which select")
    obey(peer, b"\x1b[?1003h")
    until(lambda: deck.format(flags) == "001", "all moves")
    obey(peer, b"\x1b[?1003l")
    until(lambda: deck.format(flags) == "010", "drags again")


def test_moves_without_a_button_reach_a_guest_that_wants_them(box):
    echo_guest(box, "\\x1b[?1003h\\x1b[?1006h")
    deck = box.deck()
    deck.wait_for("ready")
    col, row = cell_of(deck, "ready")
    deck.type(f"\x1b[<35;{col + 3};{row + 2}M")
    deck.wait_for(r"\[<35;4;3M")


LOOKS = (b"\x1b[4:3;58:5:9mcurly\x1b[m \x1b[9;31mstruck\x1b[m "
         b"\x1b[53mover\x1b[m \x1b[38;2;1;2;3mexact\x1b[m "
         b"\x1b[4mplain\x1b[m\r\n")


def test_every_attribute_reaches_a_terminal_that_knows_it(box):
    obeying_guest(box)
    peer = box.api()
    command = shell([BINARY, "-L", "t"])
    rich = box.terminal(f"TERM=tmux-256color {command}")
    poor = box.terminal(f"TERM=xterm-256color {command}")
    rich.wait_for("ready")
    poor.wait_for("ready")
    obey(peer, LOOKS)
    rich.wait_for("curly struck over exact plain")
    poor.wait_for("curly struck over exact plain")
    shown = rich.screen("-e")
    # (tmux's capture writes an overline as 5:3)
    for sign in (r"\x1b\[4:3m(\x1b\[39m)?\x1b\[58;5;9mcurly",
                 r"\x1b\[9m\x1b\[31mstruck", r"\x1b\[5:?3mover",
                 r"\[38;2;1;2;3mexact", r"\[4mplain"):
        require(re.search(sign, shown), f"no {sign!r} in {shown!r}")
    shown = poor.screen("-e")
    for sign in (r"\[4m(\x1b\[39m)?curly", r"\[9m\x1b\[31mstruck",
                 r"\[38;5;16mexact", r"\[4mplain"):
        require(re.search(sign, shown), f"no {sign!r} in {shown!r}")
    require(not re.search(r"\[(4:3|5:?3)m", shown), shown)
    # scrolled, they stay what they are
    before = re.findall("(?m)^.*curly.*$", rich.screen("-e"))[0]
    obey(peer, b"more\r\n" * 20)
    until(lambda: rich.screen().count("more") == 20, "a screen of lines")
    row = re.findall("(?m)^.*curly.*$", rich.screen("-e"))[0]
    require_equal(row[row.index("\x1b[4:3m"):], before[
        before.index("\x1b[4:3m"):])
    # and every row of a capture has them
    shown = box.capture("a", "--ansi")
    for sign in ("4:3;58:5:9mcurly", "9;31mstruck", "53mover",
                 "38;2;1;2;3mexact"):
        require(sign in shown, f"no {sign!r} in {shown!r}")


main(globals())
