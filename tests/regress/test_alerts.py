"""Alerts: rules, their commands, silence, and the journal of what happened."""

import json
import os
import re
import signal
import sys
import time

from harness import (BINARY, main, python, require, require_equal, require_in, until)

PRINT = ("import sys\n"
         "for line in sys.stdin:\n"
         "    sys.stdout.write(line.strip() + '\\r\\n'); sys.stdout.flush()\n")


def rules(box, *items, **settings):
    """Writes the user's alerts.json."""
    folder = box.at("c", "guestmux")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "alerts.json"), "w",
              encoding="ascii") as file:
        json.dump({"version": 1, "rules": items} | settings, file)


def ask(box, method, **arguments):
    peer = box.api()
    try:
        return peer.call(method, **arguments)
    finally:
        peer.close()


def filter_list(deck, text):
    """Filters the deck's list that is open."""
    deck.keys("/")
    deck.wait_for("filter")
    deck.type(text)
    deck.keys("Enter")


def alerts(box, **which):
    return ask(box, "alert-list", **which)["alerts"]


def wait_alert(box, rule, **which):
    """The first alert of that rule."""
    def probe():
        found = [alert for alert in alerts(box, **which)
                 if alert["rule"] == rule]
        return found and found[0]
    return until(probe, f"an alert of {rule}")


def texts(box, **which):
    return [event["text"] for event in
            ask(box, "event-list", **which)["events"]]


def echo(box, *names):
    box.up("-f", box.console_fleet(
        **{name: ["sh", "-c", "stty -echo; echo ready; exec cat"]
           for name in names}))
    for name in names:
        box.gm("wait", name, "--for", "ready", "--since-boot")


def test_a_real_panic_is_an_alert(box):
    path = box.fleet({"n1": {}}, append="console=ttyS0 panic=-1 no_timer_check gm.shell")
    box.up("-f", path)
    box.wait_shell("n1")
    box.gm("send", "n1", "--enter", "panic")
    alert = wait_alert(box, "kernel-panic")
    require_equal((alert["guest"], alert["console"], alert["severity"]),
                  ("n1", "ttyS0", "critical"))
    require_in("Kernel panic - not syncing", alert["line"])
    # The offset is where the line begins in the log.
    log = box.log_bytes("n1")
    require_in(b"Kernel panic", log[alert["offset"]:].split(b"\n")[0])


def test_the_same_thing_again_is_counted(box):
    echo(box, "a")
    peer = box.api()
    peer.call("events-subscribe")
    for _ in range(30):
        box.gm("send", "a", "--enter", "x invoked oom-killer: y")
    event = peer.event(lambda event: event["event"] == "ALERT"
                       and event["data"]["count"] == 30)
    require_equal(event["data"]["rule"], "oom")
    require_equal(len(alerts(box, guest="a")), 1)


def test_no_alert_comes_from_a_replay(box):
    echo(box, "a")
    box.gm("send", "a", "--enter", "Kernel panic - not syncing: x")
    wait_alert(box, "kernel-panic")
    require_equal(ask(box, "alert-clear")["cleared"], 1)
    box.kill_server()
    box.gm("ls")
    until(lambda: not box.guest("a")["consoles"][0]["replaying"],
          "the replay")
    # a was a program of the server's and went with it: nothing but that.
    require_equal([alert["rule"] for alert in alerts(box)
                   if alert["rule"] != "crashed"], [])


def test_a_prompt_is_found_without_its_line_end(box):
    box.up("-f", box.console_fleet(
        a=["sh", "-c", "printf 'n1 login: '; exec cat"]))
    alert = wait_alert(box, "login")
    require_equal((alert["line"], alert["severity"]), ("n1 login: ", "info"))


def test_a_rule_runs_its_command_without_a_shell(box):
    out = box.at("w", "out")
    script = box.write("hook.py", (
        "import json, os, sys\n"
        "with open(sys.argv[1] + '.new', 'w') as file:\n"
        "    json.dump({'argv': sys.argv[1:], 'input': sys.stdin.read(),\n"
        "               'sid': os.getsid(0) == os.getpid(), 'env': {\n"
        "        k: v for k, v in os.environ.items()\n"
        "        if k.startswith('GUESTMUX_')}}, file)\n"
        "os.rename(sys.argv[1] + '.new', sys.argv[1])\n"))
    rules(box, {"name": "hey", "pattern": "hey (.*)", "message": "oh",
                "run": ["python3", script, out, "$(touch /tmp/x)"]})
    echo(box, "a")
    ask(box, "console-send", guest="a",
        text="x\033]0;evil\a\033[31mhey\033[0m `id` $X\b\n")
    until(lambda: os.path.exists(out), "the command")
    with open(out, encoding="utf-8") as file:
        told = json.load(file)
    require_equal(told["argv"], [out, "$(touch /tmp/x)"])
    require(told["sid"], "it has no session of its own")
    require_in("hey", told["env"]["GUESTMUX_LINE"])
    require("\033" not in told["env"]["GUESTMUX_LINE"] + told["input"],
            "an escape sequence reached the command")
    require_equal(told["env"]["GUESTMUX_GUEST"], "a")
    require_equal(told["env"]["GUESTMUX_MESSAGE"], "oh")
    require_equal(told["input"], told["env"]["GUESTMUX_LINE"] + "\n")


def test_a_command_that_fails_or_hangs_is_told(box):
    rules(box,
          {"name": "fails", "pattern": "one", "run": ["sh", "-c", "exit 7"]},
          {"name": "missing", "pattern": "two", "run": ["/no/such/thing"]},
          {"name": "hangs", "pattern": "three", "run": ["sleep", "1000"],
           "timeout": 1})
    echo(box, "a")
    for word in ("one", "two", "three"):
        box.gm("send", "a", "--enter", word)
    def told():
        return "\n".join(alert["text"] for alert in alerts(box, guest="a")
                         if alert["rule"] == "notice")
    until(lambda: told().count("\n") == 2, "three complaints")
    require_in('"fails" (sh) failed with status 7', told())
    require_in('"missing" (/no/such/thing) cannot be run: no such', told())
    require_in('"hangs" (sleep) was ended: it took longer than 1 s', told())


def test_what_a_command_prints_cannot_fill_the_disk(box):
    """The beginning goes to server.log; what is left behind may go on."""
    left = box.at("w", "left")
    rules(box,
          {"name": "floods", "pattern": "one", "run": ["yes", "a flood"],
           "timeout": 1},
          {"name": "leaves", "pattern": "two", "run": [
              "sh", "-c", "(while [ ! -e $0.go ]; do :; done; echo late && "
              f"touch $0) & echo early", left]})
    echo(box, "a")
    log = box.state("server.log")
    box.gm("send", "a", "--enter", "two")
    until(lambda: "early" in open(log, encoding="utf-8").read(), "its words")
    box.gm("send", "a", "--enter", "one")
    until(lambda: "was ended: it took longer" in
          "\n".join(alert["text"] for alert in alerts(box)), "the end")
    until(lambda: re.search(r"rule \"floods\" \(yes\) printed \d+ bytes more",
                            open(log, encoding="utf-8").read()), "the rest")
    size = sum(os.path.getsize(box.state(name)) for name in
               os.listdir(box.state()) if name.startswith("server.log"))
    require(10000 < size < 20000, f"server.log has {size} bytes")
    # A command's child that outlives it is not killed by printing.
    open(left + ".go", "w", encoding="utf-8").close()
    until(lambda: os.path.exists(left), "what was left behind")
    until(lambda: "late\n" in open(log, encoding="utf-8").read(),
          "what it said last")


def test_a_mistake_in_the_rules_is_told_with_its_place(box):
    rules(box, {"name": "good", "pattern": "good"},
          {"name": "bad", "pattern": "("})
    echo(box, "a")
    alert = wait_alert(box, "rules")
    require_in("alerts.json:1:", alert["text"])
    require_in("rules[1].pattern", alert["text"])
    box.gm("send", "a", "--enter", "good")
    wait_alert(box, "good")
    # Once it is right, and read again, the guests there are have it.
    rules(box, {"name": "bad", "pattern": "now"})
    peer = box.api()
    peer.call("alert-reload")
    require_equal(peer.call("alert-rules")["problems"], "")
    box.gm("send", "a", "--enter", "now")
    wait_alert(box, "bad")


def test_a_guest_has_rules_of_its_own(box):
    path = box.write("guestmux.json", {"version": 1, "guests": {
        name: {"exec": ["sh", "-c", "stty -echo; echo ready; exec cat"]} | more
        for name, more in (
            ("a", {"alerts": [{"name": "mine", "pattern": "hm+"},
                              {"name": "login", "enabled": False}]}),
            ("b", {}))}})
    box.up("-f", path)
    for name in "ab":
        box.gm("wait", name, "--for", "ready", "--since-boot")
        box.gm("send", name, "--enter", "hmm")
        box.gm("send", name, "--enter", "x login:")
    wait_alert(box, "mine", guest="a")
    wait_alert(box, "login", guest="b")
    require_equal([alert["rule"] for alert in alerts(box, guest="a")],
                  ["mine"])
    box.gm("check", box.write("bad.json", {"version": 1, "guests": {"a": {
        "exec": ["cat"], "alerts": [{"name": "x", "pattern": "["}]}}}), code=1)


def test_rules_of_a_running_guest_change_without_a_restart(box):
    def fleet(**fields):
        return box.write("guestmux.json", {"version": 1, "guests": {"a": {
            "exec": ["sh", "-c", "stty -echo; echo ready; exec cat"]}
            | fields}})
    box.up("-f", fleet())
    box.gm("wait", "a", "--for", "ready", "--since-boot")
    pid = box.guest("a")["pid"]
    box.gm("send", "a", "--enter", "ping one")
    box.gm("wait", "a", "--for", "ping one", "--since-boot")
    rules = [{"name": "ping", "pattern": "ping", "severity": "critical"}]
    require_in("a: runs, and its new definition applies already",
               box.up("-f", fleet(alerts=rules, silence=3600)).out)
    require_equal(box.guest("a")["consoles"][0]["silence-s"], 3600)
    box.gm("send", "a", "--enter", "ping two")
    require_in("ping two", wait_alert(box, "ping")["line"])
    require_in("a: runs already",
               box.up("-f", fleet(alerts=rules, silence=3600)).out)
    # With something that needs a restart, the rest counts at once all the same.
    rules[0]["name"] = "pong"
    require_in("a restart would change",
               box.up("-f", fleet(alerts=rules, env={"X": "1"})).out)
    box.gm("send", "a", "--enter", "ping three")
    require_in("ping three", wait_alert(box, "pong")["line"])
    require_equal(box.guest("a")["pid"], pid, "the same process")
    # The next server knows them too.
    box.kill_server()
    box.gm("ls")
    require_in("pong", box.gm("alerts", "--rules", "a").out)


def test_what_the_server_writes_is_bounded(box):
    """A server.log that became too long is put aside, and a new one begun."""
    rules(box, {"name": "says", "pattern": "go \\d",
                "run": ["sh", "-c", "echo said $GUESTMUX_LINE"]})
    box.up("-f", box.console_fleet(
        a=["sh", "-c", "stty -echo; echo ready; exec cat"]))
    box.gm("wait", "a", "--for", "ready", "--since-boot")
    log = box.state("server.log")
    with open(log, "a", encoding="ascii") as file:
        file.write("x" * 60 + "\n")
        file.flush()
        for i in range(20000):
            file.write(f"{i:06d} " + "x" * 60 + "\n")
    until(lambda: os.path.exists(log + ".old") and os.path.exists(log),
          "server.log to be put aside")
    require(os.path.getsize(log) < 1 << 20, "the new one is as long")
    box.gm("send", "a", "--enter", "go 1")
    until(lambda: "said go 1" in open(log, encoding="utf-8").read(),
          "what is said later in the new one")


def test_silence_is_told_once_and_until_output(box):
    path = box.write("guestmux.json", {"version": 1, "guests": {
        "a": {"exec": python(PRINT), "silence": 1}}})
    box.up("-f", path)
    alert = wait_alert(box, "silence")
    require_equal(alert["text"], "nothing was printed for 1 s")
    peer = box.api()
    peer.call("events-subscribe")
    def console():
        return peer.call("guest-query", guest="a")["consoles"][0]
    require_equal((console()["silent"], console()["silence-s"]), (True, 1))
    # Long enough that the output is not itself followed by a silence.
    peer.call("silence-set", guest="a", silence_s=3600)
    require_equal(console()["silent"], False)
    require_equal(wait_alert(box, "silence")["count"], 1)


def test_the_journal_says_what_happened_and_outlives_the_server(box):
    echo(box, "a")
    box.gm("kill", "--yes", "a")
    box.kill_server()
    told = texts(box, guests=["a"])
    require_equal(told[:2], ["defined", "started"])
    require_in("forced it off (", told[2])
    require_equal(told[3], "ended: forced off as asked")
    require_in("guestmux[", told[2], "who did it")
    box.gm("rm", "--yes", "a")
    require_equal(texts(box, guests=["a"])[-1].split(" (")[0],
                  "removed it from the list")
    require_equal(len(texts(box, limit=2)), 2)
    require_equal(texts(box, severity="critical"), [])


def test_alerts_outlive_the_server_until_they_are_cleared(box):
    path = box.fleet({"n1": {}})
    box.up("-f", path)
    box.wait_shell("n1")
    box.gm("send", "n1", "--enter", "echo hung task: INFO: task x:1 blocked "
           "for more than 120 seconds")
    alert = wait_alert(box, "hung-task")
    box.kill_server()
    again = wait_alert(box, "hung-task")
    require_equal((again["id"], again["line"], again["seen"]),
                  (alert["id"], alert["line"], False))
    ask(box, "alert-seen", id=alert["id"])
    box.kill_server()
    require_equal(wait_alert(box, "hung-task")["seen"], True)
    ask(box, "alert-clear")
    box.kill_server()
    require_equal(alerts(box), [])
    require_in("adopted: it went on without a server",
               texts(box, guests=["n1"]))


def test_the_deck_marks_lists_and_finds_alerts(box):
    rules(box, {"name": "hey", "pattern": "hey", "severity": "critical"},
          bell="critical", notify="critical")
    box.up("-f", box.console_fleet(
        a=["cat"], b=["sh", "-c", "stty -echo; echo ready; cat"]))
    box.gm("wait", "b", "--for", "ready", "--since-boot")
    deck = box.deck()
    deck.wait_for("typing → a")
    for number in range(100):
        box.gm("send", "b", "--enter", "hey!" if number == 20 else number)
        if number == 20:
            deck.wait_for("b: hey: hey!")  # a message goes after a while
    # The mark in the list, the title.
    deck.wait_for("b .*▲")
    deck.wait_for("2 b ● running ▲ hey")
    deck.keys("C-]", "a")
    deck.wait_for(r"▌.* b .*▲ hey: hey!")
    deck.keys("/")
    deck.type("nothing")
    deck.wait_for("nothing passes the filter")
    deck.keys("Escape")
    deck.wait_for("▲ hey: hey!")
    deck.keys("Enter")
    # At the line, in the scrollback; the alert is seen.
    deck.wait_for("scrollback|copy")
    deck.wait_for("^.*hey!")
    deck.wait_gone("▲")
    deck.keys("q", "C-]", "a")
    deck.wait_for("▲ hey: hey!")
    deck.keys("c")
    deck.wait_for("no alerts")
    require_equal(alerts(box), [])
    deck.keys("q", "C-]", "M")
    deck.wait_for("watch b for")
    deck.type("1")
    deck.wait_for("b: an alert after 30 s of silence")
    deck.keys("C-]", "M")
    deck.wait_for("silence of 30 s +as it is")
    deck.type("o")
    deck.wait_for("b: an alert when it prints something")
    box.gm("send", "b", "--enter", "anything")
    require_equal(wait_alert(box, "activity")["text"], "something was printed")
    deck.keys("C-]", "d")
    require_equal(deck.wait_end(), 0, "exit status")


def test_a_notification_has_words_of_ours_only(box):
    rules(box, {"name": "hey", "pattern": "hey", "severity": "critical"},
          notify="warning")
    box.up("-f", box.console_fleet(
        a=["sh", "-c", "stty -echo; echo ready; cat"]))
    record = box.at("w", "typescript")
    deck = box.terminal(["script", "-qfc", f"{BINARY} -L t", record])
    deck.wait_for("typing → a")
    box.gm("send", "a", "--enter", "hey `secret`")
    deck.wait_for("a: hey: hey")
    def notified():
        with open(record, "rb") as file:
            return b"\033]9;guestmux: a: critical (hey)\a" in file.read()
    until(notified, "the notification")
    with open(record, "rb") as file:
        for part in file.read().split(b"\033]9;")[1:]:
            require(b"secret" not in part.split(b"\a")[0], "a guest's words")
    deck.keys("C-]", "d")
    deck.wait_end()


def test_events_are_printed_and_followed(box):
    echo(box, "a", "b")
    follower = box.spawn("events", "-f", "--json", "a", text=True)
    lines = [json.loads(follower.stdout.readline()) for _ in range(2)]
    require_equal([line["text"] for line in lines], ["defined", "started"])
    box.gm("send", "b", "--enter", "Kernel panic - not syncing: b")
    box.gm("send", "a", "--enter", "Kernel panic - not syncing: a")
    line = json.loads(follower.stdout.readline())
    require_equal((line["kind"], line["guest"], line["line"]),
                  ("alert", "a", "Kernel panic - not syncing: a"))
    box.gm("kill", "--yes", "a")
    require_in("forced it off", json.loads(follower.stdout.readline())["text"])
    out = box.gm("events", "--severity", "critical").out
    require_equal(out.count("kernel panic: Kernel panic"), 2)
    require("started" not in out, "an event that is not so bad")
    require_equal(box.gm("events", "--kind", "action", "--since", "1h", "a")
                  .out.count("\n"), 1)
    require_equal(box.gm("events", "--until", "yesterday").out, "")
    require_equal(len(box.gm("events", "-n", "3").out.splitlines()), 3)
    for words in (["--kind", "x"], ["--severity", "bad"], ["--since", "soon"],
                  ["-f", "--until", "now"]):
        box.gm("events", *words, code=2)


def test_alerts_are_listed_and_cleared_by_commands(box):
    rules(box, {"name": "hey", "pattern": "hey"}, {"name": "bad"})
    echo(box, "a", "b")
    for name in "ab":
        box.gm("send", name, "--enter", "hey \033[31mred")
        wait_alert(box, "hey", guest=name)
    out = box.gm("alerts").out
    require_in("a:console", out)
    require("\033" not in out, "an escape sequence came through")
    require_equal([alert["guest"] for alert in box.json("alerts", "b")], ["b"])
    box.gm("alerts", "--clear", "a")
    require_equal([alert["guest"] for alert in box.json("alerts")
                   if alert["rule"] == "hey"], ["b"])
    told = box.gm("alerts", "--rules", code=1)
    require_in("kernel-panic", told.out)
    require_in('rule "bad" has no pattern', told.err)
    rules(box, {"name": "fine", "pattern": "x"})
    box.gm("alerts", "--reload")
    require_in("fine", box.gm("alerts", "--rules").out)
    box.gm("alerts", "--severity", "terrible", code=1)
    box.gm("alerts", "nosuch", code=1)
    box.gm("alerts", "--rules", "--clear", code=2)


def timeline(box, *arguments):
    out = box.gm("timeline", "--json", *arguments).out
    return [json.loads(line) for line in out.splitlines()]


def test_the_timeline_has_all_lines_and_events_by_time(box):
    box.up("-f", box.fleet({"n1": {}, "n2": {}}))
    for name in ("n1", "n2"):
        box.wait_shell(name)
    for number in range(3):
        for name in ("n1", "n2"):
            box.shell(name, f"echo mark-$(({number} + 10))-{name}",
                      f"^mark-1{number}-{name}")
            # Times of lines are exact to 50 ms (console/times.h).
            shown = time.monotonic()
            until(lambda at=shown: time.monotonic() > at + 0.1, "the index")
    rows = timeline(box, "--grep", "^mark-1")
    require_equal([row["text"] for row in rows],
                  [f"mark-1{number}-{name}" for number in range(3)
                   for name in ("n1", "n2")])
    # The offset is where the line begins.
    for row in rows:
        log = box.log_bytes(row["guest"])
        require(log[row["offset"]:].startswith(row["text"].encode()),
                "the offset of " + row["text"])
    everything = timeline(box)
    times = [row["at-ms"] for row in everything]
    require_equal(times, sorted(times))
    require({"state", "action", "line"} <= {row["kind"] for row in everything},
            "kinds")
    # What did the others print around this line?
    place = f"n1:{rows[2]['offset']}"
    around = timeline(box, "--around", place, "--window", "60", "n2",
                      "--grep", "^mark-1")
    require_equal([row["text"] for row in around],
                  [f"mark-1{number}-n2" for number in range(3)])
    require_equal(timeline(box, "--around", place, "--window", "0", "--grep",
                           "^mark-11")[0]["text"], "mark-11-n1")
    require_equal(timeline(box, "--until", "yesterday"), [])
    require_equal(len(timeline(box, "-n", "5")), 5)
    require_in("mark-12-n2", box.gm("timeline", "--since", "1h", "n2").out)
    # And the same after the server was killed.
    box.kill_server()
    again = timeline(box, "--grep", "^mark-1")
    require_equal([(row["text"], row["at-ms"]) for row in again],
                  [(row["text"], row["at-ms"]) for row in rows])
    box.gm("timeline", "--grep", "(", code=1)
    box.gm("timeline", "nosuch", code=1)
    box.gm("timeline", "--around", "n1:999999999", code=1)
    box.gm("timeline", "--around", "soon", code=1)
    box.gm("timeline", "--around", "now", "--since", "1h", code=2)


def test_the_deck_shows_the_timeline(box):
    box.up("-f", box.console_fleet(
        **{name: ["sh", "-c", "stty -echo; echo ready; cat"]
           for name in "ab"}))
    for name in "ab":
        box.gm("wait", name, "--for", "ready", "--since-boot")
    for number in range(60):
        box.gm("send", "a", "--enter", f"line {number} of a")
    box.gm("send", "b", "--enter", "something of b")
    deck = box.deck()
    deck.wait_for("typing → a")
    deck.keys("C-]", "t")
    deck.wait_for(r"\d\d:\d\d:\d\d\.\d\d\d  b +something of b")
    deck.wait_for("line 59 of a")
    deck.keys("/")
    deck.type("line 30")
    deck.wait_gone("something of b")
    deck.keys("Enter")
    deck.wait_for("line 30 of a")
    # A regular expression between slashes; a wrong one is told.
    deck.keys("/", "C-u")
    deck.type("/(/")
    deck.keys("Enter")
    deck.wait_for("is no regular expression")
    deck.keys("/", "C-u")
    deck.type("/line 3[15]|something OF/")
    deck.keys("Enter")
    deck.wait_gone("something of b")
    deck.wait_for("line 31 of a\n.*line 35 of a")
    deck.keys("/", "C-u")
    deck.type("/line 3[15]|of b$/")
    deck.keys("Enter")
    deck.wait_for("line 35 of a\n.*something of b")
    require("line 30" not in deck.screen(), "the filter passes others")
    deck.keys("/", "C-u")
    deck.type("line 30")
    deck.keys("Enter")
    deck.wait_for("line 30 of a")
    deck.wait_gone("line 31")
    # All around it, without the filter.
    deck.keys("t")
    deck.wait_for(r"▌.*line 30 of a")
    deck.wait_for("line 31 of a")
    deck.keys("Enter")
    deck.wait_for("line 30 of a")
    deck.wait_for("scrollback|copy")
    deck.keys("T")
    deck.wait_for("timeline around")
    deck.wait_for(r"▌.*line \d+ of a")
    deck.keys("q")
    deck.keys("C-]", "d")
    require_equal(deck.wait_end(), 0, "exit status")


def test_the_deck_scrolls_on_in_the_timeline(box):
    """Beyond the 2000 rows that it begins with; filters look at everything."""
    code = ("import sys, time\n"
            "for i in range(9000):\n"
            "    print(f'row{i:05d}' + (' needle' if i % 4000 == 7 else ''))\n"
            "    if i % 50 == 0: sys.stdout.flush(); time.sleep(0.005)\n"
            "print('that is all', flush=True)\n"
            "for line in sys.stdin: print('new', line.strip(), flush=True)\n")
    box.up("-f", box.console_fleet(a=python(code), b=["cat"]))
    box.gm("wait", "a", "--for", "that is all", "--since-boot", "--timeout",
           "180", patience=190)
    deck = box.deck(cols=100, rows=30)
    deck.wait_for("that is all")
    deck.keys("C-]", "t")
    deck.wait_for("2000/2000")
    deck.wait_for("that is all")
    # Up, and up again, to the first row of all.
    until(lambda: deck.keys("g") or "row00000" in deck.screen(),
          "the first row of all")
    deck.keys("G")
    deck.wait_for("that is all")
    # What came since, at the end.
    box.gm("send", "a", "--enter", "word")
    box.gm("wait", "a", "--for", "new word", "--since-boot")
    until(lambda: deck.keys("j") or "new word" in deck.screen(),
          "the new line")
    # A filter finds what was never fetched.
    deck.keys("q")
    deck.keys("C-]", "t")
    deck.wait_for("2000/2000|2001/2001")
    filter_list(deck, "needle")
    deck.wait_for("row00007 needle")
    deck.wait_for("row04007 needle")
    deck.wait_for("row08007 needle")
    deck.wait_for("[0-9]/3$")
    # Without it everything is there again.
    deck.keys("/")
    deck.wait_for("filter")
    deck.keys("Escape")
    deck.wait_for("row0800[0-9]$")


def test_a_row_chosen_before_a_late_answer_stays_chosen(box):
    """A filter is applied to the rows there are, until the server answers."""
    code = ("for i in range(5000):\n"
            "    print(f'row{i:05d}' + (' needle' if i % 1000 == 7 else ''))\n"
            "print('that is all', flush=True)\n"
            "import sys; sys.stdin.read()\n")
    box.up("-f", box.console_fleet(a=python(code)))
    box.gm("wait", "a", "--for", "that is all", "--since-boot")
    deck = box.deck(cols=100, rows=30)
    deck.wait_for("that is all")
    deck.keys("C-]", "t")
    deck.wait_for("2000/2000")
    deck.keys("/")
    deck.wait_for("filter")
    server = box.server_pid()
    os.kill(server, signal.SIGSTOP)
    try:
        deck.type("needle")
        deck.keys("Enter")
        deck.wait_for("2/2$")
        deck.keys("k")
        deck.wait_for("1/2$")
    finally:
        os.kill(server, signal.SIGCONT)
    deck.wait_for("row00007 needle")
    deck.wait_for("4/5$")
    deck.keys("Enter")
    deck.wait_for("^ scrollback a 3008:1 ")


def old_events(box, count, first_ms):
    """The journal of an earlier server."""
    os.makedirs(box.state(), mode=0o700, exist_ok=True)
    text = "".join(json.dumps({"at-ms": first_ms + i, "kind": "notice",
                               "guest": "x", "text": f"e{i:05d}"},
                              separators=(",", ":")) + "\n"
                   for i in range(count))
    with open(box.state("events.jsonl"), "w") as file:
        file.write(text)


def test_the_timeline_goes_through_the_whole_journal(box):
    """12 000 events, which is more than an answer has, page by page."""
    first = 1_600_000_000_000
    old_events(box, 12000, first)
    box.up("-f", box.console_fleet(x=["cat"]))
    peer = box.api()
    seen = []
    until_ms = first + 11999
    while until_ms:
        answer = peer.call("timeline", **{"until-ms": until_ms,
                                          "limit": 5000})
        seen = [row["text"] for row in answer["rows"]
                if not seen or row["text"] < seen[0]] + seen
        until_ms = answer["from-ms"]
    require_equal(seen, [f"e{i:05d}" for i in range(12000)])
    # And the other way, from the oldest on.
    answer = peer.call("timeline", **{"since-ms": first, "limit": 3,
                                      "oldest": True})
    require_equal([row["text"] for row in answer["rows"]],
                  ["e00000", "e00001", "e00002"])
    require_equal(answer["to-ms"], first + 2)
    answer = peer.call("timeline", pattern="e00042")
    require_equal([row["text"] for row in answer["rows"]], ["e00042"])
    # The deck scrolls back to the first of them.
    deck = box.deck(cols=100, rows=30)
    deck.wait_for("typing → x")
    deck.keys("C-]", "t")
    deck.wait_for("e11999")
    until(lambda: deck.keys("g") or "e00000" in deck.screen(),
          "the first event of all")


def test_a_filter_by_name_looks_at_every_row(box):
    """What is part of a console's name is looked for in all texts as well, and
    what a line has beyond its 500 told columns counts."""
    path = box.write("guestmux.json", {"version": 1, "guests": {
        "web-1": {"exec": python(
            "print('first of all')\n"
            "for i in range(30): print('much', i)\n"
            "import sys; sys.stdout.flush(); sys.stdin.read()")},
        "db": {"exec": python(
            "print('db waits for web-1')\n"
            "print('y' * 700 + ' web-1 is far behind')\n"
            "for i in range(5000): print('other', i)\n"
            "import sys; sys.stdout.flush(); sys.stdin.read()")}}})
    box.up("-f", path)
    box.gm("wait", "web-1", "--for", "much 29", "--since-boot")
    box.gm("wait", "db", "--for", "other 4999", "--since-boot")
    rows = box.api().call("timeline", pattern="web-1", names=True, kind="line")
    texts = [row["text"] for row in rows["rows"]]
    require("first of all" in texts, "all of web-1")
    require_in("db waits for web-1", texts)
    require_equal(len([t for t in texts if t.startswith("yyy")]), 1)
    require(not [t for t in texts if t.startswith("other")], "what db printed")
    plain = box.api().call("timeline", pattern="web-1", kind="line")
    require_equal(len(plain["rows"]), 2, "rows by their text alone")
    deck = box.deck(cols=100, rows=45)
    deck.wait_for("typing → ")
    deck.keys("C-]", "t")
    deck.wait_for("other 4999")
    filter_list(deck, "web-1")
    deck.wait_for("first of all")
    deck.wait_for("db waits for web-1")
    deck.wait_for("yyyyy")
    deck.wait_for("web-1 +.*much 29")


def test_around_a_line_are_its_neighbours_however_many_there_are(box):
    """More lines of one moment than an answer has."""
    flood = ("for i in range(9000): print(f'{NAME}{i:05d}')\n"
             "import sys; sys.stdout.flush(); sys.stdin.read()")
    box.up("-f", box.console_fleet(
        **{name: python(flood.replace("{NAME}", name)) for name in "abc"}))
    for name in "abc":
        box.gm("wait", name, "--for", name + "08999", "--since-boot",
               "--timeout", "180", patience=190)
    peer = box.api()
    offset = box.log_bytes("b").index(b"b04000")
    place = peer.call("console-place", guest="b", offset=offset)
    answer = peer.call("timeline", limit=100,
                       **{"around-ms": place["at-ms"], "around": "b",
                          "around-offset": offset})
    texts = [row["text"] for row in answer["rows"]]
    require_equal(len(texts), 100)
    require_equal(texts[50], "b04000")
    require(answer["from-ms"] and answer["to-ms"], "both ends are told")
    # Of b alone, from the shell.
    out = box.gm("timeline", "b", "--around", f"b:{offset}", "-n", "4").out
    require_equal([line.split()[-1] for line in out.splitlines()],
                  ["b03998", "b03999", "b04000", "b04001"])
    told = peer.ask("timeline", around="b")
    require_in("go together", told["error"]["desc"])
    # The deck leaves none of them out, up to the first and down again.
    deck = box.deck(cols=100, rows=30)
    deck.wait_for("typing → a")
    deck.keys("C-]", "t")
    deck.wait_for("2000/2000")
    deck.keys("f")
    deck.wait_for("only [abc]")
    name = deck.screen().split("only ")[1][0]
    for key, last in (("g", "00000"), ("G", "08999")):
        until(lambda k=key, text=name + last:
              deck.keys(k) or text in deck.screen(), "an end of the list")
    deck.wait_for(r"9\d\d\d/9\d\d\d")


def test_a_line_is_as_old_as_its_text(box):
    """Not as the firmware's sequences that came long before it."""
    box.up("-f", box.console_fleet(
        a=["sh", "-c", "stty -echo; printf '\\033c\\033[2J'; read x; "
           "echo kernel; cat"]))
    until(lambda: len(box.log_bytes("a")) >= 6, "the sequences")
    old = time.time()
    until(lambda: time.time() > old + 0.3, "the index to go on")
    box.gm("send", "a", "--enter", "x")
    box.gm("wait", "a", "--for", "kernel", "--since-boot")
    (row,) = timeline(box, "--grep", "^kernel")
    require(row["at-ms"] >= (old + 0.3) * 1000, "the time of the text")
    place = ask(box, "console-place", guest="a", offset=row["offset"])
    require_equal(place["at-ms"], row["at-ms"])


def test_a_row_leads_to_its_own_line(box):
    """Among lines that read the same, and where the scrollback has none."""
    code = ("import sys\n"
            "for i in range(40):\n"
            "    print('the same' if i % 10 == 5 else f'row{i:03d}')\n"
            "sys.stdout.flush()\n"
            "for line in sys.stdin:\n"
            "    for i in range(60): print('more', i)\n"
            "    sys.stdout.flush()\n")
    path = box.write("guestmux.json", {"version": 1, "guests": {
        "a": {"exec": python(code), "history": 50}}})
    box.up("-f", path)
    box.gm("wait", "a", "--for", "row039", "--since-boot")
    deck = box.deck(cols=100, rows=40)
    deck.wait_for("row039")
    def go(row):
        deck.keys("C-]", "t")
        deck.wait_for("timeline")
        filter_list(deck, "the same")
        deck.wait_for("[0-9]/4$")
        for _ in range(4):
            deck.keys("k")
        for _ in range(row - 1):
            deck.keys("j")
        deck.wait_for(f"{row}/4$")
        deck.keys("Enter")
    go(2)
    deck.wait_for("^ scrollback a 16:1 ")
    # And back, from the row to the very line of the log.
    deck.keys("T")
    deck.wait_for("timeline around this line")
    deck.wait_for("▌.*the same")
    screen = deck.screen().splitlines()
    at = [i for i, row in enumerate(screen) if "▌" in row][-1]
    require_in("row014", screen[at - 1])
    require_in("row016", screen[at + 1])
    deck.keys("Enter")
    deck.wait_for("^ scrollback a 16:1 ")
    deck.keys("q")
    deck.wait_for("typing . a")
    go(4)
    deck.wait_for("^ scrollback a 36:1 ")
    deck.keys("q")
    deck.wait_for("typing . a")
    # It scrolls away, and can be seen as it was.
    box.gm("send", "a", "--enter", "x")
    box.gm("send", "a", "--enter", "x")
    until(lambda: "the same" not in box.capture("a", "--history", "999"),
          "the lines to leave the scrollback")
    go(2)
    deck.wait_for("the line has left the scrollback")
    deck.wait_for("past of a")
    deck.wait_for("the same")
    deck.keys("q")
    deck.wait_gone("past of a")


def test_a_crash_is_an_alert_once(box):
    box.up("-f", box.console_fleet(a=["sh", "-c", "exit 3"]))
    alert = wait_alert(box, "crashed")
    require_equal(alert["text"], "crashed: sh exited with status 3")
    box.kill_server()
    require_equal(wait_alert(box, "crashed")["count"], 1)
    require_equal(len(alerts(box)), 1)


main(globals())
