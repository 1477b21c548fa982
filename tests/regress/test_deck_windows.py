"""What opens over the deck's consoles: questions, menus, lists, texts; by keys
and by mouse, on small screens too."""

import json
import os
import signal
import socket

from harness import (BINARY, PATIENCE, main, require, require_equal, require_in,
                     until)

LONG = "a-long-name-of-a-guest-that-has-48-characters-xx"


def open_deck(box, *arguments, cols=80, rows=24, **consoles):
    box.up("-f", box.console_fleet(**(consoles or {"a": ["cat"]})))
    deck = box.deck(*arguments, cols=cols, rows=rows)
    deck.wait_for("typing → ")
    return deck


def status(deck):
    return deck.screen().splitlines()[-1]


def test_a_menu_is_left_and_gone_through_by_keys_that_entries_have_too(box):
    deck = open_deck(box)
    # q, j and k are letters of SysRq as well.
    deck.keys("C-]", "x")
    deck.wait_for("> B +break")
    deck.keys("j")
    deck.wait_for("> D +Ctrl-Alt-Delete")
    deck.keys("k")
    deck.wait_for("> B +break")
    screen = deck.screen()
    for name, key in (("show-timers", " "), ("thaw", " "), ("sync", "s")):
        require_in(f"  {key}   {name}", screen)
    deck.keys("q")
    deck.wait_gone("send to a")
    deck.wait_for("typing → a")
    require("SysRq" not in status(deck), "q sent something")


def test_what_menus_need_is_there_before_guests_are(box):
    """Answers come in the order of the questions: from whenever a guest is
    shown, its menu has all entries, however late the server is."""
    greeting = box.api().greeting
    os.mkdir(box.runtime(server="late"), 0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(box.runtime("api.sock", server="late"))
        listener.listen()
        box.terminal([BINARY, "-L", "late"])
        listener.settimeout(PATIENCE)
        with listener.accept()[0] as peer:
            peer.settimeout(PATIENCE)
            peer.sendall(json.dumps(greeting).encode() + b"\n")
            asked = []
            for line in peer.makefile():
                asked.append(json.loads(line)["execute"])
                if asked[-1] == "guest-list":
                    break
    require_in("query-sysrq", asked)


def test_help_begins_where_the_operator_is(box):
    deck = open_deck(box, rows=40)
    for keys, heading, leave in (
            (("C-]", "?"), "After C-]", ("q",)),
            (("C-]", "s", "?"), "In the list of guests", ("q", "Escape")),
            (("C-]", "a", "?"), "In the alerts and the timeline",
             ("q", "q"))):
        for key in keys:
            deck.keys(key)
        deck.wait_for("─ keys ─")
        deck.wait_for(f"│ {heading}")
        first = next(line for line in deck.screen().splitlines()
                     if "│ After" in line or "│ In " in line)
        require_in(heading, first, "the first heading")
        deck.keys(*leave)
        deck.wait_for("typing → a")


def test_help_names_every_key_of_an_action(box):
    keymap = box.write("mine.json", {"name": "mine", "modes": {
        "prefix": {"5": None}}})
    deck = open_deck(box, "--keymap", keymap, cols=100, rows=50)
    deck.keys("C-]", "?")
    # 5 is not among them, and a row of two is written out.
    deck.wait_for(r"1 … 4, 6 … 9 +go to console")
    deck.keys("G")
    deck.wait_for(r"q, \?, Enter, Escape, C-\]")


def test_the_sidebars_keys_stand_apart_from_their_words(box):
    keymap = box.write("mine.json", {"name": "mine", "modes": {
        "sidebar": {"S": None, "C-M-s": "shutdown"}}})
    deck = open_deck(box, "--keymap", keymap)
    deck.wait_for(r"^ C-M-s shut down")
    deck.wait_for(r"^ K     force off")


def test_texts_can_be_read_on_the_smallest_screen(box):
    deck = open_deck(box, cols=40, rows=10)
    deck.keys("C-]", "m")
    deck.wait_for("mouse off")
    deck.keys("C-]", "~")
    deck.wait_for(r"│  [0-9:]{8}  mouse off: the ")
    deck.keys("q")
    deck.wait_gone("messages")


def test_a_text_stays_where_it_is_read_when_the_screen_changes(box):
    deck = open_deck(box, rows=20)
    deck.keys("C-]", "?")
    deck.wait_for("1-16 of")
    for _ in range(3):
        deck.keys("NPage")
    deck.wait_for("49-64 of")
    top = deck.screen().splitlines()[1]
    key = top.split("│")[1].split()[0]
    deck.resize(44, 20)
    deck.wait_for("of 3[0-9][0-9]")
    until(lambda: deck.screen().splitlines()[1].split("│")[1].split()[0] == key,
          "what is read first")
    deck.resize(80, 20)
    deck.wait_for("49-64 of")
    until(lambda: deck.screen().splitlines()[1] == top, "the same rows")


def test_a_question_is_read_whole_and_says_what_its_keys_do(box):
    deck = open_deck(box, cols=40, rows=10, **{LONG: ["cat"]})
    deck.keys("C-]", "s")
    deck.wait_for("keys → ")
    deck.keys("K")
    deck.wait_for("Force off ─")
    deck.wait_for("y yes  n no")
    rows = [line.split("│")[1].strip() for line in deck.screen().splitlines()
            if line.count("│") >= 2]
    # a name is cut where the row ends, words between them
    require_in(f"Force {LONG} off?", "".join(rows[:2]))
    text = " ".join(rows)
    require_in("what the guest has not written to its disks is lost.", text)
    require("…" not in text, text)
    deck.keys("n")
    deck.wait_gone("Force off ─")
    require_equal(box.guest(LONG)["state"], "running")
    deck.resize(80, 24)
    deck.keys("K")
    deck.wait_for(r"y yes  n no  Right the other  Enter chooses")
    deck.keys("y")
    box.wait_state(LONG, "stopped")


def test_questions_are_answered_by_clicks(box):
    deck = open_deck(box, a=["cat"], b=["cat"])
    deck.keys("C-]", "s", "K")
    deck.wait_for(r"Force a off\?")
    deck.click_on("Force a off?")  # no button: nothing
    deck.click(1, 1)
    deck.click_on("[ Cancel ]")
    deck.wait_gone(r"Force a off\?")
    require_equal(box.guest("a")["state"], "running")
    deck.keys("K")
    deck.wait_for(r"Force a off\?")
    deck.click_on("  Force off  ")
    box.wait_state("a", "stopped")
    deck.wait_for("○ a +stopped")


def test_the_mouse_works_whatever_terminfo_says_of_it(box):
    """XTerm's entry has another beginning of reports than tmux's."""
    box.up("-f", box.console_fleet(a=["cat"], b=["sh", "-c", "seq 90; cat"]))
    for term in ("xterm-256color", "xterm", "screen", "vt100"):
        deck = box.terminal(["env", f"TERM={term}", BINARY, "-L", "t"])
        deck.wait_for("typing [→>] a")
        deck.click(3, 5)
        deck.wait_for("keys [→>] guest list")
        deck.click(3, 5)
        deck.wait_for("typing [→>] b")
        deck.type("\x1b[<64;40;20M")  # the wheel
        deck.wait_for("scrollback b")
        deck.keys("q")
        deck.wait_for("typing [→>] b")
        deck.keys("C-]", "d")
        deck.wait_end()
    for guest in "ab":
        require("<" not in box.capture(guest), "a guest was sent a report")


def test_menus_and_lists_are_gone_through_by_clicks(box):
    deck = open_deck(box, rows=30, a=["sh", "-c", "seq 40; exec cat"])
    deck.wait_for("^.*40$")
    deck.keys("C-]", "M")
    deck.wait_for("> 1 +silence of 30 s")
    deck.click_on("silence of 10 min")
    deck.wait_for("> 3 +silence of 10 min")
    deck.click_on("silence of 10 min")
    deck.wait_for("an alert after (600 s|10 min)")
    # Beside a menu or a text a click leaves.
    for keys, shown in ((("C-]", "x"), "send to a"), (("C-]", "~"), "─ messages")):
        deck.keys(*keys)
        deck.wait_for(shown)
        deck.click(29, 80)
        deck.wait_gone(shown)
    deck.keys("C-]", "/")
    deck.wait_for("search all")
    deck.type("3")
    deck.keys("Enter")
    deck.wait_for("found: 3 .* 1/13")
    deck.click_on(" 33")
    deck.wait_for("found: 3 .* 7/13")
    deck.click_on(" 33")
    deck.wait_for("scrollback a 33:1")


def test_the_timeline_says_what_day_it_is(box):
    os.makedirs(box.state(), exist_ok=True)
    with open(box.state("events.jsonl"), "w", encoding="ascii") as file:
        for day in (3, 4):
            file.write(json.dumps({
                "at-ms": (1740000000 + day * 86400) * 1000, "kind": "state",
                "guest": "old", "severity": "info", "state": "defined",
                "text": f"day {day}"}) + "\n")
    deck = open_deck(box)
    deck.keys("C-]", "t")
    deck.wait_for("^ timeline  +[0-9]+/")
    deck.keys("g")
    deck.wait_for("^ timeline  [A-Z][a-z]{2} 2025-02-2[0-9]  ")
    deck.keys("G")
    deck.wait_for("^ timeline  +[0-9]+/")


def test_keys_that_come_before_a_lists_rows_are_not_lost(box):
    """The server is late: the list is open, and empty."""
    deck = open_deck(box, a=["sh", "-c", "seq -f 'line %g' 9; exec cat"])
    deck.wait_for("^.*line 9")
    server = box.server_pid()
    for keys, line in (("gj", "2/"), ("kkj", "[0-9]+/"), ("gGg", "1/")):
        os.kill(server, signal.SIGSTOP)
        try:
            deck.keys("C-]", "t")
            deck.wait_for("one moment")
            deck.keys(*keys)
            # Each key is read before what follows it.
            deck.keys("?")
            deck.wait_for("─ keys ─")
        finally:
            os.kill(server, signal.SIGCONT)
        deck.keys("q")
        match = deck.wait_for(rf"^ timeline .* ({line})([0-9]+)")
        if keys == "kkj":
            require_equal(int(match[1][:-1]), int(match[2]) - 1, "the row")
        deck.keys("q")
        deck.wait_for("typing → a")


def test_lists_have_room_for_text_on_the_smallest_screen(box):
    deck = open_deck(box, cols=40, rows=10,
                     **{LONG: ["sh", "-c", "echo what it says; exec cat"]})
    deck.keys("C-]", "t")
    deck.wait_for("[0-9.:]{12}  a-long-na…  what it says")


def test_a_click_does_not_move_the_focus_from_under_a_line(box):
    deck = open_deck(box, cols=160, a=["sh", "-c", "seq 40; exec cat"],
                     b=["cat"])
    deck.wait_for("typing → a")
    deck.keys("C-]", "[", "?")
    deck.wait_for("search back")
    deck.click_on("2 b")
    deck.type("31")
    deck.keys("Enter")
    deck.wait_for("scrollback a 31:1")


def test_the_past_is_told_in_a_narrow_pane(box):
    deck = open_deck(box, a=["sh", "-c", "echo one; exec cat"])
    deck.wait_for("^.*one$")
    deck.keys("C-]", "h")
    deck.wait_for(r"past: [0-9:]{8}, \d+s ago ━|past: [0-9: -]{19}, ")
    deck.resize(40, 12)
    deck.wait_for(r"1 a ● running .* past: [0-9:]{8} ")
    deck.keys("Space")
    deck.resize(100, 24)
    deck.wait_for("Space pa?l?[au][sy]e?")
    deck.keys("q")
    deck.wait_for("typing → a")


def test_a_message_leaves_room_for_what_the_keys_do(box):
    deck = open_deck(box)
    deck.keys("C-]", "=")
    deck.wait_for(r"nothing was copied yet   C-\] \? help")
    deck.keys("C-]", "M")
    deck.wait_for("watch a for  (nothing was copied yet   )?Escape cancels")


def test_a_narrow_status_line_names_a_key_before_it_counts_guests(box):
    deck = open_deck(box, cols=56, rows=14, a=["cat"], b=["cat"], c=["cat"])
    for cols, numbers in ((56, "● 3  page 1/3"), (46, "page 1/3"), (41, "")):
        deck.resize(cols, 14)
        deck.wait_for(rf"^ typing → a console  C-\] \? help *{numbers}$")


def test_what_a_key_does_to_a_paused_guest_is_told(box):
    box.up("-f", box.fleet({"a": {}}))
    deck = box.deck(cols=120)
    deck.wait_for("p  pause")
    box.gm("pause", "a")
    deck.wait_for("p  resume")
    deck.keys("C-]", "s")
    deck.wait_for("p resume")
    deck.keys("p")
    deck.wait_for("p  pause")


def test_a_broadcast_paste_says_why_it_waits_for_no_prompt(box):
    deck = open_deck(box, a=["cat"], b=["cat"])
    deck.keys("C-]", "s", "*", "Enter")
    deck.wait_for("typing → a")
    deck.keys("C-]", "B")
    deck.wait_for("BROADCAST → 2")
    deck.type("\x1b[200~one\rtwo\rthree\r\x1b[201~")
    deck.wait_for("wait for prompt +each guest has one of its own")
    deck.keys("Escape")
    deck.wait_for("BROADCAST → 2")


main(globals())
