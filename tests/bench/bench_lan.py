"""Two guests on a network: through the server's switch, and joined directly.

The peer is QEMU's own pair of stream sockets: the same guests, nobody between
them. What flows is bound by the guests' own emulated processors.
"""

import statistics
import time

from peers import PROGRAM, READY, Pty, harness

APPEND = "console=ttyS0 quiet panic=-1 gm.shell"
PORT = 5000
SINK = f"nc -l -p {PORT} >/dev/null"


def send(count):
    """A shell's words that send so many times 64 KiB."""
    return f"dd if=/dev/zero bs=65536 count={count} 2>/dev/null | " \
           f"nc 10.1.0.2 {PORT}"


class Switched:
    """The fleet's own network."""

    name = "switch"
    networks = {"lan0": {}}

    def __init__(self, box):
        self.box = box

    def nic(self, _):
        return {"network": "lan0"}


class Direct:
    """QEMU's stream sockets, one end listening."""

    name = "direct"
    networks = {}

    def __init__(self, box):
        self.box = box

    def nic(self, name):
        return {"type": "stream", "options": {
            "server": name == "two", "addr.type": "unix",
            "addr.path": self.box.at("w", "wire")}}


def start(side):
    """Two guests that reach each other, and a console that echoes keys."""
    box = side.box
    directory = harness.guest_directory()
    guest = {"machine": "q35", "accel": "tcg", "memory": "128M",
             "kernel": directory + "/vmlinuz",
             "initrd": directory + "/initrd.gz", "append": APPEND}
    box.write("guestmux.json", {
        "version": 1, "networks": side.networks, "guests": {
            "two": guest | {"nics": [side.nic("two")]},
            "one": guest | {"nics": [side.nic("one")], "after": ["two"]},
            "bench": {"exec": [PROGRAM, "echo"]}}})
    box.up()
    for number, name in enumerate(("one", "two"), 1):
        box.wait_shell(name)
        box.shell(name, f"ip addr add 10.1.0.{number}/24 dev eth0; "
                  "ip link set eth0 up; echo up-$((40 + 2))", "up-42")
    box.shell("one", "ping -c 1 -W 20 10.1.0.2", "1 packets received")


def transfer_once(side, mib=8):
    """(MiB/s, the server's CPU ms per MiB)."""
    start(side)
    box = side.box
    server = box.server_pid()
    box.gm("send", "two", "--enter", SINK)
    before = harness.cpu_seconds(server)
    began = time.monotonic()
    box.shell("one", send(mib * 16) + "; echo sent-$((40 + 2))", "sent-42",
              patience=240)
    seconds = time.monotonic() - began
    return mib / seconds, (harness.cpu_seconds(server) - before) / mib * 1000


def keys_once(side, count=200):
    """Microseconds from a key to its echo, while one floods two."""
    start(side)
    box = side.box
    box.gm("send", "two", "--enter", f"while :; do {SINK}; done")
    box.gm("send", "one", "--enter", f"while :; do {send(1 << 30)}; done")
    time.sleep(2)  # all of it at full speed
    pty = Pty(box, harness.BINARY, "-L", "t", "console", "bench")
    pty.wait(READY)
    times = [int(text) for text in pty.order(f"keys {count} 20000").split()]
    pty.close()
    return sorted(times)


def in_boxes(sides, function):
    results = []
    for side in sides:
        box = harness.Box("lan")
        try:
            results.append(function(side(box)))
        finally:
            box.remove()
    return results


def bench_lan(verdict, tell_times, rounds=3):
    """verdict, tell_times: bench.py's."""
    sides = (Direct, Switched)
    print("lan: MiB/s of TCP between two guests", flush=True)
    rates = []
    for _ in range(rounds):
        results = in_boxes(sides, transfer_once)
        for side, (rate, cost) in zip(sides, results):
            print(f"    {side.name:9} {rate:6.1f} MiB/s, server "
                  f"{cost:5.2f} ms CPU/MiB", flush=True)
        rates.append(results[1][0] / results[0][0])
    good = verdict("MiB/s", statistics.median(rates), 0.5, True)
    print("lan: microseconds from a key to its echo while one guest floods "
          "the other", flush=True)
    p50, p99 = [], []
    for _ in range(rounds):
        direct, ours = in_boxes((Direct, Switched), keys_once)
        tell_times("direct", direct)
        tell_times("switch", ours)
        p50.append(statistics.median(ours) / statistics.median(direct))
        p99.append(ours[len(ours) * 99 // 100] /
                   direct[len(direct) * 99 // 100])
    good = verdict("p50", statistics.median(p50), 1.5) and good
    return verdict("p99", statistics.median(p99), 3) and good
