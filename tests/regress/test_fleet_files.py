"""Fleet files that are wrong: told with their place, and nothing started."""

import json
import os
import subprocess

from harness import FAILED, main, require, require_equal, require_in


def refused(box, content, *texts, name="bad.json"):
    """`up -d` and `check` refuse the file with these texts, alike; nothing
    is defined or launched."""
    path = box.write(name, content)
    for command in (["up", "-d", "-f", path], ["check", path]):
        result = box.gm(*command, code=FAILED)
        for text in texts:
            require_in(text, result.err, f"{command[0]}'s message")
        require("\x1b" not in result.err, "an escape sequence came through")
    require_equal(box.json("ls"), [], "guests")
    require_equal(box.qemus(), [], "QEMUs")


def guests(**entries):
    return {"version": 1, "guests": entries}


def test_a_missing_file_is_told(box):
    result = box.gm("up", "-d", "-f", "nowhere.json", code=FAILED)
    require_in("nowhere.json", result.err)
    result = box.gm("check", "nowhere.json", code=FAILED)
    require_in("nowhere.json", result.err)
    result = box.gm("up", "-d", code=FAILED)
    require_in("guestmux.json", result.err)
    require_in("-f", result.err)


def test_an_unreadable_file_is_told(box):
    path = box.at("w", "bad.json")
    os.mkdir(path)
    for command in (["up", "-d", "-f", path], ["check", path]):
        result = box.gm(*command, code=FAILED)
        require_in("bad.json", result.err)
    os.rmdir(path)
    if os.geteuid() != 0:
        box.write("bad.json", guests())
        os.chmod(path, 0)
        result = box.gm("check", path, code=FAILED)
        require_in("bad.json", result.err)


def test_a_syntax_error_is_told_with_line_and_column(box):
    refused(box, '{\n  "version": 1,\n  "guests": { "a": {} \n', "bad.json:4:")
    refused(box, '{\n  "version": 1,\n  "guests": { "a" {} }\n}\n',
            "bad.json:3:19")
    refused(box, "", "bad.json:")
    refused(box, "[]", "bad.json")


def test_an_unknown_field_is_told_with_the_nearest_known(box):
    refused(box, guests(a={"memroy": "1G"}), "memroy", "memory",
            "guests.a")
    refused(box, {"version": 1, "guest": {}}, "guest", "guests")


def test_two_guests_of_one_name_are_told(box):
    refused(box, '{"version": 1, "guests": {\n  "twin": {},\n  "twin": {}\n}}',
            "twin", "bad.json:3:")


def test_a_bad_name_is_told(box):
    for name in ("a/b", "..", "", "-x", "a b", "a\nb", "a\x1b[31mb", "ü",
                 "x" * 49, "a:b"):
        refused(box, guests(**{name: {}}), "bad.json")


def test_bad_values_are_all_told_at_once(box):
    refused(box, guests(
        a={"memory": "2Q"}, b={"smp": 0}, c={"memory": ["1G"]},
        d={"exec": ["true"], "memory": "1G"}, e={"exec": []}),
        "guests.a.memory", "2Q", "guests.b.smp", "guests.c.memory",
        "guests.d", "guests.e")


def test_another_version_is_told(box):
    refused(box, {"version": 2, "guests": {}}, "version")
    refused(box, {"guests": {}}, "version")


def test_values_cannot_inject_qemu_options(box):
    # Each of these would be an option of its own if it were not escaped or
    # refused; whichever it is, QEMU must not see it as two.
    victim = box.write("victim", "precious")
    tricks = [f"x,logfile={victim}", "json:{}", "$(touch pwned)",
              "`touch pwned`", "a\nb", "%s%n"]
    for trick in tricks:
        path = box.fleet({"a": {"disks": [{"file": trick}]}})
        box.gm("up", "-d", "-f", path, code=None)
        box.gm("kill", "--yes", "a", code=None)
        box.gm("rm", "--yes", "a", code=None)
        with open(victim, encoding="utf-8") as file:
            require_equal(file.read(), "precious", "the victim")
        require(not os.path.exists(box.at("w", "pwned")), "a shell ran")


def test_a_file_on_standard_input_works(box):
    text = json.dumps(guests(a={"exec": ["cat"]}))
    box.gm("up", "-d", "-f", "-", text=text)
    require_equal([guest["name"] for guest in box.json("ls")], ["a"])


def test_relative_paths_start_at_the_file(box):
    os.mkdir(box.at("w", "sub"))
    box.write("sub/fleet.json", guests(a={"exec": ["pwd"]}))
    box.up("-f", "sub/fleet.json")
    box.gm("wait", "a", "--for", "/w/sub$", "--since-boot", "--timeout", "180")


def test_a_program_gets_the_environment_of_its_entry(box):
    path = box.fleet({"a": {
        "exec": ["sh", "-c", "echo got $A $PATH.; cat"],
        "env": {"A": "{name}", "PATH": "/usr/bin:/bin"}}})
    box.up("-f", path)
    box.gm("wait", "a", "--for", "got a /usr/bin:/bin\\.$", "--since-boot",
           "--timeout", "180")


def test_qemu_gets_the_environment_of_its_entry(box):
    path = box.fleet({"q": {"env": {"GUESTMUX_TEST_MARK": "here"},
                            "labels": {"role": "db"}}})
    box.up("-f", path)
    pid = box.json("ls")[0]["pid"]
    with open(f"/proc/{pid}/environ", "rb") as file:
        variables = file.read().split(b"\0")
    require_in(b"GUESTMUX_TEST_MARK=here", variables, "QEMU's environment")
    require_equal(box.json("ls")[0]["labels"], {"role": "db"}, "labels")


def test_variables_are_the_clients_own(box):
    # The server is there before, without the variable.
    box.up("-f", box.fleet({"first": {"exec": ["cat"]}}))
    os.mkdir(box.at("w", "sub"))
    box.write("sub/t.json", {"version": 1, "templates": {
        "t": {"exec": ["{name}"], "console": {"rows": 24}}}})
    path = box.write("var.json", {
        "version": 1, "include": "${PART}/t.json",
        "guests": {"a": {"socket": "${PART:-x}/s"}}})
    result = box.gm("up", "-d", "-f", path, code=FAILED)
    require_in("the variable PART is not set", result.err)
    box.env["PART"] = box.at("w", "sub")
    box.gm("up", "-d", "-f", path, code=None)
    reply = box.json("ls", "a")[0]
    require_equal(reply["kind"], "socket", "a's kind")


def test_labels_choose_guests(box):
    path = box.fleet({
        "w{index}": {"count": 2, "exec": ["cat"],
                     "labels": {"role": "worker", "nr": "{index}"}},
        "db": {"exec": ["cat"], "labels": {"role": "db"}}})
    box.up("-f", path)
    names = box.gm("ls", "-q", "-l", "role=worker").out.split()
    require_equal(names, ["w0", "w1"], "workers")
    names = box.gm("ls", "-q", "--label", "role,nr=1").out.split()
    require_equal(names, ["w1"], "with a number")
    box.gm("kill", "--yes", "-l", "role=worker")
    running = [guest["name"] for guest in box.json("ls")
               if guest["state"] == "running"]
    require_equal(running, ["db"], "what runs")
    result = box.gm("start", "-l", "role=none", code=FAILED)
    require_in("no guest has the label role=none", result.err)
    box.gm("start", code=2)


def test_check_tells_who_has_images_and_ports(box):
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2",
                    box.at("w", "a.qcow2"), "64M"], check=True)
    port = box.port()
    entry = {"disks": ["a.qcow2"], "nics": [{"hostfwd": [f"{port}:22"]}]}
    path = box.fleet({"first": entry})
    require_in("0 errors", box.gm("check", path).out)
    box.up("-f", path)
    # A guest that runs has its own image and ports.
    require_in("0 errors", box.gm("check", path).out)
    pid = box.json("ls")[0]["pid"]
    other = box.fleet({"second": entry}, name="other.json")
    result = box.gm("check", other, code=FAILED)
    require_in(f"a.qcow2 is in use by guest first (pid {pid}), which writes "
               "to it", result.out)
    require_in(f"TCP port {port} of 127.0.0.1 is taken by guest first "
               f"(pid {pid})", result.out)
    require_in(": QEMU ", result.out)
    found = json.loads(box.gm("check", "--json", other, code=FAILED).out)
    require(found["qemus"][0]["version"], "no version")


def test_cpus_are_arranged_as_the_entry_says(box):
    path = box.fleet({"a": {"smp": {"sockets": 2, "cores": 2, "maxcpus": 8}}})
    box.up("-f", path)
    slots = [slot["props"] for slot in
             json.loads(box.gm("qmp", "a", "query-hotpluggable-cpus").out)]
    require_equal([len({slot[part] for slot in slots}) for part in
                   ("socket-id", "core-id", "thread-id")], [2, 2, 2])
    box.wait_shell("a")
    box.shell("a", "echo $(nproc) CPUs", "^8 CPUs")


def test_check_accepts_what_up_starts(box):
    path = box.fleet({"a": {}, "b": {"memory": "192M"}})
    require_in("2 guests", box.gm("check", path).out)


def test_what_defaults_say_wrong_stands_once(box):
    path = box.write("many.json", {
        "version": 1, "defaults": {"kernel": "gone"},
        "guests": {"a": {}, "b": {}, "c": {"kernel": "lost"}}})
    out = box.gm("check", "-q", path, code=FAILED).out
    lines = out.splitlines()
    require_equal([line.endswith(" (2 guests)") for line in lines],
                  [True, False], out)
    require_in("defaults.kernel: error: ", lines[0])
    require_in("guests.c.kernel: error: ", lines[1])


def test_nothing_is_launched_when_one_of_many_is_wrong(box):
    refused(box, guests(good={"exec": ["cat"]}, bad={"baud": "fast"}), "bad")


def test_over_deep_and_over_long_files_are_refused(box):
    refused(box, '{"version": 1, "guests": ' + "[" * 5000 + "]" * 5000 + "}",
            "bad.json")
    refused(box, guests(a={"exec": ["x" * (5 << 20)]}), "bad.json")


def test_names_that_qemu_does_not_know_are_told(box):
    guests = {
        "m": {"machine": "q53"}, "c": {"cpu": "Haswel,+aes"},
        "d": {"devices": ["edu", "virtio-blk-pcie"], "usb": ["usb-moose"]},
        "n": {"nics": [{"model": "rtl8193"}]}, "a": {"accel": "hvf"},
        "h": {"cpu": "host"},
        "good": {"machine": "pc,usb=on", "cpu": "max,+aes", "devices": [
            "ahci", {"driver": "virtio-gpu"}], "usb": ["mouse"],
            "nics": [{"model": "e1000"}, "user,model=virtio"]}}
    told = box.gm("check", box.fleet(guests), code=FAILED).out
    for where, text in (
            ("m.machine", 'machine "q53" (did you mean "q35"?)'),
            ("c.cpu", 'CPU "Haswel" (did you mean "Haswell"?)'),
            ("d.devices[1]", 'device "virtio-blk-pcie" (did you mean '
             '"virtio-blk-pci"?)'),
            ("d.usb[0]", 'device "usb-moose" (did you mean "usb-mouse"?)'),
            ("n.nics[0]", 'device "rtl8193" (did you mean "rtl8139"?)'),
            ("a.accel", 'accelerator "hvf" (it has '),
            ("h.cpu", '"max"')):
        lines = [line for line in told.splitlines()
                 if f": guests.{where}: error: " in line]
        require_equal(len(lines), 1, told)
        require_in(text, lines[0])
    require_in("7 errors", told)
    # What check says of them is so: QEMU takes the good ones only.
    box.gm("up", "-d", "good")
    for name in ("m", "c", "d", "n", "a", "h"):
        said = box.gm("up", "-d", name, code=FAILED)
        if name in "mcdn":
            require_in("`guestmux check` names the nearest", said.out + said.err)


def test_what_this_machine_has_not_is_told(box):
    box.write("here.bin", "x")
    guests = {
        "t": {"nics": [{"type": "tap", "name": "tap77"}]},
        "b": {"nics": [{"type": "bridge", "bridge": "br77"}]},
        "l": {"nics": [{"type": "tap", "name": "lo"}]},
        "f": {"firmware": "nowhere.bin"}, "h": {"firmware": "here.bin"}}
    told = box.gm("check", box.fleet(guests), code=FAILED).out
    require_in("guests.t.nics[0]: warning: this machine has no network device "
               "tap77", told)
    require_in("guests.b.nics[0]: error: this machine has no bridge br77", told)
    require_in("guests.f.firmware: warning: nowhere.bin is no file in", told)
    for text in ("guests.l", "guests.h"):
        require(text not in told, told)


def test_check_tells_every_mistake_however_many(box):
    path = box.fleet({f"a{i}": {"smp": 0, "after": ["nobody"]}
                      for i in range(100)})
    told = box.gm("check", path, code=FAILED).err
    for i in range(100):
        require_in(f"guests.a{i}.smp: 0 is not within 1 and 1024\n", told)
        require_in(f"guests.a{i}.after[0]: there is no guest \"nobody\"", told)
    require_equal(len(told.splitlines()), 200)


main(globals())
