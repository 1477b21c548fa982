"""Recorded sessions in our emulator and in another one, screen by screen.

What differs is explained in differences.json: entries with the recording, the
emulator it is compared with, numbers of screens and rows, the kind, and the
reason.  A difference without an entry fails, and so does an entry, or one of
its rows, that differs no more.
"""

import concurrent.futures
import gzip
import json
import os
import pathlib
import subprocess
import sys

import cells

HERE = pathlib.Path(__file__).parent
RECORDINGS = HERE / "recordings"
# SeaBIOS resets the terminal and turns wrapping off, for good. We take no notice
# of it there (docs/terminal.md), so that a kernel's long lines wrap; the others
# are told to wrap, and must then show the same.
NO_WRAP, WRAP = b"\x1bc\x1b[?7l", b"\x1bc\x1b[?7h"
# Screens compared at equal distances, beside those where the program waited.
STEPS = 6
# Recordings compared at a time: the others are programs that are waited for.
WORKERS = 3


class Recording:
    """One session: its size, its bytes, and where it was looked at."""

    def __init__(self, name, about):
        self.name, self.about = name, about
        self.rows, self.cols = about["rows"], about["cols"]
        self.data = gzip.decompress(
            (RECORDINGS / f"{name}.gz").read_bytes())
        self.for_others = self.data.replace(NO_WRAP, WRAP)
        size = len(self.data)
        wanted = {size * step // STEPS for step in range(1, STEPS + 1)}
        self.wanted = sorted(wanted | set(about["waits"]))

    def ours(self, replay):
        """[(offset, cursor, rows)] of our emulator."""
        done = subprocess.run(
            [replay, str(self.rows), str(self.cols)]
            + [str(offset) for offset in self.wanted],
            input=self.data, stdout=subprocess.PIPE, check=True, timeout=60)
        screens = cells.from_replay(done.stdout.decode(), self.rows)
        return [(offset, *screen) for offset, screen in screens.items()]


def recordings():
    index = json.loads((RECORDINGS / "index.json").read_text())
    return [Recording(name, about) for name, about in sorted(index.items())]


def found(ours, theirs):
    """Yields (row, kind) for what differs on one screen; row -1: the cursor."""
    _, our_cursor, our_rows = ours
    their_cursor, their_rows = theirs
    if our_cursor != their_cursor:
        yield -1, "cursor"
    for row, pair in enumerate(zip(our_rows, their_rows)):
        kind = cells.difference(*pair)
        if kind:
            yield row, kind


class Explanations:
    """differences.json, for one recording and one emulator."""

    def __init__(self, recording, against):
        entries = json.loads((HERE / "differences.json").read_text())
        self.entries = [
            entry for entry in entries
            if entry["recording"] == recording and against in entry["against"]]
        self.expected = {
            (number, screen, row)
            for number, entry in enumerate(self.entries)
            for screen, rows in entry["screens"].items() for row in rows}
        self.met = set()

    def explain(self, screen, row, kind):
        for number, entry in enumerate(self.entries):
            if entry["reason"] and entry["kind"] == kind and \
                    row in entry["screens"].get(str(screen), []):
                self.met.add((number, str(screen), row))
                return True
        return False

    def stale(self):
        for number, screen, row in sorted(self.expected - self.met):
            yield (f"screen {screen} row {row} no longer differs: "
                   f"{self.entries[number]['reason']}")


def cut(ours, theirs):
    """Our screen without the erased ends of rows that theirs does not tell."""
    offset, cursor, rows = ours
    rows = [cells.without_erased_end(row, len(other))
            for row, other in zip(rows, theirs[1])]
    return (offset, cursor, rows), theirs


def propose(recording, against, theirs, replay):
    """Entries for all that differs, with the reasons to be written."""
    kinds = {}
    ours = recording.ours(replay)
    screens = theirs(recording, [offset for offset, _, _ in ours])
    for number, pair in enumerate(zip(ours, screens)):
        if against == "tmux":
            pair = cut(*pair)
        for row, kind in found(*pair):
            kinds.setdefault(kind, {}).setdefault(str(number), []).append(row)
    return [{"recording": recording.name, "against": [against], "kind": kind,
             "reason": "", "screens": rows}
            for kind, rows in kinds.items()]


def compare(recording, against, theirs, replay):
    """Faults of one recording.  theirs(recording, offsets) -> screens.

    tmux's capture leaves out the erased cells behind the last one written: of
    their background is no word there, but xterm.js has it.
    """
    explanations = Explanations(recording.name, against)
    ours = recording.ours(replay)
    faults = []
    screens = theirs(recording, [offset for offset, _, _ in ours])
    for number, pair in enumerate(zip(ours, screens)):
        if against == "tmux":
            pair = cut(*pair)
        for row, kind in found(*pair):
            if explanations.explain(number, row, kind):
                continue
            faults.append(f"screen {number} (offset {pair[0][0]}) row {row}: "
                          f"{kind}")
            if row < 0:
                faults.append(f"    ours  {pair[0][1]}")
                faults.append(f"    {against} {pair[1][0]}")
            else:
                faults.append(f"    ours  {cells.show(pair[0][2][row])}")
                faults.append(f"    {against:5} {cells.show(pair[1][1][row])}")
    return faults + list(explanations.stale())


def main(against, theirs):
    """Compares all recordings, or those named; prints TAP."""
    replay = os.environ["COMPARE_REPLAY"]
    if sys.argv[1:2] == ["--propose"]:
        for recording in recordings():
            for entry in propose(recording, against, theirs, replay):
                print(json.dumps(entry))
        return 0
    chosen = [recording for recording in recordings()
              if not sys.argv[1:] or recording.name in sys.argv[1:]]
    failed = False
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        results = pool.map(
            lambda recording: compare(recording, against, theirs, replay),
            chosen)
    for number, (recording, faults) in enumerate(zip(chosen, results), 1):
        failed = failed or bool(faults)
        print(f"{'not ok' if faults else 'ok'} {number} - "
              f"{recording.name}_as_{against}_shows_it")
        for fault in faults:
            print(f"# {fault}")
        sys.stdout.flush()
    print(f"1..{len(chosen)}")
    return 1 if failed else 0
