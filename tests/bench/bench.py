"""bench.py [launch|throughput|keys|idle|memory ...]: guestmux beside a peer.

Both sides run in one go, alternating, on the same machine: the ratios are
what counts.  The terminal under both is tests/bench/ptybench.c, which drains
at once.  GUESTMUX names the binary, PTYBENCH the terminal.
"""

import json
import os
import random
import shlex
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "regress"))

import harness  # noqa: E402  pylint: disable=wrong-import-position

PTYBENCH = os.environ.get("PTYBENCH", os.path.join(
    os.path.dirname(os.path.dirname(harness.BINARY)),
    "tests/bench/ptybench"))
ROWS, COLS = 50, 200
MIB = 1 << 20
SIDES = ("tmux", "guestmux")
# No letter of these is in a log line, so no screen diff can split them.
READY, END = "@#ready#@", "@#end#@#end#@#end#@"


def log_lines(count, seed=1):
    """Lines as a kernel and its services log them, about 80 columns."""
    chance = random.Random(seed)
    texts = (
        "pci 0000:00:1f.2: reg 0x24: [mem 0xfebd1000-0xfebd1fff]",
        "systemd[1]: Started Daily apt download activities.",
        "ata1: SATA link down (SStatus 0 SControl 300)",
        "EXT4-fs (vda1): mounted filesystem with ordered data mode",
        "sshd[812]: Accepted publickey for admin from 10.0.2.2 port 51234",
        "Freeing unused kernel image (initmem) memory: 2612K",
        "audit: type=1400 apparmor=\"STATUS\" operation=\"profile_load\"",
        "input: Power Button as /devices/LNXSYSTM:00/LNXPWRBN:00/input/in",
    )
    clock = 0.0
    for _ in range(count):
        clock += chance.random() / 10
        yield f"[{clock:12.6f}] {chance.choice(texts)}\n"


class Pty:
    """ptybench with a command on its pty."""

    def __init__(self, box, *command):
        self.process = subprocess.Popen(
            [PTYBENCH, str(ROWS), str(COLS), *command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=box.env, cwd=box.work)
        box.children.append(self.process)
        self.child = int(self.process.stdout.readline())

    def order(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        harness.require(answer and answer != "failed", f"ptybench: {line}")
        return answer

    def wait(self, text):
        return self.order("wait " + text)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Tmux:
    """The peer: its server, and a client in a draining terminal."""

    name = "tmux"

    def __init__(self, box):
        self.box = box

    def console(self, command, history=2000):
        config = self.box.write("tmux.conf", f"""
set -g history-limit {history}
set -g default-terminal screen-256color
set -g status-interval 0
""")
        self.box.env["TMUX_TMPDIR"] = self.box.path
        pty = Pty(self.box, "tmux", "-L", "bench", "-f", config,
                  "new-session", shlex.join(command))
        pty.wait(READY)
        self.server = int(subprocess.run(
            ["tmux", "-L", "bench", "display-message", "-p", "#{pid}"],
            env=self.box.env, check=True, capture_output=True).stdout)
        return pty

    def pids(self, pty):
        return [self.server, pty.child]


class Guestmux:
    """Us: an exec console, and the deck in a draining terminal."""

    name = "guestmux"

    def __init__(self, box):
        self.box = box

    def console(self, command, history=None):
        file = self.box.write("guestmux.json", {
            "version": 1, "guests": {"bench": {"exec": command} | (
                {"history": history} if history else {})}})
        self.box.up("-f", file)
        pty = Pty(self.box, harness.BINARY, "-L", "t", "attach")
        pty.wait(READY)
        self.server = self.box.server_pid()
        return pty

    def pids(self, pty):
        return [self.server, pty.child]


def fifo(box):
    path = box.at("w", "go")
    os.mkfifo(path)
    return path


def with_boxes(function):
    """Calls function(peer) with a fresh box for each side."""
    results = []
    for side in (Tmux, Guestmux):
        box = harness.Box("bench")
        try:
            results.append(function(side(box)))
        except harness.Failure:
            print(box.tell(), file=sys.stderr)
            raise
        finally:
            box.remove()
    return results


def median(values):
    return statistics.median(values)


def verdict(what, ratio, bound, more_is_better=False):
    good = ratio >= bound if more_is_better else ratio <= bound
    sign = ">=" if more_is_better else "<="
    print(f"  {'ok  ' if good else 'MISS'} {what}: {ratio:.2f} "
          f"(wanted {sign} {bound})")
    return good


# Throughput of a console.

def throughput_once(side, size_mib=64):
    path = side.box.at("w", "lines")
    line_count = size_mib * MIB // 75
    with open(path, "w", encoding="ascii") as file:
        file.writelines(log_lines(line_count))
    size = os.path.getsize(path) / MIB
    go = fifo(side.box)
    pty = side.console(["sh", "-c", f"echo {shlex.quote(READY)}; read x <{go}"
                        f"; cat {path}; echo; echo {shlex.quote(END)}; cat"])
    before = sum(map(harness.cpu_seconds, side.pids(pty)))
    _, micros, drained = pty.order(f"start {go} {END}").split()
    after = sum(map(harness.cpu_seconds, side.pids(pty)))
    pty.close()
    return size / (int(micros) / 1e6), (after - before) / size * 1000, \
        int(drained) / MIB


def bench_throughput(rounds=5):
    print(f"throughput: log lines through a console, client {COLS}x{ROWS}")
    rates, costs = [], []
    for _ in range(rounds):
        sides = with_boxes(throughput_once)
        for name, (rate, cost, drained) in zip(SIDES, sides):
            print(f"    {name:9} {rate:6.1f} MiB/s, {cost:5.1f} ms CPU/MiB, "
                  f"{drained:.2f} MiB drawn")
        # Within a round, since the machine's own noise changes between them.
        rates.append(sides[1][0] / sides[0][0])
        costs.append(sides[1][1] / sides[0][1])
    good = verdict("MiB/s", median(rates), 1.2, True)
    return verdict("CPU per MiB", median(costs), 0.7) and good


# Key to echo.

def keys_once(side, count=400):
    pty = side.console([PTYBENCH, "echo"])
    times = [int(text) for text in pty.order(f"keys {count} 20000").split()]
    pty.close()
    return sorted(times)


def bench_keys(rounds=3):
    print("keys: microseconds from a key to its echo, idle")
    ratios = []
    for _ in range(rounds):
        sides = with_boxes(keys_once)
        for name, times in zip(SIDES, sides):
            print(f"    {name:9} p50 {median(times):6.0f}, "
                  f"p90 {times[len(times) * 9 // 10]}, "
                  f"p99 {times[len(times) * 99 // 100]}")
        ratios.append(median(sides[1]) / median(sides[0]))
    return verdict("p50", median(ratios), 1.2)


# Memory of the history.

def memory_once(side, lines=20000):
    """Bytes per line that the server grows by."""
    path = side.box.at("w", "lines")
    with open(path, "w", encoding="ascii") as file:
        file.writelines(log_lines(lines))
    go = fifo(side.box)
    pty = side.console(["sh", "-c", f"echo {shlex.quote(READY)}; read x <{go}"
                        f"; cat {path}; echo; echo {shlex.quote(END)}; cat"],
                       history=lines)
    before = harness.resident_kib(side.server)
    pty.order(f"start {go} {END}")
    after = harness.resident_kib(side.server)
    pty.close()
    return (after - before) * 1024 / lines


def bench_memory():
    print("memory: resident bytes per history line of kernel log")
    theirs, ours = with_boxes(memory_once)
    print(f"    tmux      {theirs:6.0f}\n    guestmux  {ours:6.0f}")
    return verdict("bytes per line", ours, 200)


# Launching a fleet.

def ready_by_hand(box, count):
    """Starts QEMUs in parallel from a shell; seconds until all answer QMP."""
    guest = harness.guest_directory()
    lines = []
    for number in range(count):
        lines.append(
            "qemu-system-x86_64 -machine q35 -accel tcg -m 128 -display none "
            "-nodefaults -no-user-config "
            f"-kernel {guest}/vmlinuz -initrd {guest}/initrd.gz "
            "-append 'console=ttyS0 quiet panic=-1' "
            f"-chardev pty,id=s,logfile={box.at('w', f'{number}.log')} "
            "-serial chardev:s -nic user "
            f"-qmp unix:{box.at('w', f'{number}.q')},server=on,wait=off "
            f">{box.at('w', f'{number}.err')} 2>&1 </dev/null &")
    start = time.monotonic()
    subprocess.run(["sh", "-c", "\n".join(lines)], check=True, env=box.env)
    for number in range(count):
        wait_qmp(box.at("w", f"{number}.q"))
    return time.monotonic() - start


def wait_qmp(path):
    """Returns when the monitor at path has taken its first command."""
    peer = socket.socket(socket.AF_UNIX)
    while True:
        try:
            peer.connect(path)
            break
        except OSError:
            time.sleep(0.002)
    with peer, peer.makefile("rw") as file:
        file.readline()
        file.write('{"execute": "qmp_capabilities"}\n')
        file.flush()
        file.readline()


def launch_ours(box, count):
    file = box.fleet({f"n{i}": {} for i in range(count)},
                     append="console=ttyS0 quiet panic=-1")
    start = time.monotonic()
    box.up("-f", file)
    took = time.monotonic() - start
    states = [guest["state"] for guest in
              box.api().call("guest-list")["guests"]]
    harness.require_equal(states, ["running"] * count, "states")
    return took


def bench_launch(rounds=5, count=16):
    print(f"launch: seconds until {count} tiny guests answer QMP")
    theirs, ours = [], []
    for _ in range(rounds):
        for times, launch in ((theirs, ready_by_hand), (ours, launch_ours)):
            box = harness.Box("bench")
            try:
                times.append(launch(box, count))
            finally:
                box.remove()
        print(f"    shell     {theirs[-1]:.3f}\n"
              f"    guestmux  {ours[-1]:.3f}")
    return verdict("ratio", median(ours) / median(theirs), 1.3)


# At rest.

def system_calls(pid, seconds):
    """Name -> how often, as strace -c counts them; None without strace."""
    try:
        done = subprocess.run(
            ["timeout", "-s", "INT", str(seconds), "strace", "-f", "-c",
             "-p", str(pid)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    calls = {}
    for line in done.stderr.splitlines():
        words = line.split()
        if len(words) >= 5 and words[0][0].isdigit() and words[-1] != "total":
            calls[words[-1]] = int(words[3])
    return calls


def bench_idle(count=16, seconds=30):
    print(f"idle: {count} tiny guests at a prompt, one client attached")
    box = harness.Box("bench")
    try:
        box.up("-f", box.fleet({f"n{i}": {} for i in range(count)}),
               patience=300)
        for number in range(count):
            box.wait_shell(f"n{number}", patience=300)
        server = box.server_pid()
        pty = Pty(box, harness.BINARY, "-L", "t", "attach")
        pty.wait("n0")
        # What follows a start is not rest: activity marks fade, logs settle.
        time.sleep(5)
        pids = [server, pty.child]
        before = [harness.cpu_seconds(pid) for pid in pids]
        time.sleep(seconds)
        used = [harness.cpu_seconds(pid) - was
                for pid, was in zip(pids, before)]
        print(f"    server {used[0] / seconds * 100:.2f} %, client "
              f"{used[1] / seconds * 100:.2f} % of a core")
        calls = system_calls(server, 10)
        print(f"    the server's system calls in 10 s: {calls}")
        pty.close()
        good = verdict("percent of a core", sum(used) / seconds * 100, 0.5)
        return verdict("wake-ups in 10 s",
                       sum((calls or {}).values()), 3) and good
    finally:
        box.remove()


BENCHES = {"launch": bench_launch, "throughput": bench_throughput,
           "keys": bench_keys, "memory": bench_memory, "idle": bench_idle}


def main():
    names = sys.argv[1:] or list(BENCHES)
    results = {name: BENCHES[name]() for name in names}
    print(json.dumps(results))
    sys.exit(0 if all(results.values()) else 1)


main()
