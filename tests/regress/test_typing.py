"""What is sent to guests beside typing: breaks, SysRq, keys."""

import re

from harness import FAILED, USAGE, Skip, main, require_in, until

SYSRQ = ("console=ttyS0 quiet panic=-1 gm.shell sysrq_always_enabled "
         "loglevel=7")


def test_a_break_and_a_letter_are_sysrq(box):
    box.fleet({"n1": {"append": SYSRQ}})
    box.up()
    box.wait_shell("n1")
    cursor = box.json("send", "n1", "--enter", "echo before")["cursor"]
    require_in("SysRq sent", box.gm("sysrq", "n1", "help").out)
    found = box.gm("wait", "n1", "--for",
                   r"sysrq: HELP.*show-blocked-tasks\(w\)", "--after", cursor,
                   "--timeout", "180").out
    require_in("reboot(b)", found)
    # A letter does as well as a name, and the shell goes on.
    box.gm("sysrq", "n1", "m")
    box.gm("wait", "n1", "--for", "Mem-Info", "--after", cursor,
           "--timeout", "180")
    box.shell("n1", "echo still-$((40 + 2))", "still-42")


def test_sysrq_through_the_guests_keyboard(box):
    """QEMU presses Alt-SysRq on the PS/2 keyboard of q35."""
    box.fleet({"n1": {"append": SYSRQ}})
    box.up()
    box.wait_shell("n1")
    cursor = box.json("send", "n1", "--enter",
                      "grep -c AT.Translated /proc/bus/input/devices; "
                      "echo keyboards-$((1 + 1))")["cursor"]
    box.gm("wait", "n1", "--for", "^keyboards-2", "--after", cursor,
           "--timeout", "180")
    if re.search(r"^0\s*$", box.capture("n1", "--history", "20"),
                 re.MULTILINE):
        raise Skip("the tiny guest's kernel has no driver for a PS/2 keyboard")
    cursor = box.json("send", "n1", "--enter", "echo before")["cursor"]
    box.gm("sysrq", "n1", "help", "--via", "keyboard")
    box.gm("wait", "n1", "--for", "sysrq: HELP", "--after", cursor,
           "--timeout", "180")
    box.shell("n1", "echo still-$((40 + 2))", "still-42")


def test_sysrq_reboot_ends_a_guest(box):
    box.fleet({"n1": {"append": SYSRQ}})
    box.up()
    box.wait_shell("n1")
    boot = box.guest("n1")["consoles"][0]["boot-offset"]
    # Nobody is asked where there is no terminal.
    box.gm("sysrq", "n1", "reboot", "--yes")
    until(lambda: box.guest("n1")["consoles"][0]["boot-offset"] > boot,
          "the guest to boot again")


def test_a_break_alone_is_one(box):
    box.fleet({"n1": {"append": SYSRQ}})
    box.up()
    box.wait_shell("n1")
    require_in("n1: break sent", box.gm("break", "n1").out)
    # What is typed within five seconds is SysRq's letter.
    box.gm("send", "n1", "h")
    box.gm("wait", "n1", "--for", "sysrq: HELP", "--since-boot", "--timeout",
           "180")
    box.shell("n1", "echo fine-$((40 + 2))", "fine-42")


def test_a_break_needs_a_serial_line(box):
    box.console_fleet(a=["cat"])
    box.up()
    refused = box.gm("break", "a", code=FAILED).err
    require_in("only QEMU's serial ports and devices", refused)
    require_in("only QEMU's serial ports", box.gm(
        "sysrq", "a", "help", "--via", "serial", code=FAILED).err)
    require_in("it is no QEMU guest",
               box.gm("press", "a", "ret", code=FAILED).err)


def test_unknown_keys_are_named(box):
    box.fleet({"n1": {}})
    box.up()
    require_in("there is no SysRq 'synk' (did you mean 'sync'?)",
               box.gm("sysrq", "n1", "synk", code=FAILED).err)
    require_in("`guestmux sysrq` lists the names",
               box.gm("sysrq", "n1", code=USAGE).err)
    require_in("remount-read-only", box.gm("sysrq").out)
    require_in("x1", box.gm("press", "n1", "ctrl-alt-x1", code=FAILED).err)
    require_in("n1: pressed", box.gm("press", "n1", "alt-f2", "esc").out)


def test_the_menu_sends_a_sysrq_and_asks_before_it_reboots(box):
    box.fleet({"n1": {"append": SYSRQ}})
    box.up()
    box.wait_shell("n1")
    deck = box.deck()
    deck.wait_for("tiny:~#")
    deck.keys("C-]", "x")
    deck.wait_for("send to n1")
    deck.wait_for("show-blocked-tasks")
    deck.keys("w")
    box.gm("wait", "n1", "--for", "sysrq: Show Blocked State", "--since-boot",
           "--timeout", "180")
    deck.keys("C-]", "x")
    deck.wait_for("send to n1")
    # An entry's key goes before the keymap's; End, Up, Up is "reboot".
    deck.keys("End", "Up", "Up", "Enter")
    deck.wait_for("Send SysRq reboot to n1[?]")
    deck.keys("Enter")
    deck.wait_gone("Send SysRq")
    box.shell("n1", "echo alive-$((40 + 2))", "alive-42")
    deck.keys("C-]", "x")
    deck.wait_for("send to n1")
    deck.keys("Escape")
    deck.wait_gone("send to n1")


main(globals())
