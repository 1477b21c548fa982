#!/usr/bin/env python3
"""Writes files into a C source as zero-terminated arrays.

usage: embed.py OUTPUT HEADER NAME=FILE…: HEADER declares embedded_NAME.
"""

import sys


def literal(data):
    """The bytes as an array's initialiser: compilers need not take strings of
    more than 4095 characters."""
    out = []
    for line in data.splitlines(keepends=True):
        out.append("    " + "".join("'\\%03o'," % b for b in line))
    return "{\n" + "\n".join(out) + "\n    0}"


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
