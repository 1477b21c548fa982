"""Pastes: intact, told, cancelled, paced, to several guests."""

import hashlib
import os
import re
import threading
import time

from harness import (DONE, FAILED, limit, main, python, require, require_equal,
                     require_in, until)


def numbered_lines(size):
    """So many bytes of numbered lines."""
    line = "%07d the quick brown fox jumps over the lazy dog 0123456789\n"
    return "".join(line % i for i in range(size // 60 + 1)).encode()[:size]


def begin_cat(box, name, path="/tmp/x"):
    """Lets the shell read typed lines into a file, without echo."""
    # At its prompt the shell asks where the cursor is. What is typed before the
    # answer makes cat read the answer.
    until(lambda: box.log_bytes(name).endswith(b"\x1b[6n"), "the question")
    size = len(box.log_bytes(name))
    until(lambda: box.guest(name)["consoles"][0]["offset"] >= size,
          "the server to answer")
    box.shell(name, f"stty -echo; echo read''y; cat >{path}", "^ready")


def end_cat(box, name, *keys, path="/tmp/x"):
    """Ends cat, by keys and C-d; the file's checksum."""
    cursor = box.json("send", name, "--keys", *keys, "C-d")["cursor"]
    box.gm("send", name, "--enter", f"md5sum {path}; stty echo")
    # Without echo the shell's prompt stands before it, on the same line.
    line = box.gm("wait", name, "--for", f"[0-9a-f]{{32}}  {path}",
                  "--after", cursor, "--timeout", "120", patience=130).out
    return re.search("[0-9a-f]{32}", line)[0]


@limit(1000)
def test_a_mebibyte_arrives_intact(box):
    box.fleet({"n1": {}})
    box.up()
    box.wait_shell("n1")
    begin_cat(box, "n1")
    content = numbered_lines((1 << 20) - 1) + b"\n"
    path = box.at("w", "lines")
    with open(path, "wb") as file:
        file.write(content)
    peer = box.api()
    peer.call("events-subscribe")
    answer = box.json("paste", "n1", path, patience=900)
    require_equal(answer["state"], "done")
    require_equal(answer["bytes"], len(content))
    require_equal(answer["lines"], content.count(b"\n"))
    found = end_cat(box, "n1")
    if found != hashlib.md5(content).hexdigest():
        box.shell("n1", "head -c 48 /tmp/x | od -c; wc -lc /tmp/x", "/tmp/x$")
        require(False, "what arrived:\n" + box.gm("capture", "n1").out)
    # Progress is told, a few times a second at most, and the end.
    events = []

    def take(event):
        if event["event"] == "PASTE":
            events.append(event)
        return event["event"] == "PASTE" and event["data"]["state"] == "done"
    peer.event(take)
    require(len(events) > 2, f"progress was told: {events}")
    times = [event["timestamp"]["seconds"] * 1000
             + event["timestamp"]["microseconds"] / 1000 for event in events]
    # A busy server may be late with one of them, not sooner on the whole.
    took = times[-2] - times[0]
    require((len(times) - 2) * 150 <= took + 600,
            f"at most a few a second: {times}")


def test_a_paste_waits_for_the_guest_and_can_be_cancelled(box):
    box.fleet({"n1": {}})
    box.up()
    box.wait_shell("n1")
    begin_cat(box, "n1")
    box.gm("pause", "n1")
    paste = box.spawn("paste", "n1", stdin=-1)
    # Much more than what the server keeps: the command has to wait.
    peer = box.api()
    peer.call("events-subscribe")

    def feed():
        try:
            for _ in range(64):
                paste.stdin.write(b"0123456789abcde\n" * 16384)
            paste.stdin.close()
        except OSError:
            pass
    threading.Thread(target=feed, daemon=True).start()
    peer.event(lambda event: event["event"] == "PASTE"
               and event["data"]["total"] > 500000)
    require(paste.poll() is None, "the paste waits")
    # What is typed meanwhile waits behind the paste.
    require(box.json("send", "n1", "typed")["pending"] > 0, "it waits")
    require_in("n1: nothing is being pasted",
               box.gm("paste", "n1", "--cancel").out)
    require_equal(paste.wait(timeout=180), FAILED)
    require_in("cancelled after", paste.stderr.read().decode())
    require_equal(peer.call("query-pastes"), [])
    box.gm("resume", "n1")
    # What came may end within a line, where C-d alone ends nothing.
    got = end_cat(box, "n1", "Enter")
    # The pty was emptied: the guest got what its machine had taken, no more.
    require_equal(got, box.shell("n1", "wc -c /tmp/x; md5sum /tmp/x",
                                 "^[0-9a-f]{32} ").out[:32])
    size = int(re.findall(r"^(\d+) /tmp/x", box.capture("n1"), re.M)[-1])
    require(size < 65536, f"{size} bytes came after all")


def test_a_guest_that_ends_ends_its_pastes(box):
    box.fleet({"n1": {}})
    box.up()
    box.wait_shell("n1")
    box.gm("pause", "n1")
    path = box.write("x", "a line\n" * 20000)
    paste = box.spawn("paste", "n1", path)
    until(lambda: box.api().call("query-pastes"), "the paste to run")
    box.gm("kill", "n1")
    require_equal(paste.wait(timeout=180), FAILED)
    require_in("the paste ended after", paste.stderr.read().decode())
    require_in("there is nothing to paste into",
               box.gm("paste", "n1", path, code=FAILED).err)


def test_a_reset_ends_what_is_pasted_but_for_prompts(box):
    box.up("-f", box.fleet({"n1": {}, "n2": {}}))
    for name in ("n1", "n2"):
        box.gm("wait", name, "--until", "login")
    box.gm("send", "n1", "--enter", "stty -echo; cat >/dev/null")
    box.write("much.txt", "a line that is long enough to fill a queue\n" * 9000)
    box.write("two.txt", "echo one-line\nreboot -f\necho after-$((40 + 2))\n")
    pasting = box.spawn("paste", "n1", "much.txt", "--json")
    paced = box.spawn("paste", "n2", "two.txt", "--wait-prompt", "tiny:~# $",
                      "--timeout", "0")
    peer = box.api()
    until(lambda: any(paste["guest"] == "n1" and paste["bytes"]
                      for paste in peer.call("query-pastes")),
          "the paste to run")
    second = box.spawn("paste", "n1", "two.txt")
    until(lambda: len([paste for paste in peer.call("query-pastes")
                       if paste["guest"] == "n1"]) == 2, "another to wait")
    box.gm("reset", "n1")
    require_equal(pasting.wait(), FAILED)
    require_in("the guest was reset", pasting.stderr.read().decode())
    require_equal(second.wait(), FAILED)
    require_in("not pasted, since the paste before failed",
               second.stderr.read().decode())
    require_equal(paced.wait(), DONE, paced.stderr.read())
    box.gm("wait", "n2", "--for", "after-42")


def test_taking_the_keyboard_ends_what_others_paste(box):
    """Where nobody reads, the first waits in the tty, the others behind it."""
    box.up("-f", box.console_fleet(g=["sh", "-c", "stty raw -echo; echo ready; "
                                      "read x; sleep 600"]))
    box.gm("wait", "g", "--for", "ready", "--since-boot")
    box.write("much.txt", "a line that is long enough to fill a queue\n" * 9000)
    first, second = (box.spawn("paste", "g", "much.txt") for _ in range(2))
    peer = box.api()
    until(lambda: len(peer.call("query-pastes")) == 2, "two to be there")
    peer.call("client-set", name="bob")
    peer.call("console-paste", guest="g", text="his own\n")
    peer.call("keyboard-take", guest="g")
    for child in first, second:
        require_equal(child.wait(), FAILED)
        require_in("bob has taken the keyboard", child.stderr.read().decode())
    require(all(paste["total"] == len("his own\n")
                for paste in peer.call("query-pastes")), "his own goes on")


def test_the_next_piece_is_told_why_its_paste_is_over(box):
    box.up("-f", box.console_fleet(g=["sh", "-c", "stty raw -echo; sleep 600"]))
    one, two = box.api(), box.api()
    two.call("client-set", name="bob")

    def begin():
        return one.call("console-paste", guest="g", text="a\n",
                        more=True)["paste"]

    def go_on(number):
        return one.ask("console-paste-more", paste=number, text="b\n",
                       wait=True)["error"]["desc"]

    cancelled = begin()
    two.call("console-paste-cancel", guest="g", paste=cancelled)
    taken = begin()
    two.call("keyboard-take", guest="g")
    require_equal(go_on(cancelled), "g: the paste was cancelled after 2 bytes")
    require_equal(go_on(taken), "g: the paste ended after 2 of 2 bytes: bob "
                  "has taken the keyboard")
    require_equal(go_on(taken + 1),
                  f"there is no paste {taken + 1} (any more)")


def test_a_paced_paste_waits_for_prompt_echo_and_time(box):
    # A boot loader in short: it takes a line only while it shows its prompt.
    loader = """
import sys, termios, time, tty
tty.setraw(0)
print("U-Boot\\r\\n=> ", end="", flush=True)
line = b""
while True:
    byte = sys.stdin.buffer.raw.read(1)
    if byte in (b"\\r", b""):
        print("\\r\\n", end="", flush=True)
        time.sleep(0.2)
        termios.tcflush(0, termios.TCIFLUSH)
        print("got", line.decode(), end="\\r\\n=> ", flush=True)
        while line == b"deaf":
            sys.stdin.buffer.raw.read(1)
        line = b""
    else:
        line += byte
        print(byte.decode(), end="", flush=True)
""".replace("\\\\", "\\")
    box.console_fleet(a=python(loader))
    box.up()
    box.gm("wait", "a", "--for", "=> $", "--since-boot")
    lines = "".join(f"setenv v{i} {i}\n" for i in range(5))
    box.gm("paste", "a", "--wait-prompt", "=> $", text=lines)
    box.gm("wait", "a", "--for", "got setenv v4 4", "--since-boot")
    for i in range(5):
        require_in(f"got setenv v{i} {i}", box.capture("a"))
    # Without waiting, lines are lost: the loader is one that needs it.
    box.gm("paste", "a", text=lines.replace(" v", " w"))
    box.gm("wait", "a", "--for", "got setenv w0 0", "--since-boot")
    box.gm("paste", "a", "--wait-prompt", "=> $", text="end\n")
    box.gm("wait", "a", "--for", "got end", "--since-boot")
    require("got setenv w4 4" not in box.capture("a"), "nothing was lost")
    # A prompt that never comes ends it, in time.
    late = box.gm("paste", "a", "--wait-prompt", "never> ", "--timeout",
                  "0.3", text=lines, code=3).err
    require_in("before line 1 the prompt \"never> \" did not appear within "
               "0.3 s", late)
    require_in("is no regular expression",
               box.gm("paste", "a", "--wait-prompt", "(", text=lines,
                      code=FAILED).err)
    began = time.monotonic()
    box.gm("paste", "a", "--cps", "50", text="x" * 40)
    took = time.monotonic() - began
    require(took > 0.6, f"40 characters at 50 a second took {took}")
    began = time.monotonic()
    box.gm("paste", "a", "--lps", "10", text="a\nb\nc\nd\ne\nf\n")
    require(time.monotonic() - began > 0.45, "six lines at ten a second")
    # From now on it reads, and echoes nothing.
    box.gm("paste", "a", "--wait-prompt", "=> $", text="deaf\n")
    box.gm("wait", "a", "--for", "got deaf", "--since-boot")
    late = box.gm("paste", "a", "--wait-echo", "--timeout", "0.3",
                  text="echo one\necho two\n", code=3).err
    require_in("line 1 was not echoed within 0.3 s", late)


def test_a_pace_is_said_once(box):
    box.up("-f", box.console_fleet(a=["cat"]))
    for pace in (("--cps", "5"), ("--lps", "5"), ("--wait-echo",),
                 ("--wait-prompt", "x")):
        told = box.gm("paste", "a", "--full-speed", *pace, code=2, text="x\n")
        require_in(f"{pace[0]} contradict each other", told.err)
    require_in("`console --plain`", box.gm("console", "a", code=1).err)
    require_in("there is nothing to paste",
               box.gm("paste", "a", code=1, text="").err)


def test_several_guests_get_their_own_text(box):
    box.console_fleet(a=["cat"], b=["cat"], c=["true"])
    box.up("--json", code=None)
    box.wait_state("c", "stopped", "crashed")
    done = box.gm("paste", "--to", "a,c,b", "--expand",
                  text="host {name} number {index}\n", code=FAILED)
    require_in("a: pasted", done.out)
    require_in("b: pasted", done.out)
    require_in("c is not running", done.err)
    box.gm("wait", "a", "--for", "^host a number 1", "--since-boot")
    box.gm("wait", "b", "--for", "^host b number 3", "--since-boot")
    sent = box.gm("send", "--to", "b,c,a", "--expand", "--enter", "i am",
                  "{name}{index}", code=FAILED)
    require_in("c: there is nothing to type into", sent.err)
    box.gm("wait", "a", "--for", "^i am a3", "--since-boot")
    box.gm("wait", "b", "--for", "^i am b1", "--since-boot")


def test_a_line_reaches_a_guest_whose_pty_was_just_closed(box):
    box.fleet({"n1": {}})
    box.up()
    box.wait_shell("n1")
    for i in range(3):
        # Nobody looks: the pty is opened for the line, and closed again.
        box.gm("send", "n1", "--enter", f"echo line-$(({i} + 40))")
        server = box.server_pid()
        until(lambda: not any(
            os.path.realpath(f"/proc/{server}/fd/{fd}").startswith("/dev/pts")
            for fd in os.listdir(f"/proc/{server}/fd")), "the pty to close")
        box.gm("send", "n1", "--enter", f"echo again-$(({i} + 50))")
        box.gm("wait", "n1", "--for", f"^again-{i + 50}", "--since-boot")
    for i in range(3):
        require_in(f"line-{i + 40}\n", box.capture("n1", "--history", "100"))


def paste_into(box, deck, text):
    """Pastes as the operator's terminal does, in brackets."""
    box.tmux("set-buffer", text)
    deck.tmux("paste-buffer", "-p")


def test_the_deck_asks_before_several_lines(box):
    box.console_fleet(a=["cat"])
    box.up()
    deck = box.deck()
    deck.wait_for("typing . a")
    # One line goes at once.
    paste_into(box, deck, "one line")
    box.gm("wait", "a", "--for", "one line", "--since-boot")
    deck.keys("Enter")
    paste_into(box, deck, "first {name}\nsecond\n")
    deck.wait_for("2 lines, 20 bytes to a")
    deck.wait_for("first: first .name.")
    deck.keys("Escape")
    deck.wait_gone("2 lines")
    require("second" not in box.capture("a"), "nothing was pasted")
    paste_into(box, deck, "first {name}\nsecond\n")
    deck.wait_for("2 lines, 20 bytes to a")
    deck.keys("f")
    box.gm("wait", "a", "--for", "^second", "--since-boot")
    require_in("first a\n", box.capture("a"))
    paste_into(box, deck, "x" * 5000)
    deck.wait_for("longest line: 5000 characters")
    deck.keys("Escape")
    deck.wait_gone("longest line")


def test_escape_cancels_a_paste_in_the_deck(box):
    box.console_fleet(a=["cat"])
    box.up()
    deck = box.deck()
    deck.wait_for("typing . a")
    paste_into(box, deck, "".join(f"line {i}\n" for i in range(40)))
    deck.wait_for("40 lines")
    # How fast, is the operator's to say.
    deck.keys("l")
    deck.wait_for("lines a second +5")
    deck.keys("C-u")
    deck.type("none")
    deck.keys("Enter")
    deck.wait_for("lines a second +none")
    deck.keys("C-u")
    deck.type("4")
    deck.keys("Enter")
    deck.wait_for("pasting a [0-9]+%")
    deck.wait_for("Escape cancels")
    deck.keys("Escape")
    deck.wait_for("a: the paste was cancelled after")
    deck.wait_gone("pasting a")
    require_equal(box.api().call("query-pastes"), [])
    require("line 39" not in box.capture("a", "--history", "99"), "cancelled")


def test_the_fleet_file_says_how_pastes_go(box):
    """Until somebody says otherwise; a change applies to a running guest."""
    def fleet(**paste):
        return box.write("guestmux.json", {"version": 1, "guests": {"a": {
            "exec": ["cat"], "paste": paste}}})
    box.up("-f", fleet(lps=1))
    start = time.monotonic()
    box.gm("paste", "a", text="1\n2\n3\n")
    require(time.monotonic() - start > 1.8,
            "the fleet file's pace did not count")
    # At the file's pace these would take far longer than they may.
    lines = "".join(f"{i}\n" for i in range(600))
    box.gm("paste", "a", "--lps", "1000", text=lines)
    box.gm("paste", "a", "--full-speed", text=lines)
    box.up("-f", fleet(lps=4))
    deck = box.deck()
    deck.wait_for("typing . a")
    paste_into(box, deck, "one\ntwo\nthree\n")
    deck.wait_for("paste +4 lines a second")
    deck.keys("a")
    box.gm("wait", "a", "--for", "^three", "--since-boot")
    # Another pace, without a restart.
    pid = box.guest("a")["pid"]
    require_in("a: runs, and its new definition applies already",
               box.up("-f", fleet(**{"wait-prompt": "^never$", "timeout": 1}),
                      ).out)
    require_equal(box.guest("a")["pid"], pid, "the same process")
    require_in("'^never$' did not appear", box.gm(
        "paste", "a", text="x\ny\n", code=3).err.replace('"', "'"))
    box.gm("check", fleet(lps=-1, bracketed="maybe"), code=1)
    errors = box.gm("check", fleet(lpx=1, **{"wait-prompt": "("}),
                    code=1).err
    require_in("lpx", errors)
    require_in("no regular expression", errors)


def test_what_is_typed_goes_to_the_marked(box):
    box.console_fleet(a=["cat"], b=["cat"], c=["cat"])
    box.up()
    deck = box.deck(cols=100, rows=30)
    deck.wait_for("typing . a")
    deck.keys("C-]", "B")
    deck.wait_for("no running guest is marked")
    deck.keys("C-]", "s")
    deck.wait_for("keys . guest list")
    deck.keys("Space", "j", "j", "Space", "Enter")
    deck.wait_for("typing . c")
    deck.keys("C-]", "B")
    deck.wait_for("BROADCAST . 2 guests")
    deck.wait_for("1 a << ")
    deck.wait_for("3 c << ")
    deck.type("hello")
    deck.keys("Enter")
    for guest in "ac":
        box.gm("wait", guest, "--for", "^hello", "--since-boot")
    deck.keys("C-]", "x")
    deck.wait_for("line to marked guests")
    deck.keys("L")
    deck.wait_for("line to 2 marked")
    deck.type("i am {name}, {index}")
    deck.keys("Enter")
    box.gm("wait", "a", "--for", "^i am a, 1", "--since-boot")
    box.gm("wait", "c", "--for", "^i am c, 2", "--since-boot")
    require("hello" not in box.capture("b"), "b is not marked")
    # One that ends is left out; with the last one it ends by itself.
    box.gm("kill", "a")
    deck.wait_for("BROADCAST . 1 guest")
    box.gm("kill", "c")
    deck.wait_gone("BROADCAST")


main(globals())
