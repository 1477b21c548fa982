"""What a clone gets for itself, and what cannot be cloned."""

import glob
import json
import os
import re
import shutil
import socket
import subprocess

from harness import FAILED, Skip, main, require, require_equal, require_in


def test_a_clone_gets_what_can_be_had_once_for_itself(box):
    box.write("store.fd", "x" * 64)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    taken = listener.getsockname()[1]
    guests = {
        "a": {"vnc": 61, "firmware": {"code": "code.fd", "store": "store.fd"},
              "nics": [{"hostfwd": [{"host-port": taken, "guest-port": 22}]},
                       f"user,hostfwd=tcp::{taken}-:80,mac=52:54:00:00:00:09"],
              "devices": ["virtio-net-pci,netdev=n,mac=52:54:00:00:00:08"],
              "args": ["-netdev", f"user,id=n,hostfwd=udp::{taken}-:53",
                       "-chardev", "socket,id=s,path=run/a.sock,server=on,"
                       "wait=off", "-serial", "chardev:s", "-serial",
                       "file:second.log", "-s", "-incoming",
                       "tcp:127.0.0.1:4444", "-uuid",
                       "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
                       "-vnc", "127.0.0.1:62,password=on", "-chardev",
                       "socket,id=v,path=/run/fs.sock"]},
        "b": {"vnc": 63}}
    peer = box.api()
    peer.call("fleet-apply", file=box.fleet(guests), start=False)
    told = peer.call("guest-clone", guest="a", name="c")
    again = peer.call("guest-clone", guest="a", name="d")
    peer.close()
    entries = []
    for name in "acd":
        path = os.path.join(box.env["XDG_STATE_HOME"], "guestmux", "t",
                            name, "spec.json")
        with open(path, encoding="utf-8") as file:
            entries.append(json.load(file)["entry"])
    first, second, third = entries
    require_equal([entry["vnc"] for entry in entries], [61, 64, 66], "vnc")
    require_equal(second["firmware"], {"code": "code.fd", "vars": "store.fd"})
    require_equal(second["nics"][0]["hostfwd"],
                  [{"host-port": "auto", "guest-port": 22}])
    ports = set()
    for entry in entries:
        words = " ".join(entry["args"] + entry["nics"][1:])
        found = set(re.findall(r":([0-9]{4,5})\b(?=-:|,|$| )|:(6[0-9])\b,",
                               words))
        require_equal(len(found), 3 if entry is first else 5, words)
        require(not ports & found, f"{ports} and {found}")
        ports |= found
    words = " ".join(second["args"])
    for text in ("path=run/c.sock,server=on,wait=off", "file:second-c.log",
                 "-gdb tcp::", ",password=on", "path=/run/fs.sock"):
        require_in(text, words)
    require("-uuid" not in second["args"], words)
    require("mac=" not in second["nics"][1], second["nics"][1])
    macs = {entry["devices"][0].split("mac=")[1] for entry in entries}
    require_equal(len(macs), 3, f"{macs}")
    require_in("args[3]: run/c.sock instead of run/a.sock", told["changes"])
    require_equal(told["warnings"],
                  ["args[15]: both connect to /run/fs.sock; see that it takes "
                   "two"])
    require_equal(again["warnings"], told["warnings"], "the other's warnings")
    listener.close()


def test_what_only_one_guest_can_have_is_not_cloned(box):
    box.write("log-b.txt", "somebody's")
    guests = {"a": {
        "nics": [{"type": "tap", "name": "tap7"}, "tap,ifname=tap8"],
        "devices": ["vfio-pci,host=0000:01:00.0",
                    {"driver": "vhost-vsock-pci", "guest-cid": "7"}],
        "args": ["-drive", "file=my.img,if=virtio", "-hdb", "x.img",
                 "-drive", "file=ro.img,if=virtio,readonly=on",
                 "-serial", "file:log.txt", "-blockdev",
                 '{"driver":"file","filename":"n.img","node-name":"n"}']}}
    peer = box.api()
    peer.call("fleet-apply", file=box.fleet(guests), start=False)
    peer.close()
    told = box.gm("clone", "a", "b", code=FAILED).err
    for text in ("cannot clone a", "nics[0]: tap7", "nics[1]: tap8",
                 "devices[0]: 0000:01:00.0", "devices[1]: 7",
                 "args[1]: my.img", "args[3]: x.img", "args[7]: it would have",
                 "args[9]: n.img", "define b in the fleet file"):
        require_in(text, told)
    require("ro.img" not in told, told)
    require_equal([guest["name"] for guest in box.json("ls")], ["a"])


def test_numbers_that_a_guest_is_known_by_are_its_own(box):
    number = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    devices = [f"vmgenid,guid={number},id=g"]
    guests = {
        "a": {"devices": devices, "args": [
            "-smbios", f"type=1,manufacturer=x,uuid={number},serial=s1"]},
        "v": {"nics": ["vde,sock=/run/vde,port=3"], "devices": [
                  {"driver": "vmgenid", "guid": "auto"}],
              "args": ["-netdev", '{"type":"vde","id":"n","port":"4"}',
                       "-netdev", "type=vde,id=m,port=5,group=g"]}}
    peer = box.api()
    peer.call("fleet-apply", file=box.fleet(guests), start=False)
    told = peer.call("guest-clone", guest="a", name="b")
    for text in ("devices[0]: a GUID of its own instead of " + number,
                 "args[1]: a UUID of its own instead of " + number):
        require_in(text, told["changes"])
    require_equal(told["warnings"],
                  ["args[1]: both have the serial number s1"])
    told = peer.call("guest-clone", guest="v", name="w")
    for place, port in (("nics[0]", 3), ("args[1]", 4), ("args[3]", 5)):
        require_in(f"{place}: a port of the VDE switch's choice instead of "
                   f"{port}", told["changes"])
    require("GUID" not in str(told["changes"]), told["changes"])
    with open(box.state("w", "spec.json"), encoding="utf-8") as file:
        entry = json.load(file)["entry"]
    require_equal(entry["args"], ["-netdev", '{"type":"vde","id":"n"}',
                                  "-netdev", "type=vde,id=m,group=g"])
    require_equal(entry["nics"], ["vde,sock=/run/vde"])
    peer.close()
    # QEMU has them so.
    box.gm("start", "a", "b")
    facts = [[json.loads(box.gm("qmp", name, command).out) for command in (
        "query-uuid", "query-vm-generation-id")] for name in "ab"]
    require_equal([facts[0][0]["UUID"], facts[0][1]["guid"]], [number] * 2)
    require(facts[1][0]["UUID"] != number and facts[1][1]["guid"] != number,
            str(facts))


def qemu_img(*arguments):
    subprocess.run(["qemu-img", *arguments], check=True)


def test_an_image_that_others_lie_over_is_kept(box):
    """Neither `disk reset` nor `rm --disks` takes it away."""
    data = os.path.join(box.env["XDG_DATA_HOME"], "guestmux", "t", "a")
    os.makedirs(data, mode=0o700)
    os.chmod(data, 0o700)
    image = os.path.join(data, "disk0.qcow2")
    qemu_img("create", "-q", "-f", "qcow2", image, "8M")
    qemu_img("create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2",
             box.at("w", "own.qcow2"))
    os.symlink(image, box.at("w", "same.qcow2"))
    guests = {"a": {"disks": [{"size": "8M"}, {"size": "9M"}]},
              "b": {"disks": ["own.qcow2"]},
              "c": {"disks": ["same.qcow2"]}}
    peer = box.api()
    peer.call("fleet-apply", file=box.fleet(guests), start=False)
    peer.close()
    inode = os.stat(image).st_ino
    for command in (["disk", "reset", "--yes", "a", "disk0"],
                    ["rm", "--yes", "--disks", "a"]):
        told = box.gm(*command, code=FAILED).err
        require_in("garbage without", told)
        require_in(f"disk0 of b lies over {image}", told)
        require_in(f"disk0 of c is {image}", told)
        require_equal(os.stat(image).st_ino, inode, "the image")
    box.gm("disk", "reset", "--yes", "a", "disk1")
    box.gm("rm", "--yes", "b", "c")
    box.gm("disk", "reset", "--yes", "a", "disk0")
    require(os.stat(image).st_ino != inode, "the same image")
    box.gm("rm", "--yes", "--disks", "a")
    require(not os.path.exists(image), "the image is there")


def test_sizes_of_foreign_images_are_told(box):
    disks = []
    for form in ("vmdk", "vdi", "vhdx"):
        qemu_img("create", "-q", "-f", form, box.at("w", "x." + form), "100M")
        disks.append("x." + form)
    qemu_img("create", "-q", "-f", "qed", box.at("w", "base.qed"), "200M")
    disks.append({"base": "base.qed"})
    with open(box.at("w", "no.vdi"), "wb") as file:
        file.write(bytes(4096))
    disks.append("no.vdi")
    peer = box.api()
    peer.call("fleet-apply", file=box.fleet({"a": {"disks": disks}}),
              start=False)
    peer.close()
    told = box.json("disk", "ls")
    require_equal([[(image["format"], image["virtual-bytes"])
                    for image in disk["chain"]] for disk in told],
                  [[("vmdk", 100 << 20)], [("vdi", 100 << 20)],
                   [("vhdx", 100 << 20)], [], [("vdi", None)]], "disks")
    require_in("it is no vdi image", box.gm("disk", "info", "a", "disk4").out)


def stores(box, guest):
    where = os.path.join(box.env["XDG_DATA_HOME"], "guestmux", "t", guest)
    return glob.glob(os.path.join(where, "*VARS*.qcow2")) \
        + glob.glob(os.path.join(where, "my*.qcow2"))


def test_a_whole_clone_has_the_firmwares_variables(box):
    """Of the guest's own store, and of one that the user named; each then
    writes to its own."""
    code = "/usr/share/OVMF/OVMF_CODE_4M.fd"
    if not os.path.exists(code):
        raise Skip(f"{code} is missing")
    shutil.copy("/usr/share/OVMF/OVMF_VARS_4M.fd", box.at("w", "my.fd"))
    paused = {"machine": "q35", "accel": "tcg", "memory": "64M", "nics": [],
              "args": ["-S"]}
    box.up("-f", box.fleet({
        "a": {**paused, "firmware": "uefi"},
        "u": {**paused, "firmware": {"code": code, "store": "my.fd"}}}))
    box.gm("kill", "--yes", "a", "u")
    (first,) = stores(box, "a")
    subprocess.run(["qemu-io", "-f", "qcow2", "-c", "write -P 0x5a 4k 1k",
                    first], check=True, capture_output=True)
    subprocess.run(["qemu-io", "-f", "raw", "-c", "write -P 0x5a 4k 1k",
                    box.at("w", "my.fd")], check=True, capture_output=True)
    for guest, source in (("a", first), ("u", box.at("w", "my.fd"))):
        told = box.gm("clone", "--full", guest, guest + "2").out
        (store,) = stores(box, guest + "2")
        qemu_img("compare", "-q", source, store)
        box.gm("clone", guest, guest + "3")
        require_equal(stores(box, guest + "3"), [], "a store of a bare clone")
        if guest == "u":
            require_in("a copy of the variable store my.fd", told)
    box.gm("start", "a", "a2", "a3", "u", "u2")
    require_equal(len(stores(box, "a3")), 1, "a store at the first start")
    require(os.path.exists(box.at("w", "my.fd")), "the user's store")


if __name__ == "__main__":
    main(globals())
