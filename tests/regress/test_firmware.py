"""UEFI: found by QEMU's descriptors, with a variable store of the guest's own."""

import glob
import hashlib
import json
import os
import shutil

from harness import (FAILED, Skip, main, require, require_equal, require_in,
                     until)

DESCRIPTORS = "/usr/share/qemu/firmware"


def need(name):
    """The test is skipped where the distribution's firmware is missing."""
    if not os.path.exists(f"{DESCRIPTORS}/{name}"):
        raise Skip(f"{DESCRIPTORS}/{name} is missing")


def fleet(box, **fields):
    box.write("guestmux.json", {"version": 1, "guests": {"n1": {
        "machine": "q35", "accel": "tcg", "memory": "256M", "nics": [],
        **fields}}})


def stores(box):
    return glob.glob(box.at("d", "guestmux", "t", "n1", "*.qcow2"))


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def wait_for(box, pattern, patience=180):
    return box.gm("wait", "n1", "--for", pattern, "--since-boot", "--timeout",
                  patience, patience=patience + 10)


def monitor(box, line):
    return box.gm("qmp", "n1", "human-monitor-command",
                  '{"command-line": "%s"}' % line).out


def test_uefi_speaks_on_the_console_and_keeps_its_variables(box):
    need("60-edk2-x86_64.json")
    template = digest("/usr/share/OVMF/OVMF_VARS_4M.fd")
    fleet(box, firmware="uefi")
    box.gm("check")
    box.up()
    wait_for(box, "UEFI Interactive Shell")
    wait_for(box, "Shell> ")
    require_equal(len(stores(box)), 1, "stores")
    require_equal(os.stat(stores(box)[0]).st_mode & 0o777, 0o600, "mode")
    before = os.stat(stores(box)[0]).st_ino
    # A qcow2 store lets QEMU save snapshots.
    require_equal(monitor(box, "savevm one"), '""\n', "savevm")
    require_in("one", monitor(box, "info snapshots"))
    box.gm("kill", "--yes", "n1")
    box.gm("start", "n1")
    wait_for(box, "Shell> ")
    require_equal(os.stat(stores(box)[0]).st_ino, before, "store")
    require_in("one", monitor(box, "info snapshots"))
    require_equal(digest("/usr/share/OVMF/OVMF_VARS_4M.fd"), template,
                  "template")


def test_secure_boot_starts_nothing_unsigned(box):
    need("40-edk2-x86_64-secure-enrolled.json")
    fleet(box, firmware="uefi-secure")
    box.up()
    wait_for(box, "Security Violation|Access Denied")


def test_secure_boot_without_keys_starts_what_there_is(box):
    need("50-edk2-x86_64-secure.json")
    fleet(box, firmware="uefi-secure-setup")
    box.gm("check")
    box.up()
    wait_for(box, "Shell> ")
    require_equal(monitor(box, "savevm one"), '""\n', "savevm")


def test_files_of_ones_own_are_used_where_they_lie(box):
    need("60-edk2-x86_64.json")
    shutil.copy("/usr/share/OVMF/OVMF_VARS_4M.fd", box.at("w", "my.fd"))
    fleet(box, firmware={"code": "/usr/share/OVMF/OVMF_CODE_4M.fd",
                         "store": "my.fd"})
    box.up()
    wait_for(box, "Shell> ")
    require_equal(stores(box), [], "stores")
    argv = box.gm("export-command", "n1").out
    require_in(f"if=pflash,unit=1,format=raw,file={box.at('w', 'my.fd')}",
               argv)


def test_code_and_variables_in_one_file_are_copied_whole(box):
    both = "/usr/share/ovmf/OVMF.fd"
    if not os.path.exists(both):
        raise Skip(f"{both} is missing")
    before = digest(both)
    os.makedirs(box.at("c", "qemu", "firmware"))
    with open(box.at("c", "qemu", "firmware", "00-one.json"), "w",
              encoding="utf-8") as file:
        json.dump({
            "description": "one file", "interface-types": ["uefi"],
            "mapping": {"device": "flash", "mode": "combined", "executable": {
                "filename": both, "format": "raw"}},
            "targets": [{"architecture": "x86_64",
                         "machines": ["pc-q35-*"]}],
            "features": [], "tags": []}, file)
    fleet(box, firmware="uefi")
    box.gm("check")
    box.up()
    wait_for(box, "Shell> ")
    require_equal(len(stores(box)), 1, "stores")
    # The guest writes to its copy, at once.
    require_equal(monitor(box, "savevm one"), '""\n', "savevm")
    box.gm("kill", "--yes", "n1")
    box.gm("start", "n1")
    wait_for(box, "Shell> ")
    require_in("one", monitor(box, "info snapshots"))
    require_equal(digest(both), before, "the distribution's file")


def test_a_store_is_made_once_whole_and_never_overwritten(box):
    """Through kills, other firmware and back, and what is no store."""
    need("40-edk2-x86_64-secure-enrolled.json")
    gate, making = box.at("gate"), box.at("making")
    real = shutil.which("qemu-img")
    os.mkdir(box.at("tools"))
    tool = box.at("tools", "qemu-img")
    with open(tool, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\n[ $1 = convert ] && touch '{making}' && while "
                   f"[ ! -e '{gate}' ]; do sleep 0.05; done\n"
                   f"exec {real} \"$@\"\n")
    os.chmod(tool, 0o755)
    box.env["PATH"] = box.at("tools") + ":" + box.env["PATH"]
    fleet(box, firmware="uefi", args=["-S"])
    peer = box.api()
    peer.call("fleet-apply", file=box.at("w", "guestmux.json"), start=True)
    peer.close()
    until(lambda: os.path.exists(making), "the copy's begin")
    box.kill_server()
    require_equal(stores(box), [], "stores of a killed server")
    with open(gate, "w", encoding="utf-8"):
        pass
    box.gm("start", "n1")
    (plain,) = stores(box)
    first = digest(plain)
    for kind in ("uefi-secure", "uefi-secure-setup", "uefi"):
        box.gm("kill", "--yes", "n1")
        fleet(box, firmware=kind, args=["-S"])
        box.up()
        argv = box.gm("export-command", "n1").out
        require(("smm=on" in argv) == ("secure" in kind), argv)
    box.gm("kill", "--yes", "n1")
    require_equal(digest(plain), first, "the first store")
    require_equal(len(stores(box)), 2, f"{stores(box)}")
    # What is no store of ours is neither used nor overwritten.
    with open(plain, "wb") as file:
        file.write(b"not a qcow2 image")
    told = box.gm("start", "n1", code=FAILED).err
    require_in("variables cannot be used, move them away", told)
    with open(plain, "rb") as file:
        require_equal(file.read(), b"not a qcow2 image", "the broken store")
    os.rename(plain, box.at("w", "away"))
    os.symlink(box.at("w", "away"), plain)
    require_in("symbolic link", box.gm("start", "n1", code=FAILED).err)
    os.unlink(plain)
    # A template that is gone.
    fleet(box, args=["-S"], firmware={
        "code": "/usr/share/OVMF/OVMF_CODE_4M.fd", "vars": "nowhere.fd"})
    require_in("nowhere.fd", box.gm("check", code=FAILED).out)
    told = box.gm("up", "-d", code=FAILED).err
    require_in("cannot copy its firmware's variables", told)
    require_equal([name for name in os.listdir(os.path.dirname(plain))
                   if name.startswith(".making")], [], "leftovers")


def test_bios_files_boot_as_tutorials_write_them(box):
    """By a path, by QEMU's own name, and imported."""
    command = ("qemu-system-x86_64 -M q35 -accel tcg -m 128 -nographic "
               "-net none -bios ")
    for name in ("bios-256k.bin", "/usr/share/seabios/bios-256k.bin"):
        done = box.gm("import", "-q", "-n", "n1", "-", text=command + name)
        box.write("guestmux.json", done.out)
        require_equal(json.loads(done.out)["guests"]["n1"]["firmware"], name)
        require("warning:" not in box.gm("check").out, "a warning")
        box.up()
        wait_for(box, "SeaBIOS")
        require_in(f"-bios {name}", box.gm("export-command", "n1").out)
        box.gm("kill", "--yes", "n1")


def test_a_user_can_hide_firmware_and_is_told(box):
    need("60-edk2-x86_64.json")
    mine = box.at("c", "qemu", "firmware")
    os.makedirs(mine)
    with open(f"{mine}/60-edk2-x86_64.json", "w", encoding="utf-8"):
        pass  # empty: hides the one of this name
    fleet(box, firmware="uefi")
    for command in (["check"], ["up", "-d"]):
        done = box.gm(*command, code=FAILED)
        text = done.out + done.err
        require_in('no firmware "uefi" (UEFI) for x86_64\'s machine q35', text)
        require_in(mine, text)
    require_equal(box.qemus(), [], "QEMUs")
    require(not stores(box), "a store was made")


main(globals())
