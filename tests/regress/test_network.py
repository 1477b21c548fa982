"""Forwarded ports, cables, the fleet's own networks."""

import json
import socket

from harness import FAILED, main, require, require_equal, require_in, until

APPEND = "console=ttyS0 quiet panic=-1 gm.shell"
# QEMU's user network, as it is in the guest.
CONFIGURE = "ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up"
# Answers one connection after the other.
ANSWER = "(while :; do echo from-the-guest | nc -l -p 80; done) &"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def forwards(box, name):
    return [(row["protocol"], row["host"], row["host-port"],
             row["guest-port"]) for row in
            json.loads(box.gm("forward", name, "--json").out)]


def read_all(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as peer:
            return peer.makefile("rb").read()
    except OSError:
        return b""


def answers(port):
    return b"from-the-guest" in read_all(port)


def test_a_forwarded_port_leads_to_the_guest(box):
    fixed = free_port()
    box.fleet({"n1": {"append": APPEND, "nics": [
        {"hostfwd": [f"{fixed}:80", "auto:22"]}]}})
    box.up()
    box.wait_shell("n1")
    chosen = [row for row in forwards(box, "n1") if row[3] == 22][0][2]
    require(20000 <= chosen < 32000, f"a port was chosen: {chosen}")
    box.shell("n1", CONFIGURE + "; " + ANSWER + " echo done-$((40 + 2))",
              "done-42")
    until(lambda: answers(fixed), "the guest's answer")
    # One more, while it runs; a new server knows of it.
    added = free_port()
    require_in(str(added), box.gm("forward", "n1", "add", f"{added}:80").out)
    until(lambda: answers(added), "the guest's answer on the new port")
    box.kill_server()
    require_in(("tcp", "127.0.0.1", added, 80), forwards(box, "n1"))
    box.gm("forward", "n1", "rm", str(added))
    require_equal(read_all(added), b"", "what a removed port gives")
    require_in("no tcp port", box.gm("forward", "n1", "rm", str(added),
                                     code=FAILED).err)
    # The chosen port is the guest's own, at its next start, too.
    box.gm("kill", "n1", "--yes")
    box.gm("start", "n1")
    require_in(("tcp", "127.0.0.1", chosen, 22), forwards(box, "n1"))


def test_a_port_in_use_is_told_before_qemu_starts(box):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        box.fleet({"n1": {"append": APPEND, "nics": [
            {"hostfwd": [f"{port}:22"]}]}})
        said = box.up(code=FAILED).err
        require_in(f"nics[0].hostfwd[0]: TCP port {port} of 127.0.0.1 is in "
                   "use", said)
        require_equal(box.guest("n1")["state"], "defined", "the state")
        require(not box.qemus(), "no QEMU was started")
    box.gm("start", "n1")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        require_in("is in use", box.gm("forward", "n1", "add", f"{port}:22",
                                       code=FAILED).err)


def test_a_cable_can_be_pulled(box):
    box.fleet({"n1": {"append": APPEND, "nics": ["user"]},
               "n2": {"append": APPEND, "nics": []}})
    box.up()
    box.wait_shell("n1")
    box.shell("n1", "ip link set eth0 up; echo up-$((40 + 2))", "up-42")
    box.shell("n1", "echo c-$(cat /sys/class/net/eth0/carrier)", "c-1")
    require_in("the cable is out", box.gm("link", "n1", "down").out)
    require_equal(box.guest("n1")["nics"][0]["link"], "down", "the link")
    box.shell("n1", "echo d-$(cat /sys/class/net/eth0/carrier)", "d-0")
    # A new server knows that it is out.
    box.kill_server()
    require_equal(box.guest("n1")["nics"][0]["link"], "down", "the link")
    box.gm("link", "n1", "0", "up")
    require_equal(box.guest("n1")["nics"][0]["link"], "up", "the link")
    box.shell("n1", "echo e-$(cat /sys/class/net/eth0/carrier)", "e-1")
    require_in("there is no card 1", box.gm("link", "n1", "1", "down",
                                            code=FAILED).err)
    require_in("has 0 network cards", box.gm("link", "n2", "down",
                                             code=FAILED).err)


main(globals())
