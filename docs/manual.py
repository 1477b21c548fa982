"""Fills in a manual page: @COMMANDS@ and the like come from the program.

usage: manual.py TEMPLATE PROGRAM: prints the page. A line "@WORD@" becomes what
`PROGRAM help --manual WORD` prints.
"""

import re
import subprocess
import sys

MARK = re.compile(r"^@([a-z]+)@\n", re.M)


def generated(program, word):
    return subprocess.run([program, "help", "--manual", word], check=True,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          encoding="utf-8").stdout


def main():
    template, program = sys.argv[1:]
    with open(template, encoding="utf-8") as file:
        text = file.read()
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(MARK.sub(lambda mark: generated(program, mark[1]), text))


main()
