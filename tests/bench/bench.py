"""bench.py [NAME ...]: guestmux beside its peers; without a name, all of it.

Both sides run in one go, alternating, on the same machine: the ratios are
what counts.  GUESTMUX names the binary, PTYBENCH the terminal.
"""

import concurrent.futures
import json
import os
import random
import re
import shlex
import socket
import statistics
import subprocess
import sys
import threading
import time

from bench_lan import bench_lan
from corpora import CORPORA, MIB, htop_screen, log_lines, make
from peers import (END, PROGRAM, READY, COLS, ROWS, Bare, Dvtm, Guestmux,
                   Pty, Screen, Tmux, cpu, fifo, harness, in_boxes)


def median(values):
    return statistics.median(values)


def verdict(what, ratio, bound, more_is_better=False):
    good = ratio >= bound if more_is_better else ratio <= bound
    sign = ">=" if more_is_better else "<="
    print(f"  {'ok  ' if good else 'MISS'} {what}: {ratio:.2f} "
          f"(wanted {sign} {bound})", flush=True)
    return good


def printing(box, go, *commands):
    """A shell that prints READY, waits at go, runs the commands, prints END."""
    script = "; ".join((f"printf '%s\\n' {shlex.quote(READY)}", f"read x <{go}",
                        *commands, "printf '\\033[0m\\n'",
                        f"printf '%s\\n' {shlex.quote(END)}", "cat"))
    return ["sh", "-c", script]


def save(box, name, content):
    path = box.at("w", name)
    with open(path, "wb") as file:
        file.write(content)
    return path


# Throughput of a console.

def throughput_once(side, corpus, size_mib):
    content = make(corpus, size_mib * MIB)
    path = save(side.box, "corpus", content)
    size = len(content) / MIB
    go = fifo(side.box)
    pty = side.console(printing(side.box, go, f"cat {path}"))
    before = cpu(side, pty)
    seconds, drained = pty.start(go)
    used = cpu(side, pty) - before
    pty.close()
    return size / seconds, used / size * 1000, drained / MIB


def compare_throughput(title, peers, once, rounds, bounds):
    """once(side) -> (MiB/s, CPU ms per MiB, MiB drawn), beside the better of
    peers."""
    print(title, flush=True)
    rates, costs = [], []
    for _ in range(rounds):
        results = in_boxes((*peers, Guestmux), once)
        for side, (rate, cost, drained) in zip((*peers, Guestmux), results):
            print(f"    {side.name:9} {rate:6.1f} MiB/s, {cost:6.1f} ms "
                  f"CPU/MiB, {drained:.2f} MiB drawn", flush=True)
        ours = results.pop()
        # Within a round, since the machine's own noise changes between them.
        rates.append(ours[0] / max(rate for rate, _, _ in results))
        costs.append(ours[1] / min(cost for _, cost, _ in results))
    good = bounds[0] is None or verdict("MiB/s", median(rates), bounds[0], True)
    return verdict("CPU per MiB", median(costs), bounds[1]) and good


def bench_throughput(rounds=5):
    return compare_throughput(
        f"throughput: log lines through a console, client {COLS}x{ROWS}",
        (Tmux,), lambda side: throughput_once(side, "log lines", 64), rounds,
        (1.2, 0.7))


def bench_corpora(rounds=3):
    good = True
    for name, (size, rate, cost) in CORPORA.items():
        good &= compare_throughput(
            f"corpora: {name}, client {COLS}x{ROWS}", (Tmux, Screen),
            lambda side, name=name, size=size:
            throughput_once(side, name, size), rounds, (rate, cost))
    return good


def bench_tty(rounds=3):
    """How much of what the tty itself allows is reached with a line a write:
    no multiplexer can do more."""
    print("tty: yes, with nothing between program and terminal", flush=True)
    shares = {}
    for _ in range(rounds):
        sides = (Bare, Tmux, Guestmux)
        rates = [rate for rate, _, _ in in_boxes(
            sides, lambda side: throughput_once(side, "yes",
                                                CORPORA["yes"][0]))]
        for side, rate in zip(sides, rates):
            print(f"    {side.name:9} {rate:6.2f} MiB/s", flush=True)
            shares.setdefault(side.name, []).append(rate / rates[0])
    for name, share in shares.items():
        print(f"  {name}: {median(share):.2f} of it", flush=True)
    return True


def trickle_once(side, size=MIB // 2):
    """4-byte writes, as a UART makes them."""
    path = save(side.box, "corpus", make("log lines", size))
    go = fifo(side.box)
    pty = side.console(printing(side.box, go,
                                f"{PROGRAM} chop 4 {path}"))
    before = cpu(side, pty)
    seconds, drained = pty.start(go)
    used = cpu(side, pty) - before
    pty.close()
    return size / MIB / seconds, used / (size / MIB) * 1000, drained / MIB


def bench_trickle(rounds=3):
    return compare_throughput(
        "trickle: log lines in writes of 4 bytes", (Tmux,), trickle_once,
        rounds, (None, 0.5))


# Key to echo.

def keys_once(side, count=400):
    pty = side.console([PROGRAM, "echo"])
    times = [int(text) for text in pty.order(f"keys {count} 20000").split()]
    pty.close()
    return sorted(times)


def tell_times(name, times):
    print(f"    {name:9} p50 {median(times):6.0f}, "
          f"p90 {times[len(times) * 9 // 10]}, "
          f"p99 {times[len(times) * 99 // 100]}", flush=True)


def bench_keys(rounds=3):
    print("keys: microseconds from a key to its echo, idle", flush=True)
    ratios = []
    for _ in range(rounds):
        theirs, ours = in_boxes((Tmux, Guestmux), keys_once)
        tell_times("tmux", theirs)
        tell_times("guestmux", ours)
        ratios.append(median(ours) / median(theirs))
    return verdict("p50", median(ratios), 1.2)


def relayed_keys_once(box, processes, count=400):
    """The floor: processes that do nothing but pass bytes on."""
    pty = Pty(box, PROGRAM, "relay", str(processes), PROGRAM, "echo")
    pty.wait(READY)
    times = [int(text) for text in pty.order(f"keys {count} 20000").split()]
    pty.close()
    return sorted(times)


def bench_floor(rounds=2):
    """What one process more between terminal and program costs, whatever it
    does: tmux has one, we have two."""
    print("floor: microseconds from a key to its echo through mere relays",
          flush=True)
    ratios = []
    for _ in range(rounds):
        box = harness.Box("bench")
        try:
            one, two = (relayed_keys_once(box, count) for count in (1, 2))
        finally:
            box.remove()
        tell_times("one", one)
        tell_times("two", two)
        ratios.append(median(two) / median(one))
    print(f"  two processes: {median(ratios):.2f} of one")
    return True


def flooded_keys_once(side, count=150, floods=8):
    pty = side.console([PROGRAM, "marks"],
                       others=[[PROGRAM, "flood"]] * floods)
    # All of them at full speed before the first key.
    time.sleep(1)
    times = [int(text) for text in pty.order(f"marks {count} 20000").split()]
    pty.close()
    return sorted(times)


def bench_flood(rounds=3):
    print("flood: microseconds from a key to its echo beside 8 visible panes "
          "at full speed", flush=True)
    p50, p99 = [], []
    sides = (Tmux, Dvtm, Guestmux)
    for _ in range(rounds):
        results = in_boxes(sides, flooded_keys_once)
        for side, times in zip(sides, results):
            tell_times(side.name, times)
        ours = results.pop()
        p50.append(median(ours) / min(map(median, results)))
        at99 = [times[len(times) * 99 // 100] for times in (*results, ours)]
        p99.append(at99.pop() / min(at99))
    good = verdict("p50", median(p50), 0.3)
    return verdict("p99", median(p99), 0.5) and good


# Bytes to the operator's terminal.

def drawn_log_once(side, count=10000):
    """10 000 lines at 1 000 a second: bytes drawn per byte of input."""
    content = "".join(log_lines(count)).encode()
    path = save(side.box, "corpus", content)
    # What a console gets: a tty makes CR LF of each line's end.
    size = len(content) + count
    go = fifo(side.box)
    single = {"single": True} if side.__class__ is Guestmux else {}
    pty = side.console(printing(side.box, go,
                                f"{PROGRAM} pace 1000 {path}"), **single)
    _, drained = pty.start(go)
    pty.close()
    return drained / size


def drawn_htop_once(side, frames=100):
    """A screen that is repainted whole ten times a second, one row in ten
    different: bytes drawn per byte of input."""
    chance = random.Random(3)
    rows, cols = ROWS - 4, COLS - 40
    lines = [htop_line(chance, row, cols) for row in range(rows)]
    repaints = []
    for _ in range(frames):
        for row in chance.sample(range(rows), rows // 10):
            lines[row] = htop_line(chance, row, cols)
        repaints.append("\x1b[H" + "\r\n".join(lines))
    path = save(side.box, "corpus",
                "".join(text + "\x00" for text in repaints).encode())
    go = fifo(side.box)
    pty = side.console(printing(side.box, go, f"{PROGRAM} frames 10 {path}"))
    _, drained = pty.start(go)
    pty.close()
    return drained / sum(map(len, repaints))


def htop_line(chance, row, cols):
    return htop_screen(chance, rows=1, cols=cols)[3:].replace(
        "--option=0", f"--option={row}")


def bench_drawn(rounds=1):
    print("drawn: bytes to the terminal per byte of input", flush=True)
    good = True
    for title, once, bound in (
            ("10 000 log lines at 1 000 a second", drawn_log_once, 1.02),
            ("an htop-like screen, a tenth changed", drawn_htop_once, 0.12)):
        print(f"  {title}")
        ratios = []
        for _ in range(rounds):
            theirs, ours = in_boxes((Tmux, Guestmux), once)
            print(f"    tmux      {theirs:.3f}\n    guestmux  {ours:.3f}")
            ratios.append(ours)
        good &= verdict("bytes per byte", median(ratios), bound)
    return good


# A slow terminal.

def slow_once(side, rate, size=256 * 1024):
    """(seconds the program took to print, seconds until its end shows)."""
    path = save(side.box, "corpus", make("log lines", size))
    done = side.box.at("w", "done")
    go = fifo(side.box)
    pty = side.console(printing(side.box, go, f"cat {path}",
                                f"{PROGRAM} now >{done}"))
    if rate:
        pty.order(f"rate {rate}")
    start = time.monotonic()
    seconds, drained = pty.start(go)
    with open(done, encoding="ascii") as file:
        printed = int(file.read()) / 1e6 - start
    pty.close()
    return printed, seconds, drained


def bench_slow(rate=40000, rounds=3):
    """The guest's own time beside a terminal that takes all at once, and how
    long after the terminal's own limit the end of the output shows."""
    print(f"slow: a terminal that takes {rate // 1000} kB/s", flush=True)
    slower, late = [], []
    for _ in range(rounds):
        for side in (Tmux, Guestmux):
            (free, _, _), = in_boxes((side,), lambda s: slow_once(s, 0))
            (slow, shown, drained), = in_boxes((side,),
                                               lambda s: slow_once(s, rate))
            over = shown - max(drained / rate, slow)
            print(f"    {side.name:9} printed in {free:.3f} s free, {slow:.3f} "
                  f"s slow; the end {shown:.2f} s, {over:+.2f} s over the "
                  f"terminal's limit for {drained} bytes", flush=True)
        slower.append(slow / free)
        late.append(over)
    good = verdict("the guest's time", median(slower), 1.01)
    return verdict("seconds late", median(late), 0.5) and good


# Memory of the history.

def private_kib(pid):
    """Resident memory that is nobody else's: without the libraries' files."""
    found = re.search(rb"RssAnon:\s+(\d+)", harness.proc_read(pid, "status"))
    return int(found.group(1)) if found else 0


def settled_kib(pid):
    """The same once it has not changed for three seconds."""
    last, since = private_kib(pid), time.monotonic()
    while time.monotonic() - since < 3:
        time.sleep(0.2)
        now = private_kib(pid)
        if now != last:
            last, since = now, time.monotonic()
    return last


def memory_once(side, content, lines):
    """Bytes per line that the server grows by: at once, and later on."""
    path = save(side.box, "corpus", content)
    go = fifo(side.box)
    pty = side.console(printing(side.box, go, f"cat {path}"), history=lines)
    before = private_kib(side.server)
    pty.start(go)
    after = private_kib(side.server)
    later = settled_kib(side.server)
    pty.close()
    return [(kib - before) * 1024 / lines for kib in (after, later)]


def bench_memory():
    good = True
    full = random.Random(4)
    for title, lines, content, bound in (
            ("20 000 lines of kernel log", 20000,
             "".join(log_lines(20000)), None),
            ("10 000 full lines of 80 columns", 10000,
             "".join("".join(full.choice("abcdefghij klmnop")
                             for _ in range(80)) + "\r\n"
                     for _ in range(10000)), 0.35)):
        print(f"memory: bytes per line, {title}", flush=True)
        theirs, ours = in_boxes(
            (Tmux, Guestmux),
            lambda side, content=content, lines=lines:
            memory_once(side, content.encode(), lines))
        for side, (at_once, later) in ("tmux", theirs), ("guestmux", ours):
            print(f"    {side:9} {at_once:6.0f}, later {later:6.0f}")
        good &= verdict("bytes per line", ours[0], 200) if bound is None else \
            verdict("of tmux's", ours[0] / theirs[0], bound)
        good &= verdict("of tmux's, later", ours[1] / theirs[1], 0.1)
    return good


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


# Searching all consoles.

SEARCHES = (
    ("a word that is rare", "lockup detected", False, "-Fci"),
    ("a word of every eighth line", "apparmor", False, "-Fci"),
    ("a regular expression", r"port (\d{3}|5123\d)$", True, "-Pc"),
    ("nothing", "no such words", False, "-Fci"),
)


def search_times(peer, pattern, is_regex, rounds=9):
    """Milliseconds of a whole search, and the lines that it found."""
    times = []
    for _ in range(rounds):
        start = time.monotonic()
        answer = peer.call("console-search", pattern=pattern, regex=is_regex,
                           backwards=True, max=200)
        times.append((time.monotonic() - start) * 1000)
    return times, sum(one["count"] for one in answer["consoles"])


def longest_wait(box, stop):
    """The longest that another client waited meanwhile, ms."""
    peer = box.api()
    longest = 0.0
    while not stop.is_set():
        start = time.monotonic()
        peer.call("query-version")
        longest = max(longest, (time.monotonic() - start) * 1000)
    return longest


def bench_search(count=64, lines=10000):
    print(f"search: {count} consoles with {lines} lines of log each, beside "
          "grep over the same files")
    box = harness.Box("bench")
    try:
        paths = []
        for number in range(count):
            paths.append(box.at("w", f"lines{number}"))
            with open(paths[-1], "w", encoding="ascii") as file:
                file.writelines(log_lines(lines - 1, seed=number))
                if number % 8 == 0:
                    file.write("watchdog: soft lockup detected\n")
        box.up("-f", box.write("guestmux.json", {"version": 1, "guests": {
            f"n{number}": {"exec": ["sh", "-c", f"cat {path}; echo {END}; cat"]}
            for number, path in enumerate(paths)}}))
        for number in range(count):
            box.gm("wait", f"n{number}", "--for", END, "--since-boot",
                   "--timeout", "120", patience=130)
        peer = box.api()
        good = True
        for what, pattern, is_regex, option in SEARCHES:
            stop = threading.Event()
            with concurrent.futures.ThreadPoolExecutor() as pool:
                waited = pool.submit(longest_wait, box, stop)
                times, found = search_times(peer, pattern, is_regex)
                stop.set()
            theirs = []
            for _ in range(5):
                start = time.monotonic()
                subprocess.run(["grep", option, pattern, *paths],
                               capture_output=True, check=False)
                theirs.append((time.monotonic() - start) * 1000)
            print(f"    {what}: p50 {median(times):.0f} ms, worst "
                  f"{max(times):.0f}, {found} lines; another client waited "
                  f"{waited.result():.1f} ms; grep {median(theirs):.0f} ms")
            good = verdict("ms", median(times), 200) and good
        return good
    finally:
        box.remove()


BENCHES = {"launch": bench_launch, "throughput": bench_throughput,
           "corpora": bench_corpora, "tty": bench_tty,
           "trickle": bench_trickle,
           "keys": bench_keys, "floor": bench_floor,
           "flood": bench_flood, "drawn": bench_drawn,
           "slow": bench_slow, "memory": bench_memory, "idle": bench_idle,
           "search": bench_search,
           "lan": lambda: bench_lan(verdict, tell_times)}


def main():
    names = sys.argv[1:] or list(BENCHES)
    results = {name: BENCHES[name]() for name in names}
    print(json.dumps(results))
    sys.exit(0 if all(results.values()) else 1)


main()
