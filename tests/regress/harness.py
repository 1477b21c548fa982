"""What the real-binary tests share: private places, real guests, terminals.

A file of tests defines functions `test_<sentence>(box)` and ends in
`harness.main(globals())`.  Each test gets a Box of its own: directories, a
server name, an environment and terminals that nobody else has.  Whatever the
test started is gone when it ends, however it ends.  Tests wait for events or
for what a screen shows, never for time to pass.
"""

import atexit
import base64
import collections
import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

TREE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BINARY = os.path.abspath(os.environ.get(
    "GUESTMUX", os.path.join(TREE, "build/tests/gcc/src/guestmux")))
# Seconds until a wait gives up: far more than needed, since machines that
# run tests are slow and shared.
PATIENCE = float(os.environ.get("GUESTMUX_TEST_PATIENCE", "180"))
# Seconds between two looks at what cannot be waited for otherwise.
LOOK = 0.05
# Lines of a log that a failure shows.
SHOWN_LINES = 40

DONE, FAILED, USAGE, TIMEOUT = range(4)  # the commands' exit codes

Result = collections.namedtuple("Result", "code out err")


class Failure(AssertionError):
    """A test's own verdict: the text says what was expected."""


class Skip(Exception):
    """The machine lacks what the test needs; the text says what."""


def limit(seconds):
    """Decorates a test that needs another limit than the default's."""
    def mark(function):
        function.limit = seconds
        return function
    return mark


def require(condition, text):
    if not condition:
        raise Failure(text)


def require_equal(got, wanted, what="value"):
    require(got == wanted, f"{what}: wanted {wanted!r}, got {got!r}")


def require_in(part, whole, what="text"):
    require(part in whole, f"{what}: {part!r} is not in {whole!r}")


def until(probe, what, patience=PATIENCE):
    """Looks again until probe() is true; its value is returned."""
    deadline = time.monotonic() + patience
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"waited {patience:.0f} s for {what}")
        time.sleep(LOOK)


# Processes, by /proc: what a test started carries its box's path.

def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def proc_read(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:
        return b""


def argv_of(pid):
    return [part.decode(errors="replace") for part in
            proc_read(pid, "cmdline").split(b"\0")[:-1]]


def stat_of(pid):
    """The fields of /proc/PID/stat after the name, or None: [0] is state."""
    text = proc_read(pid, "stat").decode(errors="replace")
    return text.rpartition(")")[2].split() if text else None


def is_alive(pid):
    stat = stat_of(pid)
    return stat is not None and stat[0] not in "ZX"


def resident_kib(pid):
    found = re.search(rb"VmRSS:\s+(\d+)", proc_read(pid, "status"))
    return int(found.group(1)) if found else 0


def cpu_seconds(pid):
    stat = stat_of(pid)
    ticks = int(stat[11]) + int(stat[12]) if stat else 0
    return ticks / os.sysconf("SC_CLK_TCK")


_guest_directory = None


def guest_directory():
    """Where the tiny guest's vmlinuz and initrd.gz lie."""
    global _guest_directory
    if not _guest_directory:
        _guest_directory = subprocess.run(
            ["sh", os.path.join(TREE, "tests/guest/make-guest.sh")],
            check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            text=True).stdout.strip()
    return _guest_directory


class Api:
    """A peer of the server: one connection, and the events it was sent."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.pending = b""
        self.events = collections.deque()
        self.next_id = 1
        self.greeting = self.read()
        if self.greeting is None:
            raise ConnectionRefusedError(path)

    def close(self):
        self.socket.close()

    def write(self, data):
        """Sends bytes, or a message as one line."""
        if not isinstance(data, bytes):
            data = json.dumps(data).encode() + b"\n"
        self.socket.sendall(data)

    def read(self, patience=PATIENCE):
        """The next message, whatever it is; None when the server left."""
        deadline = time.monotonic() + patience
        while b"\n" not in self.pending:
            self.socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self.socket.recv(1 << 20)
            except socket.timeout:
                raise Failure(f"no message in {patience:.0f} s") from None
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self.pending += data
        line, _, self.pending = self.pending.partition(b"\n")
        return json.loads(line)

    def reply(self, wanted_id, patience=PATIENCE):
        """The reply of that id; events on the way are kept."""
        while True:
            message = self.read(patience)
            require(message is not None, "the server closed the connection")
            if "event" in message:
                self.events.append(message)
            elif message.get("id") == wanted_id:
                return message

    def ask(self, method, patience=PATIENCE, **arguments):
        """Calls a method; the whole reply, with return or error."""
        self.next_id += 1
        self.write({"execute": method, "id": self.next_id,
                    "arguments": {name.replace("_", "-"): value
                                  for name, value in arguments.items()}})
        return self.reply(self.next_id, patience)

    def call(self, method, patience=PATIENCE, **arguments):
        """Calls a method that must succeed; what it returns."""
        reply = self.ask(method, patience, **arguments)
        require("return" in reply, f"{method} {arguments}: {reply}")
        return reply["return"]

    def event(self, accept, patience=PATIENCE):
        """The first event that accept() takes; those before are dropped."""
        deadline = time.monotonic() + patience
        while True:
            while self.events:
                event = self.events.popleft()
                if accept(event):
                    return event
            message = self.read(max(0.001, deadline - time.monotonic()))
            require(message is not None, "the server closed the connection")
            if "event" in message:
                self.events.append(message)


class Terminal:
    """A real terminal for a program: a window of a private tmux."""

    def __init__(self, box, command, cols, rows):
        self.box = box
        box.opened += 1
        self.name = f"t{box.opened}"
        # tmux 3.3a now and then never learns a status: the shell writes it. And
        # it can miss the last lines of a terminal that closes: cat keeps it.
        self.status = box.at(f"{self.name}.status")
        box.tmux("new-session", "-d", "-s", self.name, "-x", str(cols),
                 "-y", str(rows), f"{shell(command)}; echo $? "
                 f">{self.status}.new; mv {self.status}.new {self.status}; exec cat >/dev/null",
                 ";", "set-option", "-t", self.name, "remain-on-exit", "on",
                 # Else it ends with the last terminal, and the next one may
                 # find it ending.
                 ";", "set-option", "-s", "exit-empty", "off")
        box.terminals.append(self)

    def close(self):
        """The terminal goes; what runs in it gets a SIGHUP."""
        self.tmux("kill-session")
        self.box.terminals.remove(self)

    def tmux(self, command, *arguments):
        return self.box.tmux(command, "-t", self.name, *arguments).out

    def screen(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def at_cursor(self):
        """The text of the cursor's row, and its column."""
        col, row = self.format("#{cursor_x} #{cursor_y}").split()
        return self.screen("-S", row, "-E", row).rstrip("\n"), int(col)

    def type(self, text):
        self.tmux("send-keys", "-l", "--", text)

    def keys(self, *names):
        """tmux's names: Enter, Escape, C-], Up ..."""
        self.tmux("send-keys", "--", *names)

    def click(self, row, col):
        """The left button, pressed and let go (XTerm's SGR form, from 1)."""
        self.type(f"\x1b[<0;{col};{row}M\x1b[<0;{col};{row}m")

    def click_on(self, text):
        """A click where the text begins, at its first place on the screen,
        once it is there."""
        self.wait_for(re.escape(text))
        for row, line in enumerate(self.screen().splitlines(), 1):
            if text in line:
                self.click(row, line.index(text) + 1)
                return
        raise Failure(f"{text!r} left the screen\n{self.screen()}")

    def resize(self, cols, rows):
        self.tmux("resize-window", "-x", str(cols), "-y", str(rows))

    def format(self, text):
        return self.tmux("display-message", "-p", text).rstrip("\n")

    def wait_for(self, pattern, patience=PATIENCE):
        """Looks until the regular expression is on the screen."""
        def probe():
            return re.search(pattern, self.screen(), re.MULTILINE)
        try:
            return until(probe, f"{pattern!r} on the screen", patience)
        except Failure as failure:
            raise Failure(f"{failure}\n{self.screen()}") from None

    def wait_for_all(self, *texts):
        """Looks until each of the texts is on the screen, all at once: it may
        be looked at while it is being drawn."""
        try:
            until(lambda: (screen := self.screen()) and
                  all(text in screen for text in texts), f"all of {texts}")
        except Failure as failure:
            raise Failure(f"{failure}\n{self.screen()}") from None

    def wait_gone(self, pattern, patience=PATIENCE):
        until(lambda: not re.search(pattern, self.screen(), re.MULTILINE),
              f"{pattern!r} to leave the screen", patience)

    def wait_end(self, patience=PATIENCE):
        """Waits for the program's end; its exit status, 128 + N when signal
        N killed it."""
        until(lambda: os.path.exists(self.status),
              "the program in the terminal to end", patience)
        with open(self.status, encoding="ascii") as file:
            return int(file.read())

    def pid(self):
        return int(self.format("#{pane_pid}"))


def shell(command):
    """A command's words as one for a shell; a text is taken as it is."""
    return command if isinstance(command, str) else shlex.join(command)


class Box:
    """One test's private world."""

    def __init__(self, name):
        # Short: a unix socket's path holds 107 bytes.
        self.path = tempfile.mkdtemp(prefix="gm", dir="/tmp")
        self.name = name
        self.terminals = []
        self.opened = 0  # terminals so far
        self.children = []
        self.peers = []
        self.ports = []
        for directory in "hrsdcw":
            os.mkdir(self.at(directory), 0o700)
        self.work = self.at("w")
        keep = ("PATH", "GUESTMUX_THEME", "LLVM_SYMBOLIZER_PATH")
        self.env = {name: os.environ[name] for name in keep
                    if name in os.environ}
        self.env |= {
            "HOME": self.at("h"),
            "XDG_RUNTIME_DIR": self.at("r"),
            "XDG_STATE_HOME": self.at("s"),
            "XDG_DATA_HOME": self.at("d"),
            "XDG_CONFIG_HOME": self.at("c"),
            "TMUX_TMPDIR": self.path,
            "TMPDIR": self.work,
            "GUESTMUX_TEST": self.path,  # by which leftovers are found
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "ASAN_OPTIONS": f"log_path={self.at('asan')}",
            "UBSAN_OPTIONS":
                f"log_path={self.at('ubsan')}:print_stacktrace=1",
        }

    def at(self, *parts):
        return os.path.join(self.path, *parts)

    # Where the product keeps its things.

    def runtime(self, *parts, server="t"):
        return self.at("r", "guestmux", server, *parts)

    def state(self, *parts, server="t"):
        return self.at("s", "guestmux", server, *parts)

    def guest_log(self, guest, console="ttyS0"):
        """The path of a console's log."""
        folder = self.state(guest)
        names = [name for name in sorted(os.listdir(folder))
                 if name.endswith(".log") and "stderr" not in name]
        for name in names:
            if console in name or len(names) == 1:
                return os.path.join(folder, name)
        raise Failure(f"no console log for {console} among {names}")

    # Running the program.

    def gm(self, *arguments, code=DONE, text="", patience=PATIENCE,
           server="t", env=None):
        """Runs `guestmux -L SERVER ARGUMENTS`; its exit code is checked
        unless code is None."""
        command = [BINARY, "-L", server, *map(str, arguments)]
        try:
            done = subprocess.run(
                command, env=env or self.env, cwd=self.work, input=text,
                capture_output=True, text=True, errors="replace",
                timeout=patience, check=False)
        except subprocess.TimeoutExpired as late:
            raise Failure(f"{shlex.join(command[3:])}: still running after "
                          f"{patience:.0f} s: {late.stdout} {late.stderr}"
                          ) from None
        if code is not None and done.returncode != code:
            raise Failure(
                f"{shlex.join(command[3:])}: wanted exit code {code}, got "
                f"{done.returncode}\nstdout: {done.stdout}\n"
                f"stderr: {done.stderr}")
        return Result(done.returncode, done.stdout, done.stderr)

    def json(self, *arguments, **options):
        """Runs a command with --json; what it printed, decoded."""
        return json.loads(self.gm(arguments[0], "--json", *arguments[1:],
                                  **options).out)

    def spawn(self, *arguments, server="t", **options):
        """Starts a command and goes on; killed at the test's end."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, "env": self.env,
                   "cwd": self.work} | options
        child = subprocess.Popen(
            [BINARY, "-L", server, *map(str, arguments)], **options)
        self.children.append(child)
        return child

    def api(self, server="t"):
        """A new peer of the (running or startable) server."""
        path = self.runtime("api.sock", server=server)
        try:
            peer = Api(path)
        except (FileNotFoundError, ConnectionRefusedError):
            # Any command starts the server.
            self.gm("ls", server=server)
            peer = Api(path)
        self.peers.append(peer)
        return peer

    def wait_client(self, program):
        """Waits until the server knows a client by that program's name."""
        peer = self.api()
        until(lambda: [client for client in peer.call("query-clients")
                       if client["program"] == program],
              f"{program} to be connected")
        peer.close()

    def port(self):
        """A TCP port of 127.0.0.1 that is this test's to its end. It is bound,
        so nobody is given it; who listens with SO_REUSEADDR (QEMU, sshd) can
        have it, since nobody listens here."""
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        self.ports.append(held)
        return held.getsockname()[1]

    @contextlib.contextmanager
    def taken(self, port):
        """Somebody else listens at a port of ours meanwhile."""
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", port))
            other.listen()
            yield port

    def files_with(self, word, *directories):
        """The regular files below that hold the bytes. What goes while it is
        looked for holds nothing."""
        found = []
        for directory in directories:
            for where, _, names in os.walk(directory):
                for path in (os.path.join(where, name) for name in names):
                    with contextlib.suppress(FileNotFoundError):
                        if (os.path.isfile(path) and not os.path.islink(path)
                                and word in bytes_of(path)):
                            found.append(path)
        return found

    def server_pid(self, server="t"):
        peer = self.api(server)
        pid = peer.greeting["guestmux"]["pid"]
        peer.close()
        return pid

    def kill_server(self, server="t"):
        """SIGKILL; returns when the process is gone."""
        pid = self.server_pid(server)
        os.kill(pid, signal.SIGKILL)
        until(lambda: not is_alive(pid), "the killed server to be gone")

    # Fleets and guests.

    def write(self, name, content):
        path = self.at("w", name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str)
                       else json.dumps(content, indent=2))
        return path

    def fleet(self, guests, name="guestmux.json", **defaults):
        """Writes a fleet file whose default is the tiny guest."""
        directory = guest_directory()
        return self.write(name, {
            "version": 1,
            "defaults": {
                "machine": "q35", "accel": "tcg", "memory": "128M",
                "kernel": directory + "/vmlinuz",
                "initrd": directory + "/initrd.gz",
                "append": "console=ttyS0 quiet panic=-1 no_timer_check gm.shell",
            } | defaults,
            "guests": guests})

    def console_fleet(self, name="guestmux.json", **commands):
        """Writes a fleet file of exec consoles: name=[command, ...]."""
        return self.write(name, {"version": 1, "guests": {
            guest: {"exec": command} for guest, command in commands.items()}})

    def up(self, *arguments, **options):
        """`guestmux up -d`: returns when every guest is ready."""
        return self.gm("up", "-d", *arguments, **options)

    def guest(self, name):
        """The guest object, as the API tells it."""
        peer = self.api()
        try:
            return peer.call("guest-query", guest=name)
        finally:
            peer.close()

    def wait_state(self, name, *states, patience=PATIENCE):
        peer = self.api()
        try:
            return peer.call("guest-wait", patience + 5, guest=name,
                             states=list(states),
                             timeout_ms=int(patience * 1000))
        finally:
            peer.close()

    def wait_shell(self, name, patience=PATIENCE):
        """Waits until the tiny guest's shell has shown its prompt."""
        return self.gm("wait", name, "--for", r":[^ ]*# ", "--since-boot",
                       "--timeout", int(patience), patience=patience + 10)

    def shell(self, name, command, answer, patience=PATIENCE):
        """Types a command at the prompt and waits for its answer."""
        cursor = self.json("send", name, "--enter", command)["cursor"]
        return self.gm("wait", name, "--for", answer, "--after", cursor,
                       "--timeout", int(patience), patience=patience + 10)

    def capture(self, name, *options):
        return self.gm("capture", name, *options).out

    def log_bytes(self, name):
        with open(self.guest_log(name), "rb") as file:
            return file.read()

    def deck(self, *arguments, cols=80, rows=24):
        """The full-screen client in a terminal of its own."""
        return self.terminal([BINARY, "-L", "t", *arguments], cols, rows)

    def terminal(self, command, cols=80, rows=24):
        return Terminal(self, command, cols, rows)

    def tmux(self, *arguments):
        done = subprocess.run(
            ["tmux", "-L", "x", "-f", "/dev/null", *arguments],
            env=self.env, cwd=self.work, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors="replace", check=False)
        require(done.returncode == 0,
                f"tmux {shlex.join(arguments)}: {done.stderr}")
        return Result(done.returncode, done.stdout, done.stderr)

    # The end.

    def own_processes(self):
        """Everything that carries this box's path, but us."""
        mark = self.path.encode()
        return [pid for pid in processes() if pid != os.getpid()
                and (mark in proc_read(pid, "cmdline")
                     or mark in proc_read(pid, "environ"))
                and is_alive(pid)]

    def qemus(self):
        return [pid for pid in self.own_processes()
                if "qemu-system" in (argv_of(pid) or [""])[0]]

    def kill_everything(self):
        for peer in self.peers + self.ports:
            peer.close()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            left = self.own_processes()
            if not left:
                break
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            for child in self.children:
                child.poll()
            time.sleep(0.01)
        for child in self.children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=5)
            for stream in (child.stdout, child.stderr, child.stdin):
                if stream:
                    stream.close()

    def sanitizer_reports(self):
        return [name for name in os.listdir(self.path)
                if name.startswith(("asan.", "ubsan."))]

    def tell(self):
        """What helps to see why a test failed, as text."""
        parts = []
        for terminal in self.terminals:
            with contextlib.suppress(Exception):
                parts.append(f"--- terminal {terminal.name}\n"
                             + terminal.screen().rstrip())
        for where, _, names in os.walk(self.path):
            for name in sorted(names):
                path = os.path.join(where, name)
                if os.path.isfile(path) and (
                        name.endswith((".log", ".stderr", ".json"))
                        or name.startswith(("asan.", "ubsan."))):
                    parts.append(f"--- {os.path.relpath(path, self.path)}\n"
                                 + tail_of(path))
        for pid in self.own_processes():
            parts.append(f"--- process {pid}: {shlex.join(argv_of(pid))}")
        return "\n".join(parts)

    def remove(self):
        self.kill_everything()
        # Tests make directories that nobody may enter.
        for where, names, _ in os.walk(self.path):
            for name in names:
                path = os.path.join(where, name)
                if not os.path.islink(path):
                    with contextlib.suppress(OSError):
                        os.chmod(path, 0o700)
        shutil.rmtree(self.path, ignore_errors=True)


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


def tail_of(path):
    with open(path, "rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 8000))
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(repr(line)[1:-1] for line in lines[-SHOWN_LINES:])


# Running the tests of a file.

class Late(BaseException):
    """The test's limit is over (no test catches this by mistake)."""


def on_alarm(_signal, _frame):
    raise Late()


def run_one(function, box):
    """None, or why the test failed."""
    signal.alarm(getattr(function, "limit", 240))
    try:
        function(box)
        reports = box.sanitizer_reports()
        return f"a sanitizer reported: {reports}" if reports else None
    except Skip:
        raise
    except Failure as failure:
        line = traceback.extract_tb(failure.__traceback__)[1]
        return f"line {line.lineno}: {line.line}\n{failure}"
    except Late:
        return "too late\n" + traceback.format_exc()
    except Exception:  # pylint: disable=broad-except
        return traceback.format_exc()
    finally:
        signal.alarm(0)


def comment(text):
    for line in str(text).splitlines():
        print("# " + line)


def main(names):
    """Runs the tests among names; arguments choose some of them."""
    tests = [(name[5:], function) for name, function in names.items()
             if name.startswith("test_") and callable(function)]
    if len(sys.argv) > 1:
        tests = [test for test in tests
                 if any(word in test[0] for word in sys.argv[1:])]
    signal.signal(signal.SIGALRM, on_alarm)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"1..{len(tests)}")
    failed = 0
    for number, (name, function) in enumerate(tests, 1):
        box = Box(name)
        atexit.register(box.remove)
        start = time.monotonic()
        try:
            fault = run_one(function, box)
            print(f"{'not ok' if fault else 'ok'} {number} - {name}")
            if fault:
                failed += 1
                comment(fault)
                comment(box.tell())
        except Skip as skip:
            print(f"ok {number} - {name} # SKIP {skip}")
        finally:
            box.remove()
            atexit.unregister(box.remove)
        comment(f"{time.monotonic() - start:.1f} s")
        sys.stdout.flush()
    sys.exit(1 if failed else 0)


def python(code):
    """An exec console's command: this Python with a small program."""
    return [sys.executable, "-u", "-c", code]


def decode_log(reply):
    """The bytes of a console-log reply."""
    return base64.b64decode(reply["data"])
