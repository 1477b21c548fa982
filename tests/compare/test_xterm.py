"""Recorded sessions: our screens are those of @xterm/headless, cell by cell.

Needs node, and the package as npm puts it into COMPARE_MODULES (see
tests/compare/install.sh); skipped without them.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import cells
import comparison

SCRIPT = pathlib.Path(__file__).parent / "xterm_screens.js"
MODULES = os.environ.get("COMPARE_MODULES", "")


def screens(recording, offsets):
    done = subprocess.run(
        ["node", str(SCRIPT), MODULES, str(recording.rows),
         str(recording.cols), *map(str, offsets)],
        input=recording.for_others, stdout=subprocess.PIPE, check=True, timeout=120)
    for line in done.stdout.decode().splitlines():
        screen = json.loads(line)
        rows = []
        for row in screen["rows"]:
            out = [(text, tuple(sorted(style.items())))
                   for text, style in row]
            # the right half of a wide character looks like its left one
            for col in range(1, len(out)):
                if out[col][0] == "":
                    out[col] = ("", out[col - 1][1])
            rows.append(cells.trim(out))
        yield tuple(screen["cursor"]), rows


def missing():
    if not shutil.which("node"):
        return "node is not installed"
    if not (pathlib.Path(MODULES) / "@xterm" / "headless").is_dir():
        return "@xterm/headless is not installed: sh tests/compare/install.sh"
    return None


if __name__ == "__main__":
    if missing():
        print(f"1..0 # SKIP {missing()}")
        sys.exit(0)
    sys.exit(comparison.main("xterm", screens))
