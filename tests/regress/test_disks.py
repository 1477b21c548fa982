"""Disks and seeds that guestmux makes, and what must never be overwritten."""

import hashlib
import json
import os
import stat
import subprocess

from harness import (FAILED, main, require, require_equal, require_in, until)

MIB = 1 << 20


def qemu_img(*arguments):
    done = subprocess.run(["qemu-img", *arguments], capture_output=True,
                          text=True, check=False)
    require_equal(done.returncode, 0, f"qemu-img {arguments}: {done.stderr}")
    return done.stdout


def facts(path):
    return json.loads(qemu_img("info", "-U", "--output=json", path))


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def data_path(box, *names):
    """A path in the data directory of the box's server."""
    return os.path.join(box.env["XDG_DATA_HOME"], "guestmux", "t", *names)


def make_base(box, name="base.img", size="64M", form="raw"):
    """An image whose first bytes say so, which nobody may write to."""
    path = os.path.join(box.work, name)
    qemu_img("create", "-q", "-f", form, path, size)
    if form == "raw":
        with open(path, "r+b") as file:
            file.write(b"the base's own bytes\n" * 1000)
    os.chmod(path, 0o444)
    return path


def test_two_guests_write_to_overlays_of_one_base(box):
    base = make_base(box)
    before = digest(base)
    disks = {"disks": [{"base": "base.img", "size": "1G", "serial": "gm-1"}]}
    box.up("-f", box.fleet({"a": disks, "b": disks}))
    for name in "ab":
        box.wait_shell(name)
        box.shell(name, "head -c 20 /dev/vda; echo .", "^the base's own bytes")
        box.shell(name, f"echo {name}-was-here >/dev/vda; sync; "
                  "echo wrote-$((1 + 1))", "^wrote-2")
        box.shell(name, "echo $(cat /sys/block/vda/size /sys/block/vda/serial)",
                  "^2097152 gm-1")
    require_equal(digest(base), before, "the base")
    for name in "ab":
        found = facts(data_path(box, name, "disk0.qcow2"))
        require_equal(found["backing-filename"], base)
        require_equal(found["backing-filename-format"], "raw")
        box.gm("restart", "--yes", "--force", name, patience=120)
    for name in "ab":
        box.wait_shell(name)
        box.shell(name, "head -c 10 /dev/vda; echo .", f"^{name}-was-here")
    require_equal(digest(base), before, "the base")


def test_every_interface_shows_its_disk(box):
    make_base(box)
    kinds = ["virtio", "scsi", "sata", "nvme", "ide"]
    disks = [{"base": "base.img", "interface": kind, "cache": "none",
              "discard": True} for kind in kinds]
    box.up("-f", box.fleet({"a": {"disks": disks, "machine": "pc",
                                  "cdrom": "base.img"}}))
    peer = box.api()
    reply = peer.call("guest-qmp", guest="a", command="query-block")
    peer.close()
    found = {device["device"]: device for device in reply}
    for number in range(len(kinds)):
        inserted = found[f"gmdisk{number}"]["inserted"]
        require_equal(inserted["drv"], "qcow2", f"disk {number}")
        require_equal(inserted["ro"], False, f"disk {number}")
        require_equal(inserted["cache"]["direct"], True, f"disk {number}")
    require_equal(found["gmcdrom"]["inserted"]["ro"], True, "the CD-ROM")


def test_a_disk_that_cannot_be_made_is_told_by_a_card(box):
    make_base(box, size="64M")
    path = box.fleet({
        "small": {"disks": [{"base": "base.img", "size": "32M",
                             "format": "raw"}]},
        "none": {"disks": [{"base": "nowhere.img"}]},
        "good": {"disks": [{"base": "base.img"}]}})
    result = box.up("-f", path, code=FAILED)
    require_in("its size 32M is less than that of its base", result.err)
    require_in("nowhere.img: No such file", result.err)
    require_equal(box.guest("good")["state"], "running")
    card = box.guest("small")["exit"]
    require_equal(box.guest("small")["state"], "crashed")
    require_in("cannot make disk0", card["summary"])
    require(not os.path.exists(data_path(box, "small", "disk0.qcow2")),
            "an image after all")
    check = box.gm("check", path, code=FAILED)
    require_in("guests.small.disks[0]: error: the size is less than that of",
               check.out)
    require_in("nowhere.img: No such file", check.out)


def slow_tools(box):
    """A qemu-img that waits until a file is there, before all others."""
    real = subprocess.run(["sh", "-c", "command -v qemu-img"], text=True,
                          capture_output=True, check=True).stdout.strip()
    tools = os.path.join(box.path, "tools")
    os.mkdir(tools)
    gate = os.path.join(box.path, "gate")
    script = os.path.join(tools, "qemu-img")
    with open(script, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n"
                   f"echo $$ >>'{box.path}/making'\n"
                   f"while [ ! -e '{gate}' ]; do sleep 0.05; done\n"
                   f"exec {real} \"$@\"\n")
    os.chmod(script, 0o755)
    box.env["PATH"] = tools + ":" + box.env["PATH"]
    return gate


def begin(box, guests):
    """`up` that does not wait for what comes of it."""
    peer = box.api()
    peer.call("fleet-apply", file=box.fleet(guests), start=True)
    peer.close()


def test_making_is_a_step_that_kill_calls_off(box):
    gate = slow_tools(box)
    make = {"disks": [{"size": "1G", "name": "data"}]}
    begin(box, {"a": make})
    guest = until(lambda: (box.guest("a")["step"] == "making data"
                           and box.guest("a")), "the step")
    require_equal(guest["state"], "starting")
    require_in("making data", box.gm("ls").out)
    box.gm("kill", "--yes", "a")
    require_equal(box.guest("a")["state"], "defined")
    require_equal(box.guest("a")["step"], None)
    until(lambda: os.listdir(data_path(box, "a")) == [], "an empty directory")
    with open(gate, "w", encoding="utf-8"):
        pass
    box.gm("start", "a")
    require_equal(facts(data_path(box, "a", "data.qcow2"))["virtual-size"],
                  1 << 30)


def test_a_server_killed_in_mid_making_leaves_nothing_whole(box):
    gate = slow_tools(box)
    make_base(box)
    make = {"disks": [{"base": "base.img", "size": "1G"}]}
    begin(box, {"a": make})
    until(lambda: box.guest("a")["step"] == "making disk0", "the step")
    box.kill_server()
    require(not os.path.exists(data_path(box, "a", "disk0.qcow2")),
            "an image under its name")
    with open(gate, "w", encoding="utf-8"):
        pass
    require_equal(box.guest("a")["state"], "defined")
    box.gm("start", "a")
    require_equal(os.listdir(data_path(box, "a")), ["disk0.qcow2"])
    require_equal(facts(data_path(box, "a", "disk0.qcow2"))["virtual-size"],
                  1 << 30)


def test_a_seed_reaches_the_guest_and_is_private(box):
    box.up("-f", box.fleet({"a": {"cloud-init": {
        "user": "op", "password": "geheim-7", "hostname": "alpha"}}}))
    box.wait_shell("a")
    # The tiny guest reads no file system of the kind, but sees the label.
    box.shell("a", "dd if=/dev/vda bs=1 skip=32808 count=6 2>/dev/null; echo .",
              r"^cidata\.")
    box.shell("a", "cat /sys/block/vda/ro", "^1")
    seed = data_path(box, "a", "seed.iso")
    require_equal(stat.S_IMODE(os.stat(seed).st_mode), 0o600, "its mode")
    require_equal(stat.S_IMODE(os.stat(os.path.dirname(seed)).st_mode), 0o700,
                  "its directory's mode")
    with open(seed, "rb") as file:
        content = file.read()
    require_in(b"$6$", content)
    require_in(b"alpha", content)
    # The password in clear is in the definition, and nowhere else.
    found = []
    for where in (box.env["XDG_DATA_HOME"], box.env["XDG_STATE_HOME"],
                  box.env["XDG_RUNTIME_DIR"]):
        for directory, _, names in os.walk(where):
            for name in names:
                path = os.path.join(directory, name)
                if not stat.S_ISREG(os.lstat(path).st_mode):
                    continue
                with open(path, "rb") as file:
                    if b"geheim-7" in file.read():
                        found.append(name)
    require_equal(found, ["spec.json"], "files with the password")
    for pid in box.own_processes():
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            require(b"geheim-7" not in file.read(), f"in the argv of {pid}")
    peer = box.api()
    for method, arguments in (("guest-list", {}), ("guest-query",
                                                   {"guest": "a"}),
                              ("guest-command", {"guest": "a"})):
        require("geheim" not in json.dumps(peer.call(method, **arguments)),
                f"in the answer of {method}")
    peer.close()


def test_wrong_user_data_starts_nothing(box):
    box.write("user.yaml", "#cloud-config\nusers:\n- name: a\n  b: c: d\n")
    path = box.fleet({"a": {"cloud-init": {"user-data": "user.yaml"}}})
    result = box.up("-f", path, code=FAILED)
    require_in("user.yaml:4:7: mapping values are not allowed", result.err)
    require_equal(box.qemus(), [])
    require_in("guests.a.cloud-init: error: ",
               box.gm("check", path, code=FAILED).out)


main(globals())
