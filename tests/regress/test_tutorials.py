"""What tutorials tell people to type: a live CD, a display for VNC."""

import json
import os
import re
import socket
import subprocess

from harness import (FAILED, PATIENCE, TREE, Skip, main, require, require_equal,
                     require_in, until)


def live_cd():
    """The path of an ISO image that boots."""
    done = subprocess.run(
        ["sh", os.path.join(TREE, "tests/guest/make-live-cd.sh")],
        check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise Skip(done.stderr.strip().replace("\n", "; "))
    return done.stdout.strip() + "/live.iso"


def imported(box, script):
    """Imports a script to guestmux.json; its guests, without the comments."""
    box.write("boot.sh", script)
    box.gm("import", "-o", "guestmux.json", "boot.sh")
    with open(box.at("w", "guestmux.json"), encoding="utf-8") as file:
        guests = json.load(file)["guests"]
    return {name: {field: value for field, value in guest.items()
                   if field != "comment"} for name, guest in guests.items()}


def test_a_live_cd_boots_to_its_prompt(box):
    os.symlink(live_cd(), box.at("w", "live.iso"))
    guests = imported(box, "#!/bin/sh\n"
                      "qemu-img create -f qcow2 disk.qcow2 1G\n"
                      "sudo qemu-system-x86_64 -name live -accel tcg -m 256 \\\n"
                      "    -hda disk.qcow2 -cdrom live.iso -boot d \\\n"
                      "    -nographic\n")
    require_equal(guests, {"live": {
        "machine": "pc", "accel": "tcg", "memory": 256, "vga": "std",
        "disks": [{"file": "disk.qcow2", "interface": "ide"},
                  {"file": "live.iso", "format": "raw", "interface": "ide",
                   "readonly": True}],
        "nics": [{"model": "e1000"}], "args": ["-boot", "d"]}}, "the guests")
    # What the tutorial makes before is not made by anybody else.
    require_in("disk.qcow2", box.gm("check", code=FAILED).out)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2",
                    box.at("w", "disk.qcow2"), "1G"], check=True,
                   stdin=subprocess.DEVNULL)
    box.gm("check")
    box.up()
    box.gm("wait", "live", "--for", "ISOLINUX", "--since-boot", patience=180)
    box.gm("wait", "live", "--until", "login", "--timeout", "180", patience=190)
    box.gm("wait", "live", "--for", "live login:", "--since-boot")
    require_equal([one["stage"] for one in box.guest("live")["stages"]][:3],
                  ["firmware", "boot-loader", "kernel"], "the stages")
    box.gm("send", "live", "--enter", "root")
    box.wait_shell("live")
    # The CD-ROM and the disk, as the guest sees them.
    box.shell("live", "cat /proc/cmdline", "BOOT_IMAGE=/vmlinuz")


def free_display():
    """A VNC display of which nobody has the port, on any address."""
    for number in range(40, 200):
        with socket.socket() as one:
            try:
                one.bind(("0.0.0.0", 5900 + number))
                return number
            except OSError:
                pass
    raise Skip("no VNC display is free")


def ask(box, command):
    return json.loads(box.gm("qmp", "win", command).out)


def test_a_display_for_vnc_and_a_tablet(box):
    display = free_display()
    os.symlink(live_cd(), box.at("w", "live.iso"))
    guests = imported(
        box, f"qemu-system-x86_64 -name win -accel tcg -m 256 -cdrom live.iso "
        f"-boot d -vnc :{display} -k de -usb -usbdevice tablet -vga std "
        "-monitor stdio\n")
    require_equal(guests["win"]["vnc"], f":{display}", "the display")
    require_in("tablet", json.dumps(guests["win"]))
    box.gm("check")
    box.up()
    vnc = ask(box, "query-vnc")
    require_equal((vnc["enabled"], vnc["service"]),
                  (True, str(5900 + display)), "the display")
    with socket.create_connection(("127.0.0.1", 5900 + display), PATIENCE) as peer:
        require(re.match(rb"RFB \d{3}\.\d{3}\n", peer.recv(12)), "RFB")
    require(any(one["absolute"] and "Tablet" in one["name"]
                for one in ask(box, "query-mice")), "a tablet")
    # The guest prints on its display; the picture can be taken.
    shot = box.at("w", "shot.ppm")
    until(lambda: box.gm("qmp", "win", "screendump",
                         json.dumps({"filename": shot})) and
          os.path.getsize(shot) > 100000, "a picture")
    # Another guest's display of that number is told before it is started.
    with open(box.at("w", "guestmux.json"), encoding="utf-8") as file:
        fleet = json.load(file)
    other = dict(fleet["guests"]["win"], vnc=display)
    box.write("other.json", fleet | {"guests": {"other": other}})
    done = box.gm("check", "other.json", code=FAILED)
    require_in(f"{5900 + display}", done.out)


main(globals())
