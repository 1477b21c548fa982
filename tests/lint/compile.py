"""Checks that go through the compiler's eyes, by compile_commands.json.

    compile.py headers BUILD    each header of src/ compiles alone
    compile.py tidy BUILD       clang-tidy has nothing to say
    compile.py format BUILD     clang-format would change nothing
"""

import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

from tap import ROOT, Tap, files, read

# clang-format's output changes between its releases: only this one decides.
FORMAT_RELEASE = "14"
# Flags that gcc wrote into the database and clang does not know.
NOT_FOR_CLANG = re.compile(r"-Wno-(maybe-uninitialized|stringop.*)|-fanalyzer")


def database(build):
    """File (relative to the tree) -> (directory, arguments)."""
    with open(os.path.join(build, "compile_commands.json"),
              encoding="utf-8") as file:
        entries = json.load(file)
    commands = {}
    for entry in entries:
        path = os.path.normpath(os.path.join(entry["directory"],
                                             entry["file"]))
        commands[os.path.relpath(path, ROOT)] = (
            entry["directory"], shlex.split(entry["command"]))
    return commands


def without_output(arguments):
    """A compiler's command without what it compiles and where to."""
    kept, skip = [], False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in ("-o", "-MF", "-MQ", "-MT"):
            skip = True
        elif argument not in ("-c", "-MD") and not argument.endswith(".c"):
            kept.append(argument)
    return kept


def run(command, directory, text=""):
    done = subprocess.run(command, cwd=directory, input=text,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, text=True, errors="replace")
    return done.returncode, done.stdout


def in_parallel(function, items):
    """The faults of all items, in order; as many at once as processors."""
    workers = len(os.sched_getaffinity(0)) if hasattr(
        os, "sched_getaffinity") else os.cpu_count() or 1
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return [fault for fault in pool.map(function, items) if fault]


def check_headers(tap, build):
    commands = database(build)

    def fault(header):
        folder = os.path.dirname(header)
        for path, (directory, arguments) in commands.items():
            if os.path.dirname(path) == folder:
                break
        else:
            return f"{header}: no file of its folder is compiled"
        code, output = run(
            without_output(arguments) + ["-fsyntax-only", "-x", "c", "-"],
            directory, f'#include "{os.path.relpath(header, "src")}"\n')
        return f"{header}: does not compile alone\n{output}" if code else None

    tap.check("each_header_compiles_alone",
              in_parallel(fault, files("src", ends=(".h",))))


def check_format(tap, _build):
    tool = shutil.which("clang-format-" + FORMAT_RELEASE) or shutil.which(
        "clang-format")
    release = run([tool, "--version"], ROOT)[1] if tool else ""
    found = re.search(r"version (\d+)\.", release)
    if not found or found.group(1) != FORMAT_RELEASE:
        tap.skip("clang_format_would_change_nothing",
                 f"needs clang-format {FORMAT_RELEASE}")
        return
    code, output = run([tool, "--dry-run", "--Werror"]
                       + files("src", "tests"), ROOT)
    tap.check("clang_format_would_change_nothing", [output] if code else [])


def headers_of(path, known):
    """The headers of src/ that a file of it includes, directly or not."""
    for name in re.findall(r'^#include "(\w+/[\w-]+\.h)"', read(path), re.M):
        header = os.path.join("src", name)
        if header not in known and os.path.exists(
                os.path.join(ROOT, header)):
            known.add(header)
            headers_of(header, known)
    return known


def check_tidy(tap, build):
    tool = shutil.which("clang-tidy")
    if not tool:
        tap.skip("clang_tidy_has_nothing_to_say", "needs clang-tidy")
        return
    commands = {path: command for path, command in database(build).items()
                if path.startswith("src/") and path.endswith(".c")}
    # What was found clean is not read again until it, a header that it includes
    # or the rules change.
    # Whoever else is being tested waits for events, and should not wait for us.
    os.nice(10)
    common = hashlib.sha256(read(".clang-tidy").encode())
    stamps = os.path.join(build, "tidy-clean")
    os.makedirs(stamps, exist_ok=True)

    def fault(path):
        digest = common.copy()
        for name in sorted(headers_of(path, {path})):
            digest.update(read(name).encode())
        stamp = os.path.join(stamps, digest.hexdigest())
        if os.path.exists(stamp):
            return None
        directory, arguments = commands[path]
        flags = [a for a in without_output(arguments)[1:]
                 if not NOT_FOR_CLANG.fullmatch(a)]
        code, output = run([tool, "--quiet", os.path.join(ROOT, path), "--"]
                           + flags + ["-Wno-unknown-warning-option"],
                           directory)
        if code:
            return output
        open(stamp, "w", encoding="utf-8").close()
        return None

    tap.check("clang_tidy_has_nothing_to_say",
              in_parallel(fault, sorted(commands)))


def main():
    tap = Tap()
    {"headers": check_headers, "format": check_format,
     "tidy": check_tidy}[sys.argv[1]](tap, sys.argv[2])
    tap.finish()


main()
