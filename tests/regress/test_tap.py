"""Taps and bridges of the host, in a network namespace of the test's own.

Addresses, a bridge's permissions and devices are made in namespaces that nobody
else is in: the machine's network and its /etc stay as they are.
"""

import json
import os
import shlex
import subprocess
import sys

from harness import FAILED, Skip, main, require, require_equal, require_in, until

APPEND = "console=ttyS0 quiet panic=-1 no_timer_check gm.shell"
MAC = "52:54:00:00:07:02"
HELPER = "/usr/lib/qemu/qemu-bridge-helper"
# Set in the namespaces: "" or why there are none.
INSIDE = "GUESTMUX_TEST_NAMESPACE"


def enter():
    """Runs this file again in namespaces of its own; as root, or as a user who
    may have some."""
    if INSIDE in os.environ:
        return
    said = "there is no unshare"
    for options in (["-mn"], ["-Urmn"]):
        try:
            done = subprocess.run(["unshare", *options, "true"], check=False,
                                  stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True)
        except FileNotFoundError:
            break
        if not done.returncode:
            os.environ[INSIDE] = ""
            os.execvp("unshare", ["unshare", *options, sys.executable,
                                  *sys.argv])
        said = done.stderr.strip()
    os.environ[INSIDE] = f"no network namespace: {said}"


def run(*words):
    """Of the machine's own tools, in the namespace."""
    done = subprocess.run(words, check=False, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    require(done.returncode == 0, f"{shlex.join(words)}: {done.stderr}")


def need_namespace():
    if os.environ[INSIDE]:
        raise Skip(os.environ[INSIDE])
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        raise Skip(f"/dev/net/tun: {error.strerror}") from None
    run("ip", "link", "set", "lo", "up")


def fleet(box, **nic):
    box.fleet({"n1": {"append": APPEND, "nics": [{"mac": MAC, **nic}],
                      "ssh": {"user": "root"}}})


def addresses(box):
    return {(one["address"], one["source"], one["reachable"]) for one in
            json.loads(box.gm("ip", "n1", "--json").out)["addresses"]}


def talk(box, number):
    """The guest, 10.number.0.2, reaches the host, 10.number.0.1; its address is
    found in the host's neighbour table, and ssh would go there."""
    box.wait_shell("n1")
    box.shell("n1", f"ip addr add 10.{number}.0.2/24 dev eth0; "
              "ip link set eth0 up; echo up-$((40 + 2))", "up-42")
    box.shell("n1", f"ping -c 1 -W 30 10.{number}.0.1", "1 packets received")
    found = (f"10.{number}.0.2", "neighbours", True)
    until(lambda: found in addresses(box), "the guest's address")
    # Somebody who speaks first, as sshd does.
    box.shell("n1", "(while :; do echo SSH-2.0-tiny | nc -l -p 22; done) & "
              "echo open-$((40 + 2))", "open-42")
    line = shlex.split(until(
        lambda: box.gm("ssh", "--print", "n1", code=None).out, "ssh's way"))
    require_equal(line[-1], f"10.{number}.0.2", "where ssh goes")
    box.gm("wait", "n1", "--until", "ssh", "--timeout", "180")


def test_addresses_of_ipv6_are_neighbours_too(box):
    need_namespace()
    run("ip", "tuntap", "add", "dev", "tap9", "mode", "tap")
    for address in ("fd00:9::1/64", "fe80::9/64"):
        run("ip", "addr", "add", address, "dev", "tap9", "nodad")
    run("ip", "link", "set", "tap9", "up")
    fleet(box, type="tap", name="tap9")
    box.up()
    box.wait_shell("n1")
    box.shell("n1", "ip link set eth0 up; ip addr add fd00:9::2/64 dev eth0; "
              "echo up-$((40 + 2))", "up-42")
    link = "fe80::5054:ff:fe00:702"
    # Until it is sure of its own addresses it sends from none of them.
    for count, way in enumerate(("-I fd00:9::2 fd00:9::1", "fe80::9%eth0")):
        box.shell("n1", f"until ping -6 -c 1 -W 5 {way}; do sleep 1; done; "
                  f"echo seen-$((40 + {count}))", f"seen-4{count}")
    found = {("fd00:9::2", "neighbours", True),
             (f"{link}%tap9", "neighbours", True)}
    until(lambda: found <= addresses(box), "the guest's addresses")
    rows = [line.split() for line in box.gm("ip", "n1").out.splitlines()]
    for address in ("fd00:9::2", f"{link}%tap9"):
        row = next(row for row in rows if row[0] == address)
        require_equal((row[1], row[3]), ("neighbours", "ago"), "source and age")
    # The global one is tried first; link-local ones work with the interface.
    box.shell("n1", "(while :; do echo SSH-2.0-tiny | nc -l -p 22; done) & "
              "echo open-$((40 + 2))", "open-42")
    line = shlex.split(until(
        lambda: box.gm("ssh", "--print", "n1", code=None).out, "ssh's way"))
    require_equal(line[-1], "fd00:9::2", "where ssh goes")
    box.gm("wait", "n1", "--until", "ssh", "--timeout", "180")
    box.shell("n1", "ip addr del fd00:9::2/64 dev eth0; "
              "echo gone-$((40 + 2))", "gone-42")
    run("ip", "neigh", "flush", "dev", "tap9", "to", "fd00:9::/64")
    line = shlex.split(until(
        lambda: box.gm("ssh", "--print", "n1", code=None).out, "ssh's way"))
    require_equal(line[-1], f"{link}%tap9", "where ssh goes now")


def test_a_tap_leads_to_the_host(box):
    need_namespace()
    run("ip", "tuntap", "add", "dev", "tap7", "mode", "tap")
    run("ip", "addr", "add", "10.7.0.1/24", "dev", "tap7")
    run("ip", "link", "set", "tap7", "up")
    fleet(box, type="tap", name="tap7")
    box.gm("check")
    box.up()
    talk(box, 7)
    # The cable.
    box.gm("link", "n1", "down")
    # Its kernel hears of it beside the shell.
    box.shell("n1", "until grep 0 /sys/class/net/eth0/carrier; do sleep 1; "
              "done; echo d-$((40 + 2))", "d-42")
    box.gm("link", "n1", "up")
    box.shell("n1", "ping -c 1 -W 30 10.7.0.1", "1 packets received")
    # A tap that a guest has is no other's.
    box.fleet({"n2": {"nics": [{"type": "tap", "name": "tap7"}]}}, "two.json")
    said = box.up("-f", "two.json", code=FAILED).err
    require_in("tap7", said)
    require_in("busy", said)


def allow_bridge(box, text):
    """Over /etc, in this mount namespace alone, lies a directory of the test's
    with qemu/bridge.conf."""
    for name in ("upper", "work"):
        os.makedirs(box.at("o", name), exist_ok=True)
    if not os.path.ismount("/etc"):
        run("mount", "-t", "tmpfs", "tmpfs", box.at("o"))
        for name in ("upper", "work"):
            os.makedirs(box.at("o", name))
        run("mount", "-t", "overlay", "overlay", "-o",
            f"lowerdir=/etc,upperdir={box.at('o', 'upper')},"
            f"workdir={box.at('o', 'work')}", "/etc")
    os.makedirs("/etc/qemu", exist_ok=True)
    with open("/etc/qemu/bridge.conf", "w", encoding="utf-8") as file:
        file.write(text)


def test_a_bridge_leads_to_the_host_when_its_helper_allows_it(box):
    need_namespace()
    if not os.path.exists(HELPER):
        raise Skip(f"{HELPER} is missing")
    run("ip", "link", "add", "br7", "type", "bridge")
    run("ip", "addr", "add", "10.8.0.1/24", "dev", "br7")
    run("ip", "link", "set", "br7", "up")
    try:
        fleet(box, type="bridge", bridge="br7")
        allow_bridge(box, "allow another\n")
        said = box.up(code=FAILED).err
        require_in("access denied by acl file", said)
        require_in("/etc/qemu/bridge.conf", said)
        allow_bridge(box, "allow br7\n")
        box.gm("start", "n1")
        talk(box, 8)
        # The definition goes on being what a person's shell takes.
        require_in("bridge,id=gmnet0,br=br7",
                   box.gm("export-command", "n1").out)
    finally:
        if os.path.ismount("/etc"):
            run("umount", "/etc")
            run("umount", box.at("o"))


enter()
main(globals())
