#include "base/xalloc.h"
#include "qemu/accel.h"
#include "qemu/preflight.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, strlen(bytes)), strlen(bytes));
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
    put(fixture, "real.qcow2", "QFI\xFB and more", 0600);
    put(fixture, "fake.qcow2", "not at all", 0600);
    put(fixture, "qemu", "#!/bin/sh\n", 0700);
    put(fixture, "plain", "", 0600);
    *state = fixture;
    return 0;
}

static int
teardown(void **state)
{
    static const char *const names[] = {"k",          "raw.img", "real.qcow2",
                                        "fake.qcow2", "qemu",    "plain"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = xasprintf("%s/%s", fixture->directory, names[i]);
        (void)unlink(path);
        free(path);
    }
    (void)rmdir(fixture->directory);
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
    {"\"a\":{" TCG ",\"rng\":\"none\",\"firmware\":{\"code\":\"k\",\"vars\":"
     "\"gone\"}}",
     A "83: guests.a.firmware: error: cannot open gone: No such file or "
       "directory\n" A
       "65: guests.a.rng: error: cannot open none: No such file or "
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
            a_kvm_that_cannot_be_opened_is_told_with_what_to_do, setup,
            teardown),
        cmocka_unit_test(
            commands_that_cannot_be_taken_over_are_told_with_their_places),
    };
    (void)setenv("XDG_CONFIG_HOME", "/nowhere", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
