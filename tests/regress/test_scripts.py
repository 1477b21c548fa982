"""Command lines and scripts as tutorials, wikis and logs have them: imported,
checked, exported, imported again; and QEMU itself says whether the machine is
the same."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess

from harness import (FAILED, guest_directory, main, require, require_equal,
                     require_in, until)

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scripts")

# What a static reader cannot know is told with its place, and nothing is made.
REFUSED = {
    "kubernetes-hard-way": [
        ":6: $name: $1 needs a shell to tell its value"],
    "shell-argument": [":3: $1 needs a shell to tell its value"],
    "shell-not-exported": [":2: $MEM: it is not exported"],
    "nproc": [":1: $(nproc) needs a shell to tell its value"],
    "nixos-vm": [":4: $QEMU_NET_OPTS is not set in the script"],
    "while-read": [":2: $name: it is read when the script runs"],
    "blank-behind-backslash": [
        ":1: the \\ at the end of line 2 has a blank behind it"],
    "printf-mac": [
        ":2: $MAC: $(printf '52:54:00:%02x' 1) needs a shell to tell its"],
}

# Remarks that have to be there.
TOLD = {
    "gentoo-options": ["$@: left out", "-monitor stdio: dropped"],
    "kubernetes-unrolled": [":8: wait: not a QEMU command"],
    "aarch64-pflash": [":3: dd if=", "efi.img is opened read-only"],
    "serial-unix": ["-serial unix:/tmp/console.sock,server=on,wait=off: the "
                    "console ttyS0"],
    "kubernetes-daemons": ["-serial file:server.log: the console ttyS0",
                           "-daemonize: dropped"],
    "windows-spice": ["-name Windows 11: dropped, a name here has letters",
                      "$@: left out", ":4: swtpm socket"],
    "if-else": ["${MEM:-1024}: it is not set in the script, \"1024\" is taken",
                "$ACCEL: what line 6 says is taken, in a condition"],
    "kvm-if-there": ["$ACCEL: what line 3 says is taken, in a condition"],
    "comment-in-between": [":4: -nographic: left out, no command begins with"],
    "case": ["it stands in a condition"],
    "screen": [":1: vm0: screen: dropped", ":2: tmux new-session", "what it has a shell run is taken"],
    "shell-in-shell": [":4: bash -c", ":6: vm0: ", ":10: cd /srv: left out",
                       ":10: vm1: exec: dropped", ":11: vm2: "],
    "sudo-nice": ["sudo: dropped", "nice: dropped", "taskset: dropped"],
    "windows": ["-usbdevice tablet: QEMU has it no more"],
    "scsi-disks": ["ends in gmdisk and a number instead of a"],
    "usb-plain": ["usb: on an xHCI controller"],
    "raspi": ["kept as a command: which devices its machine has"],
}

# How many guests a script has, where that is not one.
COUNTS = {"kubernetes-unrolled": 2, "for-loop": 3, "counting-loop": 3,
          "loop-in-background": 2, "kubernetes-daemons": 3, "screen": 2,
          "shell-in-shell": 3}

# Devices that QEMU adds by itself and the import says that it leaves out, and
# controllers that differ by intention.
LEFT_OUT = {"isa-parallel", "floppy", "usb-hub", "piix3-usb-uhci",
            "qemu-xhci", "virtio-serial-pci"}
# What names other parts, or says where on a bus something is.
NAMES = {"addr", "drive", "netdev", "chardev", "id", "mac", "port", "index",
         "serial", "device_id", "share-rw", "backend_defaults", "unit"}


def scripts():
    return sorted(name[:-3] for name in os.listdir(SCRIPTS)
                  if name.endswith(".sh"))


def bring(box, name):
    path = box.at("w", name + ".sh")
    shutil.copy(os.path.join(SCRIPTS, name + ".sh"), path)
    return path


def without_comments(fleet):
    for guest in fleet["guests"].values():
        guest.pop("comment", None)
    return fleet


def test_every_script_is_taken_or_told_exactly(box):
    require(len(scripts()) >= 90, "scripts")
    for name in scripts():
        path = bring(box, name)
        if name in REFUSED:
            done = box.gm("import", path, code=FAILED)
            for text in REFUSED[name]:
                require_in(name + ".sh" + text, done.err, name)
            require_equal(done.out, "", name)
            continue
        done = box.gm("import", path)
        guests = json.loads(done.out)["guests"]
        require_equal(len(guests), COUNTS.get(name, 1), name)
        for text in TOLD.get(name, []):
            require_in(text, done.err, name)
        fleet = box.write(name + ".json", done.out)
        box.gm("check", "--syntax", fleet)


def options_of(name):
    """A script's only command as words, where a shell's rules are simple."""
    with open(os.path.join(SCRIPTS, name + ".sh"), encoding="utf-8") as file:
        text = file.read()
    if not text.startswith(("qemu", "/usr/bin/qemu")) or "$" in text \
            or "`" in text or "#" in text:
        return None
    words = shlex.split(text.replace("\\\n", " "))
    options, at = [], 1
    while at < len(words):
        takes = (words[at].startswith("-") and at + 1 < len(words)
                 and not words[at + 1].startswith("-"))
        options.append(words[at:at + 1 + takes])
        at += 1 + takes
    return words[0], options


def test_no_option_is_dropped_silently(box):
    """Without any one option, entry or remarks are others."""
    # What is QEMU's default anyway, or only says what fields always do.
    same = {("mux-debugcon", "-nographic"), ("microvm", "-nographic"),
            ("pseries", "-nographic")}
    count = 0
    for name in scripts():
        command = options_of(name)
        if not command or name in REFUSED:
            continue
        program, options = command
        def take(chosen):
            words = [program] + [word for option in chosen for word in option]
            done = box.gm("import", "-", text=shlex.join(words) + "\n",
                          code=None)
            return done.code, done.out, done.err
        whole = take(options)
        require_equal(whole[0], 0, name)
        for index, option in enumerate(options):
            if (name, option[0]) in same:
                continue
            rest = take(options[:index] + options[index + 1:])
            require(rest != whole, f"{name}: nothing comes of {option}")
            count += 1
    require(count > 300, f"{count} options")


def test_what_is_exported_comes_back(box):
    for name in scripts():
        if name in REFUSED:
            continue
        path = bring(box, name)
        fleet = without_comments(
            json.loads(box.gm("import", "-q", path).out))
        box.write("guestmux.json", fleet)
        peer = box.api()
        peer.call("fleet-apply", file=box.at("w", "guestmux.json"),
                  start=False)
        peer.close()
        for guest, entry in fleet["guests"].items():
            done = box.gm("export-command", guest, code=None)
            if done.code and "is not installed" in done.err:
                continue
            require_equal(done.code, 0, name + ": " + done.err)
            again = without_comments(json.loads(
                box.gm("import", "-q", "-n", guest, "-", text=done.out).out))
            box.write("again.json", again)
            peer = box.api()
            peer.call("fleet-apply", file=box.at("w", "again.json"),
                      start=False)
            peer.close()
            require_equal(box.gm("export-command", guest).out, done.out,
                          f"{name}: exported again")
            if "command" not in entry:
                require("command" not in again["guests"][guest],
                        f"{name}: {again}")
        box.gm("rm", "--yes", *fleet["guests"])


# QEMU's own word ------------------------------------------------------------

def qmp(path, process):
    def connect():
        peer = socket.socket(socket.AF_UNIX)
        try:
            peer.connect(path)
        except OSError:
            peer.close()
            require(process.poll() is None, "QEMU ended")
            return None
        return peer
    peer = until(connect, "the monitor")
    file = peer.makefile("rw", encoding="utf-8")
    file.readline()

    def call(command, **arguments):
        file.write(json.dumps({"execute": command, "arguments": arguments})
                   + "\n")
        file.flush()
        while True:
            reply = json.loads(file.readline())
            if "event" not in reply:
                require("return" in reply, f"{command}: {reply}")
                return reply["return"]
    call("qmp_capabilities")
    return call


def devices(tree):
    """The devices of `info qtree`, each with its properties, without names and
    places."""
    found, current = [], None
    for line in tree.splitlines():
        line = line.strip()
        if line.startswith("dev: "):
            current = [line[5:].split(",")[0]]
            found.append(current)
        elif " = " in line and current:
            key, _, value = line.partition(" = ")
            if key not in NAMES and "gm" not in value:
                current.append(f"{key}={value}")
    result = sorted(tuple(device) for device in found
                    if device[0] not in LEFT_OUT)
    return result


def machine_of(box, argv, where):
    """What QEMU says of a machine that does not run."""
    path = box.at(f"{where}.qmp")
    process = subprocess.Popen(
        argv + ["-S", "-qmp", f"unix:{path},server=on,wait=off"],
        cwd=box.work, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True)
    try:
        call = qmp(path, process)
        tree = call("human-monitor-command",
                    **{"command-line": "info qtree"})
        blocks = sorted(
            (re.sub(r"vl\..*", "snapshot",
                    os.path.basename(device["inserted"]["file"])),
             device["inserted"]["drv"], device["inserted"]["ro"],
             device["inserted"]["cache"]["direct"],
             device["inserted"]["cache"]["writeback"])
            for device in call("query-block") if device.get("inserted"))
        network = call("human-monitor-command",
                       **{"command-line": "info network"})
        return {
            "devices": devices(tree),
            "blocks": blocks,
            "memory": call("query-memory-size-summary")["base-memory"],
            "cpus": sorted((cpu["props"].get("socket-id", 0),
                            cpu["props"].get("core-id", 0),
                            cpu["props"].get("thread-id", 0))
                           for cpu in call("query-cpus-fast")),
            "machine": call("qom-get", path="/machine", property="type"),
            "networks": sorted(re.findall(r"type=(?!nic)([a-z]+)", network)),
            "append": call("qom-get", path="/machine", property="append"),
        }
    except AssertionError as failure:
        process.kill()
        raise AssertionError(
            f"{failure}: {shlex.join(argv)}: {process.stderr.read()}")
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


# To have them here: no KVM, no privileged networks, no window, no background.
REPLACED = [
    (r"-enable-kvm", "-accel tcg"), (r"accel=kvm(:tcg)?", "accel=tcg"),
    (r"-accel kvm", "-accel tcg"), (r"-cpu host\S*", "-cpu max"),
    (r"-display (sdl|gtk)\S*", "-display none"), (r"-curses", ""),
    (r"-daemonize", ""), (r"-pidfile \S+", ""),
    (r"(tap|bridge),id=(\w+)\S*", r"user,id=\2"),
    (r"tap,ifname=tap1,script=no,downscript=no", "user"),
    (r"hostfwd=tcp:(127.0.0.1)?:\d+", r"hostfwd=tcp:127.0.0.1:0"),
    (r"-vnc :\d", "-vnc unix:vnc.sock"), (r"/tmp/", ""),
    (r"security_model=passthrough", "security_model=none"),
    (r"telnet:127.0.0.1:\d+,server,nowait", "vc"),
    (r"-s ", ""), (r"-D \S+", ""),
    (r"-d \S+", ""), (r"-m [24](G|048|096)", "-m 512M"),
]
# What is not here: other QEMUs, other hosts' sockets, valid firmware.
NOT_RUN = {"virtiofs", "tpm-secure-boot", "windows", "xv6", "raspi", "s390x",
           "pseries", "coreos-ignition", "numa", "serial-unix",
           "blockdev-pflash", "aarch64-bios",
           "aarch64-pflash", "arch-uefi", "arch-install",
           "serial-telnet", "usb-plain"}


def make_files(box, text):
    """The images that a command line names."""
    guest = guest_directory()
    for name in ("vmlinuz", "initrd.gz"):
        if not os.path.exists(box.at("w", name)):
            os.symlink(os.path.join(guest, name), box.at("w", name))
    names = re.findall(r"file=((?:[^,\s']|,,)+)", text)
    names += re.findall(r"-(?:hd[abcd]|cdrom|fda) (\S+)", text)
    names += re.findall(r"\s([\w-]+\.(?:img|qcow2))(?=\s)", text)
    names += re.findall(r'"filename":"([^"]+)"', text)
    names += ["with space.img", "a b.qcow2"]
    for name in names:
        path = box.at("w", name.replace(",,", ","))
        if os.path.exists(path) or "/" in name:
            continue
        is_qcow2 = name.endswith("qcow2")
        subprocess.run(["qemu-img", "create", "-q", "-f",
                        "qcow2" if is_qcow2 else "raw", path,
                        "1440K" if "floppy" in name else "8M"], check=True)


def test_the_machine_is_the_same_by_qemus_word(box):
    ran = 0
    for name in scripts():
        command = options_of(name)
        if not command or name in REFUSED or name in NOT_RUN:
            continue
        with open(os.path.join(SCRIPTS, name + ".sh"),
                  encoding="utf-8") as file:
            text = file.read().replace("\\\n", " ")
        for pattern, other in REPLACED:
            text = re.sub(pattern, other, text)
        make_files(box, text)
        done = box.gm("import", "-q", "-n", "n1", "-", text=text)
        box.write("guestmux.json", done.out)
        peer = box.api()
        peer.call("fleet-apply", file=box.at("w", "guestmux.json"),
                  start=False)
        peer.close()
        exported = shlex.split(box.gm("export-command", "n1").out)
        if exported[0] == "cd":
            exported = exported[exported.index("&&") + 1:]
        first = machine_of(box, shlex.split(text), name + "-a")
        second = machine_of(box, exported, name + "-b")
        for part, value in first.items():
            if part == "devices":
                missing = [one for one in value if one not in second[part]]
                more = [one for one in second[part] if one not in value]
                # An empty CD-ROM drive is left out, and told.
                missing = [one for one in missing if one[0] != "ide-cd"]
                require(not missing and not more,
                        f"{name}: missing {missing}, more {more}")
            else:
                require_equal(second[part], value, f"{name}: {part}")
        ran += 1
    require(ran >= 50, f"{ran} machines")


if __name__ == "__main__":
    main(globals())
