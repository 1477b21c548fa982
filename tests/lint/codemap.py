"""docs/CODE-MAP.md gives each source file its line, and no file that is not.

A line begins `- `src/base/buffer.c`` or names several: `buffer.[ch]`.
"""

import os
import re

from tap import ROOT, Tap, files, read

NAME = re.compile(r"`([A-Za-z0-9_./-]+(?:\.\[[a-z]+\]|\.[a-z0-9]+))`")


def named_files(text):
    """Every path in back quotes, with NAME.[ch] told apart."""
    names = set()
    for name in NAME.findall(text):
        stem, _, endings = name.partition(".[")
        if endings:
            names |= {f"{stem}.{ending}" for ending in endings.rstrip("]")}
        else:
            names.add(name)
    return names


def main():
    tap = Tap()
    if not os.path.exists(os.path.join(ROOT, "docs/CODE-MAP.md")):
        tap.check("there_is_a_code_map", ["docs/CODE-MAP.md does not exist"])
        tap.finish()
    names = named_files(read("docs/CODE-MAP.md"))
    tap.check("each_source_file_is_in_the_code_map",
              [path for path in files("src") if path not in names])
    tap.check("each_file_in_the_code_map_exists",
              sorted(name for name in names if name.startswith("src/")
                     and not os.path.exists(os.path.join(ROOT, name))))
    tap.finish()


main()
