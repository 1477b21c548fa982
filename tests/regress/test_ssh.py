"""`guestmux ssh`, through a guest's forwarded port to a real sshd.

The guest passes on what comes to its port 22 to an sshd on this machine, which
QEMU's user network has at 10.0.2.2.
"""

import os
import shlex

from harness import (FAILED, main, require, require_equal, require_in, until)
from sshd import Sshd, make_key

APPEND = "console=ttyS0 quiet panic=-1 no_timer_check gm.shell"
CONFIGURE = "ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up"
FAILED_SSH = 255  # ssh's own exit status


def start(box, sshd, **ssh):
    """A guest that leads to the sshd, from now on."""
    box.fleet({"n1": {"append": APPEND, "nics": [{"hostfwd": ["auto:22"]}],
                      "ssh": {"user": sshd.user, "key": "sshd/client",
                              "options": ["BatchMode=yes"]} | ssh}})
    box.up()
    box.wait_shell("n1")
    box.shell("n1", f"{CONFIGURE}; (nc -ll -p 22 -e nc 10.0.2.2 {sshd.port}) & "
              "echo relay-$((40 + 2))", "relay-42")
    box.gm("wait", "n1", "--until", "ssh", "--timeout", "180")


def test_commands_run_in_the_guest_as_by_ssh(box):
    sshd = Sshd(box)
    try:
        start(box, sshd)
        # Blanks and quotes are for the shell over there, as with ssh.
        run = box.gm("ssh", "n1", "printf '%s|' 'a  b' \"it's\" '$HOME'")
        require_equal(run.out, "a  b|it's|$HOME|", "what it printed")
        require_equal(box.gm("ssh", "n1", "echo", "two", "words").out,
                      "two words\n", "several words")
        # Its output, its errors, its status; options that look like ours.
        run = box.gm("ssh", "n1", "echo out; echo err >&2; exit 7", code=7)
        require_equal((run.out, run.err.splitlines()[-1]), ("out\n", "err"),
                      "what it printed")
        require_equal(box.gm("ssh", "n1", "echo", "--json", "-L").out,
                      "--json -L\n", "words behind the guest's name")
        require_equal(box.gm("ssh", "n1", "cat; echo end", text="in\n").out,
                      "in\nend\n", "standard input")
        # Its key is remembered by the guest's name, in a file of its own.
        with open(box.state("n1", "known_hosts"), encoding="utf-8") as file:
            known = file.read()
        with open(sshd.folder + "/host.pub", encoding="utf-8") as file:
            key = file.read().split()[1]
        require_equal([line.split()[2] for line in known.splitlines()], [key],
                      "known hosts")
        require(not os.path.exists(box.at("h", ".ssh", "known_hosts")),
                "the user's own file was left alone")
    finally:
        sshd.stop()


def test_another_host_key_is_refused_until_it_is_said_to_be_new(box):
    sshd = Sshd(box)
    try:
        start(box, sshd)
        box.gm("ssh", "n1", "true")
        sshd.stop()
        for name in ("host", "host.pub"):
            os.unlink(f"{sshd.folder}/{name}")
        make_key(f"{sshd.folder}/host")
        sshd.start()
        run = box.gm("ssh", "n1", "true", code=FAILED_SSH)
        require_in("REMOTE HOST IDENTIFICATION HAS CHANGED", run.err)
        require_equal(box.gm("ssh", "--new-host-key", "n1", "echo", "in").out,
                      "in\n", "what it printed")
        box.gm("ssh", "n1", "true")
        # A key that sshd does not know is ssh's to tell.
        make_key(box.at("w", "other"))
        os.replace(box.at("w", "other"), f"{sshd.folder}/client")
        require_in("Permission denied",
                   box.gm("ssh", "n1", "true", code=FAILED_SSH).err)
    finally:
        sshd.stop()


def test_a_port_behind_which_nobody_is_is_told(box):
    box.fleet({"n1": {"append": APPEND, "nics": [{"hostfwd": ["auto:22"]}]}})
    box.up()
    box.wait_shell("n1")
    box.shell("n1", CONFIGURE + "; echo up-$((40 + 2))", "up-42")
    # QEMU takes the connection, and lets it go when the guest says no.
    def refusal():
        said = box.gm("ssh", "n1", "true", code=FAILED).err
        return said if "closed at once" in said else ""
    said = until(refusal, "the guest's refusal")
    require_in("n1 cannot be reached by ssh", said)
    require_in("Is its sshd running?", said)


def test_cloud_inits_user_is_whom_ssh_logs_in_as(box):
    box.fleet({"n1": {"append": APPEND, "nics": [{"hostfwd": ["auto:22"]}],
                      "cloud-init": {"user": "op"}},
               "n2": {"append": APPEND, "nics": [{"hostfwd": ["auto:22"]}],
                      "cloud-init": {"user": "op"}, "ssh": {"user": "me"}}})
    box.up()
    for name, user in (("n1", "op"), ("n2", "me")):
        box.wait_shell(name)
        box.shell(name, f"{CONFIGURE}; (nc -ll -p 22 -e echo SSH-2.0-x) & "
                  "echo up-$((40 + 2))", "up-42")
        line = shlex.split(until(
            lambda name=name: box.gm("ssh", "--print", name, code=None).out,
            "ssh's command line"))
        require_equal(line[line.index("-l") + 1], user, "the user")


def test_the_deck_lends_the_terminal_to_ssh(box):
    sshd = Sshd(box)
    try:
        start(box, sshd)
        deck = box.deck("attach", "n1", cols=100, rows=40)
        deck.wait_for("typing → ")
        deck.keys("C-]")
        deck.type("S")
        deck.wait_gone("guestmux t")
        deck.type("echo in-$((40 + 2))\n")
        deck.wait_for("^in-42")
        deck.type("exit\n")
        deck.wait_for("typing → ")
    finally:
        sshd.stop()


main(globals())
