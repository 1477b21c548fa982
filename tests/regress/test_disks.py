"""Disks and seeds that guestmux makes, and what must never be overwritten."""

import hashlib
import json
import os
import shutil
import stat
import subprocess

from harness import (FAILED, Skip, is_alive, main, proc_read, require,
                     require_equal, require_in, until)

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


# What QEMU says of each cache mode: its writes are cached, they pass by the
# host's cache, flushes are left out.
CACHES = {"writeback": (True, False, False), "none": (True, True, False),
          "writethrough": (False, False, False),
          "directsync": (False, True, False), "unsafe": (True, False, True)}


def qemu_io(box, name, number, command):
    """Done at the disk as its guest would."""
    said = json.loads(box.gm(
        "qmp", name, "human-monitor-command", json.dumps(
            {"command-line": f'qemu-io gmdisk{number} "{command}"'})).out)
    return said.replace("\r\n", "\n")


def serial_of(box, name, qdev):
    """The serial number at the device or what it belongs to."""
    while qdev.count("/") > 2:
        said = box.gm("qmp", name, "qom-get", json.dumps(
            {"path": qdev, "property": "serial"}), code=None)
        if said.code == 0:
            return json.loads(said.out)
        qdev = qdev.rsplit("/", 1)[0]
    return None


def has_data(path):
    """Whether the first MiB of a file takes space on its file system."""
    with open(path, "rb") as file:
        try:
            return os.lseek(file.fileno(), 0, os.SEEK_DATA) < MIB
        except OSError:
            return False


def test_qemu_has_each_disk_as_it_is_said_to_be(box):
    kinds = ["virtio", "scsi", "sata", "nvme", "ide"]
    disks = []
    for number, kind in enumerate(kinds):
        for half, cache in enumerate((list(CACHES)[number], None)):
            name = f"{kind}{half}.img"
            with open(box.at("w", name), "wb") as file:
                file.write(b"x" * (4 * MIB))
            disk = {"file": name, "format": "raw", "interface": kind,
                    "serial": f"gm-{kind}-{half}"}
            disks.append(disk | ({"cache": cache, "discard": True} if cache
                                 else {"readonly": True}))
    # Writable ones without discard.
    for kind in ("virtio", "nvme"):
        name = kind + "2.img"
        with open(box.at("w", name), "wb") as file:
            file.write(b"x" * (4 * MIB))
        disks.append({"file": name, "format": "raw", "interface": kind})
    box.up("-f", box.fleet({"a": {"disks": disks, "machine": "pc"}}))
    # The guest, which has drivers for some of them.
    box.wait_shell("a")
    for device, serial, readonly in (("vda", "gm-virtio-0", 0),
                                     ("vdb", "gm-virtio-1", 1)):
        box.shell("a", f"cd /sys/block/{device}; "
                  "echo $(cat serial) $(cat ro)", f"^{serial} {readonly}")
    rows = {row["device"]: row
            for row in json.loads(box.gm("qmp", "a", "query-block").out)}
    nodes = {node["node-name"]: node for node in json.loads(
        box.gm("qmp", "a", "query-named-block-nodes").out)}
    for number, disk in enumerate(disks):
        what = f"disk {number}: {disk}"
        row = rows[f"gmdisk{number}"]
        inserted = row["inserted"]
        path = box.at("w", disk["file"])
        require_equal((inserted["file"], inserted["drv"]), (path, "raw"), what)
        require_equal(inserted["ro"], disk.get("readonly", False), what)
        cache = inserted["cache"]
        require_equal((cache["writeback"], cache["direct"], cache["no-flush"]),
                      CACHES[disk.get("cache", "writeback")], what)
        node = nodes[inserted["node-name"]]
        require_equal(node["cache"]["direct"], cache["direct"], what)
        serial = serial_of(box, "a", row["qdev"])
        if "serial" in disk:
            require_equal(serial, disk["serial"], what)
        if disk.get("readonly"):
            require_in("read-only", qemu_io(box, "a", number, "write 0 1M")
                       .lower().replace("permission", "read-only"), what)
            continue
        qemu_io(box, "a", number, "write -P 65 0 2M")
        require(has_data(path), f"nothing was written: {what}")
        qemu_io(box, "a", number, "discard 0 2M")
        require_equal(has_data(path), not disk.get("discard"), what)


def test_flash_is_what_firmware_finds(box):
    code = "/usr/share/OVMF/OVMF_CODE_4M.fd"
    if not os.path.exists(code):
        raise Skip(f"{code} is missing")
    shutil.copy("/usr/share/OVMF/OVMF_VARS_4M.fd", box.at("w", "vars.fd"))
    before = digest(box.at("w", "vars.fd"))
    flash = [{"file": code, "format": "raw", "interface": "pflash",
              "readonly": True},
             {"file": "vars.fd", "format": "raw", "interface": "pflash",
              "cache": "writethrough"}]
    box.write("guestmux.json", {"version": 1, "guests": {"a": {
        "accel": "tcg", "memory": "256M", "nics": [], "disks": flash}}})
    box.gm("check")
    box.up()
    box.gm("wait", "a", "--for", "UEFI Interactive Shell", "--since-boot",
           "--timeout", 180, patience=190)
    rows = [row["inserted"] for row in json.loads(
        box.gm("qmp", "a", "query-block").out) if row.get("inserted")]
    require_equal([(row["file"], row["ro"], row["cache"]["writeback"])
                   for row in rows],
                  [(code, True, True), (box.at("w", "vars.fd"), False, False)])
    until(lambda: digest(box.at("w", "vars.fd")) != before,
          "the variables to be written")
    # Firmware by its field is in the same places.
    box.write("both.json", {"version": 1, "guests": {"b": {
        "accel": "tcg", "firmware": "uefi", "disks": flash[1:]}}})
    require_in("is in the machine's flash already",
               box.gm("check", "both.json", code=FAILED).err)


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
    making = os.path.join(box.path, "making")
    until(lambda: os.path.exists(making) and os.path.getsize(making),
          "qemu-img")
    box.kill_server()
    # It goes with the server: nobody would give its image a name.
    with open(making, encoding="ascii") as file:
        pids = [int(line) for line in file]
    until(lambda: not any(is_alive(pid) for pid in pids), "qemu-img to go")
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
    found = box.files_with(b"geheim-7", *(box.env[name] for name in (
        "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")))
    require_equal([os.path.basename(path) for path in found], ["spec.json"],
                  "files with the password")
    for pid in box.own_processes():
        require(b"geheim-7" not in proc_read(pid, "cmdline"),
                f"in the argv of {pid}")
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


def off(box, guests, **defaults):
    """Guests whose disks are made, and which are off again."""
    box.up("-f", box.fleet(guests, **defaults))
    box.gm("kill", "--yes", *guests)


def test_disks_are_listed_with_their_chains(box):
    base = make_base(box)
    qemu_img("create", "-q", "-f", "qcow2", "-b", base, "-F", "raw",
             os.path.join(box.work, "middle.qcow2"))
    own = os.path.join(box.work, "own.qcow2")
    qemu_img("create", "-q", "-f", "qcow2", own, "8M")
    box.up("-f", box.fleet({
        "a": {"disks": [{"base": "middle.qcow2", "size": "1G"}, "own.qcow2"]},
        "b": {}}))
    disks = box.json("disk", "ls")
    require_equal([(disk["guest"], disk["name"], disk["made"])
                   for disk in disks],
                  [("a", "disk0", True), ("a", "disk1", False)])
    require_equal([image["format"] for image in disks[0]["chain"]],
                  ["qcow2", "qcow2", "raw"])
    require_equal([image["virtual-bytes"] for image in disks[0]["chain"]],
                  [1 << 30, 64 * MIB, 64 * MIB])
    require_equal(disks[1]["file"], own)
    require(disks[0]["free-bytes"] > MIB, "free bytes")
    require_in("1G", box.gm("disk", "ls", "a").out)
    told = box.gm("disk", "info", "a", "disk0").out
    require_in("over " + base, told)
    require_in("made by guestmux", told)
    require_in("zz", box.gm("disk", "ls", "zz", code=FAILED).err)


def test_disks_grow_off_and_running_and_never_shrink(box):
    make_base(box)
    off(box, {"a": {"disks": [{"base": "base.img"}]}})
    path = data_path(box, "a", "disk0.qcow2")
    box.gm("disk", "resize", "a", "128M")
    require_equal(facts(path)["virtual-size"], 128 * MIB)
    told = box.gm("disk", "resize", "a", "disk0", "64M", code=FAILED).err
    require_in("would cut off what is on it, so disks only grow", told)
    box.gm("start", "a")
    box.wait_shell("a")
    box.gm("disk", "resize", "a", "disk0", "256M")
    # The guest's kernel hears of it by an interrupt.
    box.shell("a", "until grep . /sys/block/vda/size | grep -qx 524288; do :; "
              "done; echo grown-$((1 + 1))", "^grown-2")
    require_in("disks only grow",
               box.gm("disk", "resize", "a", "1M", code=FAILED).err)
    require_in("is not a size", box.gm("disk", "resize", "a", "2Q",
                                       code=FAILED).err)
    require_equal(facts(path)["virtual-size"], 256 * MIB)


def test_reset_gives_a_fresh_overlay_and_only_of_our_own(box):
    base = make_base(box)
    before = digest(base)
    own = os.path.join(box.work, "own.img")
    qemu_img("create", "-q", "-f", "raw", own, "8M")
    guests = {"a": {"disks": [{"base": "base.img"},
                              {"file": "own.img", "format": "raw"}]}}
    box.up("-f", box.fleet(guests))
    box.wait_shell("a")
    box.shell("a", "echo written >/dev/vda; echo kept >/dev/vdb; sync; "
              "echo done-$((1 + 1))", "^done-2")
    path = data_path(box, "a", "disk0.qcow2")
    # While it runs, and without an answer, nothing happens.
    inode = os.stat(path).st_ino
    require_in("while it is running",
               box.gm("disk", "reset", "--yes", "a", "disk0", code=FAILED).err)
    box.gm("kill", "--yes", "a")
    require_in("--yes", box.gm("disk", "reset", "a", "disk0", code=FAILED).err)
    require_in("your own image", box.gm("disk", "reset", "--yes", "a", "disk1",
                                        code=FAILED).err)
    require_equal(os.stat(path).st_ino, inode, "the overlay")
    # With a base that is gone the old overlay stays.
    os.rename(base, base + ".away")
    box.gm("disk", "reset", "--yes", "a", "disk0", code=FAILED)
    os.rename(base + ".away", base)
    require_equal(os.stat(path).st_ino, inode, "the overlay")
    box.gm("disk", "reset", "--yes", "a", "disk0")
    require(os.stat(path).st_ino != inode, "the same overlay")
    require_equal(digest(base), before, "the base")
    box.gm("start", "a")
    box.wait_shell("a")
    box.shell("a", "head -c 20 /dev/vda; echo .", "^the base's own bytes")
    box.shell("a", "head -c 4 /dev/vdb; echo .", "^kept")


def test_a_clone_shares_nothing_that_one_writes(box):
    base = make_base(box)
    before = digest(base)
    guests = {"a": {
        "disks": [{"base": "base.img"}, {"size": "8M", "name": "extra"}],
        "nics": [{"type": "user", "mac": "52:54:00:00:00:07",
                  "hostfwd": ["auto:22"]}],
        "cloud-init": {"hostname": "a-host", "password": "$6$x$y"}}}
    box.up("-f", box.fleet(guests))
    box.wait_shell("a")
    box.shell("a", "echo from-a >/dev/vda; echo from-a >/dev/vdb; sync; "
              "echo done-$((1 + 1))", "^done-2")
    require_in("while it is running",
               box.gm("clone", "a", "b", code=FAILED).err)
    box.gm("kill", "--yes", "a")
    box.gm("clone", "a", "fresh")
    box.gm("clone", "--full", "a", "whole")
    require_in("already", box.gm("clone", "a", "fresh", code=FAILED).err)
    require_in("already", box.gm("clone", "a", "a", code=FAILED).err)
    box.gm("start", "a", "fresh", "whole")
    for name, first in (("fresh", "the ba"), ("whole", "from-a")):
        box.wait_shell(name)
        box.shell(name, "head -c 6 /dev/vda; echo .", f"^{first}")
    box.shell("whole", "head -c 6 /dev/vdb; echo .", "^from-a")
    ids, macs = set(), set()
    for name in ("a", "fresh", "whole"):
        with open(data_path(box, name, "instance-id"), encoding="utf-8") as f:
            ids.add(f.read())
        peer = box.api()
        argv = peer.call("guest-command", guest=name)["text"]
        peer.close()
        macs.add(argv.split("mac=")[1][:17])
        with open(data_path(box, name, "seed.iso"), "rb") as seed:
            require_equal(b"a-host" in seed.read(), name == "a",
                          f"the host's name in the seed of {name}")
    require_equal(len(ids), 3, f"instance-ids: {ids}")
    require_equal(len(macs), 3, f"MAC addresses: {macs}")
    require_equal(digest(base), before, "the base")


def test_a_clone_never_overwrites_and_takes_own_images_whole(box):
    own = os.path.join(box.work, "own.img")
    qemu_img("create", "-q", "-f", "raw", own, "4M")
    with open(own, "r+b") as file:
        file.write(b"mine")
    before = digest(own)
    off(box, {"a": {"disks": [{"file": "own.img", "format": "raw"}]}})
    require_in("only one guest can write",
               box.gm("clone", "a", "b", code=FAILED).err)
    box.gm("clone", "--full", "a", "b")
    box.gm("start", "a", "b")
    box.wait_shell("b")
    box.shell("b", "head -c 4 /dev/vda; echo .; echo other >/dev/vda; sync; "
              "echo done-$((1 + 1))", "^done-2")
    box.gm("kill", "--yes", "a", "b")
    require_equal(digest(own), before, "the user's image")
    # What an earlier guest of the name left stays.
    told = box.gm("rm", "--yes", "b")
    copy = data_path(box, "b", "disk0.qcow2")
    require_in(copy, told.err)
    left = digest(copy)
    require_in("is there already",
               box.gm("clone", "--full", "a", "b", code=FAILED).err)
    require_equal(digest(copy), left, "what the earlier guest left")


def test_rm_tells_of_disks_and_deletes_them_only_when_asked(box):
    base = make_base(box)
    own = os.path.join(box.work, "own.img")
    qemu_img("create", "-q", "-f", "raw", own, "4M")
    guests = {"a": {"disks": [{"base": "base.img"},
                              {"file": "own.img", "format": "raw"}],
                    "cloud-init": {"password": "geheim"}}}
    off(box, guests)
    path = data_path(box, "a", "disk0.qcow2")
    strange = data_path(box, "a", "notes.txt")
    with open(strange, "w", encoding="utf-8") as file:
        file.write("somebody's")
    require_in("--yes", box.gm("rm", "--purge", "--disks", "a", code=2).err)
    told = box.gm("rm", "--yes", "--purge", "a")
    require_in(path, told.err)
    require(os.path.exists(path), "the overlay is gone")
    require(not os.path.exists(data_path(box, "a", "seed.iso")), "the seed")
    # The same guest again has what it wrote.
    off(box, guests)
    box.gm("rm", "--yes", "--purge", "--disks", "a")
    require(not os.path.exists(path), "the overlay is there")
    for kept in (base, own, strange):
        require(os.path.exists(kept), f"{kept} is gone")


def test_another_guests_seed_and_disks_cannot_be_reached(box):
    base = make_base(box)
    cloud = {"cloud-init": {}, "disks": [{"base": "base.img"}]}
    off(box, {"a": cloud, "b": cloud})
    seeds = {name: digest(data_path(box, name, "seed.iso")) for name in "ab"}
    disks = {name: digest(data_path(box, name, "disk0.qcow2"))
             for name in "ab"}
    # Links where b's things are lead to a's.
    for name in ("seed.iso", "disk0.qcow2", "instance-id"):
        os.unlink(data_path(box, "b", name))
        os.symlink(data_path(box, "a", name), data_path(box, "b", name))
    require_in("symbolic link", box.gm("start", "b", code=FAILED).err)
    box.gm("cloud-init", "renew", "b")
    require(not os.path.islink(data_path(box, "b", "instance-id")), "a link")
    box.gm("disk", "reset", "--yes", "b", "disk0")
    box.gm("start", "b")
    require_equal(digest(data_path(box, "a", "seed.iso")), seeds["a"])
    require_equal(digest(data_path(box, "a", "disk0.qcow2")), disks["a"])
    # A disk of a as base or as a file of another.
    path = box.fleet({
        "c": {"disks": [{"base": data_path(box, "a", "disk0.qcow2")}]},
        "d": {"disks": [{"file": data_path(box, "b", "disk0.qcow2")}]}})
    told = box.up("-f", path, code=FAILED).err
    require_in("that is the disk of a guest", told)
    require_in("lock", told)
    # A data directory that is a link is not followed.
    os.mkdir(os.path.join(box.work, "elsewhere"), 0o700)
    os.symlink(os.path.join(box.work, "elsewhere"), data_path(box, "e"))
    told = box.up("-f", box.fleet({"e": cloud}), code=FAILED).err
    require_equal(os.listdir(os.path.join(box.work, "elsewhere")), [])
    require(os.path.exists(base), "the base")


def test_nobody_writes_to_what_lies_below_an_image_that_guestmux_made(box):
    """However the file is named, and whoever has the image: a guest that is
    off, one that is removed, another server's."""
    base = make_base(box)
    os.chmod(base, 0o600)
    before = digest(base)
    off(box, {"a": {"disks": [{"base": "base.img"}]}})
    os.link(base, os.path.join(box.work, "hard.img"))
    os.symlink("base.img", os.path.join(box.work, "soft.img"))
    blockdev = json.dumps({"driver": "raw", "node-name": "x", "file": {
        "driver": "file", "filename": "base.img"}})
    device = ["-device", "virtio-blk,drive=x"]
    qemu = "qemu-system-x86_64 -accel tcg -nographic "
    writers = {
        "b": {"disks": ["base.img"]},
        "c": {"disks": ["./../w/hard.img"]},
        "d": {"disks": ["soft.img"]},
        "e": {"args": ["-blockdev", blockdev, *device]},
        "f": {"args": ["-drive", "if=none,id=x,format=raw,file=hard.img",
                       *device]},
        "g": {"command": qemu + "base.img"},
        "h": {"command": qemu + "-hda soft.img"},
        "i": {"firmware": {"code": "base.img", "store": "hard.img"}},
    }
    path = box.fleet(writers)
    readers = {"r": {"disks": [{"file": "base.img", "format": "raw",
                                "readonly": True}]}}
    for server in ("t", "other"):
        told = box.up("-f", path, code=FAILED, server=server).err
        seen = box.gm("check", path, code=FAILED, server=server).out
        for name in writers:
            require_in(f"{name}: it writes to ", told)
            require_in(f"guests.{name}", seen)
        require_equal(told.count("disk0.qcow2 lies over that and would be "
                                 "garbage"), len(writers), told)
        require_equal(seen.count("lies over that"), len(writers), seen)
    box.gm("rm", "--yes", "a", *writers)
    require_in("lies over that", box.up("-f", path, "b", code=FAILED).err)
    box.up("-f", box.fleet(readers, "readers.json"))
    box.gm("kill", "--yes", "r")
    require_equal(digest(base), before, "the base")
    # Nobody needs the image any more: the file is a disk like any other.
    os.unlink(data_path(box, "a", "disk0.qcow2"))
    box.gm("rm", "--yes", "b")
    box.up("-f", path, "b")


def test_rm_with_disks_forgets_host_keys_and_follows_no_link(box):
    make_base(box)
    off(box, {"a": {"disks": [{"base": "base.img"}], "cloud-init": {}}})
    known = box.state("a", "known_hosts")
    with open(known, "w", encoding="ascii") as file:
        file.write("a key that was on the disk\n")
    box.gm("rm", "--yes", "a")
    require(os.path.exists(known), "the keys of a disk that stays")
    off(box, {"a": {"disks": [{"base": "base.img"}], "cloud-init": {}}})
    box.gm("rm", "--yes", "--disks", "a")
    require(not os.path.exists(known), "the keys of a disk that is gone")
    # A directory that is a link leads to what is not guestmux's.
    own = {name: os.path.join(box.work, "own", name) for name in (
        "disk0.qcow2", "seed.iso", "instance-id", ".making-abcdef")}
    os.mkdir(os.path.join(box.work, "own"), 0o700)
    for path in own.values():
        with open(path, "w", encoding="ascii") as file:
            file.write("precious")
    os.symlink(os.path.join(box.work, "own"), data_path(box, "b"))
    box.up("-f", box.fleet({"b": {"disks": [{"size": "1M"}],
                                  "cloud-init": {}}}), code=FAILED)
    box.gm("rm", "--yes", "--disks", "b")
    for path in own.values():
        require(os.path.exists(path), path)


def test_check_looks_at_images_that_are_there(box):
    make_base(box)
    make_base(box, "other.img")
    guests = {name: {"disks": [{"base": "base.img"}]} for name in "abcd"}
    off(box, guests)
    path = box.fleet(guests | {"a": {"disks": [{"base": "other.img"}]}})
    with open(data_path(box, "b", "disk0.qcow2"), "r+b") as file:
        file.write(b"nothing any more")
    os.unlink(data_path(box, "c", "disk0.qcow2"))
    os.symlink(os.path.join(box.work, "x"),
               data_path(box, "c", "disk0.qcow2"))
    told = box.gm("check", path, code=FAILED).out
    made = data_path(box)
    require_in(f"guests.a.disks[0]: error: {made}/a/disk0.qcow2 lies over "
               f"{box.work}/base.img, but the definition of disk0 says "
               f"{box.work}/other.img", told)
    require_in(f"guests.b.disks[0]: error: {made}/b/disk0.qcow2 is not a "
               "qcow2 image", told)
    require_in("guests.c.disks[0]: error: ", told)
    require_in("is not a file that guestmux made (it is a symbolic link)", told)
    require("guests.d" not in told, told)
    # Who has it open, and that is not the guest.
    box.gm("start", "d")
    require("guests.d" not in box.gm("check", path, code=FAILED).out, "d")
    other = box.write("e.json", json.dumps({"version": 1, "guests": {
        "d": {"disks": [{"base": "base.img"}]}}}))
    require("guests.d" not in box.gm("check", other).out, "d")


def test_no_image_of_a_guest_becomes_a_base(box):
    """By a link or another server neither: what lies over it would be garbage
    as soon as that guest runs."""
    make_base(box)
    off(box, {"a": {"disks": [{"base": "base.img"}]}})
    made = data_path(box, "a", "disk0.qcow2")
    os.link(made, os.path.join(box.work, "hard.qcow2"))
    os.symlink(made, os.path.join(box.work, "soft.qcow2"))
    path = box.fleet({name: {"disks": [{"base": base}]} for name, base in (
        ("b", made), ("c", "hard.qcow2"), ("d", "soft.qcow2"))})
    for server in ("t", "other"):
        told = box.up("-f", path, code=FAILED, server=server).err
        require_equal(told.count("that is the disk of a guest"), 3, told)
        told = box.gm("check", path, code=FAILED, server=server).out
        require_equal(told.count("is the disk of a guest, which"), 3, told)
    for name in "bcd":
        require_equal(os.listdir(data_path(box, name)), [])


def test_no_file_is_deleted_or_emptied_for_qemu_to_print_or_listen_there(box):
    """QEMU deletes what has the path of a socket, and empties what a serial
    port goes to, locked or not."""
    base = make_base(box)
    os.chmod(base, 0o600)
    before = digest(base)
    box.write("own.txt", "precious")
    off(box, {"a": {"disks": [{"base": "base.img"}]}})
    made = data_path(box, "a", "disk0.qcow2")
    qemu = "qemu-system-x86_64 -accel tcg -m 64 -nodefaults "
    listeners = {
        "b": {"vnc": "unix:own.txt"},
        "c": {"vnc": "unix:./base.img"},
        "d": {"args": ["-chardev", "socket,id=x,server=on,wait=off,path="
                       "base.img"]},
        "e": {"command": qemu + "-vnc unix:own.txt"},
        "f": {"nics": [{"type": "stream", "options": {
            "server": True, "addr.type": "unix", "addr.path": made}}]},
    }
    printers = {
        "g": {"args": ["-serial", "file:base.img"]},
        "h": {"args": ["-chardev", f"file,id=x,path={made}"]},
        "i": {"command": qemu + f"-serial stdio -serial file:{made}"},
    }
    path = box.fleet(listeners | printers)
    seen = box.gm("check", path, code=FAILED).out
    told = box.up("-f", path, code=FAILED).err
    for name in listeners:
        require_in(f"{name}: /", told)
        require_in(f"guests.{name}", seen)
    for text in ("g: it writes to ", "h: its QEMU would write over ",
                 "i: its QEMU would write over "):
        require_in(text, told)
    require_equal(told.count("is no socket but a file, which QEMU would "
                             "delete"), len(listeners), told)
    require_equal(digest(base), before, "the base")
    with open(os.path.join(box.work, "own.txt"), encoding="ascii") as file:
        require_equal(file.read(), "precious")
    require_equal(facts(made)["backing-filename"], base)


def test_no_fleet_takes_another_ones_guest_and_disks(box):
    def fleet(folder, memory):
        os.makedirs(os.path.join(box.work, folder), exist_ok=True)
        return box.write(folder + "/guestmux.json", {
            "version": 1, "guests": {
                "n": {"memory": memory, "accel": "tcg", "args": ["-S"],
                      "disks": [{"size": "1M"}]},
                "of-" + folder: {"exec": ["sleep", "1000"]}}})
    first, second = fleet("one", "16M"), fleet("two", "17M")
    box.up("-f", first)
    for running in (True, False):
        told = box.up("-f", second, code=FAILED)
        require_in(f"n is a guest of another fleet, {first}, whose disks it "
                   "would take", told.err)
        require_in("of-two: ", told.out)
        entry = box.guest("n")
        require_equal(entry["changes"], [], "what a restart would change")
        require_equal(entry["state"] != "stopped", running, entry["state"])
        if running:
            box.gm("kill", "n")
            box.wait_state("n", "stopped")
    # It may be reached on another way, and move.
    both = box.write("both.json", {"version": 1, "include": [
        "one/guestmux.json"]})
    box.up("-f", both)
    box.gm("kill", "n")
    box.wait_state("n", "stopped")
    os.remove(both)
    os.rename(os.path.join(box.work, "one"), os.path.join(box.work, "three"))
    box.up("-f", "three/guestmux.json")
    require_equal(box.guest("n")["state"], "prelaunch")


def test_nothing_is_printed_over_an_image_by_any_option(box):
    """What records, traces and dumps go to is opened without a look at locks,
    and images have more names than a path."""
    base = make_base(box)
    os.chmod(base, 0o600)
    before = digest(base)
    off(box, {"a": {"disks": [{"base": "base.img"}]}})
    node = {"driver": "raw", "node-name": "x", "file": {
        "driver": "copy-on-read", "file": {"driver": "file",
                                           "filename": "base.img"}}}
    words = [
        ["-object", "filter-dump,id=f,netdev=gmnet0,file=base.img"],
        ["-object", json.dumps({"qom-type": "filter-dump", "id": "f",
                                "netdev": "gmnet0", "file": "base.img"})],
        ["-object", "memory-backend-file,id=m,size=1M,share=on,"
         "mem-path=base.img"],
        ["-object", "qtest,id=q,chardev=c,log=base.img"],
        ["-audiodev", "wav,id=w,path=base.img"],
        ["-D", "base.img"],
        ["-trace", "file=base.img"],
        ["-chardev", "serial,id=c,path=base.img"],
        ["-chardev", "pipe,id=c,path=base.img"],
        ["-chardev", "null,id=c,logfile=base.img,logappend=on"],
        ["-set", "chardev.gmcon0.logfile=base.img"],
        ["-set", "drive.gmdisk0.file=base.img"],
        ["-gdb", "file:base.img"],
        ["-icount", "shift=1,rr=record,rrfile=base.img"],
        ["-dump-vmstate", "base.img"],
        ["-device", "usb-mouse,pcap=base.img"],
        ["-drive", "file=file:base.img,format=raw"],
        ["-drive", "file=blkdebug::base.img,format=raw"],
        ["-drive", "format=raw,file=json:{'driver':'file',,"
         "'filename':'base.img'}"],
        ["-drive", "file=base.img,format=raw,file.locking=off"],
        ["-drive", "driver=raw,file.driver=throttle,file.throttle-group=t,"
         "file.file.driver=file,file.file.filename=base.img"],
        ["-blockdev", json.dumps(node)],
        ["-snapshot", "-blockdev", "driver=file,node-name=x,"
         "filename=base.img"],
    ]
    guests = {f"g{i}": {"args": words[i]} for i in range(len(words))}
    guests["u"] = {"devices": ["usb-mouse,pcap=base.img"]}
    path = box.fleet(guests)
    seen = box.gm("check", path, code=FAILED).out
    told = box.up("-f", path, code=FAILED).err
    for name in guests:
        require_in(f"guests.{name}.", seen)
        require_in(f"{name}: it writes to {base}, but ", told)
    require_equal(digest(base), before, "the base")
    own = os.path.join(box.work, "own.img")
    shutil.copy(base, own)
    box.up("-f", box.fleet({"r": {"disks": [{"file": "own.img"}]}}))
    path = box.fleet({
        "s": {"args": ["-D", "own.img"]},
        "t": {"disks": [{"file": "base2.img"}], "args": ["-D", "base2.img"]},
    })
    shutil.copy(base, os.path.join(box.work, "base2.img"))
    told = box.up("-f", path, code=FAILED).err
    require_in(f"s: its QEMU cannot print there: {own} is in use by guest r",
               told)
    require_in("t: its QEMU would write over", told)
    require_equal(digest(own), before, "the disk of a guest that runs")
    # To read a base is nobody's harm.
    box.gm("check", box.fleet({"v": {"args": [
        "-snapshot", "-drive", "file=file:base.img,format=raw", "-blockdev",
        "driver=file,node-name=x,read-only=on,filename=base.img"]}}))


def test_a_display_is_taken_from_nobody(box):
    box.up("-f", box.fleet({"a": {"vnc": "unix:v.sock"}}))
    rest = box.fleet({
        "b": {"vnc": "unix:./v.sock"},
        "c": {"command": "qemu-system-x86_64 -accel tcg -vnc unix:v.sock"},
        "d": {"vnc": "unix:gone/v.sock"}}, "rest.json")
    told = box.gm("check", rest, code=FAILED).out
    require_in("guests.b.vnc: error: guest a (pid ", told)
    require_in("guests.c.command: error: the socket ", told)
    require_in("v.sock is wanted by b already", told)
    require_in("guests.d.vnc: error: cannot listen on ", told)
    told = box.up("-f", rest, code=FAILED).err
    require_in("b: guest a (pid ", told)
    require_in("c: guest a (pid ", told)
    box.gm("check", "guestmux.json")  # its own is no clash
    box.gm("restart", "--yes", "--force", "a")
    box.gm("kill", "--yes", "a")
    box.gm("start", "b")


main(globals())
