"""Random sessions: where tmux and @xterm/headless agree, so do we.

Each session is a fixed number's, so that a failure comes again; it is told with
its sequences, cut down to those that are needed.  What is left out is known to
differ, with reasons in differences.json or below.
"""

import os
import random
import sys

import comparison
import test_tmux
import test_xterm

ROWS, COLS = 8, 20
SESSIONS = range(1, 161)
# Sessions in which the two agree, and we differ with reason.
EXPLAINED = {63: "EL of a whole line takes the waiting wrap away, as it does "
                 "on a VT510; both keep it"}
# Back to a fresh terminal, for a tmux that serves all sessions.
RESET = (b"\x1bc\x1b[?1049l\x1b[H\x1b[2J\x1b[m\x1b[?7h\x1b[4l\x1b(B\x1b)B\x0f"
         b"\x1b[r\x1b[?6l\x1b[3J")
LETTERS = "abcdefgh XYZ"
# One thing each. No backgrounds: xterm.js erases without them in SD. No DECALN:
# it keeps the colours there. No origin mode: tmux homes to the screen's corner,
# xterm.js counts the margin twice. No wide characters: of one that was half
# erased tmux's capture shows nothing.
COMMON = [
    "\r\n", "\r\n", "\n \r \b \t \x0b \x0c".split(" "),
    "\x1b[?7h \x1b[?7l".split(), "\x1b[4h \x1b[4l".split(),
    "\x1bM \x1bD \x1bE".split(), "\x1b7 \x1b8 \x1b[s \x1b[u".split(),
    "\x1b(0 \x1b(B \x1b)0 \x1b)B \x0e \x0f".split(),
    ["é", "e\u0301x", "Ω→", "ñ", "привет"],
]
# xterm.js has margins and tab stops for each screen, tmux forgets them.
ONE_SCREEN = ["\x1b[!p", "\x1b[r", "\x1bH \x1b[g \x1b[3g".split()]
TWO_SCREENS = ["\x1b[?1049h \x1b[?1049l \x1b[?47h \x1b[?47l".split()]
# Finals of control sequences with up to so many numbers.
NUMBERED = {"H": 2, "f": 2, "L": 1, "M": 1, "@": 1, "P": 1, "X": 1, "S": 1,
            "Z": 1, "A": 1, "B": 1, "C": 1, "D": 1, "E": 1, "F": 1,
            "G": 1, "`": 1, "d": 1, "a": 1, "e": 1}
STYLES = ("", "0", "1", "2", "3", "4", "7", "9", "22", "24", "27", "31", "39",
          "91", "38;5;99", "38;2;1;2;3", "4:3", "58;5;3", "59", "21")


class Session:
    """What comparison.Recording is for a recorded one."""

    rows, cols = ROWS, COLS

    def __init__(self, pieces):
        self.data = self.for_others = "".join(pieces).encode()
        self.wanted = [len(self.data)]

    ours = comparison.Recording.ours


def number(chance, limit):
    return chance.choice(("", "0", "1", "2", str(chance.randrange(limit + 3))))


def control(chance):
    final = chance.choice(list(NUMBERED))
    numbers = (number(chance, COLS) for _ in range(NUMBERED[final]))
    return f"\x1b[{';'.join(numbers)}{final}"


def margins(chance):
    top = chance.randrange(1, ROWS)
    return f"\x1b[{top};{chance.randrange(top, ROWS + 1)}r"


def style(chance):
    words = (chance.choice(STYLES) for _ in range(chance.randrange(1, 4)))
    return f"\x1b[{';'.join(words)}m"


def text(chance):
    letters = [chance.choice(LETTERS) for _ in range(chance.randrange(1, 26))]
    # REP: tmux repeats ASCII alone, xterm.js what is before CBT
    repeat = chance.choice(("", "", f"\x1b[{chance.randrange(5)}b"))
    return "".join(letters) + repeat


def erase(chance):
    return f"\x1b[{chance.choice(('', '0', '1', '2'))}{chance.choice('JK')}"


def one_of(things):
    def make_one(chance):
        what = chance.choice(things)
        return what if isinstance(what, str) else chance.choice(what)
    return make_one


def make(seed):
    chance = random.Random(seed)
    rest = [one_of(TWO_SCREENS)] if seed % 3 == 0 else \
        [one_of(ONE_SCREEN)] * 2 + [margins] * 2
    makers = [text] * 8 + [one_of(COMMON)] * 9 + [control] * 10 + \
        [style] * 5 + [erase] * 2 + rest
    return [chance.choice(makers)(chance)
            for _ in range(chance.randrange(10, 45))]


class Others:
    """tmux and xterm.js."""

    def __init__(self):
        self.tmux = test_tmux.Tmux(ROWS, COLS)

    def differ(self, pieces):
        """Where both show the same, and we something else: (row, kind)."""
        session = Session(pieces)
        ours = session.ours(os.environ["COMPARE_REPLAY"])[0]
        self.tmux.write(RESET + session.data)
        screen = self.tmux.screen(ROWS, COLS)
        faults = set(comparison.found(*comparison.cut(ours, screen)))
        if not faults:
            return faults
        xterm = next(iter(test_xterm.screens(session, session.wanted)))
        theirs = comparison.cut((0, *xterm), screen)
        disputed = {row for row, _ in comparison.found(*theirs)}
        faults &= set(comparison.found(ours, xterm))
        return {fault for fault in faults if fault[0] not in disputed}


def shrink(pieces, differ):
    at = 0
    while at < len(pieces):
        fewer = pieces[:at] + pieces[at + 1:]
        if differ(fewer):
            pieces = fewer
        else:
            at += 1
    return pieces


def main():
    seeds = [int(word) for word in sys.argv[1:]] or SESSIONS
    if test_xterm.missing():
        print(f"1..0 # SKIP {test_xterm.missing()}")
        return 0
    others = Others()
    failed = False
    for count, seed in enumerate(seeds, 1):
        pieces = make(seed)
        faults = others.differ(pieces)
        is_fine = bool(faults) == (seed in EXPLAINED)
        print(f"{'ok' if is_fine else 'not ok'} {count} - session_{seed}",
              flush=True)
        if not is_fine:
            failed = True
            pieces = shrink(pieces, others.differ) if faults else pieces
            print(f"# {pieces!r}: {sorted(others.differ(pieces))}")
    print(f"1..{len(seeds)}")
    others.tmux.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
