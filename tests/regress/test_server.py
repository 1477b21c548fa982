"""The server: one per user and name, in private places, with no leftovers."""

import json
import os
import select
import shutil
import signal
import socket
import stat
import subprocess

from harness import (BINARY, DONE, FAILED, PATIENCE, is_alive, main, proc_read,
                     require, require_equal, require_in, until)


def servers(box):
    """The processes of this box that are guestmux servers."""
    return [pid for pid in box.own_processes()
            if os.path.realpath(f"/proc/{pid}/exe") == os.path.realpath(BINARY)
            and b"server" in proc_read(pid, "cmdline")]


def test_it_starts_by_itself_and_detached(box):
    box.up("-f", box.console_fleet(a=["cat"]))
    pid = box.server_pid()
    require(os.getsid(pid) != os.getsid(0), "it is in our session")
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        terminal = file.read().rpartition(")")[2].split()[4]
    require_equal(terminal, "0", "its terminal")
    require_equal(box.server_pid(), pid, "the server of the next command")


def test_it_keeps_no_descriptor_of_its_starter(box):
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    subprocess.run([BINARY, "-L", "t", "ls"], env=box.env, check=True,
                   close_fds=False, stdin=subprocess.DEVNULL,
                   capture_output=True)
    os.close(writing)
    # The end comes only when nobody holds the pipe.
    with os.fdopen(reading, "rb") as pipe:
        require(select.select([pipe], [], [], PATIENCE)[0],
                "somebody holds the pipe")
        require_equal(pipe.read(), b"", "the pipe")


def test_kill_server_leaves_guests_and_no_socket(box):
    box.up("-f", box.fleet({"a": {}}))
    pid, server = box.guest("a")["pid"], box.server_pid()
    box.gm("kill-server")
    require(not is_alive(server), "the server lives on")
    require(is_alive(pid), "the guest died with the server")
    require(not os.path.exists(box.runtime("api.sock")), "a stale socket")
    result = box.gm("kill-server", code=FAILED)
    require_in("server", result.err)
    require_equal(box.guest("a")["pid"], pid, "the adopted guest's pid")


def test_two_names_are_two_servers(box):
    box.up("-f", box.console_fleet(a=["cat"]))
    require_equal(box.json("ls", server="other"), [], "the other's guests")
    require(box.server_pid() != box.server_pid("other"), "one server")
    box.gm("kill-server", server="other")
    require_equal(box.json("ls")[0]["name"], "a")


def test_two_that_start_at_once_are_one(box):
    children = [box.spawn("ls") for _ in range(12)]
    for child in children:
        _, err = child.communicate(timeout=180)
        require_equal(child.returncode, DONE, err)
    until(lambda: len(servers(box)) == 1, "the losers to leave")


def test_a_second_instance_is_refused(box):
    box.up("-f", box.console_fleet(a=["cat"]))
    pid = box.server_pid()
    result = box.gm("server", "--foreground", code=FAILED)
    require_in("t", result.err)
    require_equal(box.server_pid(), pid, "the first server")


def test_in_the_foreground_it_stays_and_ends_on_a_signal(box):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        child = box.spawn("server", "--foreground")
        until(lambda: os.path.exists(box.runtime("api.sock")), "its socket")
        require_equal(box.server_pid(), child.pid, "the server")
        child.send_signal(number)
        child.communicate(timeout=PATIENCE)
        require_equal(child.returncode, DONE, f"its end by {number}")
        require(not os.path.exists(box.runtime("api.sock")), "a stale socket")


def test_a_stale_socket_is_no_hindrance(box):
    box.up("-f", box.console_fleet(a=["cat"]))
    box.kill_server()
    require(os.path.exists(box.runtime("api.sock")), "nothing stale to test")
    require_equal(len(box.json("ls")), 1, "guests")
    box.kill_server()
    os.unlink(box.runtime("api.sock"))
    require_equal(len(box.json("ls")), 1, "guests")


def test_all_it_makes_is_private(box):
    box.env["UMASK"] = "0"
    os.umask(0)
    try:
        box.up("-f", box.fleet({"a": {}, "b": {}}))
        box.wait_shell("a")
    finally:
        os.umask(0o022)
    for root in (box.runtime(), box.state()):
        for where, folders, names in os.walk(root):
            for name in folders + names:
                path = os.path.join(where, name)
                mode = os.lstat(path).st_mode
                if stat.S_ISLNK(mode):
                    continue  # what it names is looked at by its own name
                require(stat.S_IMODE(mode) & 0o077 == 0,
                        f"{path} has mode {stat.S_IMODE(mode):o}")
    require_equal(stat.S_IMODE(os.stat(box.runtime()).st_mode), 0o700)
    require(stat.S_ISREG(os.stat(box.guest_log("a")).st_mode), "the log")


def refused(box, *texts):
    """A command that fails with these texts, and starts nothing."""
    path = box.console_fleet(a=["cat"])
    for words in (["ls"], ["up", "-d", "-f", path]):
        result = box.gm(*words, code=FAILED)
        for text in texts:
            require_in(text, result.err)
    require_equal(servers(box), [], "servers")


def test_a_runtime_directory_that_is_a_symlink_is_refused(box):
    os.mkdir(box.at("elsewhere"), 0o700)
    os.symlink(box.at("elsewhere"), box.at("r", "guestmux"))
    refused(box, box.at("r", "guestmux"))
    require_equal(os.listdir(box.at("elsewhere")), [], "written through it")


def test_a_runtime_directory_that_is_a_file_is_refused(box):
    box.write("../r/guestmux", "")
    refused(box, box.at("r", "guestmux"))


def test_an_open_runtime_directory_is_refused(box):
    os.mkdir(box.at("r", "guestmux"), 0o755)
    os.chmod(box.at("r", "guestmux"), 0o755)
    refused(box, box.at("r", "guestmux"), "700")


def test_another_users_runtime_directory_is_refused(box):
    if os.geteuid() == 0:
        os.mkdir(box.at("r", "guestmux"), 0o700)
        os.chown(box.at("r", "guestmux"), 65534, 65534)
    else:
        box.env["XDG_RUNTIME_DIR"] = "/sys"  # root's, like everything there
    refused(box, "guestmux")


def test_a_runtime_path_too_long_for_a_socket_is_refused(box):
    longer = box.at("r", "x" * 90)
    os.mkdir(longer, 0o700)
    box.env["XDG_RUNTIME_DIR"] = longer
    refused(box, "too many", longer)


def test_a_guest_name_too_long_for_its_socket_is_refused(box):
    # Short enough for the server's own socket, too long for the guest's.
    room = 107 - len("/guestmux/t/api.sock") - len(box.at("r")) - 1 - 4
    longer = box.at("r", "x" * room)
    os.mkdir(longer, 0o700)
    box.env["XDG_RUNTIME_DIR"] = longer
    path = box.fleet({"good": {}, "g" * 48: {}})
    result = box.gm("up", "-d", "-f", path, code=FAILED)
    require_in("too many", result.err)
    require_equal(box.qemus(), [], "QEMUs")


def test_it_survives_its_runtime_directory(box):
    box.up("-f", box.console_fleet(a=["cat"]))
    box.gm("kill-server")
    for name in os.listdir(box.runtime()):
        os.unlink(box.runtime(name))
    os.rmdir(box.runtime())
    box.gm("ls")


def test_a_runtime_directory_lost_while_it_runs_is_made_anew(box):
    box.up("-f", box.fleet({"a": {}}))
    pid, guest = box.server_pid(), box.guest("a")["pid"]
    for lost in (box.runtime("api.sock"), box.runtime("lock"), box.runtime(),
                 box.at("r", "guestmux")):
        if os.path.isdir(lost):
            shutil.rmtree(lost)
        else:
            os.unlink(lost)
        require_equal(box.json("ls")[0]["pid"], guest, f"without {lost}")
        until(lambda: os.path.exists(box.runtime("api.sock")), "its socket")
        require_equal(box.server_pid(), pid, f"the server without {lost}")
    box.wait_shell("a")
    require_equal(len(servers(box)), 1, "servers")


def test_a_vanished_xdg_runtime_dir_leaves_the_server_reachable(box):
    # What the last logout does, and then the next login.
    box.up("-f", box.fleet({"a": {}}))
    guest = box.guest("a")["pid"]
    shutil.rmtree(box.at("r"))
    result = box.gm("ls", "--json")
    require_in("XDG_RUNTIME_DIR", result.err)
    require_equal(json.loads(result.out)[0]["pid"], guest)
    os.mkdir(box.at("r"), 0o700)
    result = box.gm("ls", "--json")
    require_equal(json.loads(result.out)[0]["pid"], guest)
    require_equal(result.err, "")
    other = dict(box.env)
    del other["XDG_RUNTIME_DIR"]
    require_equal(json.loads(box.gm("ls", "--json", env=other).out)[0]["pid"],
                  guest)
    require_equal(len(servers(box)), 1, "servers")


def test_garbage_on_the_socket_path_is_told(box):
    os.makedirs(box.runtime(), 0o700)
    os.chmod(box.at("r", "guestmux"), 0o700)
    squatter = socket.socket(socket.AF_UNIX)
    squatter.bind(box.runtime("api.sock"))
    squatter.listen()
    child = box.spawn("ls", text=True)
    peer, _ = squatter.accept()
    peer.sendall(b"220 mail.example.org ESMTP\r\n")
    _, err = child.communicate(timeout=PATIENCE)
    require_equal(child.returncode, FAILED, "ls")
    require(err.strip(), "it said nothing")


main(globals())
