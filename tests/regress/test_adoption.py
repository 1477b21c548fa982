"""kill -9 of the server, then any command: everything is as it was."""

import os
import signal
import subprocess

from harness import (FAILED, Skip, is_alive, main, python, require,
                     require_equal, require_in, until)


def test_guests_are_adopted_with_their_screens(box):
    box.up("-f", box.fleet({"a": {}, "b": {}}))
    for name in "ab":
        box.wait_shell(name)
        box.shell(name, f"echo before-$((1 + 1))-{name}", f"^before-2-{name}")
    box.shell("a", "flood lines 200", "flood: 200 lines done")
    box.shell("b", "paint", "last: none")
    pids = {g["name"]: g["pid"] for g in box.json("ls")}
    # The last key's row is the last to be drawn.
    until(lambda: box.capture("b").count("│") == 44, "paint's screen")
    screens = {name: box.capture(name) for name in "ab"}
    history = box.capture("a", "--history", "10000")
    box.kill_server()
    # A new server answers before monitors that take their time.
    for name in "ab":
        box.wait_state(name, "running")
    listed = box.json("ls")
    require_equal({g["name"]: g["pid"] for g in listed}, pids, "pids")
    require_equal({g["state"] for g in listed}, {"running"}, "states")
    require(all(g["adopted"] for g in listed), "adopted is not said")
    require(all(g["consoles"][0]["activity-ms"] for g in listed),
            "when they last printed is forgotten")
    for name in "ab":
        until(lambda n=name: box.capture(n) == screens[n],
              f"{name}'s screen as it was")
    require_equal(box.capture("a", "--history", "10000"), history, "history")
    cursor = box.json("send", "b", "q")["cursor"]
    box.gm("wait", "b", "--for", ":~# $", "--after", cursor, "--timeout", "180")
    box.shell("b", "echo after-$((1 + 2))", "^after-3")


def test_a_guest_that_died_meanwhile_is_told(box):
    box.up("-f", box.fleet({"a": {}, "b": {}}))
    box.wait_shell("a")
    pids = {g["name"]: g["pid"] for g in box.json("ls")}
    box.kill_server()
    os.kill(pids["a"], signal.SIGKILL)
    until(lambda: not is_alive(pids["a"]), "the guest to be gone")
    guest = box.wait_state("a", "crashed", "stopped")
    require_equal(guest["state"], "crashed")
    require(guest["exit"] and guest["exit"]["summary"], f"{guest['exit']}")
    require_in(":~#", box.capture("a"), "its last screen")
    require_equal(box.guest("b")["state"], "running")
    box.gm("start", "a")
    box.wait_shell("a")


def test_a_paused_guest_is_adopted_paused(box):
    box.up("-f", box.fleet({"a": {}}))
    box.gm("pause", "a")
    box.kill_server()
    box.wait_state("a", "paused")
    box.gm("resume", "a")
    box.wait_state("a", "running")


def test_what_is_printed_meanwhile_is_not_missed(box):
    box.up("-f", box.fleet({"a": {}}))
    box.wait_shell("a")
    box.gm("send", "a", "--enter", "sleep 2; flood lines 500")
    box.gm("wait", "a", "--for", "sleep 2", "--since-boot", "--timeout", "180")
    box.kill_server()
    # Nobody watches while it prints; the next command finds all of it.
    until(lambda: b"500 lines done" in box.log_bytes("a"), "the flood")
    text = box.capture("a", "--history", "10000")
    for number in (1, 250, 500):
        require_in(f"{number:08d} the quick", text)


def test_killing_the_server_again_and_again_loses_nothing(box):
    box.up("-f", box.fleet({"a": {}}))
    box.wait_shell("a")
    pid = box.guest("a")["pid"]
    for number in range(5):
        box.kill_server()
        box.shell("a", f"echo round-$(({number} + 1))", f"^round-{number + 1}")
    require_equal(box.guest("a")["pid"], pid)
    text = box.capture("a", "--history", "1000")
    rounds = [line for line in text.splitlines()
              if line.startswith("round-")]
    require_equal(rounds, [f"round-{i}" for i in range(1, 6)])


def test_consoles_of_the_servers_own_are_told_as_ended(box):
    # An exec console's pty dies with the server that holds it.
    box.up("-f", box.console_fleet(a=["cat"]))
    box.shell("a", "hello", "hello")
    box.kill_server()
    guest = box.wait_state("a", "crashed", "stopped", "lost", "running")
    require_in("hello", box.capture("a", "--history", "100"))
    if guest["state"] != "running":
        box.gm("start", "a")
    box.shell("a", "again", "again")


def test_a_foreign_process_on_the_pid_is_not_taken_for_the_guest(box):
    box.up("-f", box.fleet({"a": {}}))
    pid = box.guest("a")["pid"]
    box.kill_server()
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_alive(pid), "the guest to be gone")
    other = take_pid(box, pid)
    guest = box.wait_state("a", "crashed", "stopped")
    require(guest["pid"] is None, "it has a pid")
    result = box.gm("kill", "a", code=FAILED)
    require_in("not running", result.err)
    require(other.poll() is None, "the stranger was killed")


def take_pid(box, pid):
    """A process of that number, as the kernel would hand it out some day."""
    if os.path.exists(f"/proc/{pid}"):
        raise Skip("nobody reaps orphans here: the number stays taken")
    for _ in range(100):
        try:
            with open("/proc/sys/kernel/ns_last_pid", "w",
                      encoding="ascii") as file:
                file.write(str(pid - 1))
        except OSError as error:
            raise Skip(f"no say in the next pid: {error}") from None
        other = subprocess.Popen(["sleep", "1000"], env=box.env)
        box.children.append(other)
        if other.pid == pid:
            return other
        other.kill()
        other.wait()
    raise Skip("others were always faster")


def test_a_stopped_qemu_is_not_waited_for(box):
    box.up("-f", box.fleet({"a": {}, "b": {}}))
    box.wait_shell("b")
    pid = box.guest("a")["pid"]
    os.kill(pid, signal.SIGSTOP)
    box.kill_server()
    box.shell("b", "echo alive-$((1 + 1))", "^alive-2")
    require(box.guest("a")["state"] not in ("stopped", "crashed"),
            "a stopped process was taken for an ended one")
    os.kill(pid, signal.SIGCONT)
    box.wait_state("a", "running")


def test_ssh_waits_for_the_monitor_of_a_guest_that_is_adopted(box):
    box.up("-f", box.fleet({"a": {"nics": [{"hostfwd": ["auto:22"]}]}}))
    port = until(lambda: box.guest("a")["forwards"],
                 "QEMU to tell its ports")[0]["host-port"]
    pid = box.guest("a")["pid"]
    os.kill(pid, signal.SIGSTOP)
    box.kill_server()
    peer = box.api()
    for number, method in ((7, "query-ssh"), (8, "query-addresses"),
                           (9, "guest-query")):
        peer.write({"execute": method, "id": number,
                    "arguments": {"guest": "a"}})
    # The last one is answered first: the monitor is still silent.
    message = peer.read()
    require_equal((message["id"], message["return"]["state"]), (9, "starting"))
    os.kill(pid, signal.SIGCONT)
    replies = {}
    while len(replies) < 2:
        message = peer.read()
        replies[message["id"]] = message["return"]
    require_equal([(row["host"], row["port"], row["source"])
                   for row in replies[7]["candidates"]],
                  [("127.0.0.1", port, "forward")], "ways to its sshd")
    require_equal([row["host-port"] for row in replies[8]["forwards"]], [port])
    peer.close()


def test_commands_wait_for_the_monitor_of_a_guest_that_is_adopted(box):
    """Who looks on and who forces it off does not wait."""
    box.up("-f", box.fleet({"a": {}, "b": {}}))
    pids = {g["name"]: g["pid"] for g in box.json("ls")}
    for pid in pids.values():
        os.kill(pid, signal.SIGSTOP)
    box.kill_server()
    peer = box.api()
    for number, method, name in ((5, "guest-pause", "a"),
                                 (7, "guest-reset", "b"),
                                 (8, "guest-query", "a")):
        peer.write({"execute": method, "id": number,
                    "arguments": {"guest": name}})
    message = peer.read()
    require_equal((message["id"], message["return"]["state"]), (8, "starting"))
    peer.write({"execute": "guest-kill", "id": 9,
                "arguments": {"guest": "b", "wait": True}})
    os.kill(pids["a"], signal.SIGCONT)
    replies = {}
    while len(replies) < 3:
        message = peer.read()
        replies[message["id"]] = message
    require_equal([replies[number]["return"]["state"] for number in (5, 9)],
                  ["paused", "stopped"], "what came of them")
    require_in("error", replies[7])
    peer.close()


def test_replay_answers_no_terminal_query(box):
    # The program asks once; whatever it gets later is an answer too many.
    code = ("import os, sys, tty\n"
            "tty.setraw(0)\n"
            "os.write(1, b'\\033[6n')\n"
            "got = os.read(0, 100)\n"
            "os.write(1, b'got ' + got.hex().encode() + b'\\r\\n')\n"
            "while True: os.write(1, b'more ' + os.read(0, 100).hex()"
            ".encode() + b'\\r\\n')\n")
    box.up("-f", box.console_fleet(a=python(code)))
    box.gm("wait", "a", "--for", "got 1b5b", "--since-boot", "--timeout",
           "180")
    for _ in range(3):
        box.capture("a", "--history", "100")
    require("more" not in box.capture("a"), "a second answer")


main(globals())
