"""The life of real guests: up, down, every action, and how they die."""

import contextlib
import json
import os
import signal
import socket
import sys

from harness import (FAILED, TIMEOUT, argv_of, guest_directory, is_alive,
                     main, require, require_equal, require_in, stat_of,
                     until)


def test_up_boots_three_and_down_ends_them(box):
    guest = guest_directory()
    path = box.fleet({
        "control0": {},
        "worker0": {"memory": "192M"},
        "old": {"command": "qemu-system-x86_64 -nographic -m 128 -accel tcg "
                           f"-kernel {guest}/vmlinuz "
                           f"-initrd {guest}/initrd.gz "
                           "-append 'console=ttyS0 quiet gm.shell'"}})
    # A command stands instead of all fields, the defaults' too.
    text = json.load(open(path, encoding="utf-8"))
    box.write("guestmux.json", text)
    box.up("-f", path)
    for name in ("control0", "worker0", "old"):
        box.wait_shell(name)
        box.shell(name, "echo $((6 * 7))-answer", "^42-answer")
    box.shell("worker0", "free -m | awk '/Mem/ {print \"has\", $2}'",
              "has 1[5-9][0-9]")
    require_equal(len(box.qemus()), 3, "QEMUs")
    box.gm("down", "--yes")
    require_equal({g["name"]: g["state"] for g in box.json("ls")},
                  {"control0": "stopped", "worker0": "stopped",
                   "old": "stopped"})
    require_equal(box.qemus(), [], "QEMUs")


def test_a_guest_is_alone_in_its_session_with_nothing_inherited(box):
    box.up("-f", box.fleet({"a": {}}))
    pid = box.guest("a")["pid"]
    require_equal(os.getsid(pid), pid, "its session")
    require_equal(stat_of(pid)[4], "0", "its terminal")
    require_equal(os.readlink(f"/proc/{pid}/fd/0"), "/dev/null", "its input")
    for number in os.listdir(f"/proc/{pid}/fd"):
        # QEMU closes some meanwhile.
        with contextlib.suppress(FileNotFoundError):
            target = os.readlink(f"/proc/{pid}/fd/{number}")
            require("api.sock" not in target, target)
    for number in "12":
        require_in(box.path, os.readlink(f"/proc/{pid}/fd/{number}"))
    require_in("logappend=on", " ".join(argv_of(pid)))


def test_pause_resume_reset_and_restart(box):
    box.up("-f", box.fleet({"a": {}}))
    box.wait_shell("a")
    box.gm("pause", "a")
    require_equal(box.guest("a")["state"], "paused")
    box.gm("resume", "a")
    require_equal(box.guest("a")["state"], "running")
    box.shell("a", "echo still-$((1 + 1))", "^still-2")
    pid = box.guest("a")["pid"]
    after = box.json("send", "a", "x")["cursor"]
    box.gm("reset", "--yes", "a")
    box.gm("wait", "a", "--for", r"a:~# |tiny:~# ", "--after", after,
           "--timeout", "180", patience=190)
    require_equal(box.guest("a")["pid"], pid, "the pid after a reset")
    box.gm("restart", "--yes", "a", patience=120)
    guest = box.wait_state("a", "running")
    require(guest["pid"] != pid, "the same process after a restart")
    box.wait_shell("a")


def test_the_power_button_is_answered(box):
    box.up("-f", box.fleet({"a": {}}))
    box.wait_shell("a")
    box.gm("shutdown", "a")
    guest = box.wait_state("a", "stopped")
    require_equal(guest["exit"]["reason"], "guest-shutdown")
    require_equal(guest["exit"]["code"], 0)
    require_in("power button was pressed", box.gm("logs", "a").out)
    box.gm("start", "a")
    box.wait_shell("a")


def test_a_power_button_that_is_ignored_is_told(box):
    box.up("-f", box.fleet({"a": {}}, append="console=ttyS0 quiet gm.shell "
                                             "gm.acpi=ignore"))
    box.wait_shell("a")
    result = box.gm("down", "--yes", "--timeout", "2", code=TIMEOUT)
    require_in("a", result.err)
    guest = box.guest("a")
    require(is_alive(guest["pid"]), "it is gone")
    require_in(guest["state"], ("running", "shutting-down"))
    box.shell("a", "echo here-$((1 + 1))", "^here-2")
    box.gm("down", "--yes", "--timeout", "1", "--force", patience=90)
    require_equal(box.guest("a")["state"], "stopped")


def test_poweroff_and_kill_are_clean_ends(box):
    box.up("-f", box.fleet({"a": {}, "b": {}}))
    box.wait_shell("a")
    box.gm("send", "a", "--enter", "poweroff")
    guest = box.wait_state("a", "stopped", "crashed")
    require_equal(guest["state"], "stopped")
    box.gm("kill", "--yes", "b")
    guest = box.wait_state("b", "stopped", "crashed")
    require_equal(guest["state"], "stopped")


def card(box, name):
    """The exit report of a guest that crashed."""
    guest = box.wait_state(name, "crashed")
    require(guest["exit"], f"no exit report: {guest}")
    require_in("qemu-system", guest["exit"]["command"])
    return guest["exit"]


def test_a_qemu_that_is_killed_is_told(box):
    box.up("-f", box.fleet({"a": {}}))
    box.wait_shell("a")
    os.kill(box.guest("a")["pid"], signal.SIGKILL)
    report = card(box, "a")
    require_equal(report["signal"], "SIGKILL")
    require(report["uptime-ms"] > 0, "no uptime")
    require_in(":~#", box.capture("a"), "its last screen")
    box.gm("start", "a")
    box.wait_shell("a")


def test_a_bad_option_is_told_by_up(box):
    path = box.fleet({"good": {}, "bad": {"args": ["-nosuchoption"]}})
    result = box.up("-f", path, code=FAILED)
    require_in("nosuchoption", result.err)
    require_in("bad", result.err)
    report = card(box, "bad")
    require_equal(report["code"], 1)
    require_in("nosuchoption", " ".join(report["stderr"]))
    require_equal(box.guest("good")["state"], "running")


def test_a_missing_image_is_told_by_up(box):
    path = box.fleet({"a": {"disks": ["nowhere.qcow2"]}})
    result = box.up("-f", path, code=FAILED)
    require_in("nowhere.qcow2", result.err)


def test_a_busy_port_is_told_by_up(box):
    busy = socket.socket()
    busy.bind(("127.0.0.1", 0))
    busy.listen()
    port = busy.getsockname()[1]
    path = box.fleet({"a": {"nics": [
        f"user,hostfwd=tcp:127.0.0.1:{port}-:22"]}})
    result = box.up("-f", path, code=FAILED)
    require_in(str(port), result.err)


def test_a_missing_qemu_is_told_by_up(box):
    path = box.fleet({"a": {"qemu": "qemu-system-nosuch"}})
    result = box.up("-f", path, code=FAILED)
    require_in("qemu-system-nosuch", result.err)


def test_escape_sequences_in_qemus_words_do_no_harm(box):
    path = box.fleet({"a": {"args": ["-\x1b[31mred\x1b]0;title\x07"]}})
    result = box.gm("up", "-d", "-f", path, code=FAILED)
    require("\x1b" not in result.err + result.out, "ESC came through")
    require("\x07" not in result.err + result.out, "BEL came through")


def test_a_panic_ends_in_a_card_or_a_reboot(box):
    box.up("-f", box.fleet({"a": {"args": ["-no-reboot"]}}))
    box.wait_shell("a")
    box.gm("send", "a", "--enter", "panic")
    box.gm("wait", "a", "--for", "Kernel panic", "--since-boot",
           "--timeout", "180", code=None)
    guest = box.wait_state("a", "crashed", "stopped", "guest-panicked")
    require(guest["exit"] or guest["state"] == "guest-panicked", str(guest))
    require_in("sysrq", box.capture("a", "--history", "200"))


def test_a_guest_that_stays_after_its_end_says_shutdown(box):
    box.up("-f", box.fleet({"a": {"args": ["-no-shutdown"]}}))
    box.wait_shell("a")
    box.gm("send", "a", "--enter", "poweroff")
    box.gm("wait", "a", "--state", "shutdown", "--timeout", "180", patience=190)
    require_equal(box.guest("a")["state"], "shutdown")
    box.gm("reset", "a")
    box.wait_state("a", "running")


def test_a_definition_that_changed_applies_at_the_restart(box):
    box.up("-f", box.fleet({"a": {}, "b": {}}))
    changed = box.fleet({"a": {"memory": "160M", "args": ["-serial", "vc"]},
                         "b": {"memory": "160M"}})
    require_in("restart", box.up("-f", changed).out)
    require_equal(len(box.guest("a")["consoles"]), 1, "consoles")
    # A server that comes after knows of it too.
    box.kill_server()
    box.gm("restart", "--force", "a")
    require_equal(len(box.guest("a")["consoles"]), 2, "consoles")
    box.wait_shell("a")
    box.shell("a", "free -m | awk '/Mem/ {print \"has\", $2}'", "has 1[2-4]")
    require_in("unchanged", box.json("up", "-d", "-f", changed)
               ["guests"][0]["action"])
    # Taken back before it applied.
    require_in("unchanged", box.json("up", "-d", "-f", box.fleet({"b": {}}))
               ["guests"][0]["action"])
    box.gm("restart", "--force", "b")
    argv = box.json("api", "guest-command", '{"guest": "b"}')["argv"]
    require("160M" not in argv, str(argv))


def test_pvpanic_shows_as_guest_panicked(box):
    box.up("-f", box.fleet({"a": {
        "args": ["-device", "pvpanic-pci", "-action", "panic=pause"],
        "append": "console=ttyS0 quiet gm.shell"}}))
    box.wait_shell("a")
    box.gm("send", "a", "--enter", "panic")
    box.wait_state("a", "guest-panicked")
    require_in("guest-panicked", box.gm("ls").out)


def test_stopping_before_qmp_answers_is_safe(box):
    path = box.fleet({f"n{i}": {} for i in range(4)})
    for _ in range(3):
        child = box.spawn("up", "-d", "-f", path)
        until(box.qemus, "a QEMU to start")
        for pid in box.qemus():
            os.kill(pid, signal.SIGKILL)
        child.communicate(timeout=180)
    box.up("-f", path)
    require_equal({g["state"] for g in box.json("ls")}, {"running"})
    require_equal(len(box.qemus()), 4, "QEMUs")


def test_qmp_passes_commands_and_errors(box):
    box.up("-f", box.fleet({"a": {}}))
    status = json.loads(box.gm("qmp", "a", "query-status").out)
    require_equal(status["status"], "running")
    devices = json.loads(box.gm("qmp", "a", "qom-list",
                                '{"path": "/machine"}').out)
    require(len(devices) > 3, f"{devices}")
    result = box.gm("qmp", "a", "nosuch-command", code=FAILED)
    require_in("nosuch-command", result.err)


def test_a_state_changed_behind_our_back_is_seen(box):
    box.up("-f", box.fleet({"a": {}}))
    box.gm("qmp", "a", "stop")
    box.wait_state("a", "paused")
    box.gm("qmp", "a", "cont")
    box.wait_state("a", "running")
    box.gm("qmp", "a", "quit")
    box.wait_state("a", "stopped")


# A monitor whose QEMU takes its time for a reset: it answers, and does it when
# it is told by a fifo what is on the serial line by then. The kernel of the new
# boot prints when query-version asks.
SLOW_RESET = """#!{python}
import json, os, re, socket, sys, threading, time
if "-qmp" not in sys.argv and "-mon" not in sys.argv:
    print("QEMU emulator version 7.2.0")
    sys.exit(0)
log = re.search("logfile=([^, ]+)", " ".join(sys.argv)).group(1)
fd = re.search(r"socket,[^ ]*fd=([0-9]+)", " ".join(sys.argv)).group(1)
peer = socket.socket(fileno=int(fd)).accept()[0]
def say(message):
    peer.sendall(json.dumps(message).encode() + b"\\r\\n")
def display(text):
    with open(log, "a") as file:
        file.write(text)
def reset():
    text = open("{gate}", newline="").read()
    now = time.time()
    say({{"event": "RESET", "data": {{"guest": False}}, "timestamp": {{
        "seconds": int(now), "microseconds": int(now % 1 * 1000000)}}}})
    display(text)
say({{"QMP": {{"version": {{}}, "capabilities": []}}}})
answers = {{"query-status": {{"status": "running", "running": True}},
           "query-chardev": [], "query-name": {{"name": "slow"}},
           "query-uuid": {{"UUID": "6ba7b810-9dad-11d1-80b4-00c04fd430c8"}}}}
for line in peer.makefile():
    asked = json.loads(line)
    say({{"return": answers.get(asked["execute"], {{}}),
         "id": asked.get("id")}})
    if asked["execute"] == "system_reset":
        threading.Thread(target=reset, daemon=True).start()
    if asked["execute"] == "query-version":
        display("[    0.000000] Linux version 6.1.0\\r\\n")
    if asked["execute"] == "quit":
        sys.exit(0)
"""


def begin_reset(box):
    """A guest whose QEMU has taken a reset and not done it: who waits for it
    (by id 1), and what is to be opened."""
    gate = box.at("w", "gate")
    os.mkfifo(gate)
    qemu = box.write("qemu-system-x86_64", SLOW_RESET.format(
        python=sys.executable, gate=gate))
    os.chmod(qemu, 0o755)
    box.up("-f", box.write("guestmux.json", {"version": 1, "guests": {
        "a": {"qemu": qemu, "nics": []}}}))
    peer = box.api()
    peer.write({"execute": "guest-reset", "id": 1, "arguments": {"guest": "a"}})
    # The monitor answers in the order of the questions.
    for number in (2, 3):
        peer.write({"execute": "guest-qmp", "id": number, "arguments": {
            "guest": "a", "command": "query-status"}})
        require_equal(peer.read().get("id"), number, "what is answered")
    return peer, gate


# More than is read at once; and what would be a stage.
OLD_WORDS = "much\r\n" * 1000000 + "tiny login: [    2.648372] tsc: Refined\r\n"


def finish_reset(box, gate, text):
    """While the server does nothing, as a busy one."""
    server = box.server_pid()
    os.kill(server, signal.SIGSTOP)
    try:
        with open(gate, "w", encoding="ascii", newline="") as file:
            file.write(text)
        until(lambda: box.log_bytes("a").endswith(text.encode()), "the text")
    finally:
        os.kill(server, signal.SIGCONT)


def test_a_boot_that_a_busy_server_hears_of_late_begins_with_its_firmware(box):
    peer, gate = begin_reset(box)
    old = "tiny login: [    2.648372] tsc: Refined\r\n# "
    finish_reset(box, gate, old + "\x1bc\x1b[?7l\x1b[2J\x1b[0mSeaBIOS (version "
                 "1.16.2)\r\n\x1bc[    0.000000] Linux version 6.1.0\r\n")
    require_in("return", peer.reply(1))
    box.gm("wait", "a", "--until", "kernel", "--timeout", "180")
    guest = box.guest("a")
    require_equal([stage["stage"] for stage in guest["stages"]],
                  ["firmware", "kernel"], "the new boot's stages")
    require_equal(guest["consoles"][0]["boot-offset"], len(old),
                  "where it begins")
    peer.close()


def test_what_the_old_boot_printed_last_is_no_stage_of_the_new_one(box):
    """A busy server hears of the reset before it has read what came before."""
    peer, gate = begin_reset(box)
    finish_reset(box, gate, OLD_WORDS)
    require_in("return", peer.reply(1))
    peer.call("guest-qmp", guest="a", command="query-version")
    box.gm("wait", "a", "--until", "kernel", "--timeout", "180")
    require_equal([stage["stage"] for stage in box.guest("a")["stages"]],
                  ["firmware", "kernel"], "the new boot's stages")
    peer.close()


def test_a_reset_is_done_when_it_is_done(box):
    """What is asked for behind it is told of the new boot."""
    peer, gate = begin_reset(box)

    def began(guest):
        return guest["stages"][0]["at-ms"]
    before = began(box.guest("a"))
    with open(gate, "w", encoding="ascii"):
        pass
    require_in("return", peer.reply(1))
    require(began(peer.call("guest-query", guest="a")) > before,
            "the old boot is told")
    peer.close()


def test_run_defines_a_guest_from_a_command(box):
    guest = guest_directory()
    box.gm("run", "--name", "mine", "-d", "--", "qemu-system-x86_64",
           "-nographic", "-m", "128", "-accel", "tcg", "-kernel",
           f"{guest}/vmlinuz", "-initrd", f"{guest}/initrd.gz", "-append",
           "console=ttyS0 quiet gm.shell")
    box.wait_shell("mine")
    box.shell("mine", "hostname", "^tiny")


def test_a_monitor_on_vc_is_replaced_by_ours(box):
    guest = guest_directory()
    box.up("-f", box.write("guestmux.json", {"version": 1, "guests": {"a": {
        "command": ["qemu-system-x86_64", "-nodefaults", "-chardev",
                    "vc,id=monitor", "-mon", "monitor", "-serial", "vc",
                    "-display", "none", "-m", "128", "-accel", "tcg",
                    "-kernel", f"{guest}/vmlinuz", "-initrd",
                    f"{guest}/initrd.gz", "-append",
                    "console=ttyS0 quiet gm.shell"]}}}))
    box.wait_shell("a")


def test_a_full_screen_program_is_shown_as_it_draws(box):
    box.up("-f", box.fleet({"a": {}}))
    box.wait_shell("a")
    box.shell("a", "paint", "last: none")
    screen = until(lambda: (text := box.capture("a")).count("│") == 44
                   and text, "the box to be drawn").splitlines()
    require_equal(screen[0], "┌" + "─" * 78 + "┐", "the first row")
    require_equal(screen[23], "└" + "─" * 78 + "┘", "the last row")
    require_in("漢字", screen[12])
    box.gm("send", "a", "x")
    # The shell's own question (ESC[6n) may be answered late, to paint.
    until(lambda: "last: x" in box.capture("a"), "the key")
    box.gm("send", "a", "q")
    until(lambda: "paint: done after " in box.capture("a")
          and "┌" not in box.capture("a"), "the first screen again")


def test_a_terminal_query_of_the_guest_is_answered_once(box):
    box.up("-f", box.fleet({"a": {}}))
    box.wait_shell("a")
    box.shell("a", "keys", "keys: ready")
    box.gm("send", "a", "--keys", "Escape")
    box.gm("wait", "a", "--for", "key 1b", "--since-boot", "--timeout", "180")
    box.gm("send", "a", "qqq")
    box.gm("wait", "a", "--for", "keys: done", "--since-boot", "--timeout",
           "180")
    # Only the question's own answer, not another for each who looks on.
    peers = [box.api() for _ in range(3)]
    for peer in peers:
        peer.call("view-open", guest="a", rows=24, cols=80)
    box.shell("a", "clear; where", r"^where: row 1, col 1, then nothing")


main(globals())
