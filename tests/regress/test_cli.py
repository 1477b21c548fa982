"""The commands: their exit codes, what they print and where."""

import json
import re
import signal
import subprocess

from harness import (DONE, FAILED, TIMEOUT, USAGE, main, python, require,
                     require_equal, require_in, until)

COMMANDS = ("up", "down", "attach", "run", "ls", "start", "shutdown", "kill",
            "pause", "resume", "reset", "restart", "rm", "send", "wait",
            "capture", "logs", "qmp", "check", "api", "server", "kill-server")


def cat(box, *names):
    """Consoles that echo what is typed."""
    box.up("-f", box.console_fleet(**{name: ["cat"]
                                      for name in names or ("a",)}))


def test_each_command_has_help(box):
    listed = box.gm("--help").out
    for command in COMMANDS:
        require_in(command, listed, "the list of commands")
        text = box.gm(command, "--help").out
        require_in(command, text.splitlines()[0] + text, "its help")
    require_equal(box.gm("--version").out.split()[0], "guestmux")


def test_wrong_usage_exits_with_2(box):
    for words in (["nosuch"], ["l"], ["star"], ["ls", "--nosuch"], ["start"],
                  ["send"], ["wait", "a"], ["wait", "a", "--for"],
                  ["wait", "a", "--for", "x", "--state", "running"],
                  ["capture", "a", "--history", "many"],
                  ["qmp", "a"], ["api"], ["check", "a", "b"], ["run"],
                  ["ls", "--jso"]):
        result = box.gm(*words, code=USAGE)
        require_equal(result.out, "", "standard output")
        require_in("guestmux", result.err)
    result = box.gm("strat", code=USAGE)
    require_in("start", result.err, "the nearest name")
    box.gm("ls", code=USAGE, server="../evil")


def test_a_guest_that_is_not_there_exits_with_1(box):
    for words in (["start", "x"], ["shutdown", "x"], ["kill", "--yes", "x"],
                  ["pause", "x"], ["resume", "x"], ["reset", "--yes", "x"],
                  ["restart", "--yes", "x"], ["rm", "--yes", "x"],
                  ["send", "x", "text"], ["wait", "x", "--for", "y"],
                  ["wait", "x", "--state", "running"], ["capture", "x"],
                  ["logs", "x"], ["qmp", "x", "query-status"],
                  ["ls", "x"]):
        result = box.gm(*words, code=FAILED)
        require_in("x", result.err, shown(words))


def shown(words):
    return " ".join(words)


def test_an_error_names_its_guest_once(box):
    cat(box)
    box.gm("kill", "a")
    for words in (["kill", "a"], ["shutdown", "a"], ["pause", "a"],
                  ["kill", "zz"], ["rm", "--yes", "zz"]):
        err = box.gm(*words, code=FAILED).err
        require_equal(len(re.findall(rf"\b{words[-1]}\b", err)), 1,
                      f"{words}: {err}: names")
    path = box.write("other.json", {"version": 1, "guests": {
        "x9": {"command": "qemu-system-nosuch -nographic"}}})
    err = box.up("-f", path, code=FAILED).err
    require_equal(len(re.findall(r"\bx9\b", err)), 1, f"{err}: names")


def test_ls_lists_and_its_json_agrees(box):
    require_equal(box.json("ls"), [], "guests before any")
    cat(box, "first", "second")
    text = box.gm("ls").out
    for name in ("first", "second", "running"):
        require_in(name, text)
    listed = box.json("ls")
    require_equal([guest["name"] for guest in listed], ["first", "second"])
    require_equal({guest["kind"] for guest in listed}, {"exec"})
    require_equal({guest["state"] for guest in listed}, {"running"})


def test_send_then_wait_misses_nothing(box):
    cat(box)
    for number in range(20):
        cursor = box.json("send", "a", "--enter", f"word{number}")["cursor"]
        line = box.gm("wait", "a", "--for", f"^word{number}$", "--after",
                      cursor, "--timeout", "180").out
        require_equal(line.strip(), f"word{number}", "the line")


def test_wait_matches_only_what_comes(box):
    cat(box)
    box.shell("a", "before", "before")
    # Twice: the terminal's echo, and then cat's.
    until(lambda: box.log_bytes("a").count(b"before") == 2, "cat's answer")
    box.gm("wait", "a", "--for", "before", "--timeout", "0.3", code=TIMEOUT)
    box.gm("wait", "a", "--for", "before", "--since-boot", "--timeout", "180")
    waiter = box.spawn("wait", "a", "--for", "later", "--timeout", "180",
                       text=True)
    # It says its name and what it waits for at once: then it is typed.
    box.wait_client("wait")
    box.gm("send", "a", "--enter", "much later")
    out, err = waiter.communicate(timeout=180)
    require_equal(waiter.returncode, DONE, err)
    require_in("much later", out)


def test_wait_for_a_bad_pattern_fails(box):
    cat(box)
    result = box.gm("wait", "a", "--for", "(", "--timeout", "5", code=FAILED)
    require_in("(", result.err)
    box.gm("wait", "a", "--literal", "--for", "(", "--timeout", "0.2",
           code=TIMEOUT)


def test_wait_for_a_state_ends_at_once_or_in_time(box):
    cat(box)
    box.gm("wait", "a", "--state", "running", "--timeout", "180")
    box.gm("wait", "a", "--state", "stopped", "--timeout", "0.2",
           code=TIMEOUT)
    box.gm("wait", "a", "--state", "nosuchstate", "--timeout", "5",
           code=FAILED)


def test_wait_fails_when_the_guest_ends_meanwhile(box):
    cat(box)
    waiter = box.spawn("wait", "a", "--for", "never", "--timeout", "180")
    box.wait_client("wait")
    box.gm("kill", "--yes", "a")
    waiter.communicate(timeout=180)
    require_equal(waiter.returncode, FAILED, "the waiter's exit code")


def test_send_keys_by_name(box):
    code = ("import sys, tty, os\n"
            "tty.setraw(0)\n"
            "print('ready', end='\\r\\n')\n"
            "while True:\n"
            "    print('got', os.read(0, 64).hex(), end='\\r\\n')\n")
    box.up("-f", box.console_fleet(a=python(code)))
    box.gm("wait", "a", "--for", "ready", "--since-boot", "--timeout", "180")
    for name, wanted in (("C-c", "03"), ("Escape", "1b"), ("Enter", "0d"),
                         ("Up", "1b5b41"), ("F1", "1b4f50"), ("Tab", "09"),
                         ("C-]", "1d"), ("Backspace", "7f"), ("M-x", "1b78")):
        result = box.gm("send", "a", "--json", "--keys", name, code=None)
        require_equal(result.code, DONE, f"send --keys {name} {result.err}")
        cursor = json.loads(result.out)["cursor"]
        box.gm("wait", "a", "--for", f"got {wanted}$", "--after", cursor,
               "--timeout", "180")
    result = box.gm("send", "a", "--keys", "Nosuch", code=None)
    require(result.code in (FAILED, USAGE), "an unknown key is refused")
    require_in("Nosuch", result.err)


def test_send_passes_odd_text_through(box):
    cat(box)
    for text in ("--enter", "-x", "a  b", "ümläut 漢字", "%s\\n", "$(id)"):
        cursor = json.loads(box.gm("send", "--json", "--enter", "a", "--",
                                   text).out)["cursor"]
        box.gm("wait", "a", "--literal", "--for", text, "--after", cursor,
               "--timeout", "180")


def test_capture_shows_the_screen_and_history(box):
    code = ("import time\n"
            "for i in range(1, 101): print(f'row {i:03d}')\n"
            "print('\\033[1;31mred\\033[0m', end='', flush=True)\n"
            "time.sleep(1000)\n")
    box.up("-f", box.console_fleet(a=python(code)))
    box.gm("wait", "a", "--for", "^red", "--since-boot", "--timeout", "180")
    screen = until(lambda: (text := box.capture("a")).endswith("red\n")
                   and text, "the screen to be drawn")
    lines = screen.splitlines()
    require_equal(lines[-2:], ["row 100", "red"], "the last rows")
    require(len(lines) <= 24, f"{len(lines)} rows on the screen")
    require("\x1b" not in screen, "an escape sequence came through")
    whole = box.capture("a", "--history", "1000").splitlines()
    require_equal(whole[:100], [f"row {i:03d}" for i in range(1, 101)])
    require_in("\x1b[", box.capture("a", "--ansi"), "the colours")
    value = box.json("capture", "a")
    require_equal((value["rows"], value["cols"]), (24, 80), "the size")


def test_logs_prints_all_and_follows(box):
    cat(box)
    for word in ("one", "two", "three"):
        box.shell("a", word, word)
    until(lambda: box.log_bytes("a").count(b"three") == 2, "cat's answer")
    text = box.gm("logs", "a").out
    for word in ("one", "two", "three"):
        require_equal(text.split().count(word), 2, f"{word}, typed and echoed")
    require_in("three", box.gm("logs", "a", "-n", "1").out)
    follower = box.spawn("logs", "a", "-f")
    box.gm("send", "a", "--enter", "four")
    seen = b""
    while seen.count(b"four") < 2:
        data = follower.stdout.read1(65536)
        require(data, f"logs -f ended: {seen}")
        seen += data
    follower.send_signal(signal.SIGINT)
    follower.communicate(timeout=180)


def test_logs_follows_to_the_guests_end(box):
    cat(box)
    follower = box.spawn("logs", "a", "-f")
    box.shell("a", "word", "word")
    box.gm("kill", "--yes", "a")
    out, _ = follower.communicate(timeout=180)
    require_in(b"word", out)
    require_equal(follower.returncode, DONE, "logs -f's exit code")


def test_api_lists_and_calls_methods(box):
    cat(box)
    listed = box.gm("api", "--list").out
    for method in ("guest-list", "console-send", "view-open"):
        require_in(method, listed)
    commands = json.loads(box.gm("api", "query-commands").out)
    names = [row["name"] for row in commands]
    require_equal(len(names), len(set(names)), "methods, each once")
    guests = json.loads(box.gm("api", "guest-list").out)["guests"]
    require_equal(guests[0]["name"], "a")
    guest = json.loads(box.gm("api", "guest-query", '{"guest": "a"}').out)
    require_equal(guest["state"], "running")
    require_in("nosuch", box.gm("api", "nosuch", code=FAILED).err)
    box.gm("api", "guest-query", "{", code=None)
    box.gm("api", "guest-query", '{"guest": 1}', code=FAILED)


def test_down_and_rm_take_away_what_was_made(box):
    cat(box, "a", "b")
    box.gm("down", "--yes")
    require_equal({g["state"] for g in box.json("ls")}, {"stopped"})
    box.gm("rm", "--yes", "a")
    require_equal([g["name"] for g in box.json("ls")], ["b"])
    box.gm("start", "b")
    result = box.gm("rm", "--yes", "b", code=FAILED)
    require_in("b", result.err)


def test_up_twice_changes_nothing(box):
    path = box.console_fleet(a=["cat"])
    box.up("-f", path)
    pid = box.guest("a")["pid"]
    box.up("-f", path)
    require_equal(box.guest("a")["pid"], pid, "the pid")
    box.console_fleet(a=["cat", "-u"])
    result = box.up("-f", path)
    require_in("restart", result.out + result.err)
    require_equal(box.guest("a")["pid"], pid, "the pid of what still runs")


def test_up_starts_only_those_named(box):
    path = box.console_fleet(a=["cat"], b=["cat"])
    box.up("-f", path, "b")
    require_equal({g["name"]: g["state"] for g in box.json("ls")}.get("b"),
                  "running")
    require({g["name"]: g["state"] for g in box.json("ls")}.get("a")
            != "running", "a was started")
    result = box.up("-f", path, "nosuch", code=FAILED)
    require_in("nosuch", result.err)


def test_output_that_nobody_takes_is_no_crash(box):
    cat(box)
    child = box.spawn("api", "query-commands")
    child.stdout.close()
    require_in(child.wait(timeout=180), (DONE, FAILED), "exit code")
    full = open("/dev/full", "w", encoding="ascii")
    with full:
        child = box.spawn("ls", stdout=full)
        require_equal(child.wait(timeout=180), FAILED, "ls >/dev/full")


def test_a_reader_that_leaves_is_no_failure_worth_a_word(box):
    cat(box)
    box.up("-f", box.console_fleet(b=["sh", "-c", "seq 200000; exec cat"]))
    box.gm("wait", "b", "--for", "^200000", "--since-boot", "--timeout", "180")
    for words in (["ls"], ["logs", "b"], ["api", "query-commands"]):
        child = box.spawn(*words, stdout=subprocess.PIPE)
        child.stdout.close()
        _, err = child.communicate(timeout=180)
        require_equal(err, b"", f"{words}")
        require_equal(child.returncode, FAILED, f"{words}")
    # One that follows ends with its reader, at the next event.
    child = box.spawn("api", "--follow")
    box.wait_client("api")
    box.gm("send", "b", "--enter", "hello")
    require_in(b'"event"', child.stdout.readline())
    child.stdout.close()
    until(lambda: box.gm("send", "b", "--enter", "more") and
          child.poll() is not None, "api --follow to end")
    require_equal(child.stderr.read(), b"", "its words")


def test_logs_of_a_guest_that_never_stops_end(box):
    box.up("-f", box.console_fleet(a=["yes", "0123456789" * 10]))
    box.gm("wait", "a", "--for", "^0123", "--timeout", "180")
    box.gm("logs", "a", patience=190)


def test_the_deck_needs_a_terminal(box):
    for words in ([], ["attach"], ["up", "-f", box.console_fleet(a=["cat"])]):
        result = box.gm(*words, code=FAILED)
        require_in("terminal", result.err)
    require_equal(box.json("ls"), [], "guests")


def test_completions_are_printed(box):
    for shell in ("bash", "zsh", "fish"):
        require_in("guestmux", box.gm("completion", shell).out)


main(globals())
