"""A Debian cloud image on overlays: seeds, UEFI, the guest agent, a network.

Slow: many minutes without KVM. Run by `sh tests/run.sh --slow`; the image is
made once by tests/guest/make-cloud-image.sh, which needs root.
"""

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess

from harness import (TREE, Skip, limit, main, require, require_equal,
                     require_in, until)

# Seconds; a boot takes half a minute on an idle machine, a shared one is far
# slower: everything in these guests can take minutes.
BOOT = 900
ANSWER = 300


def cloud_directory():
    """Where the image's files lie."""
    done = subprocess.run(
        ["sh", os.path.join(TREE, "tests/guest/make-cloud-image.sh")],
        check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise Skip(done.stderr.strip().replace("\n", "; "))
    return done.stdout.strip()


def cloud_fleet(box, guests, **defaults):
    """Writes a fleet file whose default is the cloud image."""
    directory = cloud_directory()
    return box.write("guestmux.json", {
        "version": 1,
        "defaults": {
            "accel": "tcg", "memory": "768M", "smp": 2,
            "kernel": directory + "/vmlinuz",
            "initrd": directory + "/initrd.img",
            "append": "root=LABEL=cloud console=ttyS0 quiet",
            "disks": [{"base": directory + "/cloud.qcow2", "size": "4G"}],
        } | defaults,
        "guests": guests})


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def log_in(box, name, user, password):
    """Through the console, once cloud-init is through; returns at a prompt."""
    box.gm("wait", name, "--for", r"Cloud-init v\. .* finished at",
           "--since-boot", "--timeout", BOOT, patience=BOOT + 10)
    cursor = box.json("send", name, "--enter", "")["cursor"]
    box.gm("wait", name, "--for", "login: *$", "--after", cursor,
           "--timeout", ANSWER, patience=ANSWER + 10)
    cursor = box.json("send", name, "--enter", user)["cursor"]
    box.gm("wait", name, "--for", "Password: *$", "--after", cursor,
           "--timeout", ANSWER, patience=ANSWER + 10)
    cursor = box.json("send", name, "--enter", password)["cursor"]
    box.gm("wait", name, "--for", rf"{user}@{name}:.*\$ *$", "--after", cursor,
           "--timeout", ANSWER, patience=ANSWER + 10)


# With this the guest does not hear the power button.
DEAF = "/etc/systemd/logind.conf.d/deaf.conf"


def check_agent(box, name):
    """A real guest agent tells addresses, and when it was asked."""
    box.gm("wait", name, "--until", "agent", "--timeout", ANSWER,
           patience=ANSWER + 10)
    found = {one["source"]: one for one in until(
        lambda: [one for one in json.loads(box.gm(
            "ip", name, "--json").out)["addresses"]
            if one["address"] == "10.0.2.15"], "the address")}
    require_in("agent", found, "the sources")
    require_equal((found["agent"]["nic"], found["agent"]["reachable"]),
                  (0, False), "the agent's address")
    require(re.search(r"^10\.0\.2\.15 +agent +\d+s ago",
                      box.gm("ip", name).out, re.MULTILINE),
            box.gm("ip", name).out)


@limit(2 * BOOT + 12 * ANSWER)
def test_two_guests_get_name_and_password_from_their_seeds(box):
    base = os.path.join(cloud_directory(), "cloud.qcow2")
    before = digest(base)
    box.up("-f", cloud_fleet(box, {
        "alpha": {"cloud-init": {"user": "op", "password": "first-pw"}},
        "beta": {
            "agent": True, "shutdown": {"button": 20, "agent": ANSWER},
            "cloud-init": {
                "user": "op", "password": "second-pw",
                "user-data": {
                    "write_files": [{"path": DEAF, "content":
                                     "[Login]\nHandlePowerKey=ignore\n"}],
                    "runcmd": ["echo ran-$((40 + 2)) >/etc/ran"]}}}}))
    log_in(box, "alpha", "op", "first-pw")
    log_in(box, "beta", "op", "second-pw")
    box.shell("beta", "cat /etc/ran", "^ran-42", patience=ANSWER)
    cloud = box.guest("beta")["cloud-init"]
    require_equal(cloud["phase"], "finished")
    require_equal(cloud["failures"], [])
    for name in ("alpha", "beta"):
        box.shell(name, "echo name=$(hostname)", f"^name={name}",
                  patience=ANSWER)
        # The file system grew to the overlay's size.
        box.shell(name, "echo size=$(df --output=size -BG / | tail -n 1)",
                  "^size= *[34]G", patience=ANSWER)
        box.shell(name, "echo status=$(sudo cloud-init status)",
                  "^status=status: done", patience=ANSWER)
    check_agent(box, "beta")
    # One answers the power button, the other one to its agent alone.
    down = box.spawn("down", "--yes", "--timeout", "180")
    until(lambda: (box.guest("beta")["shutdown"] or {}).get("step") ==
          "agent", "the agent to be asked", ANSWER)
    require_equal(down.wait(ANSWER), 0, "the end of down")
    for name in ("alpha", "beta"):
        require_equal(box.guest(name)["exit"]["reason"], "guest-shutdown",
                      f"the end of {name}")
    require_equal(digest(base), before, "the base")
    require_in("Cloud-init v.", box.gm("logs", "alpha").out)
    require("first-pw" not in box.gm("logs", "alpha").out,
            "a password on the console")


# A tutorial from beginning to end: what it makes, then QEMU.
MAKE = """#!/bin/sh
set -e
qemu-img create -q -f qcow2 -b cloud.qcow2 -F qcow2 vm.qcow2 4G
cat >user-data <<EOF
#cloud-config
user: op
password: tutorial-pw
chpasswd: { expire: false }
EOF
printf 'instance-id: i1\\nlocal-hostname: tutor\\n' >meta-data
xorriso -as genisoimage -quiet -output cidata.iso -volid cidata -joliet -rock \\
    user-data meta-data 2>xorriso.log
"""
RUN = """qemu-system-x86_64 -name tutor -machine q35,accel=tcg -smp 2 -m 1G \\
    -nographic \\
    -drive if=pflash,format=raw,readonly=on,file=%(code)s \\
    -drive if=pflash,format=raw,file=%(vars)s \\
    -drive file=vm.qcow2,if=virtio,format=qcow2 \\
    -drive file=cidata.iso,if=virtio,format=raw \\
    -nic user,model=virtio-net-pci,hostfwd=tcp::%(port)d-:22
"""
CODE = "/usr/share/OVMF/OVMF_CODE_4M.fd"
VARS = "/usr/share/OVMF/OVMF_VARS_4M.fd"


def free_port():
    with socket.socket() as one:
        one.bind(("0.0.0.0", 0))
        return one.getsockname()[1]


def tutorial(box, directory):
    """Does what the tutorial says, up to QEMU; its guest, imported."""
    for path in (CODE, VARS):
        if not os.path.exists(path):
            raise Skip(f"{path} is missing")
    if not shutil.which("xorriso"):
        raise Skip("xorriso is missing")
    os.symlink(directory + "/cloud.qcow2", box.at("w", "cloud.qcow2"))
    subprocess.run(["sh", "-c", MAKE], check=True, cwd=box.work,
                   stdin=subprocess.DEVNULL)
    box.write("boot.sh", MAKE + RUN % {"code": CODE, "vars": VARS,
                                       "port": free_port()})
    return json.loads(box.gm("import", "-q", "boot.sh").out)["guests"]["tutor"]


@limit(2 * BOOT + 12 * ANSWER)
def test_a_tutorials_guest_boots_by_uefi_and_another_by_secure_boot(box):
    directory = cloud_directory()
    before = digest(VARS), digest(directory + "/cloud.qcow2")
    entry = tutorial(box, directory)
    require_equal(entry["firmware"], {"code": CODE, "vars": VARS}, "firmware")
    box.write("guestmux.json", {"version": 1, "guests": {
        "tutor": entry,
        "secure": {
            "accel": "tcg", "memory": "1G", "smp": 2, "agent": True,
            "firmware": "uefi-secure",
            "disks": [{"base": "cloud.qcow2", "size": "4G"}],
            "cloud-init": {"user": "op", "password": "secure-pw"}}}})
    box.gm("check")
    box.up(patience=120)
    for name in ("tutor", "secure"):
        box.gm("wait", name, "--until", "login", "--timeout", BOOT,
               patience=BOOT + 10)
        require_equal([one["stage"] for one in box.guest(name)["stages"]][:4],
                      ["firmware", "boot-loader", "kernel", "init"],
                      f"the first stages of {name}")
    log_in(box, "tutor", "op", "tutorial-pw")
    box.shell("tutor", "ls -d /sys/firmware/efi", "^/sys/firmware/efi",
              patience=ANSWER)
    box.gm("wait", "tutor", "--until", "ssh", "--timeout", ANSWER,
           patience=ANSWER + 10)
    log_in(box, "secure", "op", "secure-pw")
    require_in("secureboot: Secure boot enabled", box.gm("logs", "secure").out)
    check_agent(box, "secure")
    box.gm("down", "--yes", "--timeout", 120, patience=ANSWER)
    require_equal((digest(VARS), digest(directory + "/cloud.qcow2")), before,
                  "the distribution's variables, and the base")


# Two cards each: one to the outside, one on the fleet's own network.
OUTSIDE = "52:54:00:00:01:0"
INSIDE = "52:54:00:00:02:0"


def guest(number, key):
    return {
        "nics": [{"hostfwd": ["auto:22"], "mac": OUTSIDE + str(number)},
                 {"network": "lan0", "mac": INSIDE + str(number)}],
        "ssh": {"user": "op", "key": "id"},
        "cloud-init": {
            "user": "op", "ssh-keys": [key],
            "network-config": {"version": 2, "ethernets": {
                "wan": {"match": {"macaddress": OUTSIDE + str(number)},
                        "set-name": "wan", "dhcp4": True},
                "lan": {"match": {"macaddress": INSIDE + str(number)},
                        "set-name": "lan",
                        "addresses": [f"10.1.0.{number}/24"]}}}}}


def run_in(box, name, command, code=0):
    """By ssh, without a terminal."""
    return box.gm("ssh", name, command, code=code, patience=180).out


def loss(box):
    return run_in(box, "alpha", "ping -c 3 -i 0.3 -W 2 10.1.0.2 | "
                  "grep -o '[0-9]*% packet loss'").strip()


@limit(2 * BOOT + 12 * ANSWER)
def test_ssh_and_traffic_between_two_guests(box):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                    box.at("w", "id")], check=True, stdin=subprocess.DEVNULL)
    with open(box.at("w", "id.pub"), encoding="utf-8") as file:
        key = file.read().strip()
    path = cloud_fleet(box, {"alpha": guest(1, key), "beta": guest(2, key)})
    with open(path, encoding="utf-8") as file:
        fleet = json.load(file)
    box.write("guestmux.json", fleet | {"networks": {"lan0": {}}})
    box.up()
    for name in ("alpha", "beta"):
        box.gm("wait", name, "--for", r"Cloud-init v\. .* finished at",
               "--since-boot", "--timeout", BOOT, patience=BOOT + 10)
    # ssh, through the forwarded ports that were chosen.
    for name in ("alpha", "beta"):
        require_equal(run_in(box, name, "hostname").strip(), name, "the host")
    require_equal(subprocess.run(
        ["ssh-keygen", "-F", "alpha", "-f", box.state("alpha", "known_hosts")],
        check=False, stdin=subprocess.DEVNULL, capture_output=True).returncode,
        0, "the host key is remembered by the guest's name: ssh-keygen -F")
    # cloud-init's table on the console.
    addresses = {(one["address"], one["source"]) for one in
                 json.loads(box.gm("ip", "beta", "--json").out)["addresses"]}
    require_in(("10.1.0.2", "console"), addresses)
    # Traffic, which stops while the cable is out.
    require_equal(loss(box), "0% packet loss", "with the cable in")
    box.gm("link", "beta", "1", "down")
    require_equal(loss(box), "100% packet loss", "with the cable out")
    box.gm("link", "beta", "1", "up")
    until(lambda: loss(box) == "0% packet loss", "traffic")
    # A server that is killed.
    box.kill_server()
    until(lambda: loss(box) == "0% packet loss", "traffic of a new server")
    network, = json.loads(box.gm("network", "info", "--json").out)
    require(all(card["bad"] == 0 for card in network["cards"]), "bad frames")
    require_equal({("10.1.0.2", "lan"), ("10.1.0.2", "console")} - {
        (one["address"], one["source"]) for one in
        json.loads(box.gm("ip", "beta", "--json").out)["addresses"]}, set(),
        "what the new server does not know")
    box.gm("down", "--yes", "--timeout", 120, "--force", patience=300)


main(globals())
