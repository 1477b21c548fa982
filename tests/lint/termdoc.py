"""docs/terminal.md lists what the emulator's tables dispatch, no more, no less."""

import pathlib
import re
import sys

from tap import Tap

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONSOLE = ROOT / "src" / "console"


def dispatched_controls():
    """Control sequences of terminal-csi.c as "CSI ? $ p"."""
    source = (CONSOLE / "terminal-csi.c").read_text()
    found = set()
    for final, function in re.findall(r"\['(.)' - '@'\] = (\w+),", source):
        if function != "NULL":
            found.add(f"CSI {final}")
    for row in re.findall(r"\{(0|'\\?.'), (0|'\\?.'), '(.)', \w+\}", source):
        parts = ["" if part == "0" else part[1:-1].lstrip("\\")
                 for part in row[:2]]
        parts = ["SP" if part == " " else part for part in parts if part]
        found.add(" ".join(["CSI", *parts, row[2]]))
    return found


def dispatched_escapes():
    """Escape sequences of terminal-control.c without intermediates."""
    source = (CONSOLE / "terminal-control.c").read_text()
    body = source[source.index("\nescape_plain(") :]
    body = body[: body.index("\n}\n")]
    return {f"ESC {final}" for final in re.findall(r"case '(.)':", body)}


def known_modes():
    """Modes of terminal-modes.c as "? 7"."""
    source = (CONSOLE / "terminal-modes.c").read_text()
    found = set()
    for number, is_private in re.findall(r"\{(\d+), (true|false), \w+\}", source):
        found.add(f"? {number}" if is_private == "true" else number)
    body = source[source.index("\nset_private(") :]
    body = body[: body.index("\n}\n")]
    found |= {f"? {number}" for number in re.findall(r"case (\d+):", body)}
    return found


def section(text, title):
    start = text.index(f"\n## {title}\n")
    end = text.find("\n## ", start + 1)
    return text[start:end]


def first_cells(text):
    for line in text.splitlines():
        found = re.match(r"\| ``?(.+?) ?``? \|", line)
        if found:
            yield found.group(1)


def documented(text, title):
    """The first column without parameters."""
    found = set()
    for cell in first_cells(section(text, title)):
        words = [
            word
            for word in cell.split()
            if word not in (";", "Ps", "Pm") and not re.fullmatch(r"\d+", word)
        ]
        found.add(" ".join(words))
    return found


def main():
    text = (ROOT / "docs" / "terminal.md").read_text()
    tap = Tap()
    checks = {
        "control_sequences": (
            dispatched_controls(),
            documented(text, "Control sequences"),
        ),
        "escape_sequences": (
            dispatched_escapes(),
            {
                cell
                for cell in first_cells(section(text, "Escape sequences"))
                if re.fullmatch(r"ESC .", cell)
            },
        ),
        "modes": (known_modes(), set(first_cells(section(text, "Modes")))),
    }
    for name, (source, docs) in checks.items():
        faults = [f"not documented: {row}" for row in sorted(source - docs)]
        faults += [f"not in the source: {row}" for row in sorted(docs - source)]
        tap.check(f"the_terminal_page_lists_the_{name}", faults)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
