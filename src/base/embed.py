#!/usr/bin/env python3
"""Writes files into a C source as strings.

usage: embed.py OUTPUT HEADER NAME=FILE…: HEADER declares embedded_NAME.
"""

import sys


def literal(data):
    """One C string literal for each line of the file."""
    out = []
    for line in data.splitlines(keepends=True):
        text = "".join(
            chr(b) if 0x20 <= b < 0x7F and chr(b) not in '"\\?' else "\\%03o" % b
            for b in line
        )
        out.append('    "%s"' % text)
    return "\n".join(out)


def main():
    output, header, pairs = sys.argv[1], sys.argv[2], sys.argv[3:]
    with open(output, "w", encoding="ascii") as target:
        target.write('#include "%s"\n' % header)
        for pair in pairs:
            name, path = pair.split("=", 1)
            with open(path, "rb") as source:
                data = source.read()
            target.write("\nconst char embedded_%s[] =\n" % name)
            target.write(literal(data) + ";\n")


main()
