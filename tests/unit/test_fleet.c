#include "base/xalloc.h"
#include "fleet/fleet.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A fleet of one guest "a" with these fields, on line 1 from column 29 on. */
#define GUEST(fields) "{\"version\":1,\"guests\":{\"a\":{" fields "}}}"

/* Every malformed file with its whole message. */
static const struct {
    const char *text;
    const char *message;
} malformed[] = {
    /* Syntax. */
    {"", "f:1:1: the file is empty"},
    {" \n\t", "f:1:1: the file is empty"},
    {"hello", "f:1:1: '{' expected near 'hello' (this is to be JSON, "
              "which begins with {)"},
    {"[1]", "f:1:1: this is an array, not an object with \"version\" and "
            "\"guests\""},
    {"{\"version\": 1,\n", "f:2:1: string or '}' expected near end of file "
                           "(a bracket that was opened is not closed)"},
    {"{\"version\": 1,}", "f:1:15: string or '}' expected near '}' (the comma "
                          "before it is one too many)"},
    {"{\"a\": [1,]}", "f:1:10: unexpected token near ']' (the comma before it "
                      "is one too many)"},
    {"{\"a\": [1 2]}",
     "f:1:10: ']' expected near '2' (is a comma missing before it?)"},
    {"{\"version\": 1\n\t\"guests\": {}}",
     "f:2:2: '}' expected near '\"guests\"' (is a comma missing before it?)"},
    {"{'version': 1}", "f:1:2: string or '}' expected near ''' (JSON's strings "
                       "have double quotes)"},
    {"{version: 1}", "f:1:2: string or '}' expected near 'version' (names have "
                     "double quotes)"},
    {"{\"a\": True}",
     "f:1:7: invalid token near 'True' (JSON has true, false and null)"},
    {"{\"a\": 02}",
     "f:1:7: invalid token near '0' (a number has no 0 in front)"},
    {"version: 1\nguests:", "f:1:1: '{' expected near 'version' (this is "
                            "to be JSON, which begins with {)"},
    {"{\"a\": {}\n", "f:2:1: '}' expected near end of file (a bracket that was "
                     "opened is not closed)"},
    {"{ // mine\n}",
     "f:1:3: string or '}' expected near '/' (JSON has no comments)"},
    {"{\"a\": \"x\n\"}",
     "f:1:7: unexpected newline near '\"x' (its closing quote is missing)"},
    {"{\"a\":\t\"\xC3\xBC\xE4\xB8\xAD\", \"b\": tru}",
     "f:1:18: invalid token near 'tru'"},
    {"{\"a\": \"\xFF\"}", "f:1:7: this is not UTF-8"},
    {"{\"a\": \"\\u0000\"}",
     "f:1:7: a string cannot contain \\u0000 near '\"\\u0000\"'"},
    {"{\"\\u0000\": 1}",
     "f:1:2: a name cannot contain \\u0000 near '\"\\u0000\"'"},
    {"{\"version\": 1} x", "f:1:16: end of file expected near 'x'"},
    {"{\"a\": 99999999999999999999}",
     "f:1:7: too big integer near '99999999999999999999'"},

    /* The file. */
    {"{}", "f:1:1: \"version\" is missing (write \"version\": 1)\n"
           "f:1:1: \"guests\" is missing"},
    {"{\"version\": 2, \"guests\": {\"a\": {}}}",
     "f:1:13: version: version 2 is not known (this guestmux reads version "
     "1)"},
    {"{\"version\": \"1\", \"guests\": {\"a\": {}}}",
     "f:1:13: version: this is a string, not an integer"},
    {"{\"version\": 1, \"guests\": {}}",
     "f:1:26: guests: there is no guest in it"},
    {"{\"version\": 1, \"guests\": [{}]}",
     "f:1:26: guests: this is an array, not an object of guests by their "
     "names"},
    {"{\"version\": 1, \"guest\": {}, \"guests\": {\"a\": {}}}",
     "f:1:16: guest: unknown field \"guest\" (did you mean \"guests\"?)"},
    {"{\"version\": 1, \"zzz\": 1, \"guests\": {\"a\": {}}}",
     "f:1:16: zzz: unknown field \"zzz\""},
    {"{\"version\": 1, \"guests\": {\"a\": []}}",
     "f:1:32: guests.a: this is an array, not an object of a guest's fields"},
    {"{\"version\": 1, \"defaults\": 3, \"guests\": {\"a\": {}}}",
     "f:1:28: defaults: this is an integer, not an object of a guest's "
     "fields"},

    /* Names. */
    {"{\"version\":1,\"guests\":{\n  \"a\":{},\n  \"a\":{}}}",
     "f:3:3: guests.a: two guests have this name; the first stands at line 2, "
     "column 3"},
    {"{\"version\":1,\"guests\":{\n  \"a\":{},\n  \"\\u0061\":{}}}",
     "f:3:3: guests.a: two guests have this name; the first stands at line 2, "
     "column 3"},
    {"{\"version\":1,\"guests\":{\n  \"web\":{},\n  \"Web\":{}}}",
     "f:3:3: guests.Web: this differs from \"web\" (line 2, column 3) in upper "
     "and lower case only"},
    {GUEST("\"smp\":1,\"smp\":2"),
     "f:1:37: guests.a.smp: this is said twice; first at line 1, column 29"},
    {"{\"version\":1,\"guests\":{\"a/b\":{}}}",
     "f:1:24: guests.a/b: \"a/b\" is not a name (letters, digits, '.', '_' and "
     "'-', a letter or digit first, at most 48)"},
    {"{\"version\":1,\"guests\":{\"..\":{}}}",
     "f:1:24: guests...: \"..\" is not a name (letters, digits, '.', '_' and "
     "'-', a letter or digit first, at most 48)"},
    {"{\"version\":1,\"guests\":{\"\":{}}}",
     "f:1:24: guests.: \"\" is not a name (letters, digits, '.', '_' and '-', "
     "a letter or digit first, at most 48)"},
    {"{\"version\":1,\"guests\":{\"\\u001b[2J\":{}}}",
     "f:1:24: guests.\xEF\xBF\xBD[2J: \"\xEF\xBF\xBD[2J\" is not a name "
     "(letters, digits, '.', '_' and '-', a letter or digit first, at most "
     "48)"},
    {"{\"version\":1,\"guests\":{\"\xD0\xB0\":{}}}",
     "f:1:24: guests.\xD0\xB0: \"\xD0\xB0\" is not a name (letters, digits, "
     "'.', '_' and '-', a letter or digit first, at most 48)"},

    /* Fields. */
    {GUEST("\"memroy\":\"1G\""),
     "f:1:29: guests.a.memroy: unknown field \"memroy\" (did you mean "
     "\"memory\"?)"},
    {GUEST("\"memory\":\"2Q\""),
     "f:1:38: guests.a.memory: \"2Q\" is not a size (try 2G)"},
    {GUEST("\"memory\":\"512 Megs\""),
     "f:1:38: guests.a.memory: \"512 Megs\" is not a size (try 512M)"},
    {GUEST("\"memory\":\"\""),
     "f:1:38: guests.a.memory: \"\" is not a size (try 2G)"},
    {GUEST("\"memory\":\"-1G\""),
     "f:1:38: guests.a.memory: \"-1G\" is not a size (try 2G)"},
    {GUEST("\"memory\":1.5"),
     "f:1:38: guests.a.memory: this is a fraction, not a size (\"2G\", or a "
     "whole number of MiB)"},
    {GUEST("\"memory\":[]"),
     "f:1:38: guests.a.memory: this is an array, not a size (\"2G\", or a whole "
     "number of MiB)"},
    {GUEST("\"memory\":0"),
     "f:1:38: guests.a.memory: less than 1M is too little for any guest"},
    {GUEST("\"memory\":\"1000T\""),
     "f:1:38: guests.a.memory: more than 16T is too much for any guest"},
    {GUEST("\"memory\":9223372036854775807"),
     "f:1:38: guests.a.memory: more than 16T is too much for any guest"},
    {GUEST("\"smp\":\"two\""),
     "f:1:35: guests.a.smp: this is a string, not an integer"},
    {GUEST("\"smp\":0"), "f:1:35: guests.a.smp: 0 is not within 1 and 1024"},
    {GUEST("\"smp\":true"),
     "f:1:35: guests.a.smp: this is a boolean, not a number of CPUs, or an "
     "object such as {\"sockets\": 1, \"cores\": 2}"},
    {GUEST("\"history\":1000001"),
     "f:1:39: guests.a.history: 1000001 is not within 0 and 1000000"},
    {GUEST("\"log\":\"16M\""),
     "f:1:35: guests.a.log: this is a string, not an object, such as "
     "{\"max\": \"16M\"}"},
    {GUEST("\"log\":{\"max\":\"63K\"}"),
     "f:1:42: guests.a.log.max: less than 64K is too little for a log (0 is "
     "without limit)"},
    {GUEST("\"log\":{\"max\":\"17T\"}"),
     "f:1:42: guests.a.log.max: more than 16T is too much for a file (0 is "
     "without limit)"},
    {GUEST("\"log\":{\"max\":\"much\"}"),
     "f:1:42: guests.a.log.max: \"much\" is not a size (try 2G)"},
    {GUEST("\"log\":{\"mxa\":1}"),
     "f:1:36: guests.a.log.mxa: unknown field \"mxa\" (did you mean \"max\"?)"},
    {GUEST("\"console\":80"),
     "f:1:39: guests.a.console: this is an integer, not an object of rows and "
     "cols"},
    {GUEST("\"console\":{\"rows\":24}"),
     "f:1:39: guests.a.console: \"cols\" is missing: a size has rows and "
     "cols"},
    {GUEST("\"console\":{\"rows\":0,\"colls\":1,\"cols\":\"80\"}"),
     "f:1:47: guests.a.console.rows: 0 is not within 1 and 1000\n"
     "f:1:49: guests.a.console.colls: unknown field \"colls\" (did you mean "
     "\"cols\"?)\n"
     "f:1:66: guests.a.console.cols: this is a string, not an integer"},
    {GUEST("\"read-only\":1"), "f:1:41: guests.a.read-only: this is an "
                               "integer, not true or false"},
    {GUEST("\"consoles\":\"ttyS0\""),
     "f:1:40: guests.a.consoles: this is a string, not an array of names, such "
     "as [\"ttyS0\", \"hvc0\"]"},
    {GUEST("\"consoles\":[]"),
     "f:1:40: guests.a.consoles: there are 0 consoles: a guest has 1 to 32"},
    {GUEST("\"consoles\":[\"ttyS0\",\"../x\",\"ttyS0\",\"hvc01\"]"),
     "f:1:49: guests.a.consoles[1]: \"../x\" is not a console's name (try "
     "ttyS0, hvc0)\n"
     "f:1:56: guests.a.consoles[2]: \"ttyS0\" stands here twice\n"
     "f:1:64: guests.a.consoles[3]: \"hvc01\" is not a console's name (try "
     "ttyS0, hvc0)"},
    {GUEST("\"consoles\":[\"ttyS0\",\"ttyAMA0\",\"ttyS4\"]"),
     "f:1:49: guests.a.consoles[1]: QEMU's machine for x86_64 has no console "
     "\"ttyAMA0\" (4 serial ports from ttyS0 on, virtio consoles hvc0 to "
     "hvc15)\n"
     "f:1:59: guests.a.consoles[2]: QEMU's machine for x86_64 has no console "
     "\"ttyS4\" (4 serial ports from ttyS0 on, virtio consoles hvc0 to hvc15)"},
    {GUEST("\"consoles\":[\"hvc1\",\"ttyS0\"]"),
     "f:1:41: guests.a.consoles[0]: \"hvc1\" needs those of its kind with "
     "smaller numbers beside it"},
    {GUEST("\"machine\":7"),
     "f:1:39: guests.a.machine: this is an integer, not a string"},
    {GUEST("\"machine\":\"\""), "f:1:39: guests.a.machine: this is empty"},
    {GUEST("\"machine\":\"q35\\n\""),
     "f:1:39: guests.a.machine: this contains a line end"},
    {GUEST("\"cpu\":\"a\\u009bb\""),
     "f:1:35: guests.a.cpu: this contains the control character U+009B"},
    {GUEST("\"accel\":\"kmv\""),
     "f:1:37: guests.a.accel: \"kmv\" is not an accelerator (auto, kvm, hvf or "
     "tcg)"},
    {GUEST("\"accel\":\"tcg\",\"machine\":\"q35,accel=kvm\""),
     "f:1:53: guests.a.machine: the accelerator is said twice: here and in "
     "\"accel\""},
    {GUEST("\"arch\":\"amd64\""),
     "f:1:36: guests.a.arch: \"amd64\" is not an architecture that QEMU "
     "emulates (try x86_64)"},
    {GUEST("\"arch\":\"aarch46\""),
     "f:1:36: guests.a.arch: \"aarch46\" is not an architecture that QEMU "
     "emulates (try aarch64)"},
    {GUEST("\"firmware\":\"uefi-secur\""),
     "f:1:40: guests.a.firmware: \"uefi-secur\" is not a firmware's name (try "
     "uefi-secure)"},
    {GUEST("\"kernel\":\"~/vmlinuz\""),
     "f:1:38: guests.a.kernel: ~ is not expanded here; write ${HOME}"},
    {GUEST("\"kernel\":\"$HOME/vmlinuz\""),
     "f:1:38: guests.a.kernel: variables have braces here; write ${HOME}"},
    {GUEST("\"kernel\":\"https://example.org/x\""),
     "f:1:38: guests.a.kernel: this is a URL, not a file"},
    {GUEST("\"initrd\":\"x\",\"append\":\"y\""),
     "f:1:29: guests.a.initrd: \"initrd\" goes only with \"kernel\"\n"
     "f:1:42: guests.a.append: \"append\" goes only with \"kernel\""},
    {GUEST("\"disks\":\"a.img\""),
     "f:1:37: guests.a.disks: this is a string, not an array of disks"},
    {GUEST("\"disks\":[{\"fiel\":\"a\"}]"),
     "f:1:38: guests.a.disks[0]: \"file\" is missing (or \"base\" for an overlay over an image, or \"size\" for an empty disk)\n"
     "f:1:39: guests.a.disks[0].fiel: unknown field \"fiel\" (did you mean "
     "\"file\"?)"},
    {GUEST("\"disks\":[\"a\",4]"),
     "f:1:42: guests.a.disks[1]: this is an integer, not a path or an object"},
    {GUEST("\"disks\":[{\"file\":\"a\",\"format\":\"qcow\"}]"),
     "f:1:59: guests.a.disks[0].format: \"qcow\" is not a disk format (try "
     "qcow2)"},
    {GUEST("\"disks\":[{\"file\":\"a\",\"interface\":\"virtoi\"}]"),
     "f:1:62: guests.a.disks[0].interface: \"virtoi\" is not a disk interface "
     "(try virtio)"},
    {GUEST("\"disks\":[{\"file\":\"a\",\"readonly\":1}]"),
     "f:1:61: guests.a.disks[0].readonly: this is an integer, not a boolean"},
    {GUEST("\"nics\":{}"),
     "f:1:36: guests.a.nics: this is an object, not an array of network cards"},
    {GUEST("\"nics\":[\"none\"]"),
     "f:1:37: guests.a.nics[0]: for no network at all, leave the array empty: "
     "\"nics\": []"},
    {GUEST("\"nics\":[{\"mac\":\"01:00:00:00:00:00\"}]"),
     "f:1:44: guests.a.nics[0].mac: \"01:00:00:00:00:00\" is not a card's MAC "
     "address (try 52:54:00:12:34:56)"},
    {GUEST("\"nics\":[{\"model\":\"e1000,romfile=/x\"}]"),
     "f:1:46: guests.a.nics[0].model: \"e1000,romfile=/x\" is not a card's "
     "model (try virtio-net-pci)"},
    {GUEST("\"nics\":[{\"type\":\"tpa\"}]"),
     "f:1:45: guests.a.nics[0].type: \"tpa\" is not a type of network (try "
     "tap)"},
    {GUEST("\"nics\":[{\"type\":\"tap\",\"hostfwd\":[\"1:1\"]}]"),
     "f:1:51: guests.a.nics[0].hostfwd: \"hostfwd\" does not go with the type "
     "\"tap\""},
    {GUEST("\"nics\":[{\"hostfwd\":[\"2222\"]}]"),
     "f:1:49: guests.a.nics[0].hostfwd[0]: \"2222\" is not a forwarded port "
     "(try \"2222:22\", or \"auto:22\" for a free one)"},
    {GUEST("\"nics\":[{\"hostfwd\":[\"localhost:1:2\"]}]"),
     "f:1:49: guests.a.nics[0].hostfwd[0]: \"localhost\" is not an IPv4 "
     "address (try 127.0.0.1)"},
    {GUEST("\"nics\":[{\"hostfwd\":[\"1:2\"]},{\"hostfwd\":[\"1:3\"]}]"),
     "f:1:69: guests.a.nics[1].hostfwd[0]: port 1 of the host is forwarded "
     "twice"},
    {GUEST("\"nics\":[{\"hostfwd\":[{\"host-port\":70000,\"guest-port\":1}]}]"),
     "f:1:62: guests.a.nics[0].hostfwd[0].host-port: 70000 is not a port (1 to "
     "65535)"},
    {GUEST("\"nics\":[{\"hostfwd\":[{\"host-port\":7}]}]"),
     "f:1:49: guests.a.nics[0].hostfwd[0]: \"guest-port\" is missing"},
    {GUEST("\"nics\":[{\"type\":\"user\",\"network\":\"lan0\"}]"),
     "f:1:38: guests.a.nics[0].type: a card has a \"type\" or is on a "
     "\"network\" of the fleet's, not both\n"
     "f:1:62: guests.a.nics[0].network: there is no network \"lan0\" (write "
     "\"networks\": {\"lan0\": {}} beside \"guests\")"},
    {GUEST("\"nics\":[\"lan0\",\"usr,model=e1000\",\"model=e1000\"]"),
     "f:1:37: guests.a.nics[0]: \"lan0\" is not a type of QEMU's -nic (write "
     "{\"network\": \"lan0\"} for a network of the fleet's own)\n"
     "f:1:44: guests.a.nics[1]: \"usr\" is not a type of QEMU's -nic (try "
     "user)"},
    {GUEST("\"append\":\"x\",\"exec\":[\"x\"]"),
     "f:1:29: guests.a.append: \"append\" does not go with \"exec\", which "
     "stands instead of QEMU's fields"},
    {GUEST("\"nics\":[{\"network\":\"lan0\"}]"),
     "f:1:48: guests.a.nics[0].network: there is no network \"lan0\" (write "
     "\"networks\": {\"lan0\": {}} beside \"guests\")"},
    {"{\"version\":1,\"networks\":{\"lan0\":{},\"-x\":{},\"b\":{\"mtu\":1},"
     "\"c\":1},\"guests\":{\"a\":{\"nics\":[{\"network\":\"lan1\"}]}}}",
     "f:1:36: networks.-x: \"-x\" is not a network's name (letters, digits, "
     "'.', '_' and '-', a letter or digit first, at most 48)\n"
     "f:1:49: networks.b.mtu: unknown field \"mtu\"\n"
     "f:1:62: networks.c: this is an integer, not an object; {} is one\n"
     "f:1:99: guests.a.nics[0].network: there is no network \"lan1\" (did you "
     "mean \"lan0\"?)"},
    {GUEST("\"nics\":[{\"options\":{\"id\":\"x\"}}]"),
     "f:1:49: guests.a.nics[0].options.id: this cannot be an option of -netdev "
     "here"},
    {GUEST("\"ssh\":{\"user\":\"-oProxyCommand=x\"}"),
     "f:1:43: guests.a.ssh.user: \"-oProxyCommand=x\" is not a user's name "
     "(try debian)"},
    {GUEST("\"ssh\":{\"port\":0}"),
     "f:1:43: guests.a.ssh.port: 0 is not a port (1 to 65535)"},
    {GUEST("\"ssh\":{\"options\":[\"-v\"]}"),
     "f:1:47: guests.a.ssh.options[0]: this is not an option of ssh's (try "
     "\"ForwardAgent=yes\")"},
    {GUEST("\"agent\":\"yes\""),
     "f:1:37: guests.a.agent: this is a string, not true or false"},
    {GUEST("\"args\":\"-S\""),
     "f:1:36: guests.a.args: this is a string, not an array of strings"},
    {GUEST("\"args\":[\"-m\",64]"),
     "f:1:42: guests.a.args[1]: this is an integer, not a string"},

    /* Other kinds. */
    {GUEST("\"command\":\"qemu-system-x86_64\",\"exec\":[\"x\"]"),
     "f:1:60: guests.a.exec: a guest has \"command\" or \"exec\", not both"},
    {GUEST("\"command\":\"qemu-system-x86_64\",\"machine\":\"q35\""),
     "f:1:60: guests.a.machine: \"machine\" does not go with \"command\", which "
     "stands instead of QEMU's fields"},
    {GUEST("\"command\":\"\""), "f:1:39: guests.a.command: this is empty"},
    {GUEST("\"command\":[]"),
     "f:1:39: guests.a.command: there is no program in it"},
    {GUEST("\"command\":3"),
     "f:1:39: guests.a.command: this is an integer, not "
     "a string or an array of strings"},
    {GUEST("\"command\":\"qemu-system-x86_64 -m $MEM\""),
     "f:1:39: guests.a.command: $MEM is a variable, which needs a shell; quote "
     "it if it is meant literally"},
    {GUEST("\"command\":\"qemu-system-x86_64 'x\""),
     "f:1:39: guests.a.command: the ' has no closing '"},
    {GUEST("\"exec\":\"ls\""),
     "f:1:36: guests.a.exec: this is a string, not an array of strings"},
    {GUEST("\"baud\":9600"),
     "f:1:29: guests.a.baud: \"baud\" goes only with \"device\""},
    {GUEST("\"device\":\"/dev/ttyUSB0\",\"baud\":9601"),
     "f:1:60: guests.a.baud: 9601 is not a serial line's speed (try 9600)"},
    {GUEST("\"socket\":\"/"
           "0123456789012345678901234567890123456789012345678901234567890123"
           "0123456789012345678901234567890123456789012345678901234567890123"
           "\""),
     "f:1:38: guests.a.socket: the path is 129 bytes long, a socket's can have "
     "107"},

    /* Defaults. */
    {"{\"version\":1,\"defaults\":{\"memroy\":1,\"memory\":\"2Q\"},\"guests\":"
     "{\"a\":{},\"b\":{}}}",
     "f:1:26: defaults.memroy: unknown field \"memroy\" (did you mean "
     "\"memory\"?)\n"
     "f:1:46: defaults.memory: \"2Q\" is not a size (try 2G)"},
    {"{\"version\":1,\"defaults\":{\"command\":\"x\"},\"guests\":{\"a\":{}}}",
     "f:1:26: defaults.command: \"command\" belongs to one guest and cannot be "
     "a default"},
    {"{\"version\":1,\"defaults\":{\"kernel\":\"k\",\"append\":\"x\"},"
     "\"guests\":{\"a\":{\"kernel\":null}}}",
     "f:1:63: guests.a.append: \"append\", which it inherits, goes only with "
     "\"kernel\" (null takes it away)"},

    /* Several at once, in the file's order. */
    {"{\"version\":1,\n\"guests\":{\n\"a\":{\"smp\":0,\n\"cpu\":1},\n\"b\":"
     "{\"x\":1}}}",
     "f:3:12: guests.a.smp: 0 is not within 1 and 1024\n"
     "f:4:7: guests.a.cpu: this is an integer, not a string\n"
     "f:5:6: guests.b.x: unknown field \"x\""},
};

static void
every_malformed_file_is_told_with_its_exact_message(void **state)
{
    (void)state;
    bool ok = true;
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        struct error error = {0};
        struct fleet *fleet = fleet_parse("f", malformed[i].text,
                                          strlen(malformed[i].text), &error);
        if (fleet || strcmp(error.text, malformed[i].message) != 0) {
            ok = false;
            (void)fprintf(stderr, "# %s\n#  wanted %s\n#  got    %s\n",
                          malformed[i].text, malformed[i].message,
                          fleet ? "no error" : error.text);
        }
        if (!fleet)
            assert_int_equal(error.code, ERROR_CODE_INVALID);
        fleet_free(fleet);
    }
    assert_true(ok);
    assert_true(sizeof(malformed) / sizeof(malformed[0]) >= 40);
}

static struct fleet *
parse(const char *text)
{
    struct error error = {0};
    struct fleet *fleet =
        fleet_parse("/fleets/one/guestmux.json", text, strlen(text), &error);
    if (!fleet)
        fail_msg("%s", error.text);
    return fleet;
}

static void
the_example_of_the_manual_gives_three_guests_in_order(void **state)
{
    (void)state;
    struct fleet *fleet = parse(
        "{\"version\": 1,"
        " \"defaults\": {\"machine\": \"q35\", \"accel\": \"tcg\","
        "  \"memory\": \"128M\", \"kernel\": \"guest/vmlinuz\","
        "  \"initrd\": \"guest/initrd.gz\","
        "  \"append\": \"console=ttyS0 panic=-1\"},"
        " \"guests\": {\"control0\": {}, \"worker0\": {\"memory\": \"192M\"},"
        "  \"old\": {\"command\": \"qemu-system-x86_64 -nographic -m 128\"}}}");
    assert_int_equal(fleet->guest_count, 3);
    const struct spec *control = fleet->guests[0];
    assert_string_equal(control->name, "control0");
    assert_int_equal(control->kind, SPEC_KIND_QEMU);
    assert_string_equal(control->directory, "/fleets/one");
    assert_string_equal(control->kernel, "/fleets/one/guest/vmlinuz");
    assert_string_equal(control->append, "console=ttyS0 panic=-1");
    assert_true(control->memory_bytes == UINT64_C(128) << 20);
    assert_true(fleet->guests[1]->memory_bytes == UINT64_C(192) << 20);
    const struct spec *old = fleet->guests[2];
    assert_int_equal(old->kind, SPEC_KIND_COMMAND);
    assert_string_equal(old->command[0], "qemu-system-x86_64");
    assert_string_equal(old->command[3], "128");
    assert_null(old->command[4]);
    assert_null(old->kernel);
    fleet_free(fleet);
}

static void
a_field_that_is_null_takes_a_default_away(void **state)
{
    (void)state;
    struct fleet *fleet =
        parse("{\"version\":1,\"defaults\":{\"cpu\":\"max\",\"smp\":2},"
              "\"guests\":{\"a\":{\"cpu\":null},\"b\":{}}}");
    assert_null(fleet->guests[0]->cpu);
    assert_int_equal(fleet->guests[0]->smp.cpus, 2);
    assert_null(json_object_get(fleet->guests[0]->source, "cpu"));
    assert_string_equal(fleet->guests[1]->cpu, "max");
    fleet_free(fleet);
}

static void
a_byte_order_mark_and_a_schema_are_let_through(void **state)
{
    (void)state;
    struct fleet *fleet =
        parse("\xEF\xBB\xBF{\"$schema\":\"x\",\"version\":1,\"guests\":{"
              "\"a\":{}}}");
    assert_int_equal(fleet->guest_count, 1);
    fleet_free(fleet);
}

static void
more_guests_than_allowed_are_refused(void **state)
{
    (void)state;
    size_t size = 64 * 1024;
    char *text = xmalloc(size);
    size_t len = (size_t)snprintf(text, size, "{\"version\":1,\"guests\":{");
    for (int i = 0; i <= FLEET_MAX_GUESTS; i++)
        len += (size_t)snprintf(text + len, size - len, "%s\"g%d\":{}",
                                i ? "," : "", i);
    len += (size_t)snprintf(text + len, size - len, "}}");
    struct error error = {0};
    assert_null(fleet_parse("f", text, len, &error));
    assert_string_equal(error.text, "f:1:23: guests: there are 1025 guests, at "
                                    "most 1024 are allowed");
    free(text);
}

static void
deep_nesting_is_refused_in_bounded_stack(void **state)
{
    (void)state;
    size_t len = 200000;
    char *text = xmalloc(len);
    memset(text, '[', len);
    struct error error = {0};
    assert_null(fleet_parse("f", text, len, &error));
    assert_string_equal(error.text,
                        "f:1:2049: this is nested too deep near '['");
    free(text);
}

static void
mistakes_beyond_the_errors_text_are_counted(void **state)
{
    (void)state;
    size_t size = 64 * 1024;
    char *text = xmalloc(size);
    size_t len =
        (size_t)snprintf(text, size, "{\"version\":1,\"guests\":{\"a\":{");
    for (int i = 0; i < 1000; i++)
        len += (size_t)snprintf(text + len, size - len, "%s\"unknown%d\":1",
                                i ? "," : "", i);
    len += (size_t)snprintf(text + len, size - len, "}}}");
    struct error error = {0};
    assert_null(fleet_parse("f", text, len, &error));
    const char *last = strrchr(error.text, '\n');
    int lines = 0;
    for (const char *at = error.text; *at; at++)
        lines += *at == '\n';
    char wanted[64];
    (void)snprintf(wanted, sizeof(wanted), "\n… and %d more mistakes",
                   1000 - lines);
    assert_string_equal(last, wanted);
    free(text);
}

static void
a_file_over_the_limit_is_refused(void **state)
{
    (void)state;
    size_t len = FLEET_FILE_MAX_BYTES + 1;
    char *text = xmalloc(len);
    memset(text, ' ', len);
    struct error error = {0};
    assert_null(fleet_parse("f", text, len, &error));
    assert_int_equal(error.code, ERROR_CODE_LIMIT);
    free(text);
}

static void
what_is_no_readable_file_is_refused(void **state)
{
    (void)state;
    char directory[] = "/tmp/test-fleet-XXXXXX";
    assert_non_null(mkdtemp(directory));
    struct error error = {0};
    assert_null(fleet_read(directory, &error));
    assert_non_null(strstr(error.text, " is a directory, not a file"));
    char *fifo = xasprintf("%s/fifo", directory);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_null(fleet_read(fifo, &error));
    assert_non_null(strstr(error.text, " is not a regular file"));
    (void)unlink(fifo);
    assert_null(fleet_read(fifo, &error));
    assert_non_null(strstr(error.text, ": No such file or directory"));
    free(fifo);
    (void)rmdir(directory);
}

static void
a_file_is_read_and_its_directory_is_where_paths_start(void **state)
{
    (void)state;
    char directory[] = "/tmp/test-fleet-XXXXXX";
    assert_non_null(mkdtemp(directory));
    char *file = xasprintf("%s/guestmux.json", directory);
    char *kernel = xasprintf("%s/k", directory);
    FILE *stream = fopen(file, "w");
    assert_non_null(stream);
    (void)fputs(GUEST("\"kernel\":\"./k\""), stream);
    (void)fclose(stream);
    struct error error = {0};
    struct fleet *fleet = fleet_read(file, &error);
    assert_non_null(fleet);
    assert_string_equal(fleet->file, file);
    assert_string_equal(fleet->guests[0]->kernel, kernel);
    fleet_free(fleet);
    (void)unlink(file);
    (void)rmdir(directory);
    free(kernel);
    free(file);
}

static void
a_place_is_found_where_the_field_or_its_default_stands(void **state)
{
    (void)state;
    struct fleet *fleet =
        parse("{\"version\":1,\n\"defaults\":{\"kernel\":\"k\"},\n"
              "\"guests\":{\"a\":{\n\"disks\":[\"x\",\n \"y\"]}}}");
    static const struct {
        const char *field;
        int index;
        const char *where;
    } rows[] = {
        {NULL, -1, ":3:11: guests.a"},
        {"kernel", -1, ":2:22: defaults.kernel"},
        {"disks", -1, ":4:9: guests.a.disks"},
        {"disks", 1, ":5:2: guests.a.disks[1]"},
        {"initrd", -1, ":3:11: guests.a.initrd"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *where = fleet_where(fleet, "a", rows[i].field, rows[i].index);
        char *wanted = xasprintf("/fleets/one/guestmux.json%s", rows[i].where);
        assert_string_equal(where, wanted);
        free(wanted);
        free(where);
    }
    fleet_free(fleet);
}

static void
a_runtime_directory_too_long_for_sockets_is_told_per_guest(void **state)
{
    (void)state;
    struct fleet *fleet =
        parse("{\"version\":1,\"guests\":{\n\"a\":{},\n\"bbbbbbbbbb\":{}}}");
    char directory[101];
    memset(directory, 'd', sizeof(directory) - 1);
    directory[0] = '/';
    directory[100] = '\0';
    struct paths paths = {.runtime_dir = directory};
    struct error error = {0};
    assert_false(fleet_check_sockets(fleet, &paths, &error));
    assert_non_null(strstr(error.text, "guestmux.json:3:1: guests.bbbbbbbbbb: "
                                       "the socket path /ddd"));
    assert_null(strstr(error.text, "guests.a:"));
    directory[50] = '\0';
    assert_true(fleet_check_sockets(fleet, &paths, NULL));
    fleet_free(fleet);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_malformed_file_is_told_with_its_exact_message),
        cmocka_unit_test(the_example_of_the_manual_gives_three_guests_in_order),
        cmocka_unit_test(a_field_that_is_null_takes_a_default_away),
        cmocka_unit_test(a_byte_order_mark_and_a_schema_are_let_through),
        cmocka_unit_test(more_guests_than_allowed_are_refused),
        cmocka_unit_test(deep_nesting_is_refused_in_bounded_stack),
        cmocka_unit_test(mistakes_beyond_the_errors_text_are_counted),
        cmocka_unit_test(a_file_over_the_limit_is_refused),
        cmocka_unit_test(what_is_no_readable_file_is_refused),
        cmocka_unit_test(a_file_is_read_and_its_directory_is_where_paths_start),
        cmocka_unit_test(
            a_place_is_found_where_the_field_or_its_default_stands),
        cmocka_unit_test(
            a_runtime_directory_too_long_for_sockets_is_told_per_guest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
