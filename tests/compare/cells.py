"""Screens as cells, whichever emulator they come from, and how they differ.

A cell is (text, style); a style is a tuple of SGR facts in a fixed order.  The
text of a wide character's right half is "".  Blank cells at a row's end in the
default style do not count.
"""

import unicodedata

# DEC Special Graphics, 5F to 7E: tmux keeps the letters.
GRAPHICS = dict(zip(
    "_`abcdefghijklmnopqrstuvwxyz{|}~",
    " ◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·"))

FLAGS = {1: "bold", 2: "dim", 3: "italic", 5: "blink", 6: "blink",
         7: "reverse", 8: "hidden", 9: "strike", 53: "overline"}
OFF = {22: ("bold", "dim"), 23: ("italic",), 25: ("blink",), 27: ("reverse",),
       28: ("hidden",), 29: ("strike",), 55: ("overline",)}
UNDERLINES = {0: None, 1: "single", 2: "double", 3: "curly", 4: "dotted",
              5: "dashed"}
COLOURS = {38: "fg", 48: "bg", 58: "underline-colour"}
BLANK = (" ", ())


def width(character):
    """Columns: 0, 1 or 2."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class Style:
    """What SGR has set so far."""

    def __init__(self):
        self.facts = {}

    def freeze(self):
        """Without the colour of an underline that is not there."""
        has_underline = "underline" in self.facts
        return tuple(sorted(fact for fact in self.facts.items()
                            if has_underline or fact[0] != "underline-colour"))

    def colour(self, name, parts):
        """parts: what follows 38, 48 or 58; returns how many were taken."""
        if parts and parts[0] == 5:
            self.facts[name] = f"{parts[1]}"
            return 2
        if parts and parts[0] == 2:
            self.facts[name] = "#%02x%02x%02x" % tuple(parts[1:4])
            return 4
        return 0

    def set(self, name, value):
        if value is None:
            self.facts.pop(name, None)
        else:
            self.facts[name] = value

    def one(self, number):
        if number == 0:
            self.facts = {}
        elif number in FLAGS:
            self.facts[FLAGS[number]] = True
        elif number in OFF:
            for name in OFF[number]:
                self.set(name, None)
        elif number == 4:
            self.set("underline", "single")
        elif number == 21:
            self.set("underline", "double")
        elif number == 24:
            self.set("underline", None)
        elif number in (39, 49, 59):
            self.set(COLOURS[number - 1], None)
        for base, name, first in ((30, "fg", 0), (40, "bg", 0),
                                  (90, "fg", 8), (100, "bg", 8)):
            if base <= number < base + 8:
                self.facts[name] = f"{number - base + first}"

    def sgr(self, text):
        """Applies the parameters of an SGR."""
        words = text.split(";")
        at = 0
        while at < len(words):
            subs = [int(part) if part else 0 for part in words[at].split(":")]
            number = subs[0]
            if number == 4 and len(subs) > 1:
                self.set("underline", UNDERLINES.get(subs[1], "single"))
            elif number in COLOURS and len(subs) > 1:
                # 58:2::r:g:b has a colour space's empty place
                rest = subs[1:]
                if rest[0] == 2 and len(rest) > 4:
                    rest = [2] + rest[2:5]
                self.colour(COLOURS[number], rest)
            elif number in COLOURS:
                size = 2 if words[at + 1:at + 2] == ["5"] else 4
                rest = [int(word or 0) for word in words[at + 1:at + 1 + size]]
                at += self.colour(COLOURS[number], rest)
            else:
                self.one(number)
            at += 1


def trim(row):
    while row and row[-1] == BLANK:
        row.pop()
    return row


def from_replay(text, rows):
    """{offset: (cursor, rows)} from what replay.c prints."""
    screens, current = {}, None
    for line in text.split("\n"):
        if not line:
            continue
        kind, *fields = line.split("\t", 3)
        if kind == "@":
            current = [[] for _ in range(rows)]
            offset, row, col = (int(field) for field in fields)
            screens[offset] = ((row, col), current)
            continue
        number, (sgr, col, cells) = kind, fields
        style = Style()
        style.sgr(sgr)
        frozen = style.freeze()
        row = current[int(number)]
        row.extend([BLANK] * (int(col) - len(row)))
        row.extend((cell, frozen) for cell in cells.split("\x1f")[:-1])
    for _, screen in screens.values():
        for row in screen:
            trim(row)
    return screens


def from_capture(text, rows):
    """Rows from a capture with SGR, as `tmux capture-pane -e -p` prints."""
    screen = []
    style, is_graphics = Style(), False
    for line in text.split("\n")[:rows]:
        row, at = [], 0
        while at < len(line):
            character = line[at]
            at += 1
            if character == "\x1b":
                end = line.index("m", at)
                style.sgr(line[at + 1:end])
                at = end + 1
            elif character in "\x0e\x0f":
                is_graphics = character == "\x0e"
            elif width(character) == 0 and row:
                base = -2 if row[-1][0] == "" and len(row) > 1 else -1
                row[base] = (row[base][0] + character, row[base][1])
            else:
                if is_graphics:
                    character = GRAPHICS.get(character, character)
                row.append((character, style.freeze()))
                if width(character) == 2:
                    row.append(("", style.freeze()))
        screen.append(trim(row))
    screen.extend([] for _ in range(rows - len(screen)))
    return screen


def without_erased_end(row, cols):
    """A row without the erased cells from a column on."""
    row = list(row)
    while len(row) > cols and row[-1][0] == " " and \
            all(name == "bg" for name, _ in row[-1][1]):
        row.pop()
    return row


def difference(ours, theirs):
    """How two rows differ: "", "text", "style" or "text+style"."""
    cols = max(len(ours), len(theirs))
    pairs = list(zip(ours + [BLANK] * (cols - len(ours)),
                     theirs + [BLANK] * (cols - len(theirs))))
    kinds = []
    if any(a[0] != b[0] for a, b in pairs):
        kinds.append("text")
    if any(a[1] != b[1] for a, b in pairs):
        kinds.append("style")
    return "+".join(kinds)


def show(row):
    """A row for people: text, and where its styles begin."""
    text, last = "", ()
    for cell, style in row:
        if style != last:
            text += "{%s}" % ",".join(f"{name}={value}"
                                      for name, value in style)
            last = style
        text += cell
    return text
