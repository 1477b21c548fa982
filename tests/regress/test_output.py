"""What guests print is complete and in order, whatever happens to us."""

import hashlib
import os
import pty
import re
import select
import signal
import termios
import time

from harness import (BINARY, Failure, limit, main, require, require_equal,
                     require_in, resident_kib, stat_of, until)

LINE = "{:08d} the quick brown fox jumps over the lazy dog 012345678"
MIB_LINES = 16384  # of 64 bytes each, CR LF included
# What a slow terminal may be sent between a flood's end and its being shown.
BACKLOG_BYTES = 64 << 10
# What a guest prints while the server stands still: a pty takes 64 KiB at most.
STOPPED_BYTES = 128 << 10


def flood(box, name, lines=MIB_LINES):
    """Starts the flood; where in the log it begins."""
    return box.json("send", name, "--enter", f"flood lines {lines}")["cursor"]


def wait_flood(box, name, lines=MIB_LINES, patience=180):
    """Waits on the log itself: with no client attached."""
    end = f"flood: {lines} lines done".encode()
    until(lambda: end in box.log_bytes(name), f"{name}'s flood to end",
          patience)


def check_flood(box, name, lines=MIB_LINES):
    """The log has each line once, in order; the history its newest."""
    wanted = [LINE.format(i) for i in range(1, lines + 1)]
    log = box.log_bytes(name).decode()
    got = [line for line in log.replace("\r", "").splitlines()
           if re.match(r"\d{8} the quick", line)]
    require_equal(len(got), lines, f"{name}'s lines in the log")
    require_lines(got, wanted, f"{name}'s log")
    until(lambda: f"flood: {lines} lines done" in box.capture(name),
          "the screen to show the end")
    kept = [line for line in
            box.capture(name, "--history", "10000").splitlines()
            if re.match(r"\d{8} ", line)]
    require(len(kept) >= min(lines, 9900), f"the history has {len(kept)}")
    require_lines(kept, wanted[-len(kept):], f"{name}'s history")


def is_stuttered(line, wanted):
    """Whether one byte of the line stands twice."""
    return any(line[:at] + line[at + 1:] == wanted
               for at in range(1, len(line)) if line[at] == line[at - 1])


def require_lines(got, wanted, what):
    """The same lines, but for QEMU's own fault on an open pty: when the pty is
    full for a moment QEMU logs one byte twice."""
    stutters = 0
    for line, other in zip(got, wanted):
        if line != other:
            require(is_stuttered(line, other),
                    f"{what}: " + difference(got, wanted))
            stutters += 1
    require(stutters <= 3, f"{what}: {stutters} bytes stand twice")


def difference(got, wanted):
    """Where two lists of lines part."""
    for number, (line, other) in enumerate(zip(got, wanted)):
        if line != other:
            return f"line {number} is {line!r}, not {other!r}"
    return f"{len(got)} lines, not {len(wanted)}"


def boot(box, *names):
    box.up("-f", box.fleet({name: {} for name in names}))
    for name in names:
        box.wait_shell(name)


@limit(600)
def test_one_mib_with_no_client_is_complete(box):
    boot(box, "a")
    flood(box, "a")
    wait_flood(box, "a")
    check_flood(box, "a")


@limit(600)
def test_one_mib_with_a_client_attached_is_complete(box):
    boot(box, "a")
    deck = box.deck(cols=120, rows=40)
    deck.wait_for(r":~#")
    flood(box, "a")
    wait_flood(box, "a")
    deck.wait_for("flood: 16384 lines done")
    check_flood(box, "a")


@limit(600)
def test_one_mib_across_a_kill_of_the_server_is_complete(box):
    boot(box, "a")
    box.deck(cols=120, rows=40).wait_for(r":~#")
    flood(box, "a")
    for part in (2000, 8000):
        until(lambda p=part: f"{p:08d} the".encode() in box.log_bytes("a"),
              f"line {part}")
        box.kill_server()
        box.gm("ls")
    wait_flood(box, "a")
    check_flood(box, "a")


@limit(600)
def test_a_stopped_server_slows_no_guest(box):
    names = ["a", "b", "c", "d"]
    boot(box, *names)
    # In focus, and typed into: its pty is held open.
    deck = box.deck(cols=120, rows=40)
    deck.wait_for(r":~#")
    server = box.server_pid()
    # Each prints a line of 64 bytes now and then, for as long as it lives.
    loop = ("i=0; while :; do i=$((i+1)); printf '%08d "
            "the quick brown fox jumps over the lazy dog 012345678\\n' $i; "
            "done")
    for name in names:
        box.gm("send", name, "--enter", loop)
        box.gm("wait", name, "--for", "^00000100", "--timeout", "180",
               "--since-boot", patience=190)

    def log_sizes():
        return {name: os.path.getsize(box.guest_log(name)) for name in names}

    os.kill(server, signal.SIGSTOP)
    try:
        start = log_sizes()

        def grown():
            now = log_sizes()
            return sorted(now[name] - start[name] for name in names)
        # The one in focus may stand; the other three must not, with far more
        # than what any pty or pipe on the way takes.
        until(lambda: grown()[1] > STOPPED_BYTES,
              f"three guests to print {STOPPED_BYTES} bytes each", 240)
    finally:
        os.kill(server, signal.SIGCONT)
    # Then all four go on.
    for name in names:
        size = os.path.getsize(box.guest_log(name))
        until(lambda n=name, s=size: os.path.getsize(box.guest_log(n)) > s,
              f"{name} to go on")
    for name in names:
        box.gm("send", name, "--keys", "C-c")
        cursor = box.json("send", name, "--enter", "echo o''ver")["cursor"]
        box.gm("wait", name, "--for", "^over", "--after", cursor, "--timeout",
               "180", patience=190)
        check_counting(box, name)


def check_counting(box, name):
    """The log counts up by one, with nothing missing and nothing double."""
    numbers = [int(number) for number in
               re.findall(rb"^(\d{8}) the quick brown fox jumps over the "
                          rb"lazy dog 012345678\r?$", box.log_bytes(name),
                          re.MULTILINE)]
    # What was in the shell's buffer when it was interrupted comes again.
    if numbers[-2:-1] == numbers[-1:]:
        numbers.pop()
    wanted = list(range(1, len(numbers) + 1))
    if numbers != wanted:
        wrong = next(i for i, (got, want) in enumerate(zip(numbers, wanted))
                     if got != want)
        raise Failure(f"{name}: after {wrong} lines comes {numbers[wrong]}")


@limit(300)
def test_a_stopped_client_slows_nothing_but_itself(box):
    boot(box, "a")
    stopped = box.deck(cols=120, rows=40)
    stopped.wait_for(r":~#")
    other = box.deck(cols=120, rows=40)
    other.wait_for(r":~#")
    client = deck_pid(box, stopped)
    before = resident_kib(box.server_pid())
    os.kill(client, signal.SIGSTOP)
    try:
        flood(box, "a")
        wait_flood(box, "a")
        other.wait_for("flood: 16384 lines done")
        grown = resident_kib(box.server_pid()) - before
        require(grown < 16 * 1024, f"the server grew by {grown} KiB")
    finally:
        os.kill(client, signal.SIGCONT)
    stopped.wait_for("flood: 16384 lines done")
    check_flood(box, "a")


def deck_pid(box, terminal):
    """The process in the terminal: tmux may have put a shell around it."""
    shell = terminal.pid()
    for pid in box.own_processes():
        stat = stat_of(pid)  # nothing when it has ended
        if stat and int(stat[1]) == shell:
            return pid
    return shell


@limit(300)
def test_a_slow_client_sees_the_end_at_once(box):
    # A terminal that takes 10 kB/s: a pty read that slowly.
    boot(box, "a")
    child, fd = pty.fork()
    if child == 0:
        # Wide enough for the lines of the flood.
        termios.tcsetwinsize(0, (40, 120))
        os.chdir(box.work)
        os.execve(BINARY, [BINARY, "-L", "t"], box.env)
    seen = b""

    def drain(seconds):
        nonlocal seen
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if select.select([fd], [], [], 0.1)[0]:
                seen += os.read(fd, 1000)
            time.sleep(0.1)

    def shown_since(start):
        drain(0.5)
        return b"16384" in seen[start:]

    try:
        before = resident_kib(box.server_pid())
        flood(box, "a")
        start = 0

        def is_over():
            nonlocal start
            start = len(seen)
            return b"lines done" in box.log_bytes("a")[-4000:] or drain(0.5)
        until(is_over, "the flood to end", 180)
        # What stands at the end is shown soon after, not after a backlog.
        until(lambda: shown_since(start), "the end to be shown", 180)
        backlog = len(seen) - start
        require(backlog < BACKLOG_BYTES, f"it came behind {backlog} bytes")
        grown = resident_kib(box.server_pid()) - before
        require(grown < 16 * 1024, f"the server grew by {grown} KiB")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(fd)
    check_flood(box, "a")


def test_a_paste_of_many_lines_arrives_whole(box):
    boot(box, "a")
    lines = [f"line {i:05d} " + "x" * 60 for i in range(2000)]
    text = "\n".join(lines) + "\n"
    box.shell("a", "stty -echo; echo re''ady; cat >/tmp/paste; stty echo; "
              "echo g''ot", "^ready")
    peer = box.api()
    sent = 0
    while sent < len(text):
        # The server queues within a limit; what it did not take comes again.
        reply = peer.ask("console-send", guest="a",
                         text=text[sent:sent + 4096])
        if "error" in reply:
            require_in(reply["error"]["class"], ("Limit",))
            peer.ask("query-version")
            continue
        sent += 4096
    peer.call("console-send", guest="a", keys=["C-d"])
    box.gm("wait", "a", "--for", "^got", "--since-boot", "--timeout", "120",
           patience=130)
    digest = hashlib.md5(text.encode()).hexdigest()
    box.shell("a", "md5sum /tmp/paste; wc -c /tmp/paste", digest)


main(globals())
