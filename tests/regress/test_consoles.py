"""Consoles without QEMU: a program, a serial device, a unix socket."""

import contextlib
import os
import pty
import socket
import threading
import tty

from harness import (PATIENCE, cpu_seconds, is_alive, limit, main, python, require,
                     require_equal, require_in, resident_kib, until)


def test_a_program_has_a_console_like_any_guest(box):
    box.up("-f", box.console_fleet(a=["sh"]))
    box.shell("a", "echo $((40 + 2))", "^42")
    box.shell("a", "stty size", "^24 80")
    box.shell("a", "test -t 0 && echo a-t''ty", "^a-tty")
    require_in("42", box.gm("logs", "a").out)
    pid = box.guest("a")["pid"]
    box.gm("kill", "--yes", "a")
    require(not is_alive(pid), "the program lives on")
    box.gm("start", "a")
    box.shell("a", "echo $((40 + 3))", "^43")


def test_a_program_that_ends_is_told(box):
    box.up("-f", box.console_fleet(
        good=["sh", "-c", "echo fine"], bad=["sh", "-c", "echo oh; exit 3"],
        gone=["sh", "-c", "kill -9 $$"]))
    good = box.wait_state("good", "stopped", "crashed")
    require_equal((good["state"], good["exit"]["code"]), ("stopped", 0))
    bad = box.wait_state("bad", "stopped", "crashed")
    require_equal((bad["state"], bad["exit"]["code"]), ("crashed", 3))
    require_in("oh", box.capture("bad"))
    gone = box.wait_state("gone", "stopped", "crashed")
    require_equal(gone["exit"]["signal"], "SIGKILL")


def test_a_program_that_cannot_be_run_is_told(box):
    result = box.up("-f", box.console_fleet(a=["/nowhere/program"]), code=1)
    require_in("/nowhere/program", result.err)


def test_a_device_is_read_and_typed_into(box):
    ours, theirs = pty.openpty()
    tty.setraw(ours)
    device = os.ttyname(theirs)
    box.up("-f", box.write("guestmux.json", {
        "version": 1, "guests": {"a": {"device": device, "baud": 115200}}}))
    os.write(ours, b"switch> ")
    box.gm("wait", "a", "--for", "switch>", "--since-boot")
    box.gm("send", "a", "--enter", "show")
    got = b""
    while b"show\r" not in got:
        got += os.read(ours, 100)
    os.write(ours, b"show\r\nall is well\r\n")
    box.gm("wait", "a", "--for", "all is well", "--since-boot")
    os.close(theirs)
    os.close(ours)
    box.wait_state("a", "crashed", "stopped")


def test_a_device_that_is_missing_is_told(box):
    result = box.up("-f", box.write("guestmux.json", {
        "version": 1, "guests": {"a": {"device": "/dev/nowhere0"}}}), code=1)
    require_in("/dev/nowhere0", result.err)


@contextlib.contextmanager
def listener(path):
    server = socket.socket(socket.AF_UNIX)
    server.settimeout(PATIENCE)
    server.bind(path)
    server.listen()
    with server:
        yield server


def test_a_socket_is_read_and_typed_into(box):
    path = box.at("w", "console.sock")
    with listener(path) as server:
        child = box.spawn("up", "-d", "-f", box.write("guestmux.json", {
            "version": 1, "guests": {"a": {"socket": "console.sock"}}}))
        peer, _ = server.accept()
        child.communicate(timeout=PATIENCE)
        require_equal(child.returncode, 0, "up -d")
        peer.sendall(b"hello from the socket\r\n")
        box.gm("wait", "a", "--for", "hello from", "--since-boot")
        box.gm("send", "a", "--enter", "back")
        got = b""
        while b"back\r" not in got:
            got += peer.recv(100)
        peer.close()
        box.wait_state("a", "crashed", "stopped")


def test_a_socket_that_is_missing_is_told(box):
    result = box.up("-f", box.write("guestmux.json", {
        "version": 1, "guests": {"a": {"socket": "nowhere.sock"}}}), code=1)
    require_in("nowhere.sock", result.err)


def feed(box, data, name="a"):
    """A console that prints the bytes and then waits."""
    path = box.at("w", "data")
    with open(path, "wb") as file:
        file.write(data)
    box.up("-f", box.console_fleet(**{name: [
        "sh", "-c", f"stty raw -echo; cat {path}; "
                    "printf '\\033c\\r\\n--the end--\\r\\n'; exec cat"]}))


@limit(400)
def test_random_bytes_pass_in_bounded_memory_and_time(box):
    import random
    chance = random.Random(20240701)
    box.gm("ls")
    server = box.server_pid()
    before = resident_kib(server)
    deck = box.deck(cols=120, rows=40)
    feed(box, chance.randbytes(10 << 20))
    box.gm("wait", "a", "--for", "--the end--", "--since-boot", "--timeout",
           "120", patience=130)
    until(lambda: "--the end--" in box.capture("a"), "the screen's end")
    deck.wait_for("--the end--")
    grown = resident_kib(server) - before
    require(grown < 64 * 1024, f"the server grew by {grown} KiB")
    require_equal(box.server_pid(), server, "the server")


# What facts.md lists against libvterm and tmux, and kin: short, and deadly.
SEQUENCES = [
    b"\033[" + b"1;" * 40 + b"1m", b"\033[" + b"9" * 400 + b"b",
    b"\033[9b", "e\u0301".encode() + b"\033[99999b",
    b"\033[38;2" + b";255" * 64 + b"m", b"\xf0\x9f\xf0\x9f\xc3\xe2\x82",
    b"\033]0;" + b"t" * 60000 + b"\033\\", b"\033]0;half\033", b"\\rest",
    b"\033[5;10r\033[8;1;1t\033[8;65535;65535t\033[r",
    "e".encode() + "\u0301".encode() * 5000, "\u200d".encode() * 5000,
    "\U0001f469\u200d\U0001f469\u200d".encode() * 500,
    b"\033[2147483647;2147483647H\033[2147483647C\033[2147483648A",
    b"\033[?1049h\033[?1049h\033[?1049l\033[?1049l\033[?1049l",
    b"\033[999999999L\033[999999999M\033[999999999@\033[999999999P",
    b"\033[999999999S\033[999999999T\033[999999999X",
    b"\033#8\033[24;80H\xe6\xbc\xa2\033[?7l" + "漢".encode() * 200,
    b"\033[4h" + b"x" * 2000 + b"\033[4l", b"\033P" + b"q" * 200000 + b"\033\\",
    b"\033_" + b"a" * 200000 + b"\033\\", b"\033]52;c;" + b"QUFB" * 50000
    + b"\007", b"\033]8;;http://x/\033\\link\033]8;;\033\\",
    b"\x9b31m\x9d0;t\x9c\x90q\x9c", b"\033[?1;2;3;4;5;6;7;8;9;1000;1006h",
    b"\016\017\033(0lqqk\033(B\033)0\033*0\033+0", b"\033[3g" + b"\t" * 1000,
    b"\033H" * 1000, b"\0337\0338" * 1000, b"\033[6n" * 10000,
    b"\033[c\033[>c\033[=c\033[0x\033Z\005" * 2000,
    b"\033[?25l\033[1;1H\033[J", b"\177" * 1000 + b"\b" * 1000,
]


@limit(300)
def test_deadly_sequences_pass(box):
    box.gm("ls")
    server = box.server_pid()
    box.deck(cols=80, rows=24)
    feed(box, b"\033c".join(SEQUENCES * 20))
    box.gm("wait", "a", "--for", "--the end--", "--since-boot", "--timeout",
           "120", patience=130)
    until(lambda: "--the end--" in box.capture("a"), "the screen's end")
    require_equal(box.server_pid(), server, "the server")


@limit(300)
def test_queries_into_an_echo_do_not_loop(box):
    # A guest that echoes what it is answered: no avalanche.
    box.up("-f", box.console_fleet(a=[
        "sh", "-c", "printf '\\033[6n\\033[c'; exec cat"]))
    server = box.server_pid()
    data = box.at("w", "queries")
    with open(data, "wb") as file:
        file.write(b"\033[6n" * (10 << 18))
    box.gm("rm", "--yes", "a", code=None)
    box.up("-f", box.console_fleet(b=[
        "sh", "-c", f"cat {data}; echo; echo --done--; exec cat"]))
    box.gm("wait", "b", "--for", "--done--", "--since-boot", "--timeout",
           "120", patience=130)
    # Quiet after that: no more than a little of a core.
    def is_quiet():
        before = cpu_seconds(server)
        box.gm("wait", "b", "--for", "never", "--timeout", "1", code=3)
        return cpu_seconds(server) - before < 0.2
    until(is_quiet, "the server to come to rest", 180)


def test_an_unterminated_string_hides_no_prompt(box):
    feed(box, b"\033]0;" + b"x" * (1 << 20) + b"\r\nlogin: ")
    box.gm("wait", "a", "--for", "login:", "--since-boot")


def test_titles_reach_nobodys_terminal(box):
    feed(box, b"\033]0;evil\007\033]2;evil\033\\")
    box.gm("wait", "a", "--for", "--the end--", "--since-boot")
    deck = box.deck(cols=100, rows=30)
    deck.wait_for("--the end--")
    require("evil" not in deck.format("#{pane_title}"), "the title came out")


def test_a_console_that_prints_for_ever_starves_nobody(box):
    code = "while True: print('y' * 70)"
    box.up("-f", box.console_fleet(
        loud=python(code), loud2=python(code), quiet=["cat"]))
    for number in range(10):
        box.shell("quiet", f"word{number}", f"^word{number}")


def test_a_resize_reaches_the_program(box):
    box.up("-f", box.console_fleet(a=["sh"]))
    box.api().call("console-resize", guest="a", rows=30, cols=100)
    box.shell("a", "stty size", "^30 100")
    peer = box.api()
    for rows, cols in ((0, 0), (65535, 65535), (1, 1), (24, 80)):
        peer.ask("console-resize", guest="a", rows=rows, cols=cols)
    box.shell("a", "echo $((3 + 4))", "7")


main(globals())
