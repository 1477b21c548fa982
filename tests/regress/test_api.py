"""The API under wrong use: the fault is named, nobody else notices."""

import json
import os
import socket

from harness import (PATIENCE, Api, Skip, main, require, require_equal, require_in,
                     resident_kib, until)

LINE_MAX = 4 << 20  # bytes: what a line to the server may have


def start(box):
    box.up("-f", box.console_fleet(a=["cat"]))
    return box.api()


def works(peer):
    require_equal(peer.call("query-version")["api"], 1, "the API's version")


def refused(peer, message, error_class, *texts):
    """The message's error reply has this class and these texts."""
    peer.next_id += 1
    if isinstance(message, dict):
        message = message | {"id": peer.next_id}
        peer.write(message)
        reply = peer.reply(peer.next_id)
    else:
        peer.write(message)
        reply = peer.reply(None)
    require("error" in reply, f"no error for {str(message)[:80]}: {reply}")
    if error_class:
        require_equal(reply["error"]["class"], error_class, str(reply))
    for text in texts:
        require_in(text, reply["error"]["desc"], "the description")


def test_the_greeting_says_who_it_is(box):
    peer = start(box)
    require_equal(peer.greeting["guestmux"]["api"], 1)
    require("version" in peer.greeting["QMP"], "a QMP greeting")
    require_equal(peer.call("qmp_capabilities"), {})


def test_wrong_calls_are_told_and_the_connection_lives(box):
    peer, bystander = start(box), box.api()
    refused(peer, {"execute": "nosuch"}, "CommandNotFound", "nosuch")
    refused(peer, {"execute": "guest-lits"}, "CommandNotFound", "guest-list")
    refused(peer, {"execute": 7}, None)
    refused(peer, {"exec": "guest-list"}, None)
    refused(peer, {"execute": "guest-query"}, "Invalid", "guest")
    refused(peer, {"execute": "guest-query", "arguments": {"guest": 7}},
            "Invalid", "guest", "string")
    refused(peer, {"execute": "guest-query", "arguments": []}, "Invalid")
    refused(peer, {"execute": "guest-query",
                   "arguments": {"guest": "a", "gust": "a"}},
            "Invalid", "gust")
    refused(peer, {"execute": "guest-query", "arguments": {"guest": "zz"}},
            "NotFound", "zz")
    refused(peer, {"execute": "view-open",
                   "arguments": {"guest": "a", "rows": -1, "cols": 80}},
            "Invalid", "rows")
    refused(peer, {"execute": "view-open",
                   "arguments": {"guest": "a", "rows": 24, "cols": 1 << 40}},
            "Invalid", "cols")
    refused(peer, {"execute": "view-ack",
                   "arguments": {"view": 99, "frame": 1}}, "NotFound")
    refused(peer, {"execute": "console-send",
                   "arguments": {"guest": "a", "data": "*no base64*"}},
            "Invalid", "data")
    works(peer)
    works(bystander)


# (A zero character is no JSON to the server: that line is told without its id.)
WRONG = {"string": [7, True, [], {}, 1.5],
         "integer": ["7", True, [], {}, 1.5, 1e300],
         "boolean": ["yes", 1, [], {}],
         "object": ["{}", 1, [], False],
         "array of strings": ["C-c", 1, {}, [1], [["C-c"]], [None]]}


def test_every_method_refuses_wrong_arguments(box):
    peer, bystander = start(box), box.api()
    methods = peer.call("query-commands")
    require(len(methods) >= 30, f"{len(methods)} methods")
    for method in methods:
        name, arguments = method["name"], method["arguments"]
        good = {argument["name"]: {"string": "a", "integer": 24,
                                   "boolean": False, "object": {},
                                   "array of strings": ["x"]}
                [argument["type"]]
                for argument in arguments if argument["required"]}
        refused(peer, {"execute": name, "arguments": good | {"no-such": 1}},
                "Invalid", name, "no-such")
        refused(peer, {"execute": name, "arguments": good | {"": 1}},
                "Invalid", name)
        for wrong in ("x", 1, [], True):
            refused(peer, {"execute": name, "arguments": wrong}, "Invalid",
                    name, "arguments")
        for argument in arguments:
            for wrong in WRONG[argument["type"]]:
                refused(peer, {"execute": name,
                               "arguments": good | {argument["name"]: wrong}},
                        "Invalid", name, argument["name"])
            if argument["required"]:
                refused(peer, {"execute": name, "arguments": {
                    other: value for other, value in good.items()
                    if other != argument["name"]}},
                        "Invalid", name, argument["name"])
        works(peer)
    works(bystander)


def test_numbers_out_of_range_do_no_harm(box):
    peer, bystander = start(box), box.api()
    for method in peer.call("query-commands"):
        for argument in method["arguments"]:
            if argument["type"] != "integer":
                continue
            for number in (-1, -(1 << 63), (1 << 63) - 1, 1 << 31, 0):
                arguments = {other["name"]: "a" if other["type"] == "string"
                             else 1 if other["type"] == "integer" else ["x"]
                             for other in method["arguments"]
                             if other["required"]}
                peer.next_id += 1
                peer.write({"execute": method["name"], "id": peer.next_id,
                            "arguments": arguments
                            | {argument["name"]: number}})
                # One that waits for something is answered later or never.
                works(peer)
            peer.write(b'{"execute": "%s", "arguments": {"%s": %s}}\n' % (
                method["name"].encode(), argument["name"].encode(), b"9" * 40))
            works(peer)
    works(bystander)


def test_broken_lines_are_told_and_the_connection_lives(box):
    peer, bystander = start(box), box.api()
    for line in (b"nonsense\n", b"{\n", b'{"execute": "x"\n', b"[]\n", b"7\n",
                 b'{"execute": "a", "execute": "b"}\n',
                 b'{"execute": "\xff\xfe"}\n', b'{"execute": "\\ud800"}\n',
                 b"\x00\x01\x02\n", b"[" * 100000 + b"\n"):
        refused(peer, line, None)
        works(peer)
    works(bystander)


def test_empty_lines_are_no_commands(box):
    peer = start(box)
    peer.write(b"\n\r\n  \n")
    works(peer)


def test_an_over_long_line_is_refused(box):
    peer, bystander = start(box), box.api()
    before = resident_kib(box.server_pid())
    try:
        peer.write(b'{"execute": "' + b"x" * (64 << 20) + b'"}\n')
    except (BrokenPipeError, ConnectionResetError):
        pass  # it may close instead of reading on
    reply = None
    try:
        reply = peer.read()
    except (ConnectionResetError, OSError):
        pass
    require(reply is None or "error" in reply, f"it was taken: {reply}")
    works(bystander)
    grown = resident_kib(box.server_pid()) - before
    require(grown < 4 * LINE_MAX / 1024, f"the server grew by {grown} KiB")


def test_a_line_in_pieces_is_one_line(box):
    peer = start(box)
    for byte in json.dumps({"execute": "query-version", "id": 1}).encode():
        peer.write(bytes([byte]))
    peer.write(b"\n")
    require_in("return", peer.reply(1))


def test_many_commands_in_one_write_are_all_answered(box):
    peer = start(box)
    peer.write(b"".join(json.dumps(
        {"execute": "guest-list", "id": f"n{i}"}).encode() + b"\n"
        for i in range(500)))
    for number in range(500):
        require_in("return", peer.reply(f"n{number}"))


def test_ids_of_any_kind_come_back(box):
    peer = start(box)
    for wanted in (0, -1, "x", [1, {"a": None}], {"k": []}, 1.5, True):
        peer.write({"execute": "query-version", "id": wanted})
        require_in("return", peer.reply(wanted))


def test_a_peer_gone_in_mid_line_is_no_harm(box):
    bystander = start(box)
    for data in (b"", b'{"execu', b'{"execute": "guest-list", "id": 1}\n'):
        peer = box.api()
        peer.write(data) if data else None
        peer.close()
    works(bystander)


def test_a_peer_that_never_reads_is_bounded(box):
    bystander = start(box)
    before = resident_kib(box.server_pid())
    deaf = socket.socket(socket.AF_UNIX)
    deaf.connect(box.runtime("api.sock"))
    deaf.settimeout(0.5)
    command = json.dumps({"execute": "query-commands"}).encode() + b"\n"
    try:
        for _ in range(20000):
            deaf.sendall(command)
    except OSError:
        pass
    works(bystander)
    grown = resident_kib(box.server_pid()) - before
    require(grown < 100 * 1024, f"the server grew by {grown} KiB")
    deaf.close()


def test_many_peers_come_and_go(box):
    bystander = start(box)
    peers = [Api(box.runtime("api.sock")) for _ in range(100)]
    for peer in peers:
        works(peer)
    count = bystander.call("query-server")["peers"]
    require(count >= 100, f"{count} peers")
    for peer in peers:
        peer.close()
    until(lambda: bystander.call("query-server")["peers"] <= 2,
          "the peers to be forgotten")


def test_events_come_only_to_those_who_asked(box):
    listener, other = start(box), box.api()
    listener.call("events-subscribe")
    box.gm("pause", "a", code=None)
    box.gm("kill", "--yes", "a")
    listener.event(lambda event: event["event"] == "GUEST_CHANGED"
                   and event["data"]["state"] == "stopped")
    works(other)
    require_equal(list(other.events), [], "events to one who did not ask")


def test_views_send_frames_and_wait_for_acks(box):
    peer = start(box)
    view = peer.call("view-open", guest="a", rows=24, cols=80)["view"]
    first = peer.event(lambda event: event["event"] == "SCREEN")["data"]
    require_equal(first["view"], view)
    require_equal(first["size"], [24, 80])
    peer.call("view-ack", view=view, frame=first["frame"])
    peer.call("console-send", guest="a", text="hello", enter=True)
    text = json.dumps(peer.event(
        lambda event: event["event"] == "SCREEN"
        and "hello" in json.dumps(event["data"]))["data"])
    require_in("hello", text)
    peer.call("view-close", view=view)
    require("error" in peer.ask("view-close", view=view), "closed twice")


def test_unacknowledged_frames_are_at_most_two(box):
    code = "import itertools\nfor i in itertools.count(): print(i)"
    from harness import python
    box.up("-f", box.console_fleet(a=python(code)))
    peer = box.api()
    view = peer.call("view-open", guest="a", rows=24, cols=80)["view"]
    box.gm("wait", "a", "--for", "^100000", "--since-boot", "--timeout", "180")
    frames = []
    peer.call("query-version")
    frames = [event["data"]["frame"] for event in peer.events
              if event["event"] == "SCREEN"]
    require(len(frames) <= 2, f"{len(frames)} frames without an ack")
    peer.events.clear()
    peer.call("view-ack", view=view, frame=frames[-1])
    newest = peer.event(lambda event: event["event"] == "SCREEN")["data"]
    digits = [int(run[1]) for row in newest["rows"] for run in row[1:]
              if run[1].strip().isdigit()]
    require(digits and max(digits) >= 100000, f"not the newest: {digits}")


def test_the_socket_is_ours_alone(box):
    start(box)
    mode = os.stat(box.runtime("api.sock")).st_mode & 0o777
    require_equal(oct(mode), oct(0o600), "the socket's mode")
    mode = os.stat(box.runtime()).st_mode & 0o777
    require_equal(oct(mode), oct(0o700), "the directory's mode")


def test_another_user_is_turned_away(box):
    if os.geteuid() != 0:
        raise Skip("only root can be two users")
    start(box)
    # As bad as it gets: somebody opened every door.
    for path in (box.path, box.at("r"), box.at("r", "guestmux"),
                 box.runtime()):
        os.chmod(path, 0o755)
    os.chmod(box.runtime("api.sock"), 0o666)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgid(65534)
        os.setuid(65534)
        said = b"refused"
        try:
            peer = socket.socket(socket.AF_UNIX)
            peer.settimeout(PATIENCE)
            peer.connect(box.runtime("api.sock"))
            peer.sendall(b'{"execute": "guest-list", "id": 1}\n')
            data = b""
            while chunk := peer.recv(65536):
                data += chunk
            said = b"served " + data if b'"return"' in data else said
        except OSError:
            pass
        os.write(writing, said)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        require_equal(pipe.read(), b"refused", "the other user")
    os.waitpid(child, 0)


main(globals())
