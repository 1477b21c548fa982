"""A real sshd on loopback, with keys of its own."""

import os
import pwd
import shlex
import shutil
import subprocess
import threading

from harness import PATIENCE, Skip

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIG = """Port {port}
ListenAddress 127.0.0.1
HostKey {dir}/host
AuthorizedKeysFile {dir}/client.pub
PidFile {dir}/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication no
SetEnv {environment}
"""


def make_key(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path],
                   check=True, stdin=subprocess.DEVNULL)


def in_private_etc(folder, command):
    """As root sshd wants a user and a directory of its own: it gets them in a
    mount namespace, and the machine's stay as they are."""
    passwd = os.path.join(folder, "passwd")
    with open("/etc/passwd", encoding="utf-8") as file:
        text = file.read()
    if "\nsshd:" not in text:
        text += "sshd:x:65530:65534::/run/sshd:/usr/sbin/nologin\n"
    with open(passwd, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(folder, 0o755)
    os.chmod(passwd, 0o644)
    script = ('mount -t tmpfs -o mode=755 none /run && mkdir /run/sshd && '
              f'mount --bind {shlex.quote(passwd)} /etc/passwd && exec "$@"')
    return ["unshare", "-m", "sh", "-c", script, "sh"] + command


class Sshd:
    """Its files lie in the box's w/sshd: host (the host's key), client (the
    user's)."""

    def __init__(self, box):
        found = subprocess.run(["sh", os.path.join(HERE, "find-sshd.sh")],
                               capture_output=True, text=True, check=False)
        if found.returncode or not shutil.which("ssh"):
            raise Skip(found.stderr.strip() or "there is no ssh")
        self.folder = box.at("w", "sshd")
        self.port = box.port()
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        self.child = None
        os.makedirs(self.folder, 0o700)
        for name in ("host", "client"):
            make_key(f"{self.folder}/{name}")
        variables = " ".join(f"{name}={value}" for name, value
                             in box.env.items() if name.startswith("XDG_"))
        config = box.write("sshd/config", CONFIG.format(
            port=self.port, dir=self.folder, environment=variables))
        self.command = [found.stdout.strip(), "-D", "-e", "-f", config]
        if os.geteuid() == 0:
            self.command = in_private_etc(self.folder, self.command)
        self.start()

    def start(self):
        self.child = subprocess.Popen(self.command, stderr=subprocess.PIPE,
                                      text=True)
        for line in self.child.stderr:
            if "Server listening" in line:
                break
        else:
            raise Skip("sshd does not run here (it ended with "
                       f"{self.child.wait()})")
        threading.Thread(target=self.child.stderr.read, daemon=True).start()

    def stop(self):
        self.child.terminate()
        self.child.wait(timeout=PATIENCE)

    def client(self):
        """ssh's arguments that lead to it."""
        return ["ssh", "-F", "none", "-p", str(self.port), "-i",
                f"{self.folder}/client", "-o", "IdentitiesOnly=yes", "-o",
                "StrictHostKeyChecking=no", "-o",
                f"UserKnownHostsFile={self.folder}/known", "-o",
                "LogLevel=ERROR", f"{self.user}@127.0.0.1"]
