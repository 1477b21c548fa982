"""Turns a terminal's screen into a picture.

usage: tmux capture-pane -e -p | capture-svg.py [TITLE] >picture.svg

Reads rows of text with SGR sequences (colours of 16, 256 and 24 bits; bold,
dim, italic, underline, reverse, strike). Box drawing and blocks become shapes,
so that lines meet whatever font shows the rest.
"""

import re
import sys
import unicodedata
from xml.sax.saxutils import escape, quoteattr

# Pixels. A cell is as wide as the usual monospace fonts have it.
SIZE = 14
CELL_W = 8.43
CELL_H = 18
BASELINE = 13.5
PAD = 14
FONT = ("'DejaVu Sans Mono', Menlo, 'Liberation Mono', Consolas, "
        "'Noto Sans Mono', monospace")

FOREGROUND = "#d4d8de"
BACKGROUND = "#14181d"
# The first 16 colours, chosen to be read on the background.
BASE = ("#2b3036", "#e0626a", "#7fc27f", "#d8b26a", "#6fa8e6", "#c58bd6",
        "#62bfc4", "#c8ccd2", "#747c86", "#f28b90", "#a5dba2", "#f0d08a",
        "#98c3f5", "#dcb0ea", "#8fdcdf", "#f4f6f8")
STEPS = (0, 95, 135, 175, 215, 255)  # XTerm's colour cube

PLAIN = {"fg": None, "bg": None, "attributes": frozenset()}
ATTRIBUTES = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse",
              9: "strike"}
UNSET = {22: {"bold", "dim"}, 23: {"italic"}, 24: {"underline"},
         27: {"reverse"}, 29: {"strike"}}

# Arms of the box drawing characters: up, right, down, left; 1 light, 2 heavy.
ARMS = {
    "─": "0101", "│": "1010", "━": "0202", "┃": "2020", "┌": "0110",
    "┐": "0011", "└": "1100", "┘": "1001", "├": "1110", "┤": "1011",
    "┬": "0111", "┴": "1101", "┼": "1111", "┏": "0220", "┓": "0022",
    "┗": "2200", "┛": "2002", "┣": "2220", "┫": "2022", "┳": "0222",
    "┻": "2202", "╋": "2222", "╭": "0110", "╮": "0011", "╰": "1100",
    "╯": "1001", "╴": "0001", "╵": "1000", "╶": "0100", "╷": "0010",
}
# Blocks: left, top, right, bottom, as parts of the cell.
BLOCKS = {
    "█": (0, 0, 1, 1), "▌": (0, 0, .5, 1), "▐": (.5, 0, 1, 1),
    "▀": (0, 0, 1, .5), "▄": (0, .5, 1, 1), "▎": (0, 0, .25, 1),
    "▏": (0, 0, .125, 1), "▁": (0, .875, 1, 1),
}


def colour_of(number):
    """XTerm's palette, the first 16 in colours of our own."""
    if number < 16:
        return BASE[number]
    if number < 232:
        number -= 16
        parts = STEPS[number // 36], STEPS[number // 6 % 6], STEPS[number % 6]
    else:
        parts = (8 + 10 * (number - 232),) * 3
    return "#%02x%02x%02x" % parts


def extended(numbers):
    """The colour behind a 38 or 48, taken off the front of numbers."""
    kind = numbers.pop(0) if numbers else 0
    if kind == 5 and numbers:
        return colour_of(min(numbers.pop(0), 255))
    if kind == 2 and len(numbers) >= 3:
        parts = tuple(min(numbers.pop(0), 255) for _ in range(3))
        return "#%02x%02x%02x" % parts
    return None


def apply_sgr(style, text):
    numbers = [int(n or 0) for n in re.split("[;:]", text)]
    style = dict(style)
    while numbers:
        n = numbers.pop(0)
        if n == 0:
            style = dict(PLAIN)
        elif n in ATTRIBUTES:
            style["attributes"] |= {ATTRIBUTES[n]}
        elif n in UNSET:
            style["attributes"] -= UNSET[n]
        elif n in (38, 48):
            style["fg" if n == 38 else "bg"] = extended(numbers)
        elif n in (39, 49):
            style["fg" if n == 39 else "bg"] = None
        elif n // 10 in (3, 4):
            style["fg" if n < 40 else "bg"] = BASE[n % 10]
        elif n // 10 in (9, 10):
            style["fg" if n < 100 else "bg"] = BASE[n % 10 + 8]
    return style


def width_of(character):
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def read_rows(lines):
    """Rows of cells: [column, text, columns, style]."""
    rows = []
    style = PLAIN
    for line in lines:
        cells, col = [], 0
        for part in re.split("(\x1b\\[[0-9;:]*m)", line.rstrip("\n")):
            if part.startswith("\x1b["):
                style = apply_sgr(style, part[2:-1])
                continue
            for character in part:
                if unicodedata.category(character) == "Cc":
                    continue
                cols = width_of(character)
                if cols == 0 and cells:
                    cells[-1][1] += character
                    continue
                cells.append([col, character, cols, style])
                col += cols
        rows.append(cells)
    return rows


def ink(style):
    """Foreground, background (None: the picture's own) and opacity."""
    fg, bg = style["fg"] or FOREGROUND, style["bg"]
    if "reverse" in style["attributes"]:
        fg, bg = bg or BACKGROUND, fg
    return fg, bg, 0.6 if "dim" in style["attributes"] else 1


def number(value):
    return ("%.2f" % value).rstrip("0").rstrip(".")


def rect(x, y, width, height, fill, more=""):
    return (f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" '
            f'height="{number(height)}" fill="{fill}"{more}/>')


def spans(cells, key):
    """Neighbouring cells with equal keys, as lists."""
    span = []
    for cell in cells:
        if span and (key(span[-1]) != key(cell)
                     or span[-1][0] + span[-1][2] != cell[0]):
            yield span
            span = []
        span.append(cell)
    if span:
        yield span


def draw_box(cell, x, y, fill):
    """The arms of a line, from the cell's middle to its edges."""
    up, right, down, left = (int(arm) for arm in ARMS[cell[1]])
    mid_x, mid_y = x + CELL_W / 2, y + CELL_H / 2
    across, along = max(up, down), max(left, right)

    def thick(arm):
        return (0, 1.3, 2.8)[arm]

    shapes = []
    if left or right:
        start = x if left else mid_x - thick(across) / 2
        end = x + CELL_W if right else mid_x + thick(across) / 2
        shapes.append((start, mid_y - thick(along) / 2, end - start,
                       thick(along)))
    if up or down:
        start = y if up else mid_y - thick(along) / 2
        end = y + CELL_H if down else mid_y + thick(along) / 2
        shapes.append((mid_x - thick(across) / 2, start, thick(across),
                       end - start))
    return [rect(*shape, fill) for shape in shapes]


def draw_shapes(span, y):
    """Boxes and blocks; runs of one horizontal line are one shape."""
    out = []
    x = PAD + span[0][0] * CELL_W
    fill, _, opacity = ink(span[0][3])
    character = span[0][1]
    more = f' opacity="{opacity}"' if opacity < 1 else ""
    if character in "─━":
        thick = 1.3 if character == "─" else 2.8
        return [rect(x, y + CELL_H / 2 - thick / 2, len(span) * CELL_W, thick,
                     fill, more)]
    for cell in span:
        x = PAD + cell[0] * CELL_W
        if cell[1] in ARMS:
            out += draw_box(cell, x, y, fill)
        else:
            left, top, right, bottom = BLOCKS[cell[1]]
            out.append(rect(x + left * CELL_W, y + top * CELL_H,
                            (right - left) * CELL_W, (bottom - top) * CELL_H,
                            fill, more))
    return out


def draw_text(span, y):
    """One run of text, held to its columns whatever the font's width is."""
    text = "".join(cell[1] for cell in span)
    style = span[0][3]
    fill, _, opacity = ink(style)
    cols = span[-1][0] + span[-1][2] - span[0][0]
    attributes = style["attributes"]
    more = ""
    if "bold" in attributes:
        more += ' font-weight="bold"'
    if "italic" in attributes:
        more += ' font-style="italic"'
    lines = [name for key, name in (("underline", "underline"),
                                    ("strike", "line-through"))
             if key in attributes]
    if lines:
        more += f' text-decoration="{" ".join(lines)}"'
    if opacity < 1:
        more += f' opacity="{opacity}"'
    return (f'<text x="{number(PAD + span[0][0] * CELL_W)}" '
            f'y="{number(y + BASELINE)}" fill="{fill}" '
            f'textLength="{number(cols * CELL_W)}"{more}>'
            f"{escape(text)}</text>")


def is_shape(cell):
    return cell[1] in ARMS or cell[1] in BLOCKS


def words(span):
    """Cuts a run of text at two blanks and more: nothing there needs ink."""
    word = []
    for at, cell in enumerate(span):
        blank = cell[1] == " " and "underline" not in cell[3]["attributes"]
        last = at + 1 == len(span)
        if blank and (not word or last or span[at + 1][1] == " "):
            if word:
                yield word
            word = []
        else:
            word.append(cell)
    if word:
        yield word


def draw_row(cells, y):
    out = []
    for span in spans(cells, lambda cell: ink(cell[3])[1]):
        bg = ink(span[0][3])[1]
        if bg:
            cols = span[-1][0] + span[-1][2] - span[0][0]
            out.append(rect(PAD + span[0][0] * CELL_W, y, cols * CELL_W,
                            CELL_H, bg))
    for span in spans(cells, lambda cell: (cell[3], is_shape(cell) and
                                           cell[1])):
        if is_shape(span[0]):
            out += draw_shapes(span, y)
        else:
            out += [draw_text(word, y) for word in words(span)]
    return out


def main():
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    sys.stdout.reconfigure(encoding="utf-8")
    rows = read_rows(sys.stdin)
    cols = max((row[-1][0] + row[-1][2] for row in rows if row), default=1)
    width = number(cols * CELL_W + 2 * PAD)
    height = number(len(rows) * CELL_H + 2 * PAD)
    title = sys.argv[1] if len(sys.argv) > 1 else "a terminal"
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
          f'height="{height}" viewBox="0 0 {width} {height}" '
          f'font-family={quoteattr(FONT)} font-size="{SIZE}" '
          f'xml:space="preserve" role="img">')
    print(f"<title>{escape(title)}</title>")
    print(f'<rect width="{width}" height="{height}" rx="8" '
          f'fill="{BACKGROUND}"/>')
    for index, row in enumerate(rows):
        for shape in draw_row(row, PAD + index * CELL_H):
            print(shape)
    print("</svg>")


main()
