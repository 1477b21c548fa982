"""The record of a console: bounded logs, times, boots, export."""

import json
import os
import re
import signal
import subprocess
import sys
import time

from harness import (BINARY, DONE, FAILED, USAGE, Failure, cpu_seconds, limit,
                     main, python, require, require_equal, require_in, until)

LINE = "{:08d} the quick brown fox jumps over the lazy dog 012345678"
KIB = 1024


def flood_bytes(lines):
    """What the guest's flood sends down its serial port."""
    text = "".join(LINE.format(i) + "\r\n" for i in range(1, lines + 1))
    return (text + f"flood: {lines} lines done\r\n").encode()


def kept_bytes(path):
    """What is still in a log: (offset, bytes)."""
    with open(path, "rb") as file:
        start = os.lseek(file.fileno(), 0, os.SEEK_DATA)
        file.seek(start)
        return start, file.read()


def disk_bytes(path):
    return os.stat(path).st_blocks * 512


def size_of(path):
    return os.stat(path).st_size


def require_suffix(kept, wanted, what):
    """kept is the end of wanted, byte for byte."""
    part = wanted[-len(kept):]
    for at, (got, want) in enumerate(zip(kept, part)):
        if got != want:
            raise Failure(f"{what}: byte {at} of {len(kept)}: "
                          f"{kept[max(0, at - 70):at + 70]!r}, not "
                          f"{part[max(0, at - 70):at + 70]!r}")
    require_equal(len(kept), len(part), what)


@limit(600)
def test_a_flooded_log_stays_within_its_bound_across_kills(box):
    lines = 48 * KIB  # 3 MiB
    limit_bytes = 256 * KIB
    box.up("-f", box.fleet({"a": {"log": {"max": "256K"}}}))
    box.wait_shell("a")
    path = box.guest_log("a")
    peak = 0
    box.json("send", "a", "--enter", f"flood lines {lines}")

    def grown_to(size):
        nonlocal peak
        peak = max(peak, disk_bytes(path))
        return size_of(path) >= size

    for part in (700 * KIB, 1400 * KIB, 2100 * KIB):
        until(lambda p=part: grown_to(p), f"{part} bytes of log", 300)
        box.kill_server()
        box.gm("ls")
    box.gm("wait", "a", "--for", f"flood: {lines} lines done", "--after", "1",
           "--timeout", "300", patience=310)
    box.gm("wait", "a", "--for", "# ", "--after", "1", "--timeout", "180")

    def is_bounded():
        grown_to(0)
        return disk_bytes(path) <= limit_bytes + 16 * KIB
    until(is_bounded, "the log to be cut to its bound")
    # A server that is away for a moment lets it grow; nothing else does.
    require(peak < 1 << 20, f"the log took {peak} bytes of the disk")
    start, kept = kept_bytes(path)
    require(start > 2 << 20, f"the log begins at {start}")
    require(len(kept) > limit_bytes * 3 // 4, f"{len(kept)} bytes are left")
    wanted = flood_bytes(lines)
    end = kept.rindex(b" lines done\r\n") + len(b" lines done\r\n")
    require_suffix(kept[:end], wanted, "the kept part of the log")
    # What is read begins with a whole line; offsets are what they were.
    raw = box.gm("logs", "--raw", "a").out
    require(raw == kept[kept.index(b"\n") + 1:].decode().replace("\r\n", "\n"),
            "logs --raw is the kept part")
    first = json.loads(box.gm("logs", "--json", "a").out.splitlines()[0])
    require(re.match(r"\d{8} the", first["line"]), str(first))
    require_equal(first["offset"], start + kept.index(b"\n") + 1)
    require_equal(box.guest("a")["consoles"][0]["offset"], size_of(path))
    # It goes on: a search in the past finds what is there, and no more.
    box.shell("a", "echo one$((1))more", "one1more")
    box.gm("wait", "a", "--since-boot", "--for", f"{lines:08d} the",
           "--timeout", "180")
    box.gm("wait", "a", "--since-boot", "--for", "^00000001 the",
           "--timeout", "2", code=3)


def test_logs_of_programs_are_bounded(box):
    code = ("for i in range(20000): print(f'{i:06d} ' + 'x' * 50)\n"
            "print('the end')\nimport time\ntime.sleep(600)")
    box.up("-f", box.write("guestmux.json", {"version": 1, "guests": {
        "a": {"exec": python(code), "log": {"max": "64K"}},
        "b": {"exec": python(code), "log": {"max": "unlimited"}}}}))
    for name in "ab":
        box.gm("wait", name, "--for", "the end", "--since-boot")
    path = box.guest_log("a")
    until(lambda: disk_bytes(path) <= 80 * KIB, "the log to be cut")
    _, kept = kept_bytes(path)
    wanted = b"".join(b"%06d " % i + b"x" * 50 + b"\r\n" for i in range(20000))
    require_suffix(kept, wanted + b"the end\r\n", "the kept part")
    require_equal(box.log_bytes("b"), wanted + b"the end\r\n")


def let_samples_pass():
    """Times of lines are exact to 50 ms (console/times.h): what comes from now
    on is of another sample than what the server has."""
    start = time.monotonic()
    until(lambda: time.monotonic() > start + 0.1, "the next sample")


# Prints a line for each that comes, without an echo of it.
SAY = """
import sys, termios
mode = termios.tcgetattr(0)
mode[3] &= ~termios.ECHO
termios.tcsetattr(0, termios.TCSANOW, mode)
print("ready")
for line in sys.stdin:
    print(line.strip(), flush=True)
"""


def test_what_qemu_says_itself_is_bounded(box):
    """Its stderr, while it runs: told to disassemble what it runs."""
    box.fleet({"n1": {"args": ["-d", "in_asm"]}})
    box.up()
    path = box.state("n1", "stderr.log")
    until(lambda: size_of(path) > 6 << 20, "QEMU to say more than 6 MiB",
          patience=120)
    until(lambda: disk_bytes(path) < 3 << 20,
          f"{disk_bytes(path)} bytes to become less")
    box.wait_state("n1", "running")


def lines_of(box, *arguments):
    return [json.loads(line) for line in
            box.gm("logs", "--json", *arguments).out.splitlines()]


def test_each_line_has_its_time(box):
    begun = time.time() * 1000
    box.up("-f", box.console_fleet(a=python(SAY)))
    box.gm("wait", "a", "--for", "ready", "--since-boot")
    let_samples_pass()
    moments = [begun, time.time() * 1000]
    words = ["ready"] + [f"line {i}" for i in range(5)] + ["that was all"]
    for word in words[1:]:
        box.shell("a", word, f"^{word}$")
        let_samples_pass()
        moments.append(time.time() * 1000)
    lines = [line for line in lines_of(box, "a") if "line" in line]
    require_equal([line["line"] for line in lines], words)
    times = [line["time-ms"] for line in lines]
    # Between the moments around it; a time has no fractions of its ms.
    for soonest, at, latest in zip(moments, times, moments[1:]):
        require(int(soonest) <= at <= latest, f"{times} {moments}")
    require(not any("until-ms" in line for line in lines), str(lines))
    # As text: a time before each line.
    stamped = box.gm("logs", "-t", "a").out.splitlines()
    require(all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  line \d", line)
                for line in stamped[1:6]), str(stamped))
    # From a moment on, and up to one: the lines that it says.
    middle = f"@{times[3] // 1000}"
    wanted = [line["line"] for line in lines
              if line["time-ms"] >= times[3] // 1000 * 1000]
    require_equal(box.gm("logs", "--since", middle, "a").out.splitlines(),
                  wanted)
    until_lines = box.gm("logs", "--until", middle, "a").out.splitlines()
    require_equal(until_lines, [line["line"] for line in lines
                                if line["time-ms"] <= times[3] // 1000 * 1000])
    require_equal(box.gm("logs", "--since", "1h", "a").out,
                  box.gm("logs", "a").out)
    require_equal(box.gm("logs", "--until", "1h", "a").out, "")
    require_in("is no time", box.gm("logs", "--since", "soon", "a",
                                    code=USAGE).err)


@limit(300)
def test_what_came_while_no_server_ran_is_marked_so(box):
    box.up("-f", box.fleet({"a": {}}))
    box.wait_shell("a")
    box.shell("a", "echo be$((1))fore", "be1fore")
    # SIGKILL loses what the index has for the next sample. Whoever is answered
    # after that comes after its writing.
    let_samples_pass()
    # It counts on, whoever looks.
    box.shell("a", "i=0; while :; do i=$((i+1)); echo count-$i-; sleep 0.2; "
              "done", "^count-3-")

    def counts(start=0):
        """The whole lines from an offset on."""
        return re.findall(rb"^(count-\d+-)\r?$", box.log_bytes("a")[start:],
                          re.MULTILINE)
    box.kill_server()
    time_of_death = time.time() * 1000
    length = len(box.log_bytes("a"))
    # The first may have begun before.
    unseen_text = until(lambda: counts(length)[1:],
                        "the guest to print")[0].decode()
    box.gm("ls")
    box.gm("send", "a", "--keys", "C-c")
    box.shell("a", "echo af$((1))ter", "^af1ter")
    by_text = {line["line"]: line for line in lines_of(box, "a")
               if "line" in line}
    unseen = by_text[unseen_text]
    require(unseen["time-ms"] <= time_of_death < unseen["until-ms"],
            f"{unseen} {time_of_death}")
    require("until-ms" not in by_text["be1fore"], str(by_text["be1fore"]))
    require("until-ms" not in by_text["af1ter"], str(by_text["af1ter"]))
    require(re.search(rf"\.\d{{3}}~ {unseen_text}$",
                      box.gm("logs", "-t", "a").out, re.MULTILINE),
            "no ~ before what nobody saw")


def test_boots_are_told_apart(box):
    box.up("-f", box.console_fleet(
        a=python("import os\nprint('run', os.getpid())")))
    box.wait_state("a", "stopped")
    for _ in range(2):
        box.gm("start", "a")
        box.wait_state("a", "stopped")
    text = box.gm("logs", "a").out
    require(re.fullmatch(r"run \d+\n-- boot [-\d]+ [\d:]+ --\nrun \d+\n"
                         r"-- boot [-\d]+ [\d:]+ --\nrun \d+\n", text), text)
    runs = re.findall(r"run \d+", text)
    for boot, run in zip((-2, -1, 0), runs):
        require_equal(box.gm("logs", "--boot", boot, "a").out, run + "\n")
    require_in("there is no boot -3",
               box.gm("logs", "-b", "-3", "a", code=FAILED).err)
    require_equal(box.gm("logs", "-n", "1", "-b", "-1", "a").out,
                  runs[1] + "\n")
    require_equal(box.gm("logs", "--raw", "a").out,
                  "".join(run + "\n" for run in runs))
    box.gm("logs", "-f", "-b", "-1", "a", code=USAGE)


def test_a_reset_is_a_boot_in_the_log(box):
    """By the reset button, and by the guest itself."""
    box.fleet({"n1": {}})
    box.up()
    def boot_offset():
        return box.guest("n1")["consoles"][0]["boot-offset"]
    def leave_word(word):
        box.wait_shell("n1")
        box.shell("n1", f"echo {word}-$((1 + 1))", f"^{word}-2")
        return boot_offset()
    before = leave_word("first")
    box.gm("reset", "n1", "--yes")
    until(lambda: boot_offset() > before, "the reset to be noted")
    before = leave_word("second")
    box.gm("send", "n1", "--enter", "reboot -f")
    until(lambda: boot_offset() > before, "the reboot to be noted")
    leave_word("third")
    words = ("first", "second", "third")
    for boot, word in zip((-2, -1, 0), words):
        text = box.gm("logs", "--boot", boot, "n1").out
        require_equal([name for name in words if name + "-2" in text], [word],
                      f"boot {boot}")
    require_equal(len(re.findall("^-- boot ", box.gm("logs", "n1").out,
                                 re.MULTILINE)), 2, "boundaries")


def test_a_reset_that_a_busy_server_hears_of_late_is_one_boot(box):
    """The firmware resets once more; its first words come before we listen."""
    box.fleet({"n1": {}})
    box.up()
    # A guest that is paused for a while resets later, too.
    for word, pause_s in (("first", 0), ("second", 2.2)):
        box.wait_shell("n1")
        box.shell("n1", f"echo {word}-$((1 + 1))", f"^{word}-2")
        box.gm("pause", "n1")
        before = box.guest("n1")["consoles"][0]["boot-offset"]
        start = time.monotonic()
        box.gm("reset", "n1", "--yes")
        until(lambda old=before: box.guest("n1")["consoles"][0]["boot-offset"]
              > old, "the reset to be noted")
        until(lambda at=start + pause_s: time.monotonic() > at, "the pause")
        length = len(box.log_bytes("n1"))
        server = box.server_pid()
        box.gm("resume", "n1")
        os.kill(server, signal.SIGSTOP)
        try:
            until(lambda size=length: len(box.log_bytes("n1")) > size,
                  "the firmware")
        finally:
            os.kill(server, signal.SIGCONT)
    box.wait_shell("n1")
    for boot, word in ((-2, "first"), (-1, "second")):
        require_in(f"{word}-2", box.gm("logs", "--boot", boot, "n1").out)
    require_equal(len(re.findall("^-- boot ", box.gm("logs", "n1").out,
                                 re.MULTILINE)), 2, "boundaries")


def test_a_boot_that_a_busy_server_hears_of_late_begins_with_its_firmware(box):
    box.up("-f", box.fleet({"n1": {}}))
    box.wait_shell("n1")
    length = len(box.log_bytes("n1"))
    box.gm("send", "n1", "--enter", "sleep 1; reboot -f")
    server = box.server_pid()
    os.kill(server, signal.SIGSTOP)
    try:
        # The whole boot, as far as it prints.
        until(lambda: re.search(rb"(?s)SeaBIOS.*:~# ",
                                box.log_bytes("n1")[length:]),
              "the next boot", 120)
    finally:
        os.kill(server, signal.SIGCONT)
    box.wait_shell("n1")
    box.shell("n1", "echo second-$((1 + 1))", "^second-2")
    for boot in (-1, 0):
        text = box.gm("logs", "--boot", boot, "n1").out
        require_equal(text.count("SeaBIOS"), 1, f"boot {boot}")
        require(text.startswith("SeaBIOS"), text)
        require_equal("second-2" in text, boot == 0, f"boot {boot}")
    require_equal(box.guest("n1")["consoles"][0]["boot-offset"],
                  box.log_bytes("n1").index(b"\x1bc", length))
    require_in("second-2", box.capture("n1"))


def parse_asciicast(text):
    """asciicast v2, as its specification says: (header, [(time, code, data)])."""
    lines = text.split("\n")
    require_equal(lines.pop(), "", "what is behind the last line")
    header = json.loads(lines.pop(0))
    require_equal(header["version"], 2)
    for name in ("width", "height"):
        require(isinstance(header[name], int) and header[name] > 0, name)
    require(isinstance(header.get("timestamp", 0), int), "timestamp")
    events, last = [], 0.0
    for line in lines:
        when, code, data = json.loads(line)
        require(isinstance(when, (int, float)) and when >= last,
                f"{line}: before {last}")
        require(code in ("o", "i", "m", "r"), line)
        require(isinstance(data, str), line)
        if code == "r":
            require(re.fullmatch(r"[1-9]\d*x[1-9]\d*", data), line)
        last = when
        events.append((when, code, data))
    return header, events


# What is no text, in parts, the next one when a line comes.
PARTS = (b"caf\xc3\xa9 \xe2\x82",
         b"\xac \xf0\x9f\x98\x80 \xff\xfe \x1b[31mred\x1b[0m",
         b" \xe2\x82 nul \x00 quote \" back \\\\ \r\n", b"end \xe2")
DIRTY = f"""
import sys, tty
tty.setraw(0)
for part in {PARTS} + (b"after resize\\r\\n", b""):
    sys.stdout.buffer.write(part)
    sys.stdout.flush()
    sys.stdin.buffer.raw.read(1)
"""


def test_a_record_is_exported_as_asciicast(box):
    box.up("-f", box.console_fleet(a=python(DIRTY)))
    for count in range(1, len(PARTS) + 1):
        # A server writes down what its programs print when it sees it.
        until(lambda n=count: box.log_bytes("a") == b"".join(PARTS[:n]),
              "a part")
        let_samples_pass()
        if count < len(PARTS):
            box.gm("send", "a", "--enter")
    peer = box.api()
    peer.call("console-resize", guest="a", rows=30, cols=100)
    box.gm("send", "a", "--enter")
    box.gm("wait", "a", "--for", "after resize", "--since-boot")
    path = box.at("w", "a.cast")
    box.gm("export", "a", "--asciicast", path)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    header, events = parse_asciicast(text)
    require_equal((header["width"], header["height"]), (80, 24))
    output = "".join(data for _, code, data in events if code == "o")
    require_equal(output, box.log_bytes("a").decode(errors="replace"))
    resizes = [at for at, event in enumerate(events)
               if event[1:] == ("r", "100x30")]
    require_equal(len(resizes), 1, str(events))
    require("after resize" not in "".join(e[2] for e in events[:resizes[0]])
            and "after resize" in "".join(e[2] for e in events[resizes[0]:]),
            str(events))
    # The program's pauses are there.
    require(events[-1][0] >= 0.4, str(events[-1]))
    # Nothing is overwritten without saying so; - is standard output.
    box.gm("export", "a", "--asciicast", path, code=FAILED)
    with open(path, encoding="utf-8") as file:
        require_equal(file.read(), text)
    box.gm("export", "a", "--asciicast", path, "--force", "--idle", "2")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    require_equal(parse_asciicast(text)[0]["idle_time_limit"], 2)
    # … nor lost when the new one cannot be written whole.
    done = subprocess.run(
        ["sh", "-c", 'trap "" XFSZ; ulimit -f 0; exec "$0" "$@"', BINARY,
         "-L", "t", "export", "a", "--asciicast", path, "--force"],
        env=box.env, capture_output=True, text=True, check=False)
    require_equal(done.returncode, FAILED, done.stderr)
    with open(path, encoding="utf-8") as file:
        require_equal(file.read(), text)
    require_equal([name for name in os.listdir(box.at("w")) if "cast" in name],
                  ["a.cast"])
    require_equal(parse_asciicast(box.gm("export", "a", "--asciicast", "-").out),
                  (header, events))
    box.gm("export", "a", code=USAGE)


@limit(600)
def test_what_a_bounded_log_kept_is_exported(box):
    box.up("-f", box.fleet({"a": {"log": {"max": "64K"}}}))
    box.wait_shell("a")
    box.shell("a", "flood lines 4096", "flood: 4096 lines done")
    path = box.guest_log("a")
    until(lambda: disk_bytes(path) <= 80 * KIB, "the log to be cut")
    header, events = parse_asciicast(
        box.gm("export", "a", "--asciicast", "-").out)
    _, kept = kept_bytes(path)
    output = "".join(data for _, code, data in events if code == "o")
    require_equal(output.encode(), kept[kept.index(b"\n") + 1:])
    require(len(events) > 3, f"{len(events)} events")
    require_equal(header["width"], 80)


def test_several_logs_are_merged_by_time(box):
    ping = ("import sys\nfor line in sys.stdin:\n"
            "    print('got', line.strip())")
    box.up("-f", box.console_fleet(a=python(ping), bee=python(ping)))
    for number, name in enumerate(["a", "bee", "a", "bee", "bee"]):
        box.shell(name, f"say{number}", f"got say{number}")
        let_samples_pass()  # two lines of one sample have no order
    text = box.gm("logs", "bee", "a").out
    got = re.findall(r"^(a  |bee) \| got (say\d)$", text, re.MULTILINE)
    require_equal(got, [("a  ", "say0"), ("bee", "say1"), ("a  ", "say2"),
                        ("bee", "say3"), ("bee", "say4")], text)
    follower = box.spawn("logs", "-f", "-n", "0", "a", "bee")
    box.gm("ls")
    # It ends with its guests.
    for name in ("bee", "a"):
        box.shell(name, "bye", "got bye")
        box.gm("kill", "--yes", name)
    out, _ = follower.communicate(timeout=180)
    require_equal(follower.returncode, DONE)
    del out  # what it saw depends on when it began


TICKS = """
import sys
for line in sys.stdin:
    print(line.strip(), flush=True)
    if line.strip() == "end":
        break
"""


def screen_text(rows, event):
    """Applies a SCREEN event to rows (a dict); the text of the screen."""
    for row in event["data"].get("rows", []):
        rows[row[0]] = "".join(run[1] for run in row[1:]).rstrip()
    return [rows[index] for index in sorted(rows) if rows[index]]


def see_moment(peer, view, **moment):
    """Goes to a moment; (its [offset, ms], the lines on the screen)."""
    peer.call("view-change", view=view, **moment)
    event = peer.event(lambda e: e["event"] == "SCREEN"
                       and e["data"]["view"] == view and "moment" in e["data"])
    # A moment's first frame can be the rows that changed alone.
    lines = screen_text(see_moment.rows, event)
    peer.call("view-ack", view=view, frame=event["data"]["frame"])
    return event["data"]["moment"], lines


def test_a_view_goes_to_any_moment(box):
    box.up("-f", box.console_fleet(a=python(TICKS)))
    cursors = []
    for number in range(4):
        cursors.append(box.json("send", "a", "--enter", f"tick{number}")
                       ["cursor"])
        box.gm("wait", "a", "--after", cursors[-1], "--for",
               f"^tick{number}$")
        # The echo and the answer.
        until(lambda n=number: box.log_bytes("a").count(
            f"tick{n}".encode()) == 2, "the answer")
        let_samples_pass()
    size = size_of(box.guest_log("a", "console"))
    cursors.append(size)
    peer = box.api()
    see_moment.rows = {}
    view = peer.call("view-open", guest="a", rows=24, cols=80)["view"]
    peer.event(lambda e: e["event"] == "SCREEN")
    for number in (2, 4, 1, 3, 0):
        moment, lines = see_moment(peer, view, moment=cursors[number])
        require_equal(moment[0], cursors[number])
        require_equal(lines, [f"tick{i // 2}" for i in range(2 * number)])
    # By time: the time of each line leads to where it was printed.
    by_line = {line["line"]: line["time-ms"] for line in lines_of(box, "a")
               if "line" in line}
    moment, lines = see_moment(peer, view, moment_ms=by_line["tick1"])
    require_in("tick1", lines)
    require("tick2" not in lines, str(lines))
    require_equal(moment[1], by_line["tick1"])
    # What comes meanwhile is not shown; back in the present it is.
    box.shell("a", "more", "^more$")
    moment, lines = see_moment(peer, view, moment=1 << 60)
    require(moment[0] > size and "more" in lines, f"{moment} {lines}")
    require_equal(see_moment(peer, view, moment=0), ([0, 0], []))
    moment, lines = see_moment(peer, view, moment=-1)
    require_equal(moment, [])
    require_equal(lines[-2:], ["more", "more"])


def test_a_view_of_the_past_has_the_size_and_boot_of_then(box):
    code = "import sys\nprint('x' * 100)\nsys.stdin.readline()"
    box.up("-f", box.console_fleet(a=python(code)))
    box.gm("wait", "a", "--for", "xxx", "--since-boot")
    box.gm("send", "a", "--enter")
    box.wait_state("a", "stopped")
    first = size_of(box.guest_log("a", "console"))
    peer = box.api()
    peer.call("console-resize", guest="a", rows=24, cols=120)
    box.gm("start", "a")
    box.gm("wait", "a", "--for", "xxx", "--since-boot")
    view = peer.call("view-open", guest="a", rows=24, cols=120)["view"]
    peer.event(lambda e: e["event"] == "SCREEN")
    for moment, cols in ((10, 80), (first + 50, 120), (first - 1, 80)):
        peer.call("view-change", view=view, moment=moment)
        event = peer.event(lambda e: "moment" in e["data"])
        peer.call("view-ack", view=view, frame=event["data"]["frame"])
        require_equal(event["data"]["size"][1], cols)
    see_moment.rows = {}
    _, lines = see_moment(peer, view, moment=first + 50)
    require_equal(lines, ["x" * 50])


def test_a_view_of_the_past_has_the_scrollback_of_then(box):
    """Rows above the screen, those of earlier boots too; forward to now."""
    code = "import sys\nfor i in range(300): print(f'run row{i:04d}')\n"
    box.up("-f", box.console_fleet(a=python(code)))
    box.wait_state("a", "stopped")
    first = size_of(box.guest_log("a", "console"))
    box.gm("start", "a")
    box.wait_state("a", "stopped")
    size = size_of(box.guest_log("a", "console"))
    peer = box.api()
    view = peer.call("view-open", guest="a", rows=24, cols=80)["view"]
    peer.event(lambda e: e["event"] == "SCREEN")
    row = len("run row0000\r\n")

    def look(**change):
        peer.call("view-change", view=view, **change)
        event = peer.event(lambda e: e["event"] == "SCREEN" and (
            "moment" in e["data"] or "scroll" in change))
        peer.call("view-ack", view=view, frame=event["data"]["frame"])
        look.history = event["data"].get("history", look.history)
        return screen_text(look.rows, event)

    look.rows, look.history = {}, 0
    # In the first run, at row 100, then 60 rows above that screen.
    require_in("run row0099", look(moment=100 * row))
    require_equal(look.history, 100 - 23)
    lines = look(scroll=60)
    require_equal(lines[0], "run row0017")
    require_equal(len(lines), 24)
    # As far as there is anything, and no further.
    require_equal(look(scroll=1000)[0], "run row0000")
    # Another moment begins with its screen: in the second run, with the first
    # one's rows above.
    lines = look(moment=first + 50 * row)
    require_equal(lines[-1], "run row0049")
    require(look.history >= 300 + 50 - 24, f"{look.history} rows of history")
    lines = look(scroll=look.history)
    require_equal(lines[0], "run row0000")
    # Forward to now.
    require_in("run row0299", look(moment=size))
    peer.call("view-change", view=view, moment=-1)
    event = peer.event(lambda e: e["data"].get("moment") == [])
    require_in("run row0299", screen_text({}, event))


@limit(300)
def test_a_long_record_is_replayed_without_holding_anybody_up(box):
    code = ("for i in range(150000): print(f'{i:06d} ' + 'y' * 80)\n"
            "import time\ntime.sleep(600)")
    box.up("-f", box.console_fleet(a=python(code), b=python(TICKS)))
    box.gm("wait", "a", "--for", "^149999 ", "--since-boot", "--timeout", "200",
           patience=210)
    peer = box.api()
    view = peer.call("view-open", guest="a", rows=24, cols=100)["view"]
    peer.event(lambda e: e["event"] == "SCREEN")
    size = size_of(box.guest_log("a", "console"))
    other = box.api()
    peer.write({"execute": "view-change", "id": 9, "arguments": {
        "view": view, "moment": size - 1000}})
    # What the server does before it answers, on however busy a machine.
    server, slowest = box.server_pid(), 0
    for _ in range(20):
        start = cpu_seconds(server)
        other.call("query-version")
        slowest = max(slowest, cpu_seconds(server) - start)
    require(slowest < 1, f"a query waited for {slowest:.2f} s of work")
    event = peer.event(lambda e: "moment" in e["data"])
    text = screen_text({}, event)
    require(any(line.startswith("149985 ") for line in text), str(text))
    # A client that goes in the middle takes its replay with it.
    for _ in range(5):
        gone = box.api()
        view = gone.call("view-open", guest="a", rows=24, cols=100)["view"]
        gone.call("view-change", view=view, moment=size - 5000)
        gone.close()
    require_equal(other.call("query-version")["version"],
                  peer.call("query-version")["version"])


def test_the_deck_goes_back_in_time(box):
    code = ("import time\nfor i in range(8):\n"
            "    print('step', i, flush=True)\n    time.sleep(0.3)")
    box.up("-f", box.console_fleet(a=python(code)))
    box.wait_state("a", "stopped")
    box.gm("start", "a")
    box.wait_state("a", "stopped")
    deck = box.deck(cols=100)
    deck.wait_for("step 7")
    deck.keys("C-]", "h")
    deck.wait_for("past of a .* boot 2/2")
    deck.wait_for("past: [-0-9]+ [:0-9]+, .* ago")
    deck.keys("g")
    deck.wait_for("boot 1/2")
    deck.wait_gone("step 7")
    deck.keys("+", "Space")  # at twice the speed
    deck.wait_for(r"(?s)step 0.*step 3")
    deck.keys("]")
    deck.wait_for("boot 2/2")
    deck.keys("G")
    deck.wait_for("step 7")
    deck.keys("[")
    deck.wait_gone("step 7")
    # Typing goes to nobody; q is the present.
    deck.type("zz")
    deck.keys("q")
    deck.wait_for("a does not run")
    deck.wait_for("step 7")
    deck.wait_gone("past of a")


def test_the_deck_scrolls_in_the_past(box):
    box.up("-f", box.console_fleet(
        a=python("for i in range(60): print(f'row{i:04d}')\n"
                 "input()\nprint('later')")))
    box.gm("wait", "a", "--for", "row0059", "--since-boot")
    box.gm("send", "a", "--enter", "x")
    box.wait_state("a", "stopped")
    deck = box.deck(cols=100)
    deck.wait_for("later")
    deck.keys("C-]", "h")
    deck.wait_for("past of a")
    deck.wait_for("later")
    deck.keys("PageUp", "PageUp", "PageUp", "PageUp")
    deck.wait_for("row0000")
    deck.wait_gone("later")
    deck.keys("Down", "j")
    deck.wait_gone("row0000")
    deck.wait_for("row0002")
    # Another moment begins with its screen.
    deck.keys("g")
    deck.wait_gone("row0002")
    deck.keys("G")
    deck.wait_for("later")
    deck.keys("q")
    deck.wait_gone("past of a")


def test_keys_for_the_past_count_however_late_it_comes(box):
    box.up("-f", box.console_fleet(
        a=python("for i in range(60): print(f'row{i:04d}')\nprint('later')")))
    box.wait_state("a", "stopped")
    box.gm("start", "a")
    box.wait_state("a", "stopped")
    deck = box.deck(cols=100)
    deck.wait_for("later")
    server = box.server_pid()
    for keys, shown in ((("h", *["PageUp"] * 8), "row0000"),
                        (("h", "g", "]", "["), "boot 1/2")):
        os.kill(server, signal.SIGSTOP)
        try:
            deck.keys("C-]", *keys)
            deck.wait_for(" past ")
        finally:
            os.kill(server, signal.SIGCONT)
        deck.wait_for(shown)
        deck.wait_gone("later")
        deck.keys("q")
        deck.wait_for("later")
        deck.wait_gone(" past ")


def test_ranges_that_hold_nothing_are_mistakes(box):
    box.up("-f", box.console_fleet(a=["cat"]))
    for command in (("logs", "a"), ("timeline",), ("events",),
                    ("export", "a", "--asciicast", "-")):
        told = box.gm(*command, "--since", "1m", "--until", "2m", code=2)
        require_in("is later than --until (", told.err)
        box.gm(*command, "--since", "2m", "--until", "1m")
    require_in("say where to", box.gm("export", "a", "--asciicast", "",
                                      code=2).err)
    require_in("there is no guest 'b'", box.gm("events", "b", code=1).err)
    # A guest that was removed has its events still.
    box.gm("kill", "a", "--yes")
    box.gm("rm", "a", "--yes")
    require_in("removed", box.gm("events", "a").out)


def test_each_line_has_its_offset(box):
    """However many came at once, with whatever line ends."""
    text = "one\\r\\ntwo\\n\\n\\033[31mred\\033[0m\\r\\na\\rb\\ntail"
    box.up("-f", box.console_fleet(a=[
        "sh", "-c", f"stty -onlcr; printf '{text}'; exec cat"]))
    box.gm("wait", "a", "--for", "tail", "--after", 0)
    lines = [(line["offset"], line["line"]) for line in lines_of(box, "a")
             if "line" in line]
    require_equal(lines, [(0, "one"), (5, "two"), (9, ""), (10, "red"),
                          (24, "a"), (26, "b"), (28, "tail")])
    require_equal(box.gm("logs", "a", "--after", 10).out, "red\na\nb\ntail")
    both = [json.loads(line) for line in
            box.gm("logs", "--json", "a", "a").out.splitlines()]
    require_equal(sorted((line["offset"], line["line"]) for line in both
                         if "line" in line), sorted(lines + lines))


def test_a_cursor_beyond_the_end_is_a_mistake(box):
    """It is another console's: what it waits for would never come."""
    box.up("-f", box.console_fleet(a=["sh", "-c", "echo here; exec cat"]))
    box.gm("wait", "a", "--for", "here", "--after", 0)
    for command in (("logs",), ("logs", "-f"), ("logs", "-n", "3", "--json"),
                    ("wait", "--for", "x", "--timeout", "30")):
        told = box.gm(command[0], "a", *command[1:], "--after", 4711, code=1)
        require_in("ends at 6: 4711 is no cursor of it", told.err)
    require_equal(box.gm("logs", "a", "--after", 6).out, "")


def test_following_shows_a_prompt_and_a_new_boot(box):
    code = "import sys\nprint('name? ', end='', flush=True)\n" \
           "print('hello', sys.stdin.readline())"
    box.up("-f", box.console_fleet(a=python(code)))
    box.gm("wait", "a", "--for", "name", "--since-boot")
    follower = box.spawn("logs", "-f", "a")
    os.set_blocking(follower.stdout.fileno(), False)
    seen = b""

    def sees(text):
        nonlocal seen
        seen += follower.stdout.read() or b""
        return text in seen
    until(lambda: sees(b"name? "), "the prompt without a line end")
    box.gm("send", "a", "--enter", "you")
    until(lambda: sees(b"hello you"), "the answer")
    follower.wait(180)


if __name__ == "__main__":
    main(globals())
