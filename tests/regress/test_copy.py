"""Copy mode: a cursor in the history, selections, and where copies go."""

import os
import re
import signal
import time

from harness import BINARY, Failure, main, python, require, require_equal, require_in, until

# Numbered rows, then one more for each line that is typed.
ROWS = ("import sys\n"
        "for i in range({count}): print(f'row{{i:04d}} some words-here "
        "/path/to/file.txt end')\n"
        "for n, line in enumerate(sys.stdin): print(f'more{{n:03d}}')\n")
TAIL = "some words-here /path/to/file.txt end"


def open_rows(box, *arguments, count=500, cols=100, rows=30):
    """A deck whose one console has printed numbered rows."""
    box.up("-f", box.console_fleet(a=python(ROWS.format(count=count))))
    deck = box.deck(*arguments, cols=cols, rows=rows)
    box.tmux("set-option", "-g", "set-clipboard", "on")
    deck.wait_for(f"row{count - 1:04d}")
    return deck


def newest(box):
    """The text of the newest buffer, or None."""
    peer = box.api()
    reply = peer.ask("buffer-get")
    peer.close()
    return reply["return"]["text"] if "return" in reply else None


def wait_newest(box, text):
    """What the deck says of a copy can be what it said of the one before."""
    try:
        until(lambda: newest(box) == text, "the newest buffer")
    except Failure:
        require_equal(newest(box), text, "the newest buffer")


def enter(deck):
    deck.keys("C-]", "[")
    deck.wait_for(r"^ scrollback a \d+:\d+ ")


def copied(box, deck, text, said):
    """The deck said so, the server keeps it, and the terminal (tmux) got it."""
    wait_newest(box, text)
    deck.wait_for(said)
    until(lambda: box.tmux("show-buffer").out == text,
          "tmux's buffer to be what was copied")


def test_characters_are_selected_and_copied_everywhere(box):
    deck = open_rows(box)
    enter(deck)
    # Up to the last row of text, to its second word, to the end of the next.
    deck.keys("k", "0", "w", "v", "w", "e")
    deck.wait_for("^ select a 500:18 ")
    deck.keys("y")
    copied(box, deck, "some words", "copied 1 line, OSC 52")
    deck.wait_for("typing → a")


def test_lines_and_blocks_are_selected(box):
    deck = open_rows(box)
    enter(deck)
    deck.keys("g", "3", "j", "V", "2", "j")
    deck.wait_for("^ select lines a 6:1 ")
    deck.keys("Enter")
    copied(box, deck, "\n".join(f"row{i:04d} {TAIL}" for i in (3, 4, 5)),
           "copied 3 lines, OSC 52")
    enter(deck)
    deck.keys("g", "l", "l", "C-v", "j", "j", "5", "l")
    deck.wait_for("^ select block a 3:8 ")
    # The other end, and back: the block stays the same.
    deck.keys("o")
    deck.wait_for("^ select block a 1:3 ")
    deck.keys("y")
    copied(box, deck, "w0000\nw0001\nw0002", "copied 3 lines, OSC 52")
    # Added to what was copied.
    enter(deck)
    deck.keys("g", "v", "e", "A")
    deck.wait_for("added 1 line, OSC 52")
    wait_newest(box, "w0000\nw0001\nw0002\nrow0000")


def test_motions_reach_beyond_the_screen(box):
    deck = open_rows(box, count=3000)
    enter(deck)
    deck.keys("g")
    deck.wait_for("row0000")
    # No blank line before the end; what is typed meanwhile waits.
    deck.keys("}", "k", "k", "0")
    deck.wait_for("^ scrollback a 2999:1 ")
    deck.keys("{")
    deck.wait_for("^ scrollback a 1:1 ")
    deck.keys("9", "9", "w")
    # Eight words a row: row0000 some words - here / path / to / file . txt end
    deck.wait_for(r"^ scrollback a \d+:\d+ ")
    deck.keys("G", "b")
    deck.wait_for("^ scrollback a 3000:43 ")
    deck.keys("q")
    deck.wait_for("typing → a")


def test_cursor_and_view_move_as_in_vi(box):
    deck = open_rows(box, cols=100, rows=30)
    enter(deck)
    deck.keys("g")
    deck.wait_for("^ scrollback a 1:1 ")
    deck.wait_for("row0027")  # the last one of 30 rows, title and status
    page = len([line for line in deck.screen().splitlines()
                if "row0" in line])
    for key, place in (("L", f"{page}:1"), ("M", f"{(page + 1) // 2}:1"),
                       ("H", "1:1"), ("$", "1:45"), ("0", "1:1"),
                       ("C-f", f"{page}:1"), ("C-b", "1:1"),
                       ("C-d", f"{page // 2 + 1}:1"), ("C-u", "1:1"),
                       ("C-e", "2:1"), ("C-y", "2:1"), ("Down", "3:1"),
                       ("Right", "3:2"), ("Left", "3:1"), ("Up", "2:1"),
                       ("End", "2:45"), ("Home", "2:1")):
        deck.keys(key)
        deck.wait_for(f"^ scrollback a {place} ")
    deck.keys("1", "2", "0", "G")
    deck.wait_for("^ scrollback a 120:1 ")
    deck.wait_for("row0119")
    # The terminal's cursor is where the place says.
    deck.keys("4", "l")
    deck.wait_for("^ scrollback a 120:5 ")
    def before_cursor():
        text, col = deck.at_cursor()
        return text[max(0, col - 4):][:7]
    until(lambda: before_cursor() == "row0119", "the cursor in its place")


def test_selection_keeps_its_place_while_output_comes(box):
    deck = open_rows(box)
    enter(deck)
    deck.keys("k", "0", "V", "k")
    deck.wait_for("^ select lines a 499:1 ")
    for _ in range(40):
        box.gm("send", "a", "--enter", "x")
    box.gm("wait", "a", "--for", "more039", "--since-boot", "--timeout", "180")
    deck.wait_for(r"\[\d\d/\d+\]")
    require_in("row0499", deck.screen())
    require("more039" not in deck.screen(), "the view followed the output")
    deck.keys("y")
    copied(box, deck, f"row0498 {TAIL}\nrow0499 {TAIL}", "copied 2 lines")
    deck.wait_for("more039")


def test_the_place_stays_when_the_width_changes(box):
    """Lines are wrapped anew, and the cursor stays with its character."""
    code = ("for i in range(600): print(f'word{i:04d} of a line that takes "
            "two rows at eighty columns, and ends in end{i:04d}')\n"
            "print('ready', flush=True)\nimport time\ntime.sleep(900)")
    box.up("-f", box.console_fleet(a=python(code)))
    box.gm("wait", "a", "--for", "ready", "--after", 0)
    deck = box.deck(cols=80, rows=24)
    deck.wait_for("ready")
    enter(deck)
    deck.keys("?")
    deck.type("end0400")
    deck.keys("Enter")

    def under_cursor():
        text, col = deck.at_cursor()
        return text[col:col + 7]
    until(lambda: under_cursor() == "end0400", "the cursor at the match")
    for cols, rows in ((200, 50), (80, 24), (60, 12), (200, 24)):
        deck.resize(cols, rows)
        until(lambda: under_cursor() == "end0400",
              f"the cursor at the match again, at {cols}x{rows}")
        deck.wait_for("scrollback a")
    # Another person's deck of another width, too.
    peer = box.api()
    peer.call("view-open", guest="a", rows=30, cols=33, resize=True)
    until(lambda: under_cursor() == "end0400", "the cursor at the match still")
    require_equal(box.guest("a")["consoles"][0]["cols"], 33)


def test_escape_drops_the_selection_then_leaves(box):
    deck = open_rows(box)
    enter(deck)
    deck.keys("v", "k")
    deck.wait_for("^ select a ")
    deck.keys("Escape")
    deck.wait_for("^ scrollback a ")
    deck.keys("Escape")
    deck.wait_for("typing → a")
    require_equal(newest(box), None, "a buffer")


def test_the_selection_is_seen_with_and_without_colour(box):
    deck = open_rows(box)
    for words, mark in (([], "38;5;16m\x1b\\[48;5;221m"),
                        (["env", "NO_COLOR=1"],
                         "7m\x1b\\[39m\x1b\\[49m")):
        deck.keys("C-]", "d")
        deck.wait_end()
        deck = box.terminal([*words, BINARY, "-L", "t"], 100, 30)
        deck.wait_for("row0499")
        enter(deck)
        deck.keys("k", "0", "v", "e")
        deck.wait_for("^ select a ")
        require(re.search(mark + "row0499", deck.screen("-e")),
                f"{mark!r} is not on the screen")


def test_the_whole_screen_is_copied_with_the_prefix(box):
    deck = open_rows(box, count=5)
    deck.keys("C-]", "y")
    deck.wait_for("copied .* lines, OSC 52")
    require_equal((newest(box) or "").rstrip("\n"),
                  "\n".join(f"row{i:04d} {TAIL}" for i in range(5)))


def test_the_clipboard_can_be_off_or_the_text_too_long(box):
    deck = open_rows(box, "--clipboard", "off", count=3000)
    enter(deck)
    deck.keys("k", "V", "y")
    deck.wait_for("copied 1 line to buffer 1; OSC 52 is off")
    deck.keys("C-]", "d")
    deck.wait_end()
    deck = box.deck(cols=100, rows=30)
    deck.wait_for("row2999")
    enter(deck)
    deck.keys("g", "V", "G", "y")
    deck.wait_for(r"copied \d+ lines to buffer 2; too long for OSC 52")
    require_in(f"row0000 {TAIL}\nrow0001 {TAIL}\n", newest(box))
    done = box.gm("--clipboard", "sometimes", "attach", code=2)
    require_in("auto, on or off", done.err)


def test_buffers_are_pasted_and_chosen(box):
    box.up("-f", box.console_fleet(a=python(ROWS.format(count=5)), b=["cat"]))
    deck = box.deck(cols=120, rows=40)
    deck.wait_for("row0004")
    deck.keys("C-]", "]")
    deck.wait_for("nothing was copied yet")
    for keys, said in ((["k", "0", "v", "e", "y"], "copied 1 line"),
                       (["k", "k", "0", "w", "v", "e", "y"], "copied 1 line")):
        enter(deck)
        deck.keys(*keys)
        deck.wait_for(said)
        deck.wait_for("typing → a")
    # The newest, and another deck than the one that copied.
    deck.keys("C-]", "d")
    deck.wait_end()
    deck = box.deck("attach", "b", cols=120, rows=40)
    deck.wait_for("typing → b")
    deck.keys("C-]", "]")
    deck.wait_for("[│┃]some *$")
    deck.keys("Enter")
    box.gm("wait", "b", "--for", "^some$", "--since-boot", "--timeout", "180")
    deck.keys("C-]", "=")
    deck.wait_for("some .*1 line, a")
    deck.wait_for("row0004 .*1 line, a")
    deck.keys("1")
    deck.wait_for("[│┃]row0004 *$")
    deck.keys("Enter")
    box.gm("wait", "b", "--for", "^row0004$", "--since-boot", "--timeout",
           "180")


def test_keys_ahead_of_a_buffers_text_come_behind_it(box):
    box.up("-f", box.console_fleet(a=["cat"]))
    peer = box.api()
    for text in ("older", "newer"):
        peer.call("buffer-set", text=text)
    deck = box.deck(cols=120, rows=40)
    deck.wait_for("typing → a")
    server = box.server_pid()
    os.kill(server, signal.SIGSTOP)
    try:
        # The second number is of the list, the first of what is typed.
        deck.keys("C-]", "]", "1", "Enter", "C-]", "=", "1", "2", "Enter")
        # For the deck to read them; it waits for 2 s at most.
        start = time.monotonic()
        until(lambda: time.monotonic() > start + 0.3, "the keys to be read")
    finally:
        os.kill(server, signal.SIGCONT)
    box.gm("wait", "a", "--for", "^older2$", "--since-boot")
    require_in("newer1\n", box.capture("a"))


def test_a_selection_is_saved_and_replaces_nothing_unasked(box):
    deck = open_rows(box)
    path = box.at("w", "saved.txt")

    def save(name):
        enter(deck)
        deck.keys("g", "V", "j", "s")
        deck.wait_for("save to")
        deck.type(name)
        deck.keys("Enter")

    save(path)
    deck.wait_for("saved 2 lines")
    with open(path, encoding="utf-8") as file:
        require_equal(file.read(), f"row0000 {TAIL}\nrow0001 {TAIL}\n")
    deck.keys("q")
    with open(path, "w", encoding="utf-8") as file:
        file.write("mine")
    save(path)
    deck.wait_for("exists already")
    # What replaces is not the one that Enter takes.
    deck.keys("Enter")
    deck.wait_for("save to")
    deck.keys("C-u")
    deck.type(path + "2")
    deck.keys("Enter")
    deck.wait_for("saved 2 lines")
    with open(path, encoding="utf-8") as file:
        require_equal(file.read(), "mine")
    deck.keys("q")
    save(path)
    deck.wait_for("exists already")
    deck.keys("y")
    until(lambda: open(path, encoding="utf-8").read() != "mine",
          "the file to be replaced")
    deck.keys("q")
    save("/no/such/file")
    deck.wait_for("not saved: cannot make /no/such/file")
    require_equal(newest(box), None, "a buffer")


def test_searching_moves_marks_and_wraps(box):
    deck = open_rows(box)
    enter(deck)
    deck.keys("?")
    deck.wait_for("search back")
    deck.type("row034")
    deck.keys("Enter")
    deck.wait_for("^ scrollback a 350:1 ")
    until(lambda: "row0349" in deck.screen(), "the match to be shown")
    require_in("\x1b[48;5;117mrow034", deck.screen("-e").replace(
        "\x1b[38;5;16m", ""))
    deck.keys("n", "n")
    deck.wait_for("^ scrollback a 348:1 ")
    deck.keys("N")
    deck.wait_for("^ scrollback a 349:1 ")
    deck.keys("g", "/")
    deck.wait_for("search forward")
    deck.type("ROW0499")
    deck.keys("Enter")
    deck.wait_for("not found: ROW0499")
    deck.keys("/")
    deck.wait_for("search forward")
    deck.type("words-here /path")
    deck.keys("Enter")
    deck.wait_for("^ scrollback a 1:14 ")
    deck.keys("N")
    deck.wait_for("the oldest row was reached")
    deck.wait_for("^ scrollback a 500:14 ")
    # What is found can be selected and copied.
    deck.keys("v", "N", "y")
    deck.wait_for("copied 2 lines")
    wait_newest(box, "words-here /path/to/file.txt end\nrow0499 some w")


def test_a_regular_expression_is_searched_between_slashes(box):
    deck = open_rows(box)
    enter(deck)
    deck.keys("?")
    deck.wait_for("search back")
    deck.type("/row03[0-4]7 some/")
    deck.keys("Enter")
    deck.wait_for("^ scrollback a 348:1 ")
    deck.keys("n")
    deck.wait_for("^ scrollback a 338:1 ")
    until(lambda: "48;5;215mrow0337 some" in deck.screen("-e").replace(
        "\x1b[38;5;16m", ""), "the match to be marked")
    # Case counts when the pattern has upper case; \D is none.
    deck.keys("g", "/")
    deck.wait_for("search forward")
    deck.type(r"/^ROW\d+/")
    deck.keys("Enter")
    deck.wait_for("not found: /\\^ROW")
    deck.keys("/")
    deck.wait_for("search forward")
    deck.type(r"/^row\d\d77\D/")
    deck.keys("Enter")
    deck.wait_for("^ scrollback a 78:1 ")
    # A mistake is told, and nothing moves.
    deck.keys("/")
    deck.wait_for("search forward")
    deck.type("/row[/")
    deck.keys("Enter")
    deck.wait_for("is no regular expression: ")
    deck.wait_for("^ scrollback a 78:1 ")


WRAPPED = ("import sys\n"
           "for i in range(60): print(f'row{i:04d}')\n"
           "print('wrapped ' + 'x' * 250 + ' end')\n"
           "for i in range(60, 62): print(f'row{i:04d}')\n"
           "for n, line in enumerate(sys.stdin): print(f'more{n:03d}')\n")
LONG = "wrapped " + "x" * 250 + " end"


def selected_rows(deck):
    """Which rows of the terminal have a selected part."""
    return [row for row, line in enumerate(deck.screen("-e").splitlines())
            if "48;5;24m" in line or "\x1b[7m" in line]


def test_lines_that_wrap_are_taken_whole(box):
    box.up("-f", box.console_fleet(a=python(WRAPPED)))
    deck = box.deck(cols=100, rows=30)
    box.tmux("set-option", "-g", "set-clipboard", "on")
    deck.wait_for("row0061")
    enter(deck)
    # From the middle of the wrapped line: it has four rows.
    deck.keys("k", "k", "k", "k", "V")
    deck.wait_for("^ select lines a ")
    plain = deck.screen().splitlines()
    rows = [row for row, line in enumerate(plain)
            if "wrapped x" in line or "xxxxx" in line or "x end" in line]
    require(len(rows) > 2, f"the line takes {rows}")
    styles = deck.screen("-e").splitlines()
    marks = {re.search("48;5;\\d+m|48;2;[0-9;]+m|\x1b\\[7m", styles[row]).group()
             for row in rows}
    require_equal(len(marks), 1, "one look of all rows of the line")
    deck.keys("y")
    copied(box, deck, LONG, "copied 1 line, OSC 52")
    # A triple click does the same, and so does V over several lines.
    deck.wait_for("typing → a")
    row, col = find(deck, "x end")
    mouse(deck, "press release press release press release", row, col)
    deck.wait_for("typing → a")
    box.gm("send", "a", "--enter", "x")
    deck.wait_for("more000")
    enter(deck)
    deck.keys("?")
    deck.wait_for("search back")
    deck.type("x end")
    deck.keys("Enter")
    deck.wait_for("^ scrollback a ")
    deck.keys("V", "j", "y")
    copied(box, deck, LONG + "\nrow0060", "copied 2 lines, OSC 52")


def test_a_drag_that_rests_beyond_the_rows_scrolls(box):
    deck = open_rows(box)
    row, col = find(deck, "row0498")
    mouse(deck, "press", row, col)
    mouse(deck, "drag", row - 1, col)
    # Onto the pane's title, and no further: the rows come by themselves.
    title = next(number for number, line in
                 enumerate(deck.screen().splitlines(), 1) if "╴" in line
                 or " a " in line)
    mouse(deck, "drag", title, col)
    # However far it has come when that is looked at.
    deck.wait_for(r"^ select a (\d{1,2}|[1-3]\d\d|4[0-3]\d):")
    mouse(deck, "release", title, col)
    deck.wait_for(r"copied \d+ lines, OSC 52")
    text = newest(box)
    first = int(re.match(r"row(\d{4})", text)[1])
    require(first < 440, text)
    require_equal(text, "\n".join([f"row{i:04d} {TAIL}" for i in
                                   range(first, 498)] + ["r"]))
    deck.wait_for("typing → a")
    # Down again, from the middle of the scrollback.
    enter(deck)
    deck.keys("g")
    deck.wait_for("row0000")
    row, col = find(deck, "row0003")
    mouse(deck, "press", row, col)
    mouse(deck, "drag", row + 1, col)
    mouse(deck, "drag", 30, col)
    deck.wait_for(r"^ select a ([6-9]\d|\d{3}):")
    mouse(deck, "release", 30, col)
    until(lambda: newest(box).startswith("row0003"), "the copy from there")
    deck.wait_for(r"copied \d+ lines, OSC 52")


def mouse(deck, kinds, row, col):
    """SGR mouse reports, as a terminal sends them; row and col from 1. Those of
    one call come together: clicks are counted by their times."""
    reports = {"press": "\x1b[<0;{};{}M", "drag": "\x1b[<32;{};{}M",
               "release": "\x1b[<0;{};{}m"}
    text = "".join(reports[kind] for kind in kinds.split())
    deck.tmux("send-keys", "-H", *[f"{byte:02x}" for byte in
              text.replace("{};{}", f"{col};{row}").encode()])


def find(deck, text):
    """Where a text stands on the terminal, from 1."""
    for row, line in enumerate(deck.screen().splitlines(), 1):
        if text in line:
            return row, line.index(text) + 1
    raise AssertionError(text)


def test_the_mouse_selects_and_its_release_copies(box):
    deck = open_rows(box, count=5)
    row, col = find(deck, "row0001")
    mouse(deck, "press", row, col + 8)
    mouse(deck, "drag", row, col + 9)
    mouse(deck, "drag", row + 1, col + 6)
    deck.wait_for("^ select a 3:7 ")
    mouse(deck, "release", row + 1, col + 6)
    copied(box, deck, f"{TAIL}\nrow0002", "copied 2 lines, OSC 52")
    deck.wait_for("typing → a")
    for clicks, text in ((2, "/path/to/file.txt"), (3, f"row0001 {TAIL}")):
        mouse(deck, "press release" + " press release" * (clicks - 1), row,
              col + 28)
        until(lambda text=text: newest(box) == text, f"{text!r} to be copied")
        deck.wait_for("typing → a")
    # A click alone copies nothing and begins nothing.
    mouse(deck, "press", row, col)
    mouse(deck, "release", row, col)
    deck.keys("x", "Enter")
    deck.wait_for("more000")
    require_in("typing → a", deck.screen())


def test_buffers_are_listed_shown_and_saved_by_a_command(box):
    peer = box.api()
    require_equal(box.gm("buffer").out.split()[0], "BUFFER")
    peer.call("buffer-set", text="one\ntwo", **{"from": "n1"})
    peer.call("buffer-set", text="red \x1b[31mtext")
    lines = box.gm("buffer", "list").out.splitlines()
    require_equal([line.split()[0] for line in lines], ["BUFFER", "2", "1"])
    require_in("n1", lines[2])
    require("\x1b" not in lines[1], "the list has an escape sequence")
    require_equal(box.gm("buffer", "show", "1").out, "one\ntwo\n")
    path = box.at("w", "text")
    box.gm("buffer", "save", path, "1")
    with open(path, encoding="utf-8") as file:
        require_equal(file.read(), "one\ntwo\n")
    done = box.gm("buffer", "save", path, code=1)
    require_in("exists", done.err)
    box.gm("buffer", "save", "--force", path, "1")
    box.gm("buffer", "delete")
    require_equal(box.gm("buffer", "show").out, "one\ntwo\n")
    for words in (["sow"], ["show", "x"], ["save"], ["list", "1"]):
        box.gm("buffer", *words, code=2)
    box.gm("buffer", "show", "9", code=1)
    # On a terminal nothing of it acts.
    peer.call("buffer-set", text="red \x1b[31mtext")
    deck = box.terminal(f"{BINARY} -L t buffer show; exec cat")
    deck.wait_for("red text")
    require("\x1b[31m" not in deck.screen("-e"), "the text is red")


if __name__ == "__main__":
    main(globals())
