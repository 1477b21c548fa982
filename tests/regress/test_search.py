"""Searching what consoles printed: in the deck, and from a shell."""

from harness import main, python, require_in


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
               "60", patience=70)


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
    deck.wait_for("alpha line 00123 kernel panic here")
    screen = deck.screen()
    for line in ("alpha line 01123", "alpha line 02123", "beta line 00123",
                 "beta line 01123"):
        require_in(line, screen)
    require_in("1/5", screen)
    return deck


def jump(box, cols, rows):
    deck = search_deck(box, cols, rows)
    # The second one of beta: its console, its place in the scrollback.
    deck.keys("j", "j", "j", "j", "Enter")
    deck.wait_for("beta line 01124")
    screen = deck.screen()
    require_in("beta line 01123 kernel panic here", screen)
    require_in("scrollback beta", screen)
    # What was found is marked in a colour of its own.
    require_in("48;5;215mkernel panic", deck.screen("-e"))
    deck.keys("q")
    deck.wait_for("typing → beta")
    deck.wait_for("beta ready")


def test_search_all_and_jump_at_80x24(box):
    jump(box, 80, 24)


def test_search_all_and_jump_at_200x50(box):
    jump(box, 200, 50)


if __name__ == "__main__":
    main(globals())
