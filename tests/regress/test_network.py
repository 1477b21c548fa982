"""Forwarded ports, cables, the fleet's own networks."""

import json
import os
import shlex
import socket

from harness import FAILED, main, require, require_equal, require_in, until

APPEND = "console=ttyS0 quiet panic=-1 gm.shell"
# QEMU's user network, as it is in the guest.
CONFIGURE = "ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up"
# Answers one connection after the other.
ANSWER = "(while :; do echo from-the-guest | nc -l -p 80; done) &"


def forwards(box, name):
    return [(row["protocol"], row["host"], row["host-port"],
             row["guest-port"]) for row in
            json.loads(box.gm("forward", name, "--json").out)]


def read_all(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as peer:
            return peer.makefile("rb").read()
    except OSError:
        return b""


def answers(port):
    return b"from-the-guest" in read_all(port)


def test_a_forwarded_port_leads_to_the_guest(box):
    fixed = box.port()
    box.fleet({"n1": {"append": APPEND, "nics": [
        {"hostfwd": [f"{fixed}:80", "auto:22"]}]}})
    box.up()
    box.wait_shell("n1")
    chosen = [row for row in forwards(box, "n1") if row[3] == 22][0][2]
    require(20000 <= chosen < 32000, f"a port was chosen: {chosen}")
    box.shell("n1", CONFIGURE + "; " + ANSWER + " echo done-$((40 + 2))",
              "done-42")
    until(lambda: answers(fixed), "the guest's answer")
    # One more, while it runs; a new server knows of it.
    added = box.port()
    require_in(str(added), box.gm("forward", "n1", "add", f"{added}:80").out)
    until(lambda: answers(added), "the guest's answer on the new port")
    box.kill_server()
    require_in(("tcp", "127.0.0.1", added, 80), forwards(box, "n1"))
    box.gm("forward", "n1", "rm", str(added))
    require_equal(read_all(added), b"", "what a removed port gives")
    require_in("no tcp port", box.gm("forward", "n1", "rm", str(added),
                                     code=FAILED).err)
    # The same port of another address is another one.
    for host in ("127.0.0.1", "127.0.0.2"):
        box.gm("forward", "n1", "add", f"{host}:{added}:80")
    require_in("leads to n1 from 127.0.0.",
               box.gm("forward", "n1", "rm", str(added), code=FAILED).err)
    box.gm("forward", "n1", "rm", f"127.0.0.1:{added}")
    require_in(("tcp", "127.0.0.2", added, 80), forwards(box, "n1"))
    box.gm("forward", "n1", "rm", str(added))
    # The chosen port is the guest's own, at its next start, too.
    box.gm("kill", "n1", "--yes")
    box.gm("start", "n1")
    require_in(("tcp", "127.0.0.1", chosen, 22), forwards(box, "n1"))


def test_a_port_in_use_is_told_before_qemu_starts(box):
    port = box.port()
    with box.taken(port):
        box.fleet({"n1": {"append": APPEND, "nics": [
            {"hostfwd": [f"{port}:22"]}]}})
        said = box.up(code=FAILED).err
        require_in(f"nics[0].hostfwd[0]: TCP port {port} of 127.0.0.1 is in "
                   "use", said)
        require_equal(box.guest("n1")["state"], "defined", "the state")
        require(not box.qemus(), "no QEMU was started")
    box.gm("start", "n1")
    port = box.port()
    with box.taken(port):
        require_in("is in use by", box.gm("forward", "n1", "add", f"{port}:22",
                                          code=FAILED).err)
    # Another guest is named.
    box.gm("forward", "n1", "add", f"{port}:22")
    box.fleet({"n2": {"append": APPEND, "nics": [
        {"hostfwd": [f"{port}:22"]}]}}, "two.json")
    require_in(f"TCP port {port} of 127.0.0.1 is in use by guest n1 (pid",
               box.up("-f", "two.json", code=FAILED).err)


def test_a_cable_can_be_pulled(box):
    box.fleet({"n1": {"append": APPEND, "nics": ["user"]},
               "n2": {"append": APPEND, "nics": []}})
    box.up()
    box.wait_shell("n1")
    box.shell("n1", "ip link set eth0 up; echo up-$((40 + 2))", "up-42")
    carrier(box, 1)
    require_in("the cable is out", box.gm("link", "n1", "down").out)
    require_equal(box.guest("n1")["nics"][0]["link"], "down", "the link")
    carrier(box, 0)
    # A new server knows that it is out.
    box.kill_server()
    require_equal(box.guest("n1")["nics"][0]["link"], "down", "the link")
    box.gm("link", "n1", "0", "up")
    require_equal(box.guest("n1")["nics"][0]["link"], "up", "the link")
    carrier(box, 1)
    require_in("there is no card 1", box.gm("link", "n1", "1", "down",
                                            code=FAILED).err)
    require_in("n2 has no network card", box.gm("link", "n2", "down",
                                             code=FAILED).err)


# The fleet's own networks.

def lan(box, *names, file="guestmux.json"):
    """A fleet of guests with one card each, on a network of their own."""
    path = box.fleet({name: {"append": APPEND, "nics": [{"network": "lan0"}]}
                      for name in names}, file)
    with open(path, encoding="utf-8") as text:
        fleet = json.load(text)
    return box.write(file, fleet | {"networks": {"lan0": {}}})


def configure(box, name, number):
    box.wait_shell(name)
    box.shell(name, f"ip addr add 10.1.0.{number}/24 dev eth0; "
              "ip link set eth0 up; echo up-$((40 + 2))", "up-42")


def pings(box, answer, count=2):
    """n1 pings n2: as many answers as are wanted come, however late."""
    box.shell("n1", f"ping -c {count} -W {60 if answer else 2} 10.1.0.2 | "
              "grep loss",
              f"{count} packets transmitted, {answer} packets received")


def carrier(box, wanted):
    """n1's card has a cable or not: its driver hears of it by an interrupt."""
    box.shell("n1", f"until grep -qx {wanted} /sys/class/net/eth0/carrier; "
              f"do :; done; echo is-{wanted}-$((40 + 2))", f"is-{wanted}-42")


def cards(box):
    network, = json.loads(box.gm("network", "info", "lan0", "--json").out)
    return {card["guest"]: card for card in network["cards"]}


def test_guests_of_a_fleet_reach_each_other(box):
    lan(box, "n1", "n2")
    box.up()
    configure(box, "n1", 1)
    configure(box, "n2", 2)
    pings(box, 2)
    before = cards(box)
    require(before["n1"]["sent-frames"] >= 3, "frames were counted")
    require(before["n2"]["received-frames"] >= 3, "frames were counted")
    require_equal(before["n1"]["bad"], 0, "bad frames")
    require_in("10.1.0.1", [one["address"] for one in
                            before["n1"]["addresses"]])
    # The cable.
    box.gm("link", "n2", "down")
    pings(box, 0)
    box.gm("link", "n2", "up")
    pings(box, 2)
    # A server that is killed.
    box.kill_server()
    until(lambda: all(card["connected"] for card in cards(box).values()),
          "the new server's switch")
    pings(box, 2)
    now = cards(box)
    require(2 <= now["n2"]["sent-frames"] < before["n2"]["sent-frames"] + 10,
            "a new server counts anew")
    # A guest that is started anew.
    box.gm("kill", "n2", "--yes")
    pings(box, 0)
    box.gm("start", "n2")
    configure(box, "n2", 2)
    pings(box, 2)
    box.gm("kill", "n1", "n2", "--yes")
    require(not [name for name in os.listdir(box.runtime())
                 if ".net" in name], "no sockets are left")


def test_fleets_of_other_directories_have_other_networks(box):
    lan(box, "n1", "n2")
    os.mkdir(box.at("w", "other"))
    other = lan(box, "m1", file="other/guestmux.json")
    box.up()
    box.up("-f", other)
    networks = json.loads(box.gm("network", "--json").out)
    require_equal(sorted([card["guest"] for card in one["cards"]]
                         for one in networks), [["m1"], ["n1", "n2"]],
                  "who is on which")


def test_traffic_goes_on_through_kills_of_the_server(box):
    lan(box, "n1", "n2")
    box.up()
    configure(box, "n1", 1)
    configure(box, "n2", 2)
    box.gm("send", "n1", "--enter", "for i in 1 2 3 4; do "
           "ping -q -s 60000 -i 0.001 10.1.0.2 >/dev/null & done")
    for _ in range(5):
        until(lambda: cards(box)["n2"]["sent-bytes"] > 1000000,
              "a million bytes of answers")
        box.kill_server()
    until(lambda: cards(box)["n2"]["sent-bytes"] > 1000000,
          "a million bytes of answers")
    require_equal([card["bad"] for card in cards(box).values()], [0, 0],
                  "bad frames")


# Addresses and ssh.

# A guest agent of a few lines: it repeats the number that it is asked to, and
# knows one address. While nobody is at the other end it reads an end of file.
AGENT = r"""cat >/tmp/agent <<'END'
exec 3<>$(ls /dev/vport*p1)
while :; do read -r line <&3 || sleep 1; case $line in
*sync*) printf '\377{"return": %s}\n' \
  $(echo "$line" | sed 's/.*"id": *\([0-9]*\).*/\1/') >&3 ;;
*interfaces*) echo '{"return": [{"name": "eth0", "hardware-address":
 "MAC", "ip-addresses": [{"ip-address": "192.0.2.7", "prefix": 24},
 {"ip-address": "$(reboot)"}]}]}' | tr -d '\n' >&3; echo >&3 ;;
esac; done
END
"""


def addresses(box, name):
    found = json.loads(box.gm("ip", name, "--json").out)["addresses"]
    return {(one["address"], one["source"], one["reachable"])
            for one in found}


def test_the_guest_agent_tells_addresses(box):
    box.fleet({"n1": {"append": APPEND, "agent": True, "nics": [
        {"type": "user", "mac": "52:54:00:00:00:77"}]}})
    box.up()
    box.wait_shell("n1")
    require_in("no address of n1 is known", box.gm("ip", "n1", code=FAILED).err)
    for line in AGENT.replace("MAC", "52:54:00:00:00:77").splitlines():
        box.gm("send", "n1", "--enter", line)
    box.shell("n1", "sh /tmp/agent & echo started-$((40 + 2))", "started-42")
    # Told by itself, soon after the agent came.
    until(lambda: [one["address"] for one in box.guest("n1")["addresses"]] ==
          ["192.0.2.7"], "the address in the guest's object")
    # Behind a user network, so not reachable from the host.
    require_equal(addresses(box, "n1"), {("192.0.2.7", "agent", False)},
                  "the addresses")
    require_in("192.0.2.7", box.gm("ip", "n1").out)
    box.kill_server()
    # The next server asks by itself, too.
    until(lambda: [one["address"] for one in box.guest("n1")["addresses"]] ==
          ["192.0.2.7"], "the address in the next server's object")
    require_equal(addresses(box, "n1"), {("192.0.2.7", "agent", False)},
                  "the addresses")
    said = box.gm("ssh", "n1", code=FAILED).err
    require_in("n1 cannot be reached by ssh", said)
    require_in("192.0.2.7 (agent): not tried", said)
    require_in("hostfwd", said)


def test_an_agent_is_asked_by_each_server(box):
    box.fleet({"n1": {"append": APPEND, "agent": True, "nics": [
        {"type": "user", "mac": "52:54:00:00:00:77"}]}})
    box.up()
    box.wait_shell("n1")
    agent = AGENT.replace("MAC", "52:54:00:00:00:77").replace(
        "while", "echo came-$((40 + 2)); while", 1)
    for line in agent.splitlines():
        box.gm("send", "n1", "--enter", line)
    # It comes while no server runs: the event is heard by nobody.
    box.shell("n1", "(sleep 4; exec sh /tmp/agent) & P=$!; "
              "echo waits-$((40 + 2))", "waits-42")
    box.kill_server()
    until(lambda: b"came-42" in box.log_bytes("n1"), "the agent to come")
    box.gm("wait", "n1", "--until", "agent", "--timeout", "180")
    known = lambda: [one["address"] for one in box.guest("n1")["addresses"]]
    until(lambda: known() == ["192.0.2.7"], "the address")
    # One that hangs has a dead server's question, and hears the next one's.
    box.shell("n1", "kill -STOP $P; echo stopped-$((40 + 2))", "stopped-42")
    asking = box.spawn("ip", "n1")
    peer = box.api()
    peer.call("guest-query", guest="n1")
    peer.close()
    box.kill_server()
    asking.wait()
    require_equal(known(), [], "the address before it answers")
    box.shell("n1", "kill -CONT $P; echo goes-$((40 + 2))", "goes-42")
    until(lambda: known() == ["192.0.2.7"], "the address, asked for anew", 180)


def test_addresses_on_a_network_are_heard(box):
    lan(box, "n1", "n2")
    box.up()
    configure(box, "n1", 1)
    configure(box, "n2", 2)
    pings(box, 2)
    require_in(("10.1.0.2", "lan", False), addresses(box, "n2"))
    # The next server knows it although nobody says it again.
    until(lambda: os.path.exists(box.state("n2", "addresses.json")),
          "what was heard to be written")
    box.kill_server()
    require_in(("10.1.0.2", "lan", False), addresses(box, "n2"))
    box.gm("kill", "n2", "--yes")
    require_equal(addresses(box, "n2"), set(), "addresses of what is off")
    box.gm("start", "n2")
    require_equal(addresses(box, "n2"), set(), "addresses of another boot")
    box.gm("kill", "n2", "--yes")
    box.gm("rm", "n2", "--yes")
    require(not os.path.exists(box.state("n2", "addresses.json")),
            "a removed guest leaves none")


# A DHCP server of the fleet's own, and a client that does not use what it gets.
DHCPD = """printf 'start 10.1.0.50\\nend 10.1.0.50\\ninterface eth0\\n' >/tmp/d.conf
printf 'lease_file /tmp/leases\\npidfile /tmp/d.pid\\n' >>/tmp/d.conf
: >/tmp/leases; udhcpd /tmp/d.conf; echo serving-$((40 + 2))"""


def test_addresses_that_a_guest_gives_by_dhcp_are_heard(box):
    lan(box, "n1", "n2")
    box.up()
    configure(box, "n1", 1)
    for line in DHCPD.splitlines()[:-1]:
        box.gm("send", "n1", "--enter", line)
    box.shell("n1", DHCPD.splitlines()[-1], "serving-42")
    box.wait_shell("n2")
    box.shell("n2", "ip link set eth0 up; udhcpc -i eth0 -q -n -t 20 -s "
              "/bin/true; echo got-$((40 + 2))", "got-42")
    until(lambda: ("10.1.0.50", "lan", False) in addresses(box, "n2"),
          "the address that n2 was given")
    row, = [one for one in json.loads(box.gm("ip", "n2", "--json").out)
            ["addresses"] if one["address"] == "10.1.0.50"]
    require_equal((row["by"], row["network"]), ("dhcp", "lan0"), "its source")


def test_cloud_inits_table_tells_addresses(box):
    box.fleet({"n1": {"append": APPEND, "cloud-init": {"hostname": "n1"},
                      "nics": [{"type": "user",
                                "mac": "52:54:00:00:00:77"}]}})
    box.up()
    box.wait_shell("n1")
    # It may come beside the prompt, or after it.
    box.gm("wait", "n1", "--until", "login", "--timeout", "180")
    box.gm("send", "n1", "--enter", "echo 'ci-info: | eth0 | True | "
           "10.0.2.15 | 255.255.255.0 | global | 52:54:00:00:00:77 |'")
    until(lambda: ("10.0.2.15", "console", False) in addresses(box, "n1"),
          "the console's address")
    until(lambda: os.path.exists(box.state("n1", "addresses.json")),
          "the address to be written")
    box.kill_server()
    require_in(("10.0.2.15", "console", False), addresses(box, "n1"),
               "known to the next server")
    box.gm("reset", "n1", "--yes")
    until(lambda: not addresses(box, "n1"), "another boot to know none")


def test_ssh_takes_the_forwarded_port_and_what_the_fleet_file_says(box):
    box.fleet({"n1": {"append": APPEND, "nics": [{"hostfwd": ["auto:2200"]}],
                      "ssh": {"user": "debian", "port": 2200, "key": "id",
                              "options": ["LogLevel=ERROR"]}}})
    box.up()
    port = until(lambda: forwards(box, "n1"), "QEMU to tell its ports")[0][2]
    line = shlex.split(box.gm("ssh", "--print", "n1", "uname", "-a").out)
    require_equal(line, [
        "ssh", "-o", "LogLevel=ERROR", "-l", "debian", "-i",
        box.at("w", "id"), "-o", "IdentitiesOnly=yes", "-o",
        "StrictHostKeyChecking=accept-new", "-o",
        f'UserKnownHostsFile="{box.state("n1", "known_hosts")}"', "-o",
        "HostKeyAlias=n1", "-p", str(port), "--", "127.0.0.1", "uname", "-a"],
        "ssh's command line")
    # The next server asks QEMU for the ports before it answers.
    for _ in range(3):
        box.kill_server()
        again = shlex.split(box.gm("ssh", "--print", "n1", "uname", "-a").out)
        require_equal(again, line, "ssh's command line by a new server")
    box.gm("kill", "n1", "--yes")
    require_in("cannot reach n1 by ssh: it is stopped",
               box.gm("ssh", "n1", code=FAILED).err)


def test_the_deck_gives_the_terminal_to_ssh_and_comes_back(box):
    box.fleet({"n1": {"append": APPEND, "nics": []},
               "n2": {"append": APPEND, "nics": ["user"]}})
    box.up()
    box.wait_shell("n2")
    deck = box.deck("attach", "n2", cols=100, rows=50)
    deck.wait_for("typing → ")
    deck.keys("C-]")
    deck.type("S")
    deck.wait_for("n2 cannot be reached by ssh: no address of it is known")
    deck.wait_for("Enter goes back to the deck")
    deck.keys("Enter")
    deck.wait_for("tiny:~#")
    # The cable of the one card that n2 has.
    deck.keys("C-]")
    deck.type("xN")
    until(lambda: box.guest("n2")["nics"][0]["link"] == "down",
          "the cable to be pulled")

    def report_tells():
        """A report is of the moment when it was opened."""
        deck.keys("C-]")
        deck.type("i")
        deck.wait_for("─ report ─")
        screen = deck.screen()
        deck.keys("q")
        deck.wait_gone("─ report ─")
        return "of network card 0 is out" in screen
    until(report_tells, "the deck to know of the cable")


main(globals())
