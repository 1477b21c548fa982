"""summary.py LOG...: adds up what `meson test` wrote, test by test.

Each LOG is a meson-logs/*.json.  Tests that print TAP count by their points,
others as one.  What failed is shown, and the last line is the sum.
"""

import json
import os
import re
import sys

POINT = re.compile(r"^(not )?ok\b(?: (\d+))?(?: - )?(.*?)(# ?SKIP.*)?$",
                   re.IGNORECASE)
GOOD = ("OK", "EXPECTEDFAIL")
# Lines of a failed test's output that are shown, from its first failure on;
# the whole is in the log.
SHOWN_LINES = 60


class Sum:
    """passed, failed and skipped tests, and the stories of the failed."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.stories = []

    def add_points(self, name, points):
        """Counts TAP points; tells whether one of them failed."""
        failed = []
        for bad, _, what, skip in points:
            if skip:
                self.skipped += 1
                self.stories.append(f"skipped: {name}: {what.strip()} {skip}")
            elif bad:
                failed.append(what.strip())
            else:
                self.passed += 1
        self.failed += len(failed)
        return failed

    def add(self, test):
        """One line of meson's log."""
        name, output = test["name"], test.get("stdout", "")
        points = [match.groups() for match in
                  map(POINT.match, output.splitlines()) if match]
        failed = self.add_points(name, points)
        if test["result"] == "SKIP" and not points:
            self.skipped += 1
            self.stories.append(f"skipped: {name}")
        elif test["result"] in GOOD + ("SKIP",) and not failed:
            self.passed += not points
        else:
            # Died, or too late: that is a failure beside its points.
            self.failed += not failed
            self.stories.append("\n".join(
                [f"FAILED: {name} ({test['result']}) {', '.join(failed)}"]
                + ["    " + line for line in
                   excerpt(output + test.get("stderr", ""))]))


def excerpt(output):
    """The lines that tell of a failure: from the first on, or the last."""
    lines = output.splitlines()
    first = [i for i, line in enumerate(lines) if line.startswith("not ok")]
    if first:
        return lines[first[0]:first[0] + SHOWN_LINES]
    return lines[-SHOWN_LINES:]


def main():
    total = Sum()
    for path in sys.argv[1:]:
        if not os.path.exists(path):
            total.failed += 1
            total.stories.append(f"FAILED: {path}: nothing was run")
            continue
        with open(path, encoding="utf-8") as file:
            for line in file:
                total.add(json.loads(line))
    for story in total.stories:
        print(story)
    if total.skipped:
        print(f"({total.skipped} skipped)")
    print(f"{total.passed} passed, {total.failed} failed")
    sys.exit(1 if total.failed or not total.passed else 0)


main()
