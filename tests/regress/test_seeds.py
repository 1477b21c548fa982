"""Seeds: what stands in them, by a reader of the test's own; and that no
password stands anywhere else."""

import json
import os
import re
import stat
import struct

from harness import (FAILED, main, proc_read, require, require_equal,
                     require_in)

BLOCK = 2048
SMALL = {"machine": "pc", "accel": "tcg", "memory": "16M", "nics": []}


class Iso:
    """ISO 9660 (ECMA-119) with Rock Ridge or Joliet names, as far as a seed
    goes: one directory."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        self.volumes = {}
        for number in range(16, 64):
            block = self.block(number)
            require_equal(block[1:6], b"CD001", "standard identifier")
            if block[0] == 255:
                break
            self.volumes[block[0]] = block

    def block(self, number):
        return self.data[number * BLOCK:(number + 1) * BLOCK]

    def label(self):
        return self.volumes[1][40:72].decode().rstrip()

    def joliet_label(self):
        return self.volumes[2][40:72].decode("utf-16-be").rstrip()

    def records(self, volume):
        extent, size = struct.unpack_from("<I4xI", volume, 156 + 2)
        at = extent * BLOCK
        end = at + size
        while at < end:
            length = self.data[at]
            if length == 0:
                at = (at // BLOCK + 1) * BLOCK
                continue
            record = self.data[at:at + length]
            at += length
            name_length = record[32]
            yield (record, record[33:33 + name_length],
                   record[33 + name_length + (name_length + 1) % 2:])

    def content(self, record):
        extent, size = struct.unpack_from("<I4xI", record, 2)
        return self.data[extent * BLOCK:extent * BLOCK + size]

    def rock_ridge(self):
        files = {}
        for record, name, system in self.records(self.volumes[1]):
            if name in (b"\0", b"\1"):
                continue
            long, mode = b"", None
            while len(system) >= 4:
                kind, length = system[:2], system[2]
                if length < 4:
                    break
                if kind == b"NM":
                    long += system[5:length]
                elif kind == b"PX":
                    mode = struct.unpack_from("<I", system, 4)[0]
                system = system[length:]
            files[long.decode()] = (self.content(record), mode)
        return files

    def joliet(self):
        return {name.decode("utf-16-be"): self.content(record)
                for record, name, _ in self.records(self.volumes[2])
                if name not in (b"\0", b"\1")}


def data_path(box, *names):
    return os.path.join(box.env["XDG_DATA_HOME"], "guestmux", "t", *names)


def start(box, guests, code=0):
    path = box.write("guestmux.json", {"version": 1, "guests": guests})
    return box.up("-f", path, code=code)


def test_an_independent_reader_finds_what_was_said(box):
    head, tail = "#cloud-config\n# ", "\nhostname: big\n"
    large = head + "x" * ((1 << 20) - len(head + tail)) + tail
    box.write("big.yaml", large)
    box.write("bigger.yaml", large + "\n")
    odd = "#cloud-config\nruncmd:\n- [echo, \"\u00fc \u6f22 \U0001F600 'q'\"]\n"
    guests = {
        "text": {**SMALL, "cloud-init": {
            "user-data": odd, "meta-data": {"instance-id": "mine-1"},
            "network-config": {"version": 2, "ethernets": {
                "e": {"match": {"macaddress": "52:54:00:12:34:56"},
                      "dhcp4": True}}},
            "vendor-data": "#!/bin/sh\ntrue\n"}},
        "file": {**SMALL, "cloud-init": {"user-data": "big.yaml"}},
        "w.x-1_y": {**SMALL, "cloud-init": {}},
    }
    start(box, guests)
    seen = {}
    for name in guests:
        path = data_path(box, name, "seed.iso")
        require_equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, name)
        iso = Iso(path)
        require_equal(iso.label(), "cidata", name)
        require_equal(iso.joliet_label(), "cidata", name)
        files = {key: value for key, (value, _) in iso.rock_ridge().items()}
        require_equal(iso.joliet(), files, f"{name}: Joliet and Rock Ridge")
        seen[name] = {key: value.decode() for key, value in files.items()}
    require_equal(sorted(seen["text"]), ["meta-data", "network-config",
                                         "user-data", "vendor-data"])
    require_in("\u00fc \u6f22 \U0001F600 'q'", seen["text"]["user-data"])
    require_in("mine-1", seen["text"]["meta-data"])
    require_in("52:54:00:12:34:56", seen["text"]["network-config"])
    require_in("#!/bin/sh", seen["text"]["vendor-data"])
    require_in(large, seen["file"]["user-data"])
    require_in("w.x-1_y", seen["w.x-1_y"]["meta-data"])


    told = start(box, {"big": {**SMALL, "cloud-init": {
        "user-data": "bigger.yaml"}}}, code=FAILED).err
    require_in("bigger.yaml is larger than 1048576 bytes", told)


def instance_of(box, name):
    files = Iso(data_path(box, name, "seed.iso")).rock_ridge()
    return re.search(r"instance-id\W+([\w.-]+)",
                     files["meta-data"][0].decode()).group(1)


def test_an_instance_stays_until_it_is_renewed_and_a_clone_has_its_own(box):
    start(box, {"a": {**SMALL, "cloud-init": {"hostname": "alpha"}}})
    first = instance_of(box, "a")
    box.gm("restart", "--yes", "--force", "a", patience=180)
    require_equal(instance_of(box, "a"), first, "after a restart")
    box.gm("kill", "--yes", "a")
    box.gm("cloud-init", "renew", "a")
    box.gm("clone", "a", "b")
    box.gm("start", "a", "b")
    ids = {first, instance_of(box, "a"), instance_of(box, "b")}
    require_equal(len(ids), 3, f"{ids}")
    meta = Iso(data_path(box, "b", "seed.iso")).rock_ridge()["meta-data"][0]
    require(b"alpha" not in meta, f"{meta}")


SECRET = "Zitronen-73"


def test_a_password_is_nowhere_but_hashed_in_the_seed(box):
    """Neither in any process' arguments or environment, nor in logs, events,
    answers or files; also while it fails."""
    guests = {"a": {**SMALL, "cloud-init": {"password": SECRET},
                    "shutdown": {"force": True}}}
    peer = box.api()
    peer.call("events-subscribe")
    start(box, guests)
    box.gm("clone", "a", "b", code=FAILED)
    box.gm("restart", "--yes", "--force", "a", patience=180)
    changed = {"a": {**SMALL, "cloud-init": {"password": SECRET + "x",
                                             "user-data": "#cloud-config\na: ["
                                             }}}
    told = start(box, changed, code=None)
    said = told.out + told.err
    for command in (["ls", "--json"], ["export-command", "a"],
                    ["events", "--json"], ["api", "guest-list"],
                    ["api", "guest-query", '{"guest":"a"}'],
                    ["check", "guestmux.json"], ["timeline"]):
        done = box.gm(*command, code=None)
        said += done.out + done.err
    # All that was told before this answer has come with it.
    peer.call("query-version")
    require(peer.events, "no events")
    said += json.dumps(list(peer.events))
    peer.close()
    for pid in box.own_processes():
        for part in ("cmdline", "environ"):
            said += proc_read(pid, part).decode(errors="replace")
    require(SECRET not in said, re.findall(f".{{60}}{SECRET}", said, re.S))
    found = box.files_with(SECRET.encode(), *(box.env[name] for name in (
        "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")))
    for path in found:
        require_equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, path)
        require_in(os.path.basename(path),
                   ("spec.json", "plan.json", "next.json"))


def test_yaml_is_told_by_its_place(box):
    box.write("u.yaml", "#cloud-config\na: 1\n\tb: 2\n")
    box.write("m.yaml", "instance-id: [\n")
    box.write("big.yaml", "#cloud-config\n" + "a: &a [x]\n" + "b: *c\n")
    rows = [
        ({"user-data": "u.yaml"}, "u.yaml:3:1"),
        ({"meta-data": "m.yaml"}, "m.yaml:2:1"),
        ({"user-data": "#cloud-config\nx: {\n"}, "user-data"),
        ({"user-data": "nowhere.yaml"}, "nowhere.yaml"),
        ({"network-config": "version: 2\nethernets: ]\n"}, "network-config"),
        ({"user-data": "#cloud-cnfig\nx: 1\n"}, "user-data"),
    ]
    for document, text in rows:
        told = start(box, {"a": {**SMALL, "cloud-init": document}},
                     code=FAILED).err
        require_in(text, told)
        require_equal(box.qemus(), [], f"{document}")


if __name__ == "__main__":
    main(globals())
