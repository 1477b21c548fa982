#include "base/xalloc.h"
#include "qemu/accel.h"
#include "qemu/preflight.h"
#include "scratch.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char directory[32];
    char *file; /* a fleet file there, which need not exist */
};

static void
put(const struct fixture *fixture, const char *name, const char *bytes,
    mode_t mode)
{
    char *path = xasprintf("%s/%s", fixture->directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, strlen(bytes)), strlen(bytes));
    (void)close(fd);
    free(path);
}

static void
put_number(unsigned char *at, uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (unsigned char)(number >> (8 * (bytes - 1 - i)));
}

/* Without an end, as images have it. */
static void
put_text(unsigned char *at, const char *text)
{
    for (size_t i = 0; text[i]; i++)
        at[i] = (unsigned char)text[i];
}

/* A qcow2 image's header (version 2), over backing of a format; NULL: none. */
static void
put_qcow2(const struct fixture *fixture, const char *name, const char *backing,
          const char *format)
{
    unsigned char bytes[1024] = "QFI\xFB";
    size_t at = 72;
    put_number(bytes + 4, 2, 4);
    put_number(bytes + 24, 1 << 20, 8);
    if (format) {
        put_number(bytes + at, 0xE2792ACA, 4);
        put_number(bytes + at + 4, strlen(format), 4);
        put_text(bytes + at + 8, format);
        at += 8 + (strlen(format) + 7) / 8 * 8;
    }
    at += 8;
    if (backing) {
        put_number(bytes + 8, at, 8);
        put_number(bytes + 16, strlen(backing), 4);
        put_text(bytes + at, backing);
    }
    char *path = xasprintf("%s/%s", fixture->directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
    (void)close(fd);
    free(path);
}

static int
setup(void **state)
{
    struct fixture *fixture = xcalloc(1, sizeof(*fixture));
    (void)strcpy(fixture->directory, "/tmp/test-preflight-XXXXXX");
    if (!mkdtemp(fixture->directory))
        return -1;
    fixture->file = xasprintf("%s/fleet.json", fixture->directory);
    put(fixture, "k", "kernel", 0600);
    put(fixture, "raw.img", "a boot sector", 0600);
    put_qcow2(fixture, "real.qcow2", NULL, NULL);
    put(fixture, "fake.qcow2", "not at all", 0600);
    put(fixture, "qemu", "#!/bin/sh\n", 0700);
    put(fixture, "plain", "", 0600);
    put(fixture, "large.img", "", 0600);
    char *large = xasprintf("%s/large.img", fixture->directory);
    if (truncate(large, 1 << 20) < 0)
        return -1;
    free(large);
    *state = fixture;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *fixture = *state;
    scratch_remove(xstrdup(fixture->directory));
    free(fixture->file);
    free(fixture);
    return 0;
}

/* All findings of a fleet of these guests, "DIR/" taken out. */
static char *
findings(const struct fixture *fixture, const char *guests)
{
    char *text = xasprintf("{\"version\":1,\"guests\":{%s}}", guests);
    struct error error = {0};
    struct fleet *fleet =
        fleet_parse(fixture->file, text, strlen(text), &error);
    if (!fleet)
        fail_msg("%s", error.text);
    struct preflight preflight = {0};
    preflight_run(&preflight, fleet);
    char *all = xstrdup("");
    for (size_t i = 0; i < preflight.count; i++) {
        char *line = preflight_line(fleet, &preflight.findings[i]);
        char *longer = xasprintf("%s%s\n", all, line);
        free(all);
        all = longer;
        free(line);
    }
    size_t len = strlen(fixture->directory) + 1;
    for (char *at = strstr(all, fixture->directory); at;
         at = strstr(at, fixture->directory))
        memmove(at, at + len, strlen(at + len) + 1);
    preflight_finish(&preflight);
    fleet_free(fleet);
    free(text);
    return all;
}

#define A "fleet.json:1:"
#define TCG "\"qemu\":\"./qemu\",\"accel\":\"tcg\""

static const struct {
    const char *guests;
    const char *findings;
} rows[] = {
    {"\"a\":{" TCG ",\"kernel\":\"k\",\"disks\":[\"real.qcow2\",{\"file\":"
     "\"raw.img\",\"format\":\"raw\"}]}",
     ""},
    {"\"a\":{" TCG ",\"kernel\":\"none\"}",
     A "68: guests.a.kernel: error: cannot open none: No such file or "
       "directory\n"},
    {"\"a\":{" TCG ",\"kernel\":\"/\"}",
     A "68: guests.a.kernel: error: / is a directory, not a file\n"},
    {"\"a\":{" TCG ",\"disks\":[\"k\",\"fake.qcow2\",{\"file\":\"real.qcow2\","
     "\"format\":\"raw\"}]}",
     A "68: guests.a.disks[0]: warning: QEMU has to guess the format of k; "
       "write \"format\": \"raw\"\n" A
       "72: guests.a.disks[1]: error: fake.qcow2 is not a qcow2 image\n" A
       "85: guests.a.disks[2]: warning: real.qcow2 is a qcow2 image, but its "
       "format is said to be raw\n"},
    {"\"a\":{" TCG
     ",\"disks\":[{\"file\":\"k\",\"format\":\"raw\"}]},\"b\":{" TCG
     ",\"disks\":[{\"file\":\"./k\",\"format\":\"raw\"}]}",
     A "142: guests.b.disks[0]: error: k is a disk of a already; QEMU lets "
       "only one guest write to an image\n"},
    {"\"a\":{" TCG ",\"disks\":[{\"file\":\"k\",\"format\":\"raw\",\"readonly\""
     ":true}]},\"b\":{" TCG ",\"disks\":[{\"file\":\"k\",\"format\":\"raw\","
     "\"readonly\":true}]}",
     ""},
    {"\"a\":{" TCG ",\"arch\":\"s390x\",\"args\":[\"-enable-kvm\"]}",
     A "81: guests.a.args: error: KVM runs guests of this machine's "
       "architecture, "},
    {"\"a\":{" TCG ",\"nics\":[{\"type\":\"tap\",\"name\":\"lo\"},{\"mac\":"
     "\"52:54:00:00:00:0a\"}]},\"b\":{" TCG
     ",\"nics\":[{\"type\":\"tap\",\"name\":\"lo\"},{\"mac\":"
     "\"52:54:00:00:00:0A\"}]}",
     A
     "167: guests.b.nics[0]: error: the tap device lo is wanted by a already\n"},
    {"\"a\":{" TCG ",\"nics\":[{\"type\":\"tap\",\"name\":\"lo\",\"mac\":"
     "\"52:54:00:00:00:0a\"}]},\"b\":{" TCG
     ",\"nics\":[{\"type\":\"tap\",\"name\":\"lo\",\"mac\":"
     "\"52:54:00:00:00:0A\"}]}",
     A
     "165: guests.b.nics[0]: warning: 52:54:00:00:00:0A is the MAC address of a card of a on the same network, too: leave \"mac\" out, and each gets its own\n" A
     "165: guests.b.nics[0]: error: the tap device lo is wanted by a already\n"},
    {"\"a\":{" TCG ",\"vnc\":5901}",
     A "65: guests.a.vnc: warning: display 5901 listens on port 11801: port "
       "5901 is display 1's\n"},
    /* Sockets, which QEMU makes of whatever is there. */
    {"\"a\":{" TCG ",\"vnc\":\"unix:k\"},\"b\":{" TCG
     ",\"vnc\":\"unix:s\"},\"c\":{" TCG
     ",\"args\":[\"-vnc\",\"unix:./s\"]},\"d\":{" TCG
     ",\"args\":[\"-serial\",\"unix:gone/s,server=on\"]}",
     A
     "65: guests.a.vnc: error: k is no socket but a file, which QEMU would delete to listen there: take another path\n" A
     "168: guests.c.args: error: the socket s is wanted by b already\n" A
     "231: guests.d.args: error: cannot listen on gone/s: No such file or directory\n"},
    /* What is printed to: logs may be shared, disks not. */
    {"\"a\":{" TCG ",\"disks\":[\"real.qcow2\"],\"args\":[\"-serial\","
     "\"file:plain\"]},\"b\":{" TCG ",\"args\":[\"-serial\",\"file:plain\"]}"
     ",\"c\":{" TCG ",\"args\":[\"-chardev\",\"file,id=x,path=real.qcow2\"]}",
     A
     "225: guests.c.args: error: real.qcow2 is a disk of a: QEMU would empty it\n"},
    /* What only words name. */
    {"\"a\":{" TCG ",\"disks\":[\"real.qcow2\"]},\"b\":{\"command\":"
     "\"./qemu -accel tcg -m 64 real.qcow2\"}",
     A
     "98: guests.b.command: error: real.qcow2 is a disk of a already; QEMU lets only one guest write to an image\n"},
    {"\"a\":{" TCG ",\"disks\":[\"real.qcow2\"]},\"b\":{" TCG
     ",\"args\":[\"-blockdev\",\"driver=file,node-name=f,filename=real."
     "qcow2\",\"-blockdev\",\"driver=qcow2,node-name=q,file=f\"]}",
     A
     "125: guests.b.args: error: real.qcow2 is a disk of a already; QEMU lets only one guest write to an image\n"},
    {"\"a\":{" TCG ",\"disks\":[\"real.qcow2\"]},\"b\":{" TCG
     ",\"args\":[\"-blockdev\",\"{\\\"driver\\\":\\\"qcow2\\\",\\\"file\\\":{"
     "\\\"driver\\\":\\\"file\\\",\\\"filename\\\":\\\"real.qcow2\\\"}}\"]"
     "}",
     A
     "125: guests.b.args: error: real.qcow2 is a disk of a already; QEMU lets only one guest write to an image\n"},
    /* Both only read. */
    {"\"a\":{" TCG ",\"cdrom\":\"k\"},\"b\":{" TCG
     ",\"args\":[\"-blockdev\",\"driver=file,node-name=f,filename=k\","
     "\"-blockdev\",\"driver=raw,node-name=q,file=f,read-only=on\"]},\"c\":{" TCG
     ",\"args\":[\"-blockdev\",\"driver=file,node-name=f,filename=k\","
     "\"-device\",\"ide-cd,drive=f\"]},\"d\":{" TCG
     ",\"args\":[\"-snapshot\",\"-hda\",\"k\"]}",
     ""},
    {"\"a\":{" TCG ",\"args\":[\"-blockdev\",\"driver=file,node-name=f,"
     "filename=gone\"]}",
     A
     "66: guests.a.args: error: cannot open gone: No such file or directory\n"},
    {"\"a\":{" TCG ",\"disks\":[{\"base\":\"k\",\"format\":\"qcow2\"},{"
     "\"base\":\"large.img\",\"size\":\"64K\"}]}",
     A
     "68: guests.a.disks[0]: error: k is not a qcow2 image\n" A
     "98: guests.a.disks[1]: error: the size is less than that of large.img, which has 1M\n"},
    {"\"a\":{" TCG ",\"rng\":\"none\",\"firmware\":{\"code\":\"k\",\"vars\":"
     "\"gone\"}}",
     A "65: guests.a.rng: error: cannot open none: No such file or "
       "directory\n" A
       "83: guests.a.firmware: error: cannot open gone: No such file or "
       "directory\n"},
    {"\"a\":{" TCG ",\"arch\":\"avr\",\"machine\":\"uno\",\"firmware\":"
     "\"uefi-secure\"}",
     A "99: guests.a.firmware: error: no firmware \"uefi-secure\" (UEFI with "
       "secure boot and keys enrolled) for avr's machine uno among QEMU's "
       "descriptors in /usr/share/qemu/firmware, /etc/qemu/firmware, "
       "/nowhere/qemu/firmware\n"},
    {"\"a\":{\"qemu\":\"./plain\",\"accel\":\"tcg\"}",
     A "36: guests.a.qemu: error: cannot run plain: it is not executable "
       "(chmod +x it)\n"},
    {"\"a\":{" TCG ",\"args\":[\"-cdrom\",\"none\",\"-drive\",\"if=virtio,file="
     "no,,ne\",\"-drive\",\"file=nbd:localhost:1\",\"-S\"]}",
     A "66: guests.a.args: error: cannot open none: No such file or "
       "directory\n" A
       "66: guests.a.args: error: cannot open no,ne: No such file or "
       "directory\n"},
    {"\"a\":{\"command\":\"./qemu -accel tcg -kernel k -initrd none -daemonize\""
     "}",
     A "39: guests.a.command: note: -daemonize: dropped, QEMU stays alive "
       "without it, in a session of its own\n" A
       "39: guests.a.command: error: cannot open none: No such file or "
       "directory\n"},
    {"\"a\":{\"command\":\"./qemu -serial none\"}",
     A "39: guests.a.command: error: the guest would have no console: take "
       "\"-serial none\" (or null) out of its command line\n"},
    {"\"a\":{\"exec\":[\"sh\"]},\"b\":{\"exec\":[\"./qemu\"]}", ""},
    {"\"a\":{\"exec\":[\"./plain\"]}",
     A "36: guests.a.exec: error: cannot run ./plain: Permission denied\n"},
    {"\"a\":{\"device\":\"k\"},\"b\":{\"device\":\"/dev/null\"}",
     A "38: guests.a.device: error: k is not a serial device\n"},
    {"\"a\":{\"socket\":\"k\"},\"b\":{\"socket\":\"none\"}",
     A "38: guests.a.socket: error: k is not a socket\n" A
       "57: guests.b.socket: warning: nobody listens on none: No such file or "
       "directory\n"},
    {"\"a\":{\"exec\":[\"sh\"],\"after\":\"b\",\"until\":\"ssh\"},\"b\":{\"exec\":[\"sh\"]}",
     A
     "63: guests.a.until: warning: a waits in vain: b has no port of the host that leads to its sshd (\"nics\": [{\"hostfwd\": [\"auto:22\"]}])\n"},
    {"\"a\":{\"exec\":[\"sh\"],\"after\":\"b\",\"until\":\"agent\"},\"b\":{\"exec\":[\"sh\"]}",
     A
     "63: guests.a.until: warning: a waits in vain: b has no port for a guest agent (\"agent\": true)\n"},
    {"\"a\":{\"exec\":[\"sh\"],\"after\":\"b\",\"until\":\"ssh\"},\"b\":{" TCG
     ",\"nics\":[{\"hostfwd\":[\"auto:2200\"]}],\"ssh\":{\"port\":2200}},"
     "\"c\":{\"exec\":[\"sh\"],\"after\":\"b\",\"until\":\"login\"}",
     ""},
    {"\"a\":{\"exec\":[\"sh\"],\"until\":\"login\"},\"b\":{\"exec\":[\"sh\"],"
     "\"after\":\"a\",\"until\":\"login\"},\"c\":{\"exec\":[\"sh\"],\"after\":[],"
     "\"until\":{\"timeout\":1}}",
     A
     "51: guests.a.until: warning: it means nothing without \"after\", which "
     "names the guests to wait for\n" A
     "146: guests.c.until: warning: it means nothing without \"after\", which "
     "names the guests to wait for\n"},
    {"\"a\":{" TCG ",\"memory\":\"15T\"}",
     A "24: guests.a: warning: the guests together want 15728640 MiB of "
       "memory, this machine has "},
};

static void
what_would_keep_a_guest_from_starting_is_found(void **state)
{
    bool ok = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *got = findings(*state, rows[i].guests);
        size_t len = strlen(rows[i].findings);
        bool is_whole = len == 0 || rows[i].findings[len - 1] == '\n';
        if (is_whole ? strcmp(got, rows[i].findings) != 0
                     : strncmp(got, rows[i].findings, len) != 0) {
            ok = false;
            (void)fprintf(stderr, "# %s\n# wanted\n%s# got\n%s", rows[i].guests,
                          rows[i].findings, got);
        }
        free(got);
    }
    assert_true(ok);
}

/* The findings, checked whole; {pid} stands for this process's. */
static void
assert_findings(const struct fixture *fixture, const char *guests,
                const char *wanted)
{
    char *got = findings(fixture, guests);
    char *pid = xasprintf("(pid %d)", (int)getpid());
    for (char *at = strstr(got, pid); at; at = strstr(got, pid)) {
        char *shorter =
            xasprintf("%.*s{pid}%s", (int)(at - got), got, at + strlen(pid));
        free(got);
        got = shorter;
    }
    assert_string_equal(got, wanted);
    free(pid);
    free(got);
}

/* A lock as QEMU takes it. */
static int
lock(const struct fixture *fixture, const char *name, short type, off_t at)
{
    char *path = xasprintf("%s/%s", fixture->directory, name);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    free(path);
    assert_true(fd >= 0);
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
    return fd;
}

static void
an_image_in_use_is_told_with_who_uses_it(void **state)
{
    static const char writer[] = "\"a\":{" TCG ",\"disks\":[\"real.qcow2\"]}";
    static const char reader[] =
        "\"a\":{" TCG ",\"disks\":[{\"file\":\"real.qcow2\","
        "\"readonly\":true}]}";
    static const char command[] =
        "\"a\":{\"command\":\"./qemu -accel tcg -drive file=real.qcow2 "
        "-hda real.qcow2 -cdrom real.qcow2 -kernel real.qcow2\"}";
    /* Who writes: neither writers nor readers are let in. */
    int fd = lock(*state, "real.qcow2", F_RDLCK, 101);
    assert_findings(*state, writer,
                    A "68: guests.a.disks[0]: error: real.qcow2 is in use by "
                      "test_preflight {pid}, which writes to it\n");
    assert_findings(*state, reader,
                    A "68: guests.a.disks[0]: error: real.qcow2 is in use by "
                      "test_preflight {pid}, which writes to it\n");
    (void)close(fd);
    /* Who reads and wants it unchanged: readers are. */
    fd = lock(*state, "real.qcow2", F_RDLCK, 201);
    assert_findings(*state, writer,
                    A "68: guests.a.disks[0]: error: real.qcow2 is in use by "
                      "test_preflight {pid}, which lets nobody write to it\n");
    assert_findings(*state, reader, "");
    assert_findings(*state, command,
                    A "39: guests.a.command: error: real.qcow2 is in use by "
                      "test_preflight {pid}, which lets nobody write to it\n" A
                      "39: guests.a.command: error: real.qcow2 is in use by "
                      "test_preflight {pid}, which lets nobody write to it\n");
    (void)close(fd);
    assert_findings(*state, writer, "");
}

static void
chains_of_images_are_followed_to_their_ends(void **state)
{
    static const char disk[] = "\"a\":{" TCG ",\"disks\":[\"top.qcow2\"]}";
    put_qcow2(*state, "base.qcow2", NULL, NULL);
    put_qcow2(*state, "middle.qcow2", "base.qcow2", "qcow2");
    put_qcow2(*state, "top.qcow2", "middle.qcow2", "qcow2");
    assert_findings(*state, disk, "");
    put_qcow2(*state, "middle.qcow2", "gone.qcow2", "qcow2");
    assert_findings(*state, disk,
                    A "68: guests.a.disks[0]: error: middle.qcow2 lies over "
                      "gone.qcow2, which cannot be read: No such file or "
                      "directory\n");
    put_qcow2(*state, "middle.qcow2", "fake.qcow2", "qcow2");
    assert_findings(*state, disk,
                    A "68: guests.a.disks[0]: error: middle.qcow2 says that "
                      "fake.qcow2 below it is a qcow2 image, but it is not\n");
    put_qcow2(*state, "middle.qcow2", "base.qcow2", "raw");
    assert_findings(*state, disk,
                    A "68: guests.a.disks[0]: warning: middle.qcow2 says that "
                      "base.qcow2 below it is raw, but it is a qcow2 image\n");
    put_qcow2(*state, "middle.qcow2", "top.qcow2", "qcow2");
    assert_findings(*state, disk,
                    A "68: guests.a.disks[0]: error: the chain of images comes "
                      "back to top.qcow2: it lies over itself\n");
    /* A protocol's is QEMU's to find. */
    put_qcow2(*state, "middle.qcow2", "nbd:localhost:1", "raw");
    assert_findings(*state, disk, "");
    put_qcow2(*state, "middle.qcow2", "raw.img", "raw");
    put(*state, "top.qcow2", "no image", 0600);
    assert_findings(*state, disk,
                    A "68: guests.a.disks[0]: error: top.qcow2 is not a qcow2 "
                      "image\n");
}

static void
an_image_below_others_is_nobodys_to_write_to(void **state)
{
    static const char both[] =
        "\"a\":{" TCG ",\"disks\":[\"top.qcow2\"]},\"b\":{" TCG
        ",\"disks\":[\"base.qcow2\"]}";
    put_qcow2(*state, "base.qcow2", NULL, NULL);
    put_qcow2(*state, "top.qcow2", "base.qcow2", "qcow2");
    assert_findings(*state, both,
                    A "68: guests.a.disks[0]: error: the base base.qcow2 is a "
                      "disk that b writes to: what lies over it would be "
                      "garbage\n");
    int fd = lock(*state, "base.qcow2", F_RDLCK, 101);
    assert_findings(*state, "\"a\":{" TCG ",\"disks\":[\"top.qcow2\"]}",
                    A "68: guests.a.disks[0]: error: top.qcow2 lies over "
                      "another: base.qcow2 is in use by test_preflight {pid}, "
                      "which writes to it\n");
    (void)close(fd);
}

/* A socket on a free port of 127.0.0.1, and the port. */
static int
take_port(int type, int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void
a_port_that_is_taken_is_told_with_who_has_it(void **state)
{
    int tcp = 0;
    int udp = 0;
    int tcp_fd = take_port(SOCK_STREAM, &tcp);
    int udp_fd = take_port(SOCK_DGRAM, &udp);
    char *guests = xasprintf(
        "\"a\":{" TCG ",\"nics\":[{\"hostfwd\":[\"auto:22\",\"%d:22\"]},"
        "{\"hostfwd\":[\"udp:%d:53\"]}]},\"b\":{" TCG
        ",\"args\":[\"-netdev\",\"user,id=x,hostfwd=tcp:127.0.0.1:%d-:22\"]}",
        tcp, udp, udp);
    char *wanted = xasprintf(
        A "67: guests.a.nics[0]: error: TCP port %d of 127.0.0.1 is taken by "
          "test_preflight {pid}\n" A
          "102: guests.a.nics[1]: error: UDP port %d of 127.0.0.1 is taken by "
          "test_preflight {pid}\n",
        tcp, udp);
    assert_findings(*state, guests, wanted);
    (void)close(tcp_fd);
    (void)close(udp_fd);
    assert_findings(*state, guests, "");
    free(wanted);
    free(guests);
}

static void
ports_and_displays_that_two_guests_want_are_told(void **state)
{
    assert_findings(
        *state,
        "\"a\":{" TCG ",\"vnc\":7,\"nics\":[{\"hostfwd\":[\"61447:22\"]}]},"
        "\"b\":{" TCG ",\"vnc\":\":7\",\"nics\":[\"user,hostfwd=tcp::61447-:22"
        "\"]},\"c\":{\"command\":\"./qemu -accel tcg -vnc 127.0.0.1:7,"
        "lossy=on\"},\"d\":{" TCG ",\"vnc\":8}",
        A
        "143: guests.b.vnc: error: VNC display 7 (TCP port 5907 of 0.0.0.0) "
        "is wanted by a already\n" A
        "156: guests.b.nics[0]: error: TCP port 61447 of 0.0.0.0 is wanted by a "
        "already\n" A
        "203: guests.c.command: error: VNC display 7 (TCP port 5907 of "
        "127.0.0.1) is wanted by a already\n");
}

static void
a_qemu_tells_its_version_once(void **state)
{
    const struct fixture *fixture = *state;
    static const struct {
        const char *script;
        const char *version; /* or NULL */
        const char *finding; /* its end, or "" */
    } scripts[] = {
        {"echo 'QEMU emulator version 7.2.22 (Debian 1:7.2)'\necho more",
         "7.2.22 (Debian 1:7.2)", ""},
        {"echo QEMU emulator version 5.2.0", "5.2.0",
         "is QEMU 5.2; guestmux is written for 6.2 and later"},
        {"echo libfoo.so.1: cannot open >&2; exit 127", "",
         "--version fails: libfoo.so.1: cannot open"},
        {"echo nothing of use", "", ""},
    };
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        char *script = xasprintf("#!/bin/sh\n%s\n", scripts[i].script);
        char *path = xasprintf("%s/qemu", fixture->directory);
        (void)unlink(path);
        put(fixture, "qemu", script, 0700);
        static const char text[] =
            "{\"version\":1,\"guests\":{\"a\":{" TCG "},\"b\":{" TCG "}}}";
        struct fleet *fleet =
            fleet_parse(fixture->file, text, strlen(text), NULL);
        struct preflight preflight = {0};
        preflight_run(&preflight, fleet);
        assert_int_equal(preflight.qemu_count, 1);
        assert_string_equal(preflight.qemus[0].program, path);
        assert_string_equal(preflight.qemus[0].version, scripts[i].version);
        assert_int_equal(preflight.count, scripts[i].finding[0] ? 1 : 0);
        if (preflight.count)
            assert_non_null(
                strstr(preflight.findings[0].text, scripts[i].finding));
        preflight_finish(&preflight);
        fleet_free(fleet);
        free(path);
        free(script);
    }
    char *path = xasprintf("%s/qemu", fixture->directory);
    (void)unlink(path);
    put(fixture, "qemu", "#!/bin/sh\n", 0700);
    free(path);
}

/* A QEMU that writes down what it is asked. */
#define ANSWERS                                                                  \
    "#!/bin/sh\n"                                                                \
    "echo \"$*\" >>\"${0%/*}/asked\"\n"                                          \
    "case $* in\n"                                                               \
    "--version) echo QEMU emulator version 7.2.22 ;;\n"                          \
    "'-machine help') echo 'Supported machines are:'; echo 'pc   x'\n"           \
    "    echo 'q35   x (alias of pc-q35-7.2)' ;;\n"                              \
    "'-cpu help') echo 'Available CPUs:'; echo 'x86 qemu64  x'\n"                \
    "    echo 'x86 EPYC  x'; echo; echo 'Recognized flags:' ;;\n"                \
    "'-device help') echo 'name \"e1000\", bus PCI, alias \"e1000-x\"'\n"        \
    "    echo 'name \"usb-tablet\", bus usb-bus' ;;\n"                           \
    "'-device edu,help') echo 'edu options:' ;;\n"                               \
    "'-accel help') echo module gone >&2\n"                                      \
    "    echo 'Accelerators supported in QEMU binary:'; echo tcg; echo kvm ;;\n" \
    "*) echo \"no: $*\" >&2 ;;\n"                                                \
    "esac\n"

static void
put_qemu(const struct fixture *fixture, const char *script)
{
    char *path = xasprintf("%s/qemu", fixture->directory);
    (void)unlink(path);
    put(fixture, "qemu", script, 0700);
    free(path);
}

static char *
get(const struct fixture *fixture, const char *name)
{
    char *path = xasprintf("%s/%s", fixture->directory, name);
    char text[4096] = "";
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    (void)fclose(file);
    free(path);
    return xstrdup(text);
}

/* Defaults say it for those that come after others. */
static void
until_of_defaults_is_for_those_that_wait(void **state)
{
    static const struct {
        const char *guests;
        size_t count;
    } fleets[] = {
        {"\"a\":{\"exec\":[\"sh\"]},\"b\":{\"exec\":[\"sh\"],\"after\":\"a\"}",
         0},
        {"\"a\":{\"exec\":[\"sh\"]},\"b\":{\"exec\":[\"sh\"]}", 2},
        {"\"a\":{\"exec\":[\"sh\"]},\"b\":{\"exec\":[\"sh\"],\"after\":\"a\","
         "\"until\":\"login\"}",
         1},
    };
    const struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(fleets) / sizeof(fleets[0]); i++) {
        char *text =
            xasprintf("{\"version\":1,\"defaults\":{\"until\":\"login\"},"
                      "\"guests\":{%s}}",
                      fleets[i].guests);
        struct fleet *fleet =
            fleet_parse(fixture->file, text, strlen(text), NULL);
        struct preflight preflight = {0};
        preflight_run(&preflight, fleet);
        assert_int_equal(preflight.count, fleets[i].count);
        if (preflight.count)
            assert_string_equal(preflight.findings[0].field, "until");
        preflight_finish(&preflight);
        fleet_free(fleet);
        free(text);
    }
}

static void
names_that_qemu_does_not_know_are_told(void **state)
{
    const struct fixture *fixture = *state;
    put_qemu(fixture, ANSWERS);
    assert_findings(
        fixture,
        "\"a\":{" TCG ",\"machine\":\"q53,smm=on\",\"cpu\":\"epyc,+aes\"},"
        "\"b\":{" TCG ",\"machine\":\"type=q35\",\"cpu\":\"EPYC\",\"devices\":["
        "\"e1000-x,addr=5\",\"edu\",{\"driver\":\"e100\"}],\"usb\":[\"tablet\","
        "\"usb-tabelt\"]},"
        "\"c\":{\"qemu\":\"./qemu\",\"accel\":\"hvf\",\"nics\":[{\"model\":"
        "\"e1000\"},\"user,model=virtio\",\"user,model=ne\"]},"
        "\"d\":{\"qemu\":\"./qemu\",\"machine\":\"pc,accel=hvf:tcg\"},"
        "\"e\":{" TCG ",\"cpu\":\"host,+aes\"},"
        "\"f\":{\"command\":\"./qemu -M qc -accel hvf -accel tcg -device help\"}",
        A
        "69: guests.a.machine: error: qemu has no machine \"q53\" (did you "
        "mean \"q35\"?)\n" A
        "88: guests.a.cpu: error: qemu has no CPU \"epyc\" (did you mean "
        "\"EPYC\"?)\n" A
        "204: guests.b.devices[2]: error: qemu has no device \"e100\" (did "
        "you mean \"e1000\"?)\n" A
        "239: guests.b.usb[1]: error: qemu has no device \"usb-tabelt\" (did "
        "you mean \"usb-tablet\"?)\n" A
        "283: guests.c.accel: error: qemu has no accelerator \"hvf\" (it has "
        "tcg, kvm)\n" A
        "335: guests.c.nics[2]: error: qemu has no device \"ne\" (its -device "
        "help lists what there is)\n" A
        "445: guests.e.cpu: error: the CPU \"host\" is this machine's own, "
        "for KVM and HVF alone, and the guest runs with TCG, whose most "
        "capable CPU is \"max\"\n" A
        "473: guests.f.command: error: qemu has no machine \"qc\" (did you "
        "mean \"pc\"?)\n");
    char *asked = get(fixture, "asked");
    assert_string_equal(asked,
                        "--version\n-machine help\n-cpu help\n-device help\n"
                        "-device usb-tabelt,help\n-device edu,help\n"
                        "-device e100,help\n-accel help\n-device ne,help\n");
    free(asked);
    put_qemu(fixture, "#!/bin/sh\n");
}

static void
a_qemu_that_lists_nothing_is_remarked_once(void **state)
{
    const struct fixture *fixture = *state;
    put_qemu(fixture, "#!/bin/sh\n"
                      "case $1 in\n"
                      "--version) echo QEMU emulator version 7.2.22 ;;\n"
                      "-machine) echo Usage: ... ;;\n"
                      "*) echo 'no such option' >&2; exit 1 ;;\n"
                      "esac\n");
    assert_findings(
        fixture,
        "\"a\":{" TCG ",\"machine\":\"q53\",\"cpu\":\"x\"},"
        "\"b\":{" TCG ",\"machine\":\"q53\",\"cpu\":\"y\"}",
        A
        "69: guests.a.machine: note: whether QEMU knows the machine cannot be "
        "told: qemu -machine help has no list that is known here\n" A
        "81: guests.a.cpu: note: whether QEMU knows the CPU cannot be told: "
        "qemu -cpu help fails: no such option\n");
    put_qemu(fixture, "#!/bin/sh\n");
}

static void
commands_that_cannot_be_taken_over_are_told_with_their_places(void **state)
{
    (void)state;
    static const char text[] =
        "{\"version\":1,\"guests\":{\n"
        "\"a\":{\"command\":\"qemu-system-x86_64 -serial none\"},\n"
        "\"b\":{\"args\":[\"-serial\",\"none\"]},\n"
        "\"c\":{\"command\":\"make\"}}}";
    struct fleet *fleet = fleet_parse("/x/f", text, strlen(text), NULL);
    assert_non_null(fleet);
    struct error error = {0};
    assert_false(preflight_check_commands(fleet, &error));
    assert_string_equal(
        error.text,
        "/x/f:2:16: guests.a.command: the guest would have no console: take "
        "\"-serial none\" (or null) out of its command line\n"
        "/x/f:4:16: guests.c.command: \"make\" is not a QEMU; for other "
        "programs there is \"exec\"");
    fleet_free(fleet);
}

static void
a_kvm_that_cannot_be_opened_is_told_with_what_to_do(void **state)
{
    const struct fixture *fixture = *state;
    struct utsname system;
    assert_int_equal(uname(&system), 0);
    char *missing = xasprintf("%s/no-kvm", fixture->directory);
    char *problem = accel_device_problem(system.machine, missing);
    assert_non_null(problem);
    assert_int_equal(strncmp(problem, "there is no KVM here: ", 22), 0);
    free(problem);
    /* Neither one that opens, nor another machine's guests. */
    assert_null(accel_device_problem(system.machine, "/dev/null"));
    assert_null(accel_device_problem("tricore", missing));
    free(missing);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_would_keep_a_guest_from_starting_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(
            until_of_defaults_is_for_those_that_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(names_that_qemu_does_not_know_are_told,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_qemu_that_lists_nothing_is_remarked_once, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_kvm_that_cannot_be_opened_is_told_with_what_to_do, setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            an_image_in_use_is_told_with_who_uses_it, setup, teardown),
        cmocka_unit_test_setup_teardown(
            chains_of_images_are_followed_to_their_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_image_below_others_is_nobodys_to_write_to, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_port_that_is_taken_is_told_with_who_has_it, setup, teardown),
        cmocka_unit_test_setup_teardown(
            ports_and_displays_that_two_guests_want_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_qemu_tells_its_version_once, setup,
                                        teardown),
        cmocka_unit_test(
            commands_that_cannot_be_taken_over_are_told_with_their_places),
    };
    (void)setenv("XDG_CONFIG_HOME", "/nowhere", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
