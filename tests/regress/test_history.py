"""A million lines of scrollback: memory, and a server that goes on answering."""

from harness import cpu_seconds, main, require, require_equal, resident_kib, until

LINES = 1000000
# What a line may cost, bytes (the bound), and the work, s, that a client
# waits for: far more than it takes, far less than looking at every line's text
# would.
LINE_BYTES = 200
# … and once nobody has looked at them for a while.
COLD_LINE_BYTES = 50
WAIT = 2.0


def resize(server, resizer, other):
    """Resizes a often; another client never waits for much work of the server's,
    which is the same on a busy machine."""
    longest = 0.0
    for cols in (40, 200, 37, 80, 61, 100, 20, 80):
        start = cpu_seconds(server)
        resizer.write({"execute": "console-resize", "arguments": {
            "guest": "a", "rows": 24, "cols": cols}})
        other.call("query-version")
        longest = max(longest, cpu_seconds(server) - start)
    require(longest < WAIT, f"a client waited for {longest:.2f} s of a resize")


def test_a_million_lines_are_bounded_and_resized_at_once(box):
    command = ["sh", "-c", "stty -opost; seq -f 'line %08.0f of a history "
               "that is kept whole, as a kernel would print it\r' 1 "
               f"{LINES + 200}; printf 'that was all\\r\\n'; cat"]
    box.up("-f", box.write("long.json", {"version": 1, "guests": {
        "small": {"exec": ["cat"]}}}))
    server = box.server_pid()
    before = resident_kib(server)
    box.up("-f", box.write("guestmux.json", {
        "version": 1, "defaults": {"history": LINES},
        "guests": {"a": {"exec": command}}}))
    box.gm("wait", "a", "--for", "that was all", "--since-boot", "--timeout",
           "300", patience=320)
    grown = (resident_kib(server) - before) * 1024
    require(grown < LINES * LINE_BYTES, f"{grown} bytes for {LINES} lines")
    resizer, other = box.api(), box.api()
    resize(server, resizer, other)
    until(lambda: (resident_kib(server) - before) * 1024
          < LINES * COLD_LINE_BYTES, "the history to be compressed", 120)
    resize(server, resizer, other)
    found = other.call("console-search", 120, guest="a", pattern="line 00000900")
    require_equal(len(found["lines"]), 0 if found["consoles"][0]["dropped"]
                  > 900 else 1, "lines found")
    found = other.call("console-search", 120, guest="a", pattern="line 00999999")
    require_equal(len(found["lines"]), 1, "lines found")
    console = found["consoles"][0]
    require(LINES - 300 <= console["history"] <= LINES + 100,
            f"{console['history']} rows of scrollback")


test_a_million_lines_are_bounded_and_resized_at_once.limit = 500


if __name__ == "__main__":
    main(globals())
