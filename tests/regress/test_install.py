"""meson install: each part where it belongs, and it works from there."""

import os
import shutil
import subprocess

from harness import BINARY, Skip, main, require, require_equal, require_in

BUILD = os.path.dirname(os.path.dirname(BINARY))


def installed(box):
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild",
                    "--quiet", "--destdir", box.at("w", "root")], check=True,
                   stdin=subprocess.DEVNULL, capture_output=True)
    found = {}
    for where, _, names in os.walk(box.at("w", "root")):
        for name in names:
            path = os.path.join(where, name)
            found[path[len(box.at("w", "root")):]] = path
    return found


def test_each_part_is_installed(box):
    found = installed(box)

    def one(ending):
        paths = [path for path in found if path.endswith(ending)]
        require(paths, f"nothing ends in {ending} among {sorted(found)}")
        return found[paths[0]]

    binary = one("/bin/guestmux")
    require_in("guestmux", subprocess.run(
        [binary, "--version"], env=box.env, check=True, capture_output=True,
        text=True).stdout)
    for ending in ("/man1/guestmux.1", "/man5/guestmux-fleet.5",
                   "/themes/default.json", "/keymaps/default.json",
                   "/share/guestmux/schema/fleet.schema.json",
                   "/lib/systemd/user/guestmux.service"):
        path = one(ending)
        require(os.path.getsize(path) > 100, f"{path} is next to empty")
    require([path for path in found if "bash-completion" in path],
            "no completion for bash")
    require([path for path in found if "/zsh/" in path],
            "no completion for zsh")
    require([path for path in found if "/fish/" in path],
            "no completion for fish")
    require(not [path for path in found if path.endswith((".a", ".h"))],
            "libraries were installed")


def test_the_completion_for_bash_is_sound(box):
    for path, real in installed(box).items():
        if "bash-completion" in path:
            done = subprocess.run(["bash", "-n", real], capture_output=True,
                                  text=True, check=False)
            require_equal(done.stderr, "", "bash -n")


def test_the_completion_for_fish_knows_guests_and_commands(box):
    if not shutil.which("fish"):
        raise Skip("there is no fish")
    box.up("-f", box.console_fleet(box1=["cat"]))
    found = installed(box)
    script = [real for path, real in found.items() if "/fish/" in path][0]
    binary = [real for path, real in found.items()
              if path.endswith("/bin/guestmux")][0]
    env = box.env | {"PATH": os.path.dirname(binary) + ":" + box.env["PATH"]}
    for line, wanted in (("guestmux -L t kill b", "box1"),
                         ("guestmux -L t help kill-s", "kill-server"),
                         ("guestmux -L t api guest-l", "guest-list"),
                         ("guestmux wait --sta", "--state")):
        done = subprocess.run(
            ["fish", "-c", f"source {script}; complete -C '{line}'"], env=env,
            capture_output=True, text=True, check=False)
        require_equal(done.stderr, "", "fish")
        require_in(wanted, done.stdout, line)


def test_the_completion_for_zsh_is_sound(box):
    if not shutil.which("zsh"):
        raise Skip("there is no zsh")
    for path, real in installed(box).items():
        if "/zsh/" in path:
            done = subprocess.run(["zsh", "-n", real], capture_output=True,
                                  text=True, check=False)
            require_equal(done.stderr, "", "zsh -n")


def test_the_manual_names_each_command(box):
    path = [real for name, real in installed(box).items()
            if name.endswith("/guestmux.1")][0]
    with open(path, encoding="utf-8") as file:
        text = file.read().replace("\\-", "-")
    listed = subprocess.run([BINARY, "--help"], env=box.env, check=True,
                            capture_output=True, text=True).stdout
    for command in ("up", "down", "attach", "run", "ls", "start", "shutdown",
                    "kill", "pause", "resume", "reset", "restart", "rm",
                    "send", "wait", "capture", "logs", "qmp", "check", "api",
                    "server", "kill-server"):
        require_in(command, listed)
        require_in(command, text)


main(globals())
