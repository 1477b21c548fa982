"""Disks when things go wrong: kills in the middle, full disks, links, and
firmware that reads and writes each kind of disk."""

import hashlib
import json
import os
import re
import signal
import subprocess

from harness import (BINARY, FAILED, main, proc_read, require, require_equal,
                     require_in, until)

# A boot sector: writes itself to sector 1 of the disk that it came from, and
# says "\1W" when that went well, or else "\1R", on the first serial port.
SECTOR = bytes.fromhex(
    "31c0 8ec0 8ed8"  # xor ax, ax; es and ds too
    "bb007c b80103 b90200 b600 cd13"  # int 0x13: write 1 sector to sector 2
    "b001 baf803 ee"  # out '\1'
    "b057 7302 b052 ee"  # 'W', or with carry 'R'
    "f4 ebfd")  # hlt, for ever
SECTOR = SECTOR.ljust(510, b"\0") + b"\x55\xaa"

KINDS = ["virtio", "scsi", "sata", "nvme", "ide"]


def qemu_img(*arguments):
    done = subprocess.run(["qemu-img", *arguments], capture_output=True,
                          text=True, check=False)
    require_equal(done.returncode, 0, f"qemu-img {arguments}: {done.stderr}")
    return done.stdout


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def data_path(box, *names):
    return os.path.join(box.env["XDG_DATA_HOME"], "guestmux", "t", *names)


def log_of(box, guest):
    path = os.path.join(box.env["XDG_STATE_HOME"], "guestmux", "t", guest,
                        "ttyS0.log")
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def bootable(box, name="base.img"):
    path = os.path.join(box.work, name)
    with open(path, "wb") as file:
        file.write(SECTOR.ljust(1 << 20, b"\0"))
    return path


def define(box, guests):
    peer = box.api()
    peer.call("fleet-apply", file=box.write(
        "guestmux.json", {"version": 1, "guests": guests}), start=False)
    peer.close()


SMALL = {"machine": "pc", "accel": "tcg", "memory": "16M", "nics": []}


def test_firmware_writes_to_every_kind_and_never_to_the_base(box):
    base = bootable(box)
    os.chmod(base, 0o444)
    before = digest(base)
    guests = {}
    for kind in KINDS:
        disk = {"base": "base.img", "interface": kind, "discard": True,
                "cache": "writethrough", "serial": f"gm-{kind}"}
        guests[kind] = {**SMALL, "disks": [disk]}
    for kind in ("virtio", "nvme"):
        guests[kind + "-ro"] = {**SMALL, "disks": [
            {"file": "base.img", "format": "raw", "interface": kind,
             "readonly": True}]}
    define(box, guests)
    box.gm("start", *guests, patience=120)
    for name in guests:
        until(lambda: re.search(rb"\x01[RW]", log_of(box, name)), name)
        wanted = b"\1R" if name.endswith("-ro") else b"\1W"
        require_in(wanted, log_of(box, name), name)
    peer = box.api()
    for kind in KINDS:
        tree = peer.call("guest-qmp", guest=kind,
                         command="human-monitor-command",
                         arguments={"command-line": "info qtree"})
        require_in(f'serial = "gm-{kind}"', tree, kind)
        blocks = peer.call("guest-qmp", guest=kind, command="query-block")
        (block,) = [one["inserted"] for one in blocks if one.get("inserted")]
        require_equal(block["cache"]["writeback"], kind == "none", kind)
        require_equal(block["image"]["backing-image"]["format"], "raw", kind)
        nodes = peer.call("guest-qmp", guest=kind,
                          command="query-named-block-nodes",
                          arguments={"flat": True})
        lower = [node for node in nodes if node["file"] == base]
        require(lower and all(node["ro"] for node in lower), f"{kind}: {lower}")
    peer.close()
    box.gm("kill", "--yes", *guests)
    require_equal(digest(base), before, "the base")
    for kind in KINDS:
        out = box.at("out.raw")
        qemu_img("convert", "-O", "raw", data_path(box, kind, "disk0.qcow2"),
                 out)
        with open(out, "rb") as file:
            require_equal(file.read(1024), SECTOR + SECTOR, kind)


def gated_tools(box, body):
    """A qemu-img before all others, which does what body says first."""
    real = subprocess.run(["sh", "-c", "command -v qemu-img"], text=True,
                          capture_output=True, check=True).stdout.strip()
    tools = os.path.join(box.path, "tools")
    os.makedirs(tools, exist_ok=True)
    script = os.path.join(tools, "qemu-img")
    with open(script, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\n{body}\nexec {real} \"$@\"\n")
    os.chmod(script, 0o755)
    if tools not in box.env["PATH"]:
        box.env["PATH"] = tools + ":" + box.env["PATH"]


def test_a_reset_that_is_killed_keeps_the_old_disk(box):
    """At each step of it, the server and the command alike."""
    base = bootable(box)
    define(box, {"a": {**SMALL, "disks": [{"base": "base.img"}]}})
    box.gm("start", "a")
    until(lambda: b"\1W" in log_of(box, "a"), "the guest's write")
    box.gm("kill", "--yes", "a")
    box.gm("kill-server")
    path = data_path(box, "a", "disk0.qcow2")
    old = digest(path)
    gate = box.at("gate")
    for step in ("info", "create"):
        for victim in ("server", "command"):
            gated_tools(box, f'case "$1" in {step}) echo $$ '
                        f'>>"{box.at("making")}"; while [ ! -e "{gate}" ]; '
                        f'do sleep 0.05; done;; esac')
            box.gm("ls")
            command = subprocess.Popen(
                [os.environ["GUESTMUX"], "-L", "t", "disk", "reset", "--yes",
                 "a"], env=box.env, cwd=box.work, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            until(lambda: os.path.exists(box.at("making")), f"qemu-img {step}")
            require_equal(digest(path), old, f"{step}: the old disk")
            if victim == "command":
                command.send_signal(signal.SIGKILL)
                command.wait()
                require_equal(digest(path), old, f"{step}: the old disk")
            box.kill_server()
            command.wait()
            require_equal(digest(path), old, f"{step}, {victim}: the old disk")
            with open(gate, "w", encoding="utf-8"):
                pass
            until(lambda: not any(
                b"qemu-img" in proc_read(pid, "cmdline")
                for pid in box.own_processes()), "qemu-img's end")
            require_equal(digest(path), old, "what the orphan left")
            os.unlink(gate)
            os.unlink(box.at("making"))
            gated_tools(box, "")
            box.gm("kill-server", code=None)
    box.gm("disk", "reset", "--yes", "a")
    require(digest(path) != old, "the old disk after the reset")
    require_equal([name for name in os.listdir(data_path(box, "a"))
                   if name != "disk0.qcow2"], [], "leftovers")
    require_equal(digest(base), hashlib.sha256(
        SECTOR.ljust(1 << 20, b"\0")).hexdigest(), "the base")


def test_no_room_for_an_overlay_leaves_nothing(box):
    bootable(box)
    define(box, {"a": {**SMALL, "disks": [{"base": "base.img"}]}})
    gated_tools(box, "trap '' XFSZ; ulimit -f 1")
    box.gm("kill-server")
    done = box.gm("start", "a", code=FAILED)
    require_in("cannot make disk0", done.err)
    require_equal(os.listdir(data_path(box, "a")), [], "leftovers")
    gated_tools(box, "")
    box.gm("start", "a")
    # It writes to itself at some time; when it is off no more.
    box.gm("kill", "--yes", "a")
    before = digest(data_path(box, "a", "disk0.qcow2"))
    gated_tools(box, "trap '' XFSZ; ulimit -f 1")
    done = box.gm("disk", "reset", "--yes", "a", code=FAILED)
    require_in("cannot make disk0", done.err)
    require_equal(os.listdir(data_path(box, "a")), ["disk0.qcow2"])
    require_equal(digest(data_path(box, "a", "disk0.qcow2")), before)


def test_a_server_under_a_file_size_limit_lives_on_and_says_what_failed(box):
    path = box.fleet({"a": {"disks": [{"size": "1G"}], "cloud-init": {}}})
    for _ in range(2):  # the second one finds what the first one left
        done = subprocess.run(
            ["sh", "-c", 'ulimit -f 100; exec "$@"', "-", BINARY, "-L", "t",
             "up", "-d", "-f", path], env=box.env, cwd=box.work, check=False,
            capture_output=True, text=True, timeout=180)
        require_equal(done.returncode, FAILED, done.stderr)
        require_in("a: cannot write the seed: ", done.stderr)
        require_in("File too large", done.stderr)
        require_in("File too large", box.gm("ls").out)
        require_equal(os.listdir(data_path(box, "a")), ["instance-id"])
    box.gm("kill-server")
    box.up("-f", path)


def test_a_base_is_one_by_all_its_names(box):
    """Links, soft and hard, are the same base; and a disk that two write to is
    found out by them."""
    base = bootable(box)
    os.symlink(base, os.path.join(box.work, "soft.img"))
    os.link(base, os.path.join(box.work, "hard.img"))
    names = ["base.img", "soft.img", "hard.img"]
    define(box, {f"g{i}": {**SMALL, "disks": [{"base": name}]}
                 for i, name in enumerate(names)})
    box.gm("start", "g0", "g1", "g2")
    for i in range(3):
        until(lambda: b"\1W" in log_of(box, f"g{i}"), f"g{i}")
    box.gm("kill", "--yes", "g0", "g1", "g2")
    inodes = [os.stat(data_path(box, f"g{i}", "disk0.qcow2")).st_ino
              for i in range(3)]
    define(box, {f"g{i}": {**SMALL, "disks": [{"base": name}]}
                 for i, name in enumerate(names[1:] + names[:1])})
    box.gm("start", "g0", "g1", "g2")
    require_equal([os.stat(data_path(box, f"g{i}", "disk0.qcow2")).st_ino
                   for i in range(3)], inodes, "the overlays")
    box.gm("kill", "--yes", "g0", "g1", "g2")
    # With the images gone nothing lies over it, and it is a disk like others.
    box.gm("rm", "--yes", "--disks", "g0", "g1", "g2")
    guests = {f"w{i}": {**SMALL, "disks": [{"file": name, "format": "raw"}]}
              for i, name in enumerate(names)}
    path = box.write("two.json", {"version": 1, "guests": guests})
    told = box.gm("check", path, code=FAILED).out
    require_in("guests.w1.disks[0]", told)
    require_in("guests.w2.disks[0]", told)
    require_in("w0", told)
    box.up("-f", path, code=FAILED)
    running = [guest["name"] for guest in box.json("ls")
               if guest["state"] == "running"]
    require_equal(len(running), 1, "writers")


def test_everybody_who_opens_a_written_image_is_told(box):
    """By fields, args and commands, links and all; and QEMU agrees."""
    bootable(box, "x.img")
    os.symlink("x.img", os.path.join(box.work, "soft.img"))
    os.link(box.at("w", "x.img"), os.path.join(box.work, "hard.img"))
    paused = {**SMALL, "args": ["-S"]}
    guests = {
        "a": {**paused, "disks": [{"file": "x.img", "format": "raw"}]},
        "d": {**paused, "disks": [{"file": "soft.img", "format": "raw",
                                   "readonly": True}]},
        "e": {**paused, "cdrom": "hard.img"},
        "f": {**SMALL, "args": ["-S", "-drive", "file=hard.img,if=virtio,"
                                "format=raw"]},
        "g": {"command": "qemu-system-x86_64 -M pc -m 16 -S -display none "
                         "-drive file=soft.img,format=raw"},
        "h": {**SMALL, "args": ["-S", "-drive", "file=x.img,if=virtio,"
                                "format=raw,file.locking=off"]}}
    path = box.fleet(guests)
    told = box.gm("check", path, code=FAILED).out
    for text in ("guests.d.disks[0]: error: ", "guests.e.cdrom: error: ",
                 "guests.f.args: error: ", "guests.g.command: error: "):
        require_in(text, told)
    require_in("is a disk that a writes to; QEMU lets nobody", told)
    require("guests.h" not in told and "guests.a" not in told, told)
    box.up("-f", path, "a")
    for name in "defg":
        told = box.up("-f", path, name, code=FAILED).err
        require_in("lock", told)
    told = box.gm("check", path, code=FAILED).out
    require_in("in use by guest a", told)
    # Readers alone are no trouble.
    box.gm("kill", "--yes", "a")
    box.up("-f", path, "d", "e")


def test_a_data_directory_that_is_none_is_told(box):
    bootable(box)
    define(box, {"a": {**SMALL, "disks": [{"base": "base.img"}]}})
    os.makedirs(os.path.dirname(data_path(box, "a")), mode=0o700,
                exist_ok=True)
    with open(data_path(box, "a"), "w", encoding="utf-8") as file:
        file.write("somebody's")
    done = box.gm("start", "a", code=FAILED)
    require_in(data_path(box, "a"), done.err)
    with open(data_path(box, "a"), encoding="utf-8") as file:
        require_equal(file.read(), "somebody's")


if __name__ == "__main__":
    main(globals())
