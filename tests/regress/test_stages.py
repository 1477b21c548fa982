"""The stages of real guests' boots: found, timed, kept, and waited for."""

from harness import (FAILED, TIMEOUT, main, require, require_equal,
                     require_in, until)

LOUD = "console=ttyS0 panic=-1"


def stages(guest):
    return {one["stage"]: one["at-ms"] for one in guest["stages"]}


def test_a_boot_is_followed_to_its_login(box):
    box.up("-f", box.fleet({"a": {}}, append=LOUD))
    require_in("a: ", box.gm("wait", "a", "--until", "kernel",
                             "--timeout", "180").out)
    out = box.gm("wait", "a", "--until", "login", "--timeout", "180").out
    require_in("a: login after ", out)
    guest = box.guest("a")
    require_equal(guest["stage"], "login")
    times = stages(guest)
    require_equal(list(times), ["firmware", "kernel", "init", "login"],
                  "stages")
    require_equal(sorted(times.values()), list(times.values()), "their order")
    require_in("login +", box.gm("ls").out)
    text = box.gm("events", "--kind", "stage").out
    for stage in ("kernel", "init", "login"):
        require_in(f"reached {stage} after", text)
    # A reset is a new boot, with times of its own.
    box.gm("reset", "--yes", "a")
    until(lambda: stages(box.guest("a")).get("login", 0) > times["login"],
          "the login of the second boot")
    require_equal(box.guest("a")["stage"], "login")
    box.gm("kill", "--yes", "a")
    require_equal(box.guest("a")["stage"], "off")
    result = box.gm("wait", "a", "--until", "login", code=FAILED)
    require_in("did not reach login", result.err)


def test_times_survive_the_server(box):
    box.up("-f", box.fleet({"a": {}, "b": {}}, append=LOUD))
    box.gm("wait", "a", "--until", "login", "--timeout", "180")
    before = box.guest("a")["stages"]
    box.kill_server()
    require_equal(box.guest("a")["stages"], before, "a's stages")
    require_equal(box.guest("a")["stage"], "login")
    # And what is reached while no server is there is found in the log.
    size = len(box.log_bytes("b"))
    box.gm("reset", "--yes", "b")
    box.gm("wait", "b", "--until", "kernel", "--timeout", "180")
    kernel = stages(box.guest("b"))["kernel"]
    box.kill_server()
    until(lambda: b" login: " in box.log_bytes("b")[size:], "b's login")
    box.gm("wait", "b", "--until", "login", "--timeout", "180")
    require_equal(stages(box.guest("b"))["kernel"], kernel, "b's kernel")


def test_an_old_log_is_no_boot_of_a_guest_that_is_defined_anew(box):
    """The log stays when a guest is removed; what it tells is past."""
    box.up("-f", box.fleet({"a": {}}, append=LOUD))
    box.gm("wait", "a", "--until", "login", "--timeout", "180")
    size = len(box.log_bytes("a"))
    box.gm("kill", "--yes", "a")
    box.gm("rm", "--yes", "a")
    box.up("-f", box.fleet({"a": {"args": ["-S"]}}, append=LOUD))
    result = box.gm("wait", "a", "--until", "kernel", "--timeout", "1",
                    code=TIMEOUT)
    require_in("its stage is firmware", result.err)
    require_equal(list(stages(box.guest("a"))), ["firmware"])
    box.gm("resume", "a")
    box.gm("wait", "a", "--until", "login", "--timeout", "180")
    require(b" login: " in box.log_bytes("a")[size:], "the new boot's login")


def test_a_stage_that_does_not_come_is_told(box):
    box.up("-f", box.fleet({"a": {"args": ["-S"]}}))
    result = box.gm("wait", "a", "--until", "login", "--timeout", "1",
                    code=TIMEOUT)
    require_in("has not reached login", result.err)


def test_agent_and_ssh_are_stages(box):
    box.up("-f", box.fleet({"a": {
        "nics": ["user,model=virtio-net-pci,"
                 "hostfwd=tcp:127.0.0.1:0-:23,"
                 f"hostfwd=tcp:127.0.0.1:{box.port()}-:22"],
        "args": ["-device", "virtio-serial-pci", "-chardev", "null,id=ga",
                 "-device", "virtserialport,chardev=ga,id=port7,"
                 "name=org.qemu.guest_agent.0"]}}))
    box.gm("wait", "a", "--until", "login", "--timeout", "180")
    box.shell("a", "exec 5<>$(ls /dev/vport*p1); echo opened-$((1 + 1))",
              "^opened-2")
    box.gm("wait", "a", "--until", "agent", "--timeout", "180")
    require("ssh" not in stages(box.guest("a")), "ssh without a banner")
    box.gm("send", "a", "--enter", "ifconfig eth0 10.0.2.15 up; while :; do "
           "echo SSH-2.0-tiny | nc -l -p 22; done")
    box.gm("wait", "a", "--until", "ssh", "--timeout", "180")
    require_equal(box.guest("a")["stage"], "ssh")


def test_ssh_is_found_where_the_definition_and_forwards_say(box):
    port = box.port()
    fleet = {"a": {"nics": [{"hostfwd": [f"{port}:22"]}],
                   "ssh": {"port": 2200}}}
    box.up("-f", box.fleet(fleet))
    box.wait_shell("a")
    box.gm("send", "a", "--enter", "ifconfig eth0 10.0.2.15 up; while :; do "
           "echo SSH-2.0-tiny | nc -l -p 2200; done")
    # No port of the host leads there yet.
    box.gm("wait", "a", "--until", "ssh", "--timeout", "3", code=TIMEOUT)
    box.gm("forward", "a", "add", "auto:2200")
    box.gm("wait", "a", "--until", "ssh", "--timeout", "180")


def test_another_ssh_port_is_looked_at_at_once(box):
    fleet = {"a": {"nics": [{"hostfwd": ["auto:22", "auto:23"]}]}}
    box.up("-f", box.fleet(fleet))
    box.wait_shell("a")
    box.gm("send", "a", "--enter", "ifconfig eth0 10.0.2.15 up; while :; do "
           "echo SSH-2.0-tiny | nc -l -p 23; done")
    fleet["a"]["ssh"] = {"port": 23}
    require("applies already" in box.up("-f", box.fleet(fleet)).out, "live")
    box.gm("wait", "a", "--until", "ssh", "--timeout", "180")


main(globals())
