"""Start order, restarts and the way down, with real guests."""

import os
import re
import signal

from harness import (FAILED, PATIENCE, TIMEOUT, is_alive, main, require, require_equal,
                     require_in, until)

DEAF = "console=ttyS0 quiet panic=-1 no_timer_check gm.shell gm.acpi=ignore"


# What the journal has of a shutdown that another server began.
GOES_ON = "its shutdown goes on, which an earlier server began"


def order_of(box, kind, text):
    """The guests of the events of a kind that have a text, oldest first."""
    peer = box.api()
    try:
        events = peer.call("event-list", kind=kind)["events"]
    finally:
        peer.close()
    return [event["guest"] for event in events if text in event["text"]]


def test_guests_start_and_end_in_order(box):
    path = box.fleet({
        "worker0": {"after": ["control0"], "until": "login"},
        "worker1": {"after": ["worker0"]},
        "control0": {}})
    up = box.spawn("up", "-d", "-f", path)
    until(lambda: "waiting for control0: login" in box.gm("ls").out,
          "ls to say what is waited for")
    require_equal(box.guest("worker0")["state"], "defined")
    out, err = up.communicate(timeout=120)
    require_equal(up.returncode, 0, f"up's status ({out} {err})")
    require_equal(order_of(box, "state", "started"),
                  ["control0", "worker0", "worker1"], "the starts")
    for name in ("control0", "worker0", "worker1"):
        box.wait_shell(name)
    box.gm("down", "--yes", patience=120)
    require_equal(order_of(box, "state", "ended:"),
                  ["worker1", "worker0", "control0"], "the ends")


def test_a_killed_qemu_comes_back(box):
    box.up("-f", box.fleet({"a": {"restart": "on-failure"}, "b": {}}))
    box.gm("wait", "a", "--until", "login", "--timeout", "180")
    pids = [box.guest(name)["pid"] for name in "ab"]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until(lambda: "restarts in" in box.gm("ls").out
          or box.guest("a")["restart"]["count"], "the countdown")
    box.gm("wait", "a", "--until", "login", "--timeout", "180")
    guest = box.guest("a")
    require_equal(guest["restart"]["count"], 1)
    require(guest["pid"] != pids[0], "the same process")
    require_equal(box.guest("b")["state"], "crashed")
    # And what dies while no server is there.
    box.kill_server()
    os.kill(guest["pid"], signal.SIGKILL)
    until(lambda: not is_alive(guest["pid"]), "the guest to be gone")
    box.wait_state("a", "running")
    require_equal(box.guest("a")["restart"]["count"], 2)
    # Stopped on purpose it stays so, for the next server too.
    box.gm("kill", "--yes", "a")
    box.kill_server()
    require_equal(box.guest("a")["state"], "stopped")
    require_equal(box.guest("a")["restart"]["due-ms"], None)


def test_what_ignores_its_button_is_forced_off_step_by_step(box):
    def fleet(button):
        return box.fleet({"a": {"shutdown": {"button": button, "repeat": 1}}},
                         append=DEAF)
    box.up("-f", fleet(2))
    box.wait_shell("a")
    result = box.gm("shutdown", "a", code=TIMEOUT)
    require_in("did not shut down in time", result.err)
    until(lambda: order_of(box, "state", "goes on running") == ["a"],
          "the journal to say so")
    require_equal(order_of(box, "state", "started"), ["a"], "the starts")
    require_equal(box.guest("a")["state"], "running")
    require_equal(box.guest("a")["shutdown"], None)
    # Time to look at it; then who forces can give it less.
    box.up("-f", fleet(600))
    down = box.spawn("down", "--yes", "--force", "a")

    def step():
        return (box.guest("a")["shutdown"] or {}).get("presses", 0) >= 2 \
            and box.guest("a")["shutdown"]
    shutdown = until(step, "the second press")
    require_equal([shutdown["step"], shutdown["next"], shutdown["forced"]],
                  ["button", "quit", True])
    box.gm("shutdown", "--force", "--timeout", "1", "a")
    guest = box.guest("a")
    require_equal(guest["exit"]["reason"], "host-qmp-quit")
    require_equal(down.wait(PATIENCE), 0, "down's status")


def check_restart_order(box, *command):
    """Restarts all three by the command, and looks at who came when."""
    pids = {g["name"]: g["pid"] for g in box.json("ls")}
    result = box.gm(*command, patience=240)
    for name, pid in pids.items():
        require(box.guest(name)["pid"] != pid, f"{name} was not restarted")
    require_equal(order_of(box, "state", "ended:")[-3:],
                  ["worker1", "worker0", "control0"], "the ends")
    require_equal(order_of(box, "state", "started")[-3:],
                  ["control0", "worker0", "worker1"], "the starts")
    require_in("worker0: waiting for control0: login", result.err)
    return result


def test_restarts_and_recreations_follow_the_order(box):
    def fleet(memory):
        return box.fleet({
            "worker0": {"after": ["control0"], "until": "login"},
            "worker1": {"after": ["worker0"]},
            "control0": {}}, memory=memory)
    box.up("-f", fleet("128M"), patience=120)
    for name in ("control0", "worker0", "worker1"):
        box.wait_shell(name)
    result = check_restart_order(box, "restart", "--yes", "worker0",
                                 "control0", "worker1")
    require_equal(result.out.split(), ["worker0:", "running", "control0:",
                                       "running", "worker1:", "running"])
    for name in ("control0", "worker0", "worker1"):
        box.wait_shell(name)
    result = check_restart_order(box, "up", "-d", "-f", fleet("144M"),
                                 "--recreate", "--yes")
    require_in("worker1: restarted", result.out)
    # One alone is not held back by those that are off.
    box.gm("kill", "--yes", "control0")
    answer = box.json("restart", "--yes", "--force", "worker0")
    require_equal([guest["state"] for guest in answer], ["running"])
    result = box.json("restart", "--yes", "nobody", code=FAILED)
    require_equal([answer["class"] for answer in result], ["NotFound"])


def test_restarts_of_the_deck_follow_the_order(box):
    box.up("-f", box.fleet({"a": {}, "b": {"after": "a", "until": "login"}}),
           patience=120)
    for name in "ab":
        box.wait_shell(name)
    peer = box.api()
    try:
        for name in "ba":
            peer.call("guest-restart", guest=name)
    finally:
        peer.close()
    until(lambda: order_of(box, "state", "started")[2:] == ["a", "b"],
          "b to come after a")


# Shuts down when the host asks, and answers what the host asks first.
AGENT = r"""cat >/tmp/agent <<'END'
exec 3<>$(ls /dev/vport*p1)
while :; do read -r line <&3 || sleep 1; case $line in
*sync*) printf '\377{"return": %s}\n' \
  $(echo "$line" | sed 's/.*"id": *\([0-9]*\).*/\1/') >&3 ;;
*guest-shutdown*) poweroff -f ;;
esac; done
END
"""


def test_who_ignores_the_button_is_asked_by_its_agent(box):
    box.up("-f", box.fleet({"a": {
        "agent": True, "shutdown": {"button": 1, "agent": 600}}}, append=DEAF))
    box.wait_shell("a")
    for line in AGENT.splitlines():
        box.gm("send", "a", "--enter", line)
    box.shell("a", "sh /tmp/agent & echo started-$((40 + 2))", "started-42")
    box.gm("shutdown", "a", patience=120)
    guest = box.wait_state("a", "stopped")
    require_equal(guest["exit"]["reason"], "guest-shutdown")


def test_an_agent_that_is_not_there_holds_nothing_up(box):
    box.up("-f", box.fleet({"a": {
        "agent": True, "shutdown": {"button": 1, "agent": 600}}}, append=DEAF))
    box.wait_shell("a")
    peer = box.api()
    peer.call("events-subscribe")
    down = box.spawn("shutdown", "--force", "a")
    # The step is over soon: what was told of it stays.
    shutdown = peer.event(
        lambda event: event["event"] == "GUEST_CHANGED" and
        (event["data"]["shutdown"] or {}).get("step") == "agent"
    )["data"]["shutdown"]
    require_equal([shutdown["next"], shutdown["forced"]], ["quit", True])
    guest = box.wait_state("a", "stopped")
    require_equal(guest["exit"]["reason"], "host-qmp-quit")
    require_equal(down.wait(PATIENCE), 0, "shutdown's status")


def test_a_qemu_that_hangs_is_killed_in_the_end(box):
    box.up("-f", box.fleet({"a": {"shutdown": {
        "button": 1, "force": True, "quit": 1, "term": 1}}}, append=DEAF))
    box.wait_shell("a")
    os.kill(box.guest("a")["pid"], signal.SIGSTOP)
    box.gm("shutdown", "a", patience=180)
    guest = box.guest("a")
    require_equal(guest["exit"]["signal"], "SIGKILL")
    require_equal(guest["state"], "stopped", "as asked")


def test_any_key_stops_the_force(box):
    box.up("-f", box.fleet({"a": {}, "b": {"after": ["a"]}}, append=DEAF))
    for name in "ab":
        box.wait_shell(name)
    terminal = box.deck("down", "--yes", "--force", "--timeout", "600",
                        cols=100)
    terminal.wait_for(r"b: shutting down, forced off in \d+ s \(any key stops "
                      "that\\)")
    terminal.type(" ")
    require_equal(terminal.wait_end(), FAILED)
    terminal.wait_for("a is left running")
    text = re.sub(r"\s+", " ", terminal.screen())
    require_in("the shutdown of b was stopped: it goes on running; its power "
               "button was pressed", text)
    require("unavailable" not in text, "the terminal blocks as it did before")
    for name in "ab":
        require_equal(box.guest(name)["state"], "running")
        require_equal(box.guest(name)["shutdown"], None)


def test_any_key_stops_the_force_in_the_deck(box):
    box.up("-f", box.fleet({"a": {"shutdown": {"button": 600,
                                               "force": True}}}, append=DEAF))
    box.wait_shell("a")
    deck = box.deck(cols=110)
    deck.wait_for(r"typing . a")
    deck.keys("C-]")
    deck.type("s")
    deck.type("S")
    deck.wait_for(r"a is forced off in .*: any key stops that")
    deck.wait_for(r"off \d+s")
    deck.type("j")
    deck.wait_for("the shutdown of a was stopped: it goes on running")
    until(lambda: box.guest("a")["state"] == "running", "a as it was")


def test_a_countdown_stands_in_the_deck_and_is_called_off(box):
    box.up("-f", box.write("guestmux.json", {"version": 1, "guests": {"a": {
        "exec": ["sh", "-c", "read x; exit 3"],
        "restart": {"policy": "always", "delay": 500, "max-delay": 500}}}}))
    box.gm("send", "a", "--enter", "x")
    box.wait_state("a", "crashed")
    deck = box.deck(cols=110)
    deck.wait_for(r"restarts in \d+m\d\ds \(1 of 5\)")
    deck.wait_for("c call off")

    def called_off():
        deck.type("c")  # keys right after an end are taken for the guest's
        return "restarts in" not in deck.screen()
    until(called_off, "the countdown to go")
    require_equal(box.guest("a")["restart"]["due-ms"], None)


def test_up_again_tells_what_differs_and_recreates_when_told(box):
    path = box.fleet({"a": {"memory": "128M"}, "b": {}, "old": {}})
    box.up("-f", path)
    pids = {g["name"]: g["pid"] for g in box.json("ls")}
    for name in "ab":
        box.wait_shell(name)
    box.fleet({"a": {"memory": "192M", "smp": 2}, "b": {}, "new": {}})
    result = box.up("-f", path)
    require_in('a: runs, defined otherwise; a restart would change\n'
               '    smp: not set -> 2\n    memory: "128M" -> "192M"\n',
               result.out)
    require_in("b: runs already", result.out)
    require_in("new: started", result.out)
    require_in("old: is no longer in", result.err)
    for name, pid in pids.items():
        require_equal(box.guest(name)["pid"], pid, f"{name}'s process")
    require_in("defined otherwise", box.gm("ls").out)
    # Where nobody can be asked it has to be said.
    result = box.up("-f", path, "--recreate", code=FAILED)
    require_in("say --yes", result.err)
    require_equal(box.guest("a")["pid"], pids["a"])
    result = box.up("-f", path, "--recreate", "--yes", patience=120)
    require_in("a: restarted", result.out)
    require(box.guest("a")["pid"] != pids["a"], "a was not restarted")
    require_equal(box.guest("b")["pid"], pids["b"], "b's process")
    require_equal(box.guest("a")["changes"], [])
    box.wait_shell("a")
    box.shell("a", "free -m | awk '/Mem/ {print \"has\", $2}'",
              "has 1[5-9][0-9]")
    require_in("a: runs already", box.up("-f", path).out)


def test_what_qemu_does_not_know_of_applies_at_once(box):
    path = box.fleet({"a": {"labels": {"role": "old"}}, "b": {}})
    box.up("-f", path)
    pids = {g["name"]: g["pid"] for g in box.json("ls")}
    box.fleet({"a": {"labels": {"role": "new"}, "restart": "on-failure",
                     "shutdown": {"button": 7}, "stall": {"kernel": 9},
                     "history": 50, "log": {"max": "1M"}, "silence": 600,
                     "ssh": {"user": "me"}, "autostart": True,
                     "after": "b", "until": "login"},
               "b": {"memory": "160M", "labels": {"x": "y"}}})
    result = box.up("-f", path)
    require_in('a: runs, and its new definition applies already', result.out)
    require_in('labels: {"role":"old"} -> {"role":"new"}', result.out)
    require_in('b: runs, defined otherwise; a restart would change\n'
               '    memory: "128M" -> "160M"\n', result.out)
    require('"x"' not in result.out, "b's label needs no restart")
    guest = box.guest("a")
    require_equal([guest["labels"], guest["changes"], guest["after"],
                   guest["restart"]["policy"], guest["pid"]],
                  [{"role": "new"}, [], ["b"], "on-failure", pids["a"]])
    require_equal([g["name"] for g in box.json("ls", "-l", "x=y")], ["b"])
    require_in("a: runs already", box.up("-f", path).out)
    # A policy that came later counts for this run.
    os.kill(pids["a"], signal.SIGKILL)
    until(lambda: box.guest("a")["restart"]["count"] == 1, "the restart")


def names(box):
    return [guest["name"] for guest in box.json("ls")]


def test_guests_stand_in_the_order_of_their_file(box):
    sleep = {"exec": ["sleep", "1000"]}

    def up(name, *guests):
        path = box.write(name, {"version": 1,
                                "guests": {guest: sleep for guest in guests}})
        box.up("-f", path)
    up("one.json", "b", "c")
    up("two.json", "x", "y")
    deck = box.deck(cols=110)
    deck.wait_for("typing . b")
    up("one.json", "a", "c", "new", "b")
    require_equal(names(box), ["a", "c", "new", "b", "x", "y"])
    deck.wait_for(r"(?s) a .* c .* new .* b .* x .* y ")
    up("two.json", "y", "x")
    require_equal(names(box), ["a", "c", "new", "b", "y", "x"])
    box.kill_server()
    require_equal(names(box), ["a", "c", "new", "b", "y", "x"])


def test_a_shutdown_goes_on_with_the_next_server(box):
    box.up("-f", box.fleet({"a": {"shutdown": {
        "button": 600, "repeat": 1, "quit": 600}}}, append=DEAF))
    box.wait_shell("a")
    down = box.spawn("shutdown", "--force", "a")
    until(lambda: (box.guest("a")["shutdown"] or {}).get("presses", 0) >= 2,
          "the second press")
    before = box.guest("a")["shutdown"]
    box.kill_server()
    require_equal(down.wait(PATIENCE), FAILED)
    guest = box.guest("a")
    require_equal(guest["state"], "shutting-down")
    require_equal([guest["shutdown"][name] for name in
                   ("step", "next", "forced", "until-ms")],
                  ["button", "quit", True, before["until-ms"]])
    until(lambda: box.guest("a")["shutdown"]["presses"] > before["presses"],
          "the button to be pressed again")
    box.gm("shutdown", "--force", "--timeout", "1", "a")
    require_equal(box.guest("a")["exit"]["reason"], "host-qmp-quit")


def test_a_restart_goes_on_with_the_next_server(box):
    box.up("-f", box.fleet({
        "a": {}, "b": {"append": DEAF, "shutdown": {"button": 3}}, "c": {}}))
    for name in "abc":
        box.wait_shell(name)
    pids = {name: box.guest(name)["pid"] for name in "abc"}
    # c ends while no server is there, a when the next one is, b not at all.
    for name in "ac":
        os.kill(pids[name], signal.SIGSTOP)
    peer = box.api()
    for name in "abc":
        peer.call("guest-restart", guest=name)
    peer.close()
    box.kill_server()
    os.kill(pids["a"], signal.SIGCONT)
    os.kill(pids["c"], signal.SIGKILL)
    until(lambda: not is_alive(pids["c"]), "c to end")
    for name in "ac":
        until(lambda: box.guest(name)["pid"] not in (None, pids[name]),
              f"{name}'s start")
    box.wait_state("b", "running")
    require_equal(box.guest("b")["pid"], pids["b"], "b's process")
    # That is over: when b is stopped now it stays so.
    box.gm("kill", "--yes", "b")
    require_equal(box.guest("b")["state"], "stopped")


def test_a_shutdown_in_vain_is_told_by_the_next_server(box):
    box.up("-f", box.fleet({"a": {"restart": "on-failure", "shutdown": {
        "button": 10, "repeat": 1}}}, append=DEAF))
    box.wait_shell("a")
    server = box.server_pid()
    box.gm("shutdown", "--no-wait", "a")
    os.kill(server, signal.SIGKILL)
    until(lambda: "a did not shut down in time" in box.gm("alerts").out,
          "the next server to say so")
    require_equal(order_of(box, "notice", GOES_ON), ["a"], "its shutdown")
    require_equal(box.guest("a")["state"], "running")
    # It was not stopped: when it crashes now it is started again.
    os.kill(box.guest("a")["pid"], signal.SIGKILL)
    until(lambda: box.guest("a")["restart"]["count"] == 1, "the restart")


def test_a_stopped_qemu_is_killed_by_the_next_server(box):
    box.up("-f", box.fleet({"a": {"shutdown": {
        "button": 1, "force": True, "quit": 10, "term": 1}}}, append=DEAF))
    box.wait_shell("a")
    server, peer = box.server_pid(), box.api()
    peer.call("events-subscribe")
    os.kill(box.guest("a")["pid"], signal.SIGSTOP)
    box.gm("shutdown", "--no-wait", "a")
    peer.event(lambda event: event["event"] == "GUEST_CHANGED" and
               (event["data"]["shutdown"] or {}).get("step") == "quit")
    os.kill(server, signal.SIGKILL)
    until(lambda: not is_alive(server), "the killed server to be gone")
    guest = box.wait_state("a", "stopped")
    require_equal(order_of(box, "notice", GOES_ON), ["a"], "its shutdown")
    require_equal(guest["exit"]["summary"], "forced off as asked")


main(globals())
