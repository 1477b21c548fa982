"""The layers: a file includes from its own folder and from those below.

The design's picture is this table; a folder that is not in it fails, so that
a new one is put in its place on purpose.
"""

import os
import re

from tap import Tap, files, read

# What each folder may include from, besides itself.
BELOW = {
    "base": (),
    "wire": ("base",),
    "console": ("base",),
    "fleet": ("base",),
    "qemu": ("base", "wire", "fleet"),
    "client": ("base", "wire"),
    "guest": ("base", "wire", "console", "fleet", "qemu"),
    "server": ("base", "wire", "console", "fleet", "qemu", "guest"),
    # The operator's wing speaks to client/ alone, never to server/ or guest/.
    "tui": ("base", "client"),
    "cli": ("base", "wire", "client", "fleet", "qemu", "server", "tui"),
    "": ("base", "cli"),  # main.c
}

# Which folders may include a library's header; all others may not.
OWNERS = {
    r"tickit(-.*)?\.h": ("tui",),
    r"(ncursesw?/)?(curses|ncurses|term|panel)\.h": ("tui",),
    r"archive(_entry)?\.h": ("qemu",),
    r"jansson\.h": tuple(name for name in BELOW if name != "console"),
    r"pcre2\.h": ("console", "fleet", "server"),
    r"utf8proc\.h": ("base", "console"),
    r"yaml\.h": ("qemu",),
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)
GENERATED = ("config.h",)


def folder_of(path):
    """src/qemu/argv.c -> qemu, src/main.c -> ''."""
    return os.path.dirname(os.path.relpath(path, "src")).split("/")[0]


def own_include_fault(path, folder, header):
    if header in GENERATED:
        return None
    if "/" not in header:
        return f"{path}: \"{header}\" lacks its folder"
    target = header.split("/")[0]
    if target == folder or target in BELOW[folder]:
        return None
    return f"{path}: {folder or 'main'} may not include from {target}/"


def library_include_fault(path, folder, header):
    for pattern, owners in OWNERS.items():
        if re.fullmatch(pattern, header) and folder not in owners:
            return f"{path}: <{header}> belongs to {', '.join(owners)}"
    return None


def main():
    tap = Tap()
    upward, foreign, guards, unknown = [], [], [], set()
    sources = files("src")
    for path in sources:
        folder = folder_of(path)
        text = read(path)
        if folder not in BELOW:
            unknown.add(f"src/{folder}: not in the table of layers")
            continue
        for kind, header in INCLUDE.findall(text):
            if kind == '"':
                upward.append(own_include_fault(path, folder, header))
            else:
                foreign.append(library_include_fault(path, folder, header))
        if path.endswith(".h") and "#pragma once" not in text:
            guards.append(f"{path}: no #pragma once")
    tap.check("each_folder_has_its_layer", sorted(unknown))
    tap.check("no_include_points_upward", [f for f in upward if f])
    tap.check("library_headers_stay_in_their_folders",
              [f for f in foreign if f])
    tap.check("headers_guard_themselves", guards)
    tap.check("there_are_sources", [] if sources else ["src/ is empty"])
    tap.finish()


main()
