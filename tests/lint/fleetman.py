"""guestmux-fleet(5) and the table of fields agree, and its examples work."""

import re
import subprocess
import sys
import tempfile

from tap import Tap, read

MAN = "docs/guestmux-fleet.5.scd"
TABLE = "src/fleet/spec-fields.c"

# Fields of disks, nics and of the file, which have no row in the table.
OTHERS = {"version", "defaults", "guests", "$schema", "include", "templates",
          "template", "count", "file", "format",
          "interface", "readonly", "type", "model", "mac", "max", "networks",
          "network", "hostfwd", "name", "script", "downscript", "bridge",
          "helper", "options", "user", "port", "key", "code", "vars",
          "store", "base", "size", "serial", "cache", "discard",
          "hostname", "password", "ssh-keys", "user-data", "meta-data",
          "network-config", "vendor-data"}


def table_rows():
    """name -> type of every row of the table."""
    text = read(TABLE)
    return dict(re.findall(r'\.name = "([^"]+)",\s*\.type = "([^"]+)"', text))


def manual_rows(text):
    """name -> type of every field that has a paragraph."""
    return {name: kind or "" for name, kind in
            re.findall(r"^\*([a-z$][a-z$-]*)\*(?: \(([a-z]+)\))?$", text, re.M)}


def example_fault(number, text, guestmux):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([guestmux, "check", "--syntax", file.name],
                              capture_output=True, text=True, check=False)
    if done.returncode:
        return f"example {number}: {done.stdout}{done.stderr}"
    return None


def main():
    tap = Tap()
    text = read(MAN)
    table, manual = table_rows(), manual_rows(text)
    tap.check("every_field_of_the_table_is_in_the_manual",
              [name for name in table if name not in manual])
    tap.check("every_field_of_the_manual_is_in_the_table",
              [name for name in manual
               if name not in table and name not in OTHERS])
    tap.check("fields_have_one_type_in_table_and_manual",
              [f"{name}: {kind} and {manual[name]}"
               for name, kind in table.items()
               if name in manual and manual[name] != kind])
    examples = re.findall(r"^```\n(\{.*?)^```", text, re.M | re.S)
    faults = [example_fault(number, example, sys.argv[1])
              for number, example in enumerate(examples, 1)]
    tap.check("the_manuals_examples_have_no_mistake",
              [fault for fault in faults if fault]
              or ([] if examples else ["there is no example"]))
    tap.finish()


main()
