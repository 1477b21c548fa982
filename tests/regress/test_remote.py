"""The API through pipes and ssh, and questions that a terminal is asked."""

import json
import os
import shlex
import signal
import subprocess

from harness import (BINARY, DONE, FAILED, USAGE, main, require,
                     require_equal, require_in, until)
from sshd import Sshd

FAKE_SSH = """#!/bin/sh
# what sshd would do with the command, on this machine
echo "$*" >>"$HOME/ssh-arguments"
[ "$1" = -T ] && [ "$2" = -- ] || exit 9
[ "$3" = near ] || { echo "ssh: no route to $3" >&2; exit 255; }
shift 3
exec "$@"
"""


def with_ssh(box):
    """The environment with an ssh that goes nowhere."""
    folder = box.at("w", "bin")
    os.makedirs(folder)
    box.write("bin/ssh", FAKE_SSH)
    os.chmod(box.at("w", "bin", "ssh"), 0o700)
    os.symlink(BINARY, box.at("w", "bin", "guestmux"))
    return box.env | {"PATH": folder + ":" + os.environ["PATH"],
                      "HOME": box.at("w")}


def cat(box, *names):
    box.up("-f", box.console_fleet(**{name: ["cat"] for name in names}))


def test_proxy_answers_all_that_it_was_asked(box):
    asked = "".join(json.dumps({"execute": "query-version", "id": number})
                    + "\n" for number in range(500))
    lines = box.gm("proxy", text=asked).out.splitlines()
    require_in("guestmux", json.loads(lines[0]))
    ids = [json.loads(line)["id"] for line in lines[1:]]
    require_equal(ids, list(range(500)), "the ids of the answers")


def test_proxy_ends_with_the_server(box):
    child = box.spawn("proxy", stdin=subprocess.PIPE)
    require_in(b"guestmux", child.stdout.readline())
    box.gm("kill-server")
    require_equal(child.wait(timeout=180), DONE, "its exit code")


def test_another_host_is_reached_through_ssh(box):
    env = with_ssh(box)
    cat(box, "a")
    listed = json.loads(box.gm("--host", "near", "ls", "--json", env=env).out)
    require_equal([guest["name"] for guest in listed], ["a"])
    with open(box.at("w", "ssh-arguments"), encoding="utf-8") as file:
        require_equal(file.read(), "-T -- near guestmux -L t proxy\n")
    box.gm("up", "-d", "--host=near", code=FAILED, env=env)
    with open(box.at("w", "guestmux.json"), encoding="utf-8") as file:
        box.gm("up", "-d", "--host=near", "-f", "-", text=file.read(),
               env=env)
    box.gm("send", "--host=near", "a", "--enter", "over there", env=env)
    box.gm("wait", "a", "--for", "over there", "--since-boot", "--timeout",
           "180", "--host", "near", env=env)


def test_one_console_through_a_real_ssh(box):
    """`ssh -t host guestmux console n1`, full-screen, plain, and proxied."""
    box.up("-f", box.console_fleet(
        g=["sh", "-c", "stty -echo; echo ready; "
           "while read x; do echo got $x; done"]))
    sshd = Sshd(box)
    ssh = sshd.client()
    try:
        remote = shlex.join(ssh + ["-t", f"{BINARY} -L t console --plain g"])
        plain = box.terminal(remote, 80, 24)
        plain.wait_for("^ready")
        plain.type("word")
        plain.keys("Enter")
        plain.wait_for("^got word")
        plain.keys("C-]", "d")
        require_equal(plain.wait_end(), 0, "exit status through ssh")
        full = box.terminal(shlex.join(
            ssh + ["-t", f"{BINARY} -L t console g"]), 80, 24)
        full.wait_for("got word")
        full.type("more")
        full.keys("Enter")
        full.wait_for("got more")
        # The terminal's size goes the whole way.
        full.resize(91, 20)
        until(lambda: box.guest("g")["consoles"][0]["cols"] == 91,
              "the new size")
        full.keys("C-]", "d")
        require_equal(full.wait_end(), 0, "exit status through ssh")
        # Without a terminal: lines in, lines out.
        done = subprocess.run(ssh + [f"{BINARY} -L t console --plain g"],
                              input="piped\n", capture_output=True, text=True,
                              timeout=180, check=True)
        require_in("got more", done.stdout)
        box.gm("wait", "g", "--for", "^got piped", "--since-boot",
               "--timeout", "180", patience=190)
    finally:
        sshd.stop()


def test_a_host_that_is_none_is_refused(box):
    env = with_ssh(box)
    result = box.gm("--host", "far", "ls", code=FAILED, env=env)
    require_in("no route to far", result.err)
    require_in("far", result.err.splitlines()[-1])
    result = box.gm("--host=-oProxyCommand=touch x", "ls", code=FAILED,
                    env=env)
    require_in("is no host", result.err)
    with open(box.at("w", "ssh-arguments"), encoding="utf-8") as file:
        require("Proxy" not in file.read(), "ssh was given an option")


def test_what_destroys_asks_on_a_terminal(box):
    cat(box, "a", "b")
    for words, code in ((["kill", "a"], FAILED), (["down"], FAILED),
                        (["restart", "a"], FAILED), (["rm", "a"], FAILED)):
        command = " ".join([BINARY, "-L", "t", *words])
        terminal = box.terminal(f"{command}; echo code-$?; exec cat")
        terminal.wait_for(r"a.*\? \[y/N\]")
        terminal.keys("Enter")
        terminal.wait_for(f"code-{code}")
    require_equal({guest["state"] for guest in box.json("ls")}, {"running"})
    terminal = box.terminal(f"{BINARY} -L t kill a; echo code-$?; exec cat")
    terminal.wait_for(r"force off a .*\? \[y/N\]")
    terminal.type("y")
    terminal.keys("Enter")
    terminal.wait_for("code-0")
    require_equal(box.guest("a")["state"], "stopped")


def test_a_script_is_not_asked_but_for_purging(box):
    cat(box, "a")
    box.gm("kill", "a")
    result = box.gm("rm", "--purge", "a", code=USAGE)
    require_in("--yes", result.err)
    box.gm("rm", "--purge", "--yes", "a")
    require_equal(box.json("ls"), [])
    require(not os.path.exists(box.state("a")), "what --purge deletes")


def test_ctrl_c_ends_a_wait(box):
    cat(box, "a")
    child = box.spawn("wait", "a", "--for", "never")
    box.wait_client("wait")
    child.send_signal(signal.SIGINT)
    # Either way a shell counts it as 130.
    require_in(child.wait(timeout=180), (130, -signal.SIGINT), "exit code")


def test_raw_logs_do_not_reach_a_terminal(box):
    box.up("-f", box.console_fleet(
        a=["sh", "-c", r"printf '\033]0;evil\007\033[31mred\n'; cat"]))
    box.gm("wait", "a", "--for", "red", "--since-boot", "--timeout", "180")
    terminal = box.terminal(
        f"{BINARY} -L t logs --raw a; echo code-$?; {BINARY} -L t logs a; "
        "exec cat")
    terminal.wait_for(f"code-{USAGE}")
    terminal.wait_for("^red")
    require("evil" not in terminal.format("#{pane_title}"),
            "the guest named the terminal")
    require("\x1b" not in box.gm("logs", "a").out, "escapes in plain logs")
    require_in("\x1b[31m", box.gm("logs", "a", "--raw").out)


main(globals())
