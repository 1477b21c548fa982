"""A Debian cloud image on overlays, with seeds: two guests from one file.

Slow: some minutes without KVM. Run by `sh tests/run.sh --slow`; the image is
made once by tests/guest/make-cloud-image.sh, which needs root.
"""

import hashlib
import json
import os
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
            "append": "root=/dev/vda console=ttyS0 quiet",
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


@limit(2 * BOOT + 12 * ANSWER)
def test_two_guests_get_name_and_password_from_their_seeds(box):
    base = os.path.join(cloud_directory(), "cloud.qcow2")
    before = digest(base)
    box.up("-f", cloud_fleet(box, {
        "alpha": {"cloud-init": {"user": "op", "password": "first-pw"}},
        "beta": {"cloud-init": {
            "user": "op", "password": "second-pw",
            "user-data": {"runcmd": ["echo ran-$((40 + 2)) >/etc/ran"]}}}}))
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
    box.gm("down", "--yes", "--timeout", 120, "--force", patience=300)
    require_equal(digest(base), before, "the base")
    require_in("Cloud-init v.", box.gm("logs", "alpha").out)
    require("first-pw" not in box.gm("logs", "alpha").out,
            "a password on the console")


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
    require_in(("10.1.0.2", "lan"), {
        (one["address"], one["source"]) for one in
        json.loads(box.gm("ip", "beta", "--json").out)["addresses"]})
    box.gm("down", "--yes", "--timeout", 120, "--force", patience=300)


main(globals())
