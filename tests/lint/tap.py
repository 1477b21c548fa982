"""Test Anything Protocol output for checks, as meson reads it."""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


class Tap:
    """Counts checks; each is a name and the list of what is wrong."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, name, faults):
        self.count += 1
        if faults:
            self.failed += 1
        print(f"{'not ok' if faults else 'ok'} {self.count} - {name}")
        for fault in faults:
            for line in str(fault).splitlines():
                print("# " + line)
        sys.stdout.flush()

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}")

    def finish(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


def files(*folders, ends=(".c", ".h")):
    """Paths under the folders, relative to the tree's root, sorted."""
    found = []
    for folder in folders:
        for where, _, names in os.walk(os.path.join(ROOT, folder)):
            found += [
                os.path.relpath(os.path.join(where, name), ROOT)
                for name in names
                if name.endswith(ends)
            ]
    return sorted(found)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()
