"""Searching what consoles printed: in the deck, and from a shell."""

import json

from harness import BINARY, main, python, require_equal, require_in, until


def lines(prefix, count, extra=""):
    """A console that prints numbered lines, some of them special."""
    return python(f"for i in range({count}):\n"
                  f"    print(f'{prefix} line {{i:05d}}' + "
                  "(' kernel panic here' if i % 1000 == 123 else ''))\n"
                  f"{extra}\n"
                  f"print('{prefix} ready')\n"
                  "input()")


def wait_ready(box, *names):
    for name in names:
        box.gm("wait", name, "--for", "ready$", "--since-boot", "--timeout",
               "180", patience=190)


def search_deck(box, cols, rows):
    box.up("-f", box.console_fleet(
        alpha=lines("alpha", 3000), beta=lines("beta", 2000),
        gamma=["sh", "-c", "echo nothing; exec cat"]))
    wait_ready(box, "alpha", "beta")
    deck = box.deck(cols=cols, rows=rows)
    deck.wait_for("typing → alpha")
    deck.keys("C-]", "/")
    deck.wait_for("search all")
    # Edited as in a shell: what is left is the word.
    deck.type("xx kernel panix")
    deck.keys("BSpace")
    deck.type("c")
    deck.keys("C-a", "C-Right", "C-w", "Delete")
    deck.wait_for("search all +kernel panic")
    deck.keys("Enter")
    deck.wait_for_all("alpha line 00123 kernel panic here",
                      "alpha line 01123", "alpha line 02123",
                      "beta line 00123", "beta line 01123", "1/5")
    return deck


def jump(box, cols, rows):
    deck = search_deck(box, cols, rows)
    # The second one of beta: its console, its place in the scrollback.
    deck.keys("j", "n", "n", "j", "N", "n", "Enter")
    deck.wait_for_all("beta line 01124", "beta line 01123 kernel panic here",
                      "scrollback beta")
    # What was found is marked in a colour of its own.
    until(lambda: "48;5;215mkernel panic" in deck.screen("-e"), "the mark")
    # n and N go on from there: to the console's other match, and back.
    deck.keys("N")
    deck.wait_for("beta line 00123 kernel panic here")
    deck.keys("n")
    deck.wait_for("beta line 01124")
    deck.keys("q")
    deck.wait_for("typing → beta")
    deck.wait_for("beta ready")


def test_search_all_and_jump_at_80x24(box):
    jump(box, 80, 24)


def test_search_all_and_jump_at_200x50(box):
    jump(box, 200, 50)


def test_what_was_found_leads_into_the_timeline(box):
    """What did the others print around this line?"""
    deck = search_deck(box, 100, 30)
    deck.keys("j", "t")
    deck.wait_for("timeline around this line")
    deck.wait_for("▌.*alpha line 01123 kernel panic here")
    deck.wait_for("alpha line 01124$")
    deck.keys("Enter")
    deck.wait_for("scrollback alpha")
    deck.wait_for("alpha line 01124$")


def test_a_list_of_an_earlier_server_is_made_anew(box):
    """Lines have other numbers there: none leads to another line."""
    deck = search_deck(box, 100, 30)
    box.kill_server()
    deck.wait_for("connected to a new server")
    deck.keys("Enter")
    deck.wait_for("searched once more")
    deck.wait_for("alpha line 02123")
    deck.keys("j", "Enter")
    deck.wait_for_all("alpha line 01124", "scrollback alpha")


def test_what_was_found_is_found_at_another_width(box):
    """Other people's decks wrap the lines anew while the list is open."""
    code = ("for i in range(900): print(f'number {i:05d} of a line that takes "
            "two rows at eighty columns, and more at forty')\n"
            "print('ready', flush=True)\nimport time\ntime.sleep(900)")
    box.up("-f", box.console_fleet(one=python(code)))
    box.gm("wait", "one", "--for", "ready", "--after", 0)
    deck = box.deck(cols=120, rows=30)
    deck.wait_for("ready")
    # One line of the scrollback, one of the screen.
    for number in "00123", "00899":
        for key in "Enter", "t":
            deck.keys("C-]", "/")
            deck.wait_for("search all")
            deck.type(f"number {number}")
            deck.keys("Enter")
            deck.wait_for("found: number .* 1/1")
            peer = box.api()
            view = peer.call("view-open", guest="one", rows=20, cols=31,
                             resize=True)["view"]
            require_equal(box.guest("one")["consoles"][0]["cols"], 31)
            deck.keys(key)
            if key == "t":
                deck.wait_for(f"▌.*number {number}")
                deck.keys("q")
            else:
                deck.wait_for("scrollback one")
                # the place is on the screen before the cursor goes there
                until(lambda n=number: f"number {n}" in deck.at_cursor()[0],
                      "the cursor in the line that was found")
                deck.keys("q")
            deck.wait_for("typing → one")
            peer.call("view-close", view=view)
            peer.close()


def grep_fleet(box):
    box.up("-f", box.console_fleet(
        alpha=lines("alpha", 3000), beta=lines("beta", 2000),
        gamma=["sh", "-c", "printf '\\033[31mred\\033[0m \\033]0;x\\007end\\n'; "
               "exec cat"]))
    wait_ready(box, "alpha", "beta")
    box.gm("wait", "gamma", "--for", "red end", "--since-boot", "--timeout",
           "180")


def test_grep_finds_lines_as_grep_does(box):
    grep_fleet(box)
    for where in ([], ["--logs"], ["--since-boot"]):
        found = box.gm("grep", *where, "panic").out.splitlines()
        require_equal(found, [
            f"{name}:{name} line {number:05d} kernel panic here"
            for name, count in (("alpha", 3000), ("beta", 2000))
            for number in range(123, count, 1000)], "lines")
        require_equal(box.gm("grep", *where, "-c", "LINE|line").out,
                      "alpha:3000\nbeta:2000\ngamma:0\n", "counts")
        require_equal(box.gm("grep", *where, "-l", "-F", "panic").out,
                      "alpha\nbeta\n", "names")
        # Upper case counts when the pattern has some.
        require_equal(box.gm("grep", *where, "Panic", code=1).out, "")
        require_equal(box.gm("grep", *where, "-c", "-i", "Panic", "beta").out,
                      "beta:2\n")
        require_equal(box.gm("grep", *where, "-s", "PANIC", code=1).out, "")
        require_equal(box.gm("grep", *where, "^red end$", "gamma").out,
                      "gamma:red end\n", "text without sequences")
        # Context, and its groups.
        text = box.gm("grep", *where, "-C", "1", "line 0012[13]", "beta").out
        require_equal(text.splitlines(), [
            "beta-beta line 00120", "beta:beta line 00121",
            "beta-beta line 00122",
            "beta:beta line 00123 kernel panic here",
            "beta-beta line 00124"], "context that overlaps")
        text = box.gm("grep", *where, "-A", "1", "panic", "beta").out
        require_in("\n--\nbeta:beta line 01123", text)
        number = 1 if where else 0
        require_equal(box.gm("grep", *where, "-n", "line 01999", "beta").out,
                      f"beta:{1999 + number}:beta line 01999\n")
        # More lines than one answer has, in their order.
        found = box.gm("grep", *where, "-n", "line", "alpha").out.splitlines()
        require_equal(found[::499], [
            f"alpha:{i + number}:alpha line {i:05d}"
            + (" kernel panic here" if i % 1000 == 123 else "")
            for i in range(0, 3000, 499)], "pages")
        require_equal(len(found), 3000)
        if where:
            text = box.gm("grep", *where, "-b", "line 00002", "beta").out
            require_equal(text, f"beta:{2 * len('beta line 00000') + 4}:"
                          "beta line 00002\n", "an offset")
        row = json.loads(box.gm("grep", *where, "--json", "01123", "beta").out)
        require_equal(row["text"], "beta line 01123 kernel panic here")
    require_in("regular expression", box.gm("grep", "(", code=2).err)
    require_in("nosuch", box.gm("grep", "x", "nosuch", code=2).err)
    require_in("arguments are missing", box.gm("grep", code=2).err)


def test_grep_takes_no_options_that_contradict_each_other(box):
    box.up("-f", box.console_fleet(a=["cat"]))
    for options in (("-F", "-E"), ("-i", "-s")):
        require_in("contradict each other",
                   box.gm("grep", *options, "x", code=2).err)
    require_in("it goes with --logs", box.gm("grep", "-b", "x", code=2).err)


def test_lines_that_take_too_long_are_told(box):
    """Whether they match is not known: that is no answer "none"."""
    box.up("-f", box.console_fleet(a=[
        "sh", "-c", "printf '%03000dend\\n' 0; echo ready; exec cat"]))
    box.gm("wait", "a", "--for", "ready", "--after", 0)
    slow = "(0|00)+[ab]c|0end"
    for where in ([], ["--logs"], ["--count"]):
        told = box.gm("grep", *where, slow, "a", code=2)
        require_in("takes too long to match 1 of the lines", told.err)
        told = box.gm("grep", *where, slow + "|ready", "a")
        require_in("takes too long to match 1 of the lines", told.err)
        require_equal(box.gm("grep", *where, "0end|ready", "a").err, "")
    require_in("takes too long to match some lines", box.gm(
        "wait", "a", "--for", slow, "--after", 0, "--timeout", 1, code=3).err)
    require_in("takes too long to match 1 of the lines",
               box.gm("timeline", "--grep", slow).err)
    deck = box.deck(cols=160)
    deck.wait_for("ready")
    # Again and again: the list is closed before it was ever drawn, or not.
    for i in range(10):
        deck.keys("C-]", "/")
        deck.wait_for("search all")
        deck.type(f"/{slow}{i}/")
        deck.keys("Enter")
        deck.wait_for(f"0end{i}/ takes too long on some lines, which may match")


def test_grep_puts_no_mark_between_groups_that_touch(box):
    """Lines of context that take several rows count as one line."""
    box.up("-f", box.console_fleet(w=[
        "sh", "-c", "for i in 1 2 3 4 5 6; do printf 'hit%d\\n' $i; "
        "printf 'long%0200d\\n' $i; done; echo ready; exec cat"]))
    wait_ready(box, "w")
    for where in ([], ["--logs"]):
        text = box.gm("grep", *where, "-A", "1", "hit[246]", "w").out
        require_equal(text.count("--\n"), 2, "marks between parted groups")
        text = box.gm("grep", *where, "-A", "1", "hit", "w").out
        require_equal(text.count("--\n"), 0, "marks between groups that touch")
        text = box.gm("grep", *where, "-B", "1", "hit", "w").out
        require_equal(text.count("--\n"), 0, "the same before")
        require_equal(len(text.splitlines()), 11, "lines")


def test_grep_colours_matches_on_a_terminal(box):
    grep_fleet(box)
    terminal = box.terminal(
        f"{BINARY} -L t grep panic beta; echo back; exec cat", 100, 10)
    terminal.wait_for("^back")
    require_in("\033[31mpanic", terminal.screen("-e").replace("[0m", ""))


def test_logs_have_what_the_scrollback_lost(box):
    path = box.write("short.json", {"version": 1, "guests": {"a": {
        "exec": lines("a", 5000), "history": 100}}})
    box.up("-f", path)
    wait_ready(box, "a")
    box.gm("grep", "line 00005", code=1)
    require_equal(box.gm("grep", "--logs", "line 00005").out,
                  "a:a line 00005\n")
    # A new server replays the log before it answers.
    box.kill_server()
    require_equal(box.gm("grep", "-c", "a line", "a", patience=180).out
                  .startswith("a:1"), True, "a search after a restart")


if __name__ == "__main__":
    main(globals())
