"""The deck in a real terminal: what an operator sees and types."""

import os
import re
import shlex
import signal

from harness import (BINARY, main, python, require, require_equal, require_in,
                     until)

KEYS = ("import os, tty\n"
        "tty.setraw(0)\n"
        "os.write(1, b'keys ready\\r\\n')\n"
        "while True:\n"
        "    os.write(1, b'got ' + os.read(0, 64).hex().encode()"
        " + b'\\r\\n')\n")


def stty(terminal):
    """The terminal's settings, as its window's shell sees them."""
    return terminal.format("#{alternate_on} #{cursor_flag} "
                           "#{mouse_any_flag} #{keypad_flag}")


def in_shell(box, *arguments, cols=80, rows=24):
    """A deck started from a shell that says when it is back, and how."""
    words = " ".join([BINARY, "-L", "t", *arguments])
    terminal = box.terminal(
        f"stty -a >{box.at('w', 'before')}; {words}; "
        f"echo back-$?; stty -a >{box.at('w', 'after')}; exec cat",
        cols, rows)
    return terminal


def check_restored(box, terminal, code):
    """The shell is back with the terminal as it was."""
    terminal.wait_for(f"^back-{code}")
    until(lambda: os.path.exists(box.at("w", "after"))
          and os.path.getsize(box.at("w", "after")), "stty's settings")
    with open(box.at("w", "before"), encoding="ascii") as file:
        before = file.read()
    with open(box.at("w", "after"), encoding="ascii") as file:
        require_equal(file.read(), before, "stty -a")
    require_equal(terminal.format("#{alternate_on} #{cursor_flag} "
                                  "#{mouse_any_flag} #{keypad_cursor_flag}"
                                  " #{keypad_flag}"),
                  "0 1 0 0 0", "the terminal's modes")


def session(box, cols, rows):
    """Up to a shell in the deck, typed into, detached, and attached again."""
    path = box.fleet({"control0": {}, "worker0": {}, "worker1": {}})
    terminal = in_shell(box, "up", "-f", path, cols=cols, rows=rows)
    terminal.wait_for_all("control0", "worker0", "worker1",
                          "typing → control0")
    box.wait_shell("control0")
    terminal.wait_for(r":~#")
    terminal.type("echo seen-$((6 * 7))")
    terminal.keys("Enter")
    terminal.wait_for("seen-42")
    terminal.keys("C-]", "d")
    check_restored(box, terminal, 0)
    require_equal(len(box.qemus()), 3, "QEMUs after detaching")
    again = box.deck(cols=cols, rows=rows)
    again.wait_for("seen-42")
    again.keys("C-]", "d")
    require_equal(again.wait_end(), 0, "exit status")


def test_boot_see_type_detach_and_come_back_at_80x24(box):
    session(box, 80, 24)


def test_boot_see_type_detach_and_come_back_at_200x50(box):
    session(box, 200, 50)


def open_deck(box, cols=80, rows=24, **consoles):
    box.up("-f", box.console_fleet(**consoles))
    deck = box.deck(cols=cols, rows=rows)
    deck.wait_for("typing → ")
    return deck


def test_every_key_but_the_prefix_goes_to_the_guest(box):
    deck = open_deck(box, a=python(KEYS))
    deck.wait_for("keys ready")
    for key, wanted in (("Escape", "1b"), ("Enter", "0d"), ("Tab", "09"),
                        ("C-a", "01"), ("C-c", "03"), ("C-z", "1a"),
                        ("C-s", "13"), ("C-q", "11"), ("C-\\", "1c"),
                        ("BSpace", "7f"), ("C-Space", "00"), ("x", "78"),
                        ("Up", "1b5b41"), ("F5", "1b5b31357e"),
                        ("?", "3f"), ("M-f", "1b66"), ("ü", "c3bc")):
        cursor = len(box.log_bytes("a"))
        deck.keys(key)
        box.gm("wait", "a", "--for", f"got {wanted}$", "--after", cursor,
               "--timeout", "180", patience=190)


def test_keys_with_shift_are_no_others_in_any_terminal(box):
    box.up("-f", box.console_fleet(a=python(KEYS)))
    for term in ("xterm-256color", "screen"):
        deck = box.terminal(["env", f"TERM={term}", BINARY, "-L", "t"])
        deck.wait_for("keys ready")
        # F5 with Shift, which XTerm's entry calls F17; F2 with Ctrl; F12.
        for key in ("\x1b[15;2~", "\x1b[1;5Q", "\x1b[24~"):
            cursor = len(box.log_bytes("a"))
            deck.type(key)
            box.gm("wait", "a", "--for", f"got {key.encode().hex()}$",
                   "--after", cursor, "--timeout", "180", patience=190)
        deck.keys("C-]", "d")
        deck.wait_end()


def test_the_prefix_twice_is_sent(box):
    deck = open_deck(box, a=python(KEYS))
    deck.wait_for("keys ready")
    deck.keys("C-]", "C-]")
    deck.wait_for("got 1d")
    # And Escape after the prefix only leaves it.
    deck.keys("C-]")
    deck.wait_for("C-] …")
    deck.keys("Escape")
    deck.wait_for("typing → a")
    deck.keys("w")
    deck.wait_for("got 77")
    require("1b" not in deck.screen(), "Escape after the prefix was sent")


def test_another_prefix_can_be_chosen(box):
    box.up("-f", box.console_fleet(a=python(KEYS)))
    keymap = box.write("mine.json", {"name": "mine", "prefix": "C-b",
                                     "inherit": "default"})
    deck = box.deck("--keymap", keymap)
    deck.wait_for("keys ready")
    deck.keys("C-]")
    deck.wait_for("got 1d")
    deck.keys("C-b", "d")
    require_equal(deck.wait_end(), 0)


def test_focus_moves_and_typing_goes_where_it_says(box):
    deck = open_deck(box, cols=160, rows=40, a=["cat"], b=["cat"], c=["cat"])
    deck.wait_for("typing → a")
    for keys, name in ((["C-]", "o"], "b"), (["C-]", "o"], "c"),
                       (["C-]", "o"], "a"), (["C-]", "2"], "b"),
                       (["C-]", "3"], "c"), (["C-]", "1"], "a")):
        deck.keys(*keys)
        deck.wait_for(f"typing → {name}\\b")
        deck.type(f"to-{name}")
        deck.keys("Enter")
        box.gm("wait", name, "--for", f"to-{name}", "--since-boot",
               "--timeout", "180")
    for name in "abc":
        text = box.capture(name)
        for other in "abc":
            require(other == name or f"to-{other}" not in text,
                    f"{name} got what was for {other}")


def test_zoom_shows_one_and_back(box):
    deck = open_deck(box, cols=160, rows=40, a=["sh", "-c", "echo A-a; cat"],
                     b=["sh", "-c", "echo B-b; cat"])
    deck.wait_for("B-b")
    deck.keys("C-]", "z")
    deck.wait_gone("B-b")
    deck.wait_for("A-a")
    deck.keys("C-]", "z")
    deck.wait_for("B-b")


def test_help_is_made_from_the_keymap(box):
    deck = open_deck(box, cols=100, rows=50, a=["cat"])
    deck.keys("C-]", "?")
    deck.wait_for("detach|leave the deck")
    deck.keys("q")
    deck.wait_for("typing → a")
    deck.keys("C-]", "s")
    deck.wait_for("keys → ")
    deck.keys("?")
    deck.wait_for("leave the deck")
    deck.keys("Escape")


def test_scrollback_goes_back_and_returns(box):
    deck = open_deck(box, a=python("for i in range(500): print(f'row{i:04d}')"
                                   "\ninput()"))
    deck.wait_for("row0499")
    deck.keys("C-]", "[")
    deck.wait_for("scrollback")
    deck.keys("g")
    deck.wait_for("row0000")
    deck.keys("G")
    deck.wait_for("row0499")
    deck.keys("PPage")
    deck.wait_gone("row0499")
    deck.keys("q")
    deck.wait_for("typing → a")
    deck.wait_for("row0499")


def test_the_sidebar_acts_on_a_guest_and_asks_first(box):
    box.up("-f", box.fleet({"a": {}, "b": {}}))
    box.wait_shell("a")
    deck = box.deck(cols=120, rows=40)
    deck.wait_for("typing → a")
    deck.keys("C-]", "s")
    deck.wait_for("keys → ")
    deck.keys("p")
    box.wait_state("a", "paused")
    deck.wait_for("paused")
    deck.keys("p")
    box.wait_state("a", "running")
    pid = box.guest("a")["pid"]
    # Cancel is what Enter means.
    deck.keys("K")
    deck.wait_for(r"Force a off\?")
    deck.keys("Enter")
    deck.wait_gone(r"Force a off\?")
    require_equal(box.guest("a")["pid"], pid, "the pid after Cancel")
    deck.keys("K")
    deck.wait_for(r"Force a off\?")
    deck.keys("Escape")
    deck.wait_gone(r"Force a off\?")
    deck.keys("R")
    deck.wait_for(r"Reset a\?")
    deck.keys("n")
    deck.wait_gone(r"Reset a\?")
    deck.keys("K")
    deck.wait_for(r"Force a off\?")
    deck.keys("Right", "Enter")
    box.wait_state("a", "stopped")
    deck.wait_for("stopped")
    deck.keys("s")
    box.wait_state("a", "running")
    # Down to b, whose power button is pressed without a question.
    box.wait_shell("b")
    deck.keys("j", "S")
    box.wait_state("b", "stopped")
    deck.keys("G", "g", "k")
    deck.keys("Enter")
    deck.wait_for("typing → ")


def test_a_dead_guest_leaves_its_screen_and_a_card(box):
    box.up("-f", box.fleet({"a": {}}))
    box.wait_shell("a")
    box.shell("a", "echo last-$((1 + 1))-words", "^last-2-words")
    deck = box.deck(cols=120, rows=40)
    deck.wait_for("last-2-words")
    os.kill(box.guest("a")["pid"], signal.SIGKILL)
    deck.wait_for("SIGKILL")
    deck.wait_for("crashed")
    deck.wait_for("last-2-words")
    # What is typed in the moment of its death is not taken for an answer.
    def starts():
        deck.keys("Enter")
        return box.guest("a")["state"] == "running"
    until(starts, "Enter to start it again")
    deck.wait_for("typing → a")
    deck.wait_for(r":~#")


def test_a_guest_that_never_started_has_its_card_too(box):
    path = box.fleet({"a": {"args": ["-nosuchoption"]}})
    deck = box.deck("up", "-f", path, cols=120, rows=40)
    deck.wait_for("nosuchoption")
    deck.wait_for("crashed")


def test_it_follows_a_resize(box):
    deck = open_deck(box, cols=80, rows=24, a=["sh"])
    for cols, rows in ((120, 40), (60, 15), (200, 50), (80, 24)):
        deck.resize(cols, rows)
        until(lambda c=cols, r=rows: len(deck.screen().splitlines()) == r
              and re.search("typing → a", deck.screen().splitlines()[-1]
                            + deck.screen().splitlines()[0]),
              f"the status line at {cols}x{rows}")
    deck.type("echo all-$((1 + 1))")
    deck.keys("Enter")
    deck.wait_for("all-2")


def test_too_small_is_said_and_overcome(box):
    deck = open_deck(box, a=["cat"])
    for cols, rows in ((30, 24), (80, 5), (2, 1), (1, 1)):
        deck.resize(cols, rows)
        if cols >= 30:
            deck.wait_for("too small")
    deck.resize(80, 24)
    deck.wait_for("typing → a")
    deck.keys("C-]", "d")
    require_equal(deck.wait_end(), 0)


def test_the_terminal_is_restored_after_signals(box):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT,
                   signal.SIGSEGV, signal.SIGABRT, signal.SIGUSR1,
                   signal.SIGALRM):
        for name in ("before", "after"):
            if os.path.exists(box.at("w", name)):
                os.unlink(box.at("w", name))
        box.up("-f", box.console_fleet(a=["cat"]))
        terminal = in_shell(box)
        terminal.wait_for("typing → a")
        client = until(lambda: clients(box), "the client")[0]
        os.kill(client, number)
        check_restored(box, terminal, r"\d+")
        terminal.close()


def clients(box):
    """Processes of ours that run the deck: not the server."""
    server = box.server_pid()
    found = []
    for pid in box.own_processes():
        try:
            program = os.path.realpath(f"/proc/{pid}/exe")
        except OSError:
            continue  # it ended while it was looked at
        if program == os.path.realpath(BINARY) and pid != server:
            found.append(pid)
    return found


def test_the_terminal_is_restored_when_the_server_goes(box):
    box.up("-f", box.console_fleet(a=["cat"]))
    terminal = in_shell(box)
    terminal.wait_for("typing → a")
    box.gm("kill-server")
    check_restored(box, terminal, 1)
    require_in("guestmux -L t", terminal.screen())


def test_a_killed_server_is_told_and_the_terminal_restored(box):
    box.up("-f", box.fleet({"a": {}}))
    terminal = in_shell(box)
    terminal.wait_for("typing → a")
    os.kill(box.server_pid(), signal.SIGKILL)
    terminal.wait_for(r"^back-|typing → a")
    if "back-" in terminal.screen():
        check_restored(box, terminal, 1)
    deck = box.deck()
    deck.wait_for("typing → a")


def test_a_report_follows_its_guest(box):
    """While it is open, and what is read stays in its place."""
    box.up("-f", box.console_fleet(
        g=["sh", "-c", "echo ready; while read x; do echo $x; "
           "test $x = end && exit 3; done"], h=["cat"]))
    box.gm("wait", "g", "--for", "ready", "--since-boot")
    deck = box.deck(cols=100, rows=10)
    deck.wait_for("typing → g")
    deck.keys("C-]", "i")
    deck.wait_for("state +running")
    deck.wait_for("7 bytes of log")
    box.gm("send", "g", "--enter", "hello")
    deck.wait_gone(" 7 bytes of log")
    deck.keys("G")
    box.gm("send", "g", "--enter", "end")
    deck.wait_for("status 3")
    deck.keys("g")
    deck.wait_for("state +crashed")
    box.gm("rm", "g", "--yes")
    deck.wait_for("report, as it was last")
    deck.wait_for("state +crashed")
    deck.keys("q")
    deck.wait_gone("as it was last")


def test_the_messages_follow(box):
    box.up("-f", box.console_fleet(g=["cat"]))
    deck = box.deck(cols=100, rows=10)
    deck.wait_for("typing → g")
    deck.keys("C-]", "~")
    deck.wait_for("messages")
    for count in range(1, 4):
        box.kill_server()
        until(lambda n=count: n == deck.screen().count("connected to a new")
              or n > 1 and f"of {3 * n}" in deck.screen(),
              f"{count} times two messages")
    # What is read stays where it is when more come.
    deck.keys("j", "j", "j", "j")
    deck.wait_for(" 4-9 of 9 |5-9 of 9")
    def read():
        return [row[4:] for row in deck.screen().splitlines()[1:7]]
    rows = read()
    box.kill_server()
    deck.wait_for("of 12 ")
    require_equal(read(), rows, "what is read")


# What is typed to open a window, what is on the screen then, what the deck says
# once a new server is there, and what leaves the window if it is still there.
WINDOWS = (
    (("C-]", "x"), "send to g", "new server", "Escape"),
    (("C-]", "/", "3", "0", "Enter"), "found: 30", "new server", "q"),
    (("C-]", "t"), "^ *timeline", "new server", "q"),
    (("C-]", "a"), "^ *alerts", "new server", "q"),
    (("C-]", "i"), "report", "new server", "q"),
    (("C-]", "[", "v", "k"), "select g", "new server; back in the present",
     None),
    (("C-]", "h"), "past:", "new server; back in the present", None),
    ((), "3 lines", "new server", "Escape"),
    (("C-]", "s", "K"), "Force g off", "new server", "Escape"),
)


def test_no_window_keeps_the_deck_from_a_new_server(box):
    box.up("-f", box.console_fleet(
        g=["sh", "-c", "stty -echo; seq 60; echo ready; exec cat"]))
    deck = box.deck(cols=110)
    for keys, shown, said, leave in WINDOWS:
        deck.wait_for("typing → g")
        deck.wait_for("ready")
        if not keys:
            deck.type("\x1b[200~one\rtwo\rthree\r\x1b[201~")
        for key in keys:
            deck.keys(key)
        deck.wait_for(shown)
        os.kill(box.server_pid(), signal.SIGKILL)
        deck.wait_for(said)
        if leave:
            deck.keys(leave)
        # a program's console ends with its server
        deck.wait_for("g stopped")
        deck.wait_gone("send to g|found: 30|3 lines|Force g off")
        box.gm("start", "g")


def test_a_closed_terminal_leaves_no_client_behind(box):
    deck = open_deck(box, a=["cat"])
    require(clients(box), "no client")
    deck.close()
    until(lambda: not clients(box), "the client to end")
    require_equal(box.guest("a")["state"], "running")


def test_a_deck_begins_with_the_console_that_was_named(box):
    # Two serial ports each; b's second one is meant.
    box.up("-f", box.fleet({name: {"args": ["-serial", "vc"]}
                            for name in "ab"}))
    box.wait_shell("b")
    deck = box.deck("console", "b:ttyS1")
    until(lambda: deck.format("#{alternate_on}") == "1", "the deck")
    deck.keys("C-]", "i")
    deck.wait_for("^.*state +running")
    require_in(" b ", deck.screen())
    deck.keys("q")
    deck.type("typed")
    deck.wait_gone("state")
    other = box.deck("attach", "b:ttyS1", cols=120, rows=40)
    other.wait_for("typing → b:ttyS1")
    first = box.deck("attach", "b:ttyS0", cols=120, rows=40)
    first.wait_for("typing → b ttyS0")
    for words in (["attach", "bb"], ["console", "bb"], ["attach", "b:ttyS7"],
                  ["console", "a:hvc0"]):
        said = box.at("w", "said")
        lost = box.terminal(
            f"{shlex.join([BINARY, '-L', 't', *words])} 2>{said}", 80, 24)
        require_equal(lost.wait_end(), 1, f"{words}")
        with open(said, encoding="utf-8") as file:
            require_in("no ", file.read())


def test_two_decks_see_the_same_console(box):
    first = open_deck(box, cols=100, rows=30, a=["cat"])
    second = box.deck(cols=140, rows=45)
    second.wait_for("typing → a")
    first.type("from the first")
    second.wait_for("from the first")
    second.keys("Enter")
    second.type("from the second")
    first.wait_for("from the second")


def test_new_and_gone_guests_appear_and_disappear(box):
    deck = open_deck(box, cols=120, rows=40, a=["cat"])
    path = box.console_fleet(name="more.json", zebra=["cat"])
    box.up("-f", path)
    deck.wait_for("zebra")
    box.gm("kill", "--yes", "zebra")
    box.gm("rm", "--yes", "zebra")
    deck.wait_gone("zebra")
    deck.wait_for("typing → a")


def test_an_empty_deck_says_what_to_do(box):
    deck = box.deck(cols=60, rows=15)
    # The commands lead to this server, and are read whole.
    deck.wait_for("guestmux -L t up$")
    deck.wait_for("guestmux -L t run -- QEMU…$")
    deck.wait_for("boots one by its command line$")
    deck.keys("C-]", "d")
    require_equal(deck.wait_end(), 0)


def test_many_guests_fit_or_page(box):
    names = {f"n{i:02d}": ["sh", "-c", f"echo here-{i:02d}; cat"]
             for i in range(20)}
    deck = open_deck(box, cols=80, rows=24, **names)
    deck.wait_for("n00")
    deck.keys("C-]", "s", "G", "Enter")
    deck.wait_for("typing → n19")
    deck.wait_for("here-19")


def test_colours_and_wide_characters_are_shown(box):
    deck = open_deck(box, a=["sh", "-c", r"printf '\033[1;31mred\033[0m "
                             r"\033[38;5;208morange\033[0m 漢字 é x\n'; cat"])
    deck.wait_for("漢字 é x")
    coloured = deck.screen("-e")
    line = next(text for text in coloured.splitlines() if "orange" in text)
    require(re.search(r"\x1b\[[0-9;]*1[0-9;]*m[^\x1b]*red", line)
            or re.search(r"\x1b\[(1;)?(31|91)", line), f"no red in {line!r}")
    require(re.search(r"38;5;208", line), f"no orange in {line!r}")


def test_a_narrow_and_colourless_terminal_works(box):
    box.up("-f", box.console_fleet(a=["cat"]))
    box.env["TERM"] = "vt100"
    deck = box.terminal(f"TERM=vt100 {BINARY} -L t", 80, 24)
    deck.wait_for("typing . a")
    deck.type("plain")
    deck.wait_for("plain")
    deck.keys("C-]", "d")
    require_equal(deck.wait_end(), 0)


def test_a_broken_theme_is_told_and_does_not_stop_it(box):
    box.up("-f", box.console_fleet(a=["cat"]))
    theme = box.write("broken.json", "{ nonsense")
    deck = box.deck("--theme", theme, cols=120)
    deck.wait_for("broken.json")


main(globals())
