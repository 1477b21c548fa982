"""Tutorials' commands: imported, checked, booted, exported and run by hand."""

import json
import os
import shutil
import subprocess

from harness import (FAILED, USAGE, guest_directory, main, require,
                     require_equal, require_in)

# What a tutorial has: variables, joined lines, a here-document, a seed made by
# another program, QEMU in the background.
TUTORIAL = """#!/bin/bash
set -e
NAME=web
MEM=${MEM:-128M}
DISK="$PWD/noble.img"
OPTS="-nographic -serial mon:stdio"
ARGS=(
    -machine q35,accel=tcg   # slow, but everywhere
    -m "$MEM"
    -smp 1
)
cat >user-data <<EOF
#cloud-config
password: x
EOF
genisoimage -output cidata.iso user-data
sudo qemu-system-x86_64 -name $NAME "${ARGS[@]}" $OPTS \\
    -drive file=$DISK,if=virtio,format=qcow2 \\
    -drive file=cidata.iso,if=virtio,format=raw \\
    -nic user,model=virtio-net-pci,hostfwd=tcp::2222-:22 >log 2>&1 &
"""


def imported(box, *arguments):
    """The guests of what `import` prints, and its remarks."""
    done = box.gm("import", *arguments)
    fleet = json.loads(done.out)
    require_equal(fleet["version"], 1)
    return fleet["guests"], done.err


def test_a_script_becomes_a_fleet(box):
    script = box.write("boot.sh", TUTORIAL)
    guests, remarks = imported(box, script)
    require_equal(list(guests), ["web"])
    web = guests["web"]
    comment = web.pop("comment")
    require_equal(web, {
        "machine": "q35", "accel": "tcg", "smp": 1, "memory": "128M",
        "disks": [
            {"file": box.at("w", "noble.img"), "format": "qcow2"},
            {"file": "cidata.iso", "format": "raw"}],
        "nics": [{"hostfwd": ["tcp::2222-:22"], "model": "virtio-net-pci"}],
        "vga": "std"}, "entry")
    for text in (":2: set -e: not a QEMU command",
                 ":16: genisoimage -output cidata.iso user-data: not a QEMU",
                 ":17: web: sudo: dropped",
                 ":17: web: -serial mon:stdio: the console ttyS0",
                 ":17: >log: left out"):
        require_in(text, remarks, "remarks")
    require_in("-serial mon:stdio: the console ttyS0", comment, "comment")
    require_equal(imported(box, "-q", script)[1], "", "quiet")


def test_the_output_is_never_overwritten(box):
    script = box.write("boot.sh", TUTORIAL)
    path = box.at("w", "fleet.json")
    box.gm("import", "-o", path, "-n", "n1", script)
    with open(path, encoding="utf-8") as file:
        first = file.read()
    require_equal(list(json.loads(first)["guests"]), ["n1"])
    box.gm("check", "--syntax", path)
    done = box.gm("import", "-o", path, script, code=FAILED)
    require_in("is there already", done.err)
    with open(path, encoding="utf-8") as file:
        require_equal(file.read(), first, "the file")


def test_commands_come_as_words_text_and_standard_input(box):
    command = "qemu-system-x86_64 -nodefaults -display none -M q35 -m 64"
    results = [
        box.gm("import", *command.split()).out,
        box.gm("import", "--", *command.split()).out,
        box.gm("import", command).out,
        box.gm("import", "-", text=command + "\n").out,
    ]
    require_equal(len(set(results)), 1, "results")
    require_equal(json.loads(results[0])["guests"]["vm0"]["memory"], 64)


def test_what_cannot_be_told_is_an_error_with_its_line(box):
    script = box.write("bad.sh", "qemu-system-x86_64 -m $MEM\n\n"
                                 "qemu-system-x86_64 -smp $(nproc)\n")
    done = box.gm("import", script, code=FAILED)
    require_in("bad.sh:1: $MEM is not set in the script", done.err)
    require_in("bad.sh:3: $(nproc) needs a shell", done.err)
    require_equal(done.out, "", "output")
    done = box.gm("import", "nowhere.sh", code=FAILED)
    require_in("cannot open nowhere.sh", done.err)
    done = box.gm("import", box.work, code=FAILED)
    require_in("is a directory", done.err)
    box.write("no.sh", "ls\n")
    done = box.gm("import", "no.sh", code=FAILED)
    require_in("no.sh: there is no QEMU command in it", done.err)
    box.gm("import", code=USAGE)
    done = box.gm("import", "no.sh", "-o", "x", code=FAILED)
    require_in("options go before it", done.err)


def test_an_imported_guest_boots_and_its_command_runs_by_hand(box):
    directory = guest_directory()
    command = (f"qemu-system-x86_64 -nodefaults -no-user-config -nographic "
               f"-machine q35 -accel tcg -m 128M -kernel {directory}/vmlinuz "
               f"-initrd {directory}/initrd.gz -append 'console=ttyS0 quiet "
               f"panic=-1 no_timer_check gm.shell' -chardev stdio,id=c0,mux=on,signal=off "
               f"-serial chardev:c0 -mon chardev=c0 -device virtio-serial-pci "
               f"-chardev vc,id=c1 -device virtconsole,chardev=c1")
    box.gm("import", "-n", "n1", "-o", "guestmux.json", command)
    box.gm("check", "guestmux.json")
    box.up()
    box.wait_shell("n1")
    box.shell("n1", "ls /dev/hvc0", "^/dev/hvc0")
    text = box.gm("export-command", "n1").out
    lines = box.gm("export-command", "--multiline", "n1").out
    require_equal(text.split(), lines.replace("\\\n", " ").split(), "words")
    require_in("-serial mon:stdio", text)
    require("gmqmp" not in text and "logfile" not in text, text)
    exact = box.gm("export-command", "--exact", "n1").out
    require_in("id=gmqmp", exact)
    again = json.loads(box.gm("import", "-q", "-", text=lines).out)
    with open(box.at("w", "guestmux.json"), encoding="utf-8") as file:
        first = json.load(file)
    for fleet in (first, again):
        fleet["guests"]["n1"].pop("comment")
    require_equal(again, first, "imported again")
    box.gm("kill", "--yes", "n1")
    terminal = box.terminal(["sh", "-c", text.strip()])
    terminal.wait_for(r":[^ ]*#")
    terminal.type("ls /dev/hvc0")
    terminal.keys("Enter")
    terminal.wait_for(r"(?m)^/dev/hvc0")
    terminal.keys("C-a", "x")
    terminal.wait_end()


def test_guests_without_qemu_have_no_command_line(box):
    box.write("guestmux.json", {"version": 1, "guests": {
        "p": {"exec": ["sleep", "1000"]}, "s": {"socket": "x.sock"}}})
    box.gm("up", "-d", code=None)
    require_in("sleep 1000", box.gm("export-command", "p").out)
    done = box.gm("export-command", "s", code=FAILED)
    require_in("there is no command line", done.err)
    done = box.gm("export-command", "none", code=FAILED)
    require_in("none", done.err)


if __name__ == "__main__":
    main(globals())
