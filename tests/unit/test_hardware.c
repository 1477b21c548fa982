#include "base/xalloc.h"
#include "qemu/argv.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static struct spec *
read_spec(const char *text, struct error *error)
{
    json_t *entry = json_loads(text, 0, NULL);
    assert_non_null(entry);
    struct spec *spec = spec_from_json("n1", entry, "/f", error);
    json_decref(entry);
    return spec;
}

static char **
build(const char *text)
{
    struct error error = {0};
    struct spec *spec = read_spec(text, &error);
    if (!spec)
        fail_msg("%s: %s", text, error.text);
    static const char *const logs[] = {"/s/n1/ttyS0.log"};
    struct argv_runtime runtime = {.uuid = "u",
                                   .monitor_fd = 3,
                                   .logs = logs,
                                   .log_count = 1,
                                   .data_dir = "/d/n1"};
    char **argv = argv_build(spec, &runtime, &error);
    if (!argv)
        fail_msg("%s: %s", text, error.text);
    spec_free(spec);
    return argv;
}

/* A program that stands for a QEMU where only its path matters. */
#define PC "{\"qemu\":\"/bin/sh\",\"nics\":[],\"accel\":\"tcg\","
#define VIRT                                                                   \
    "{\"qemu\":\"/bin/sh\",\"arch\":\"aarch64\",\"nics\":[],"                  \
    "\"accel\":\"tcg\","

/* What stands behind "-machine q35" and the like, and whether a display keeps
 * -nographic away. */
static const struct {
    const char *entry;
    const char *tail;
    bool has_display;
} rows[] = {
    {PC "\"vga\":\"std\"}", "-accel tcg -vga std", false},
    {PC "\"vga\":true}", "-accel tcg -vga std", false},
    {PC "\"vga\":false}", "-accel tcg", false},
    {PC "\"vga\":\"none\",\"vnc\":1}", "-accel tcg -vnc 127.0.0.1:1", true},
    {PC "\"vga\":\"ramfb\"}", "-accel tcg -device ramfb", false},
    {PC "\"vnc\":0}", "-accel tcg -vga std -vnc 127.0.0.1:0", true},
    {PC "\"vnc\":\":0\"}", "-accel tcg -vga std -vnc :0", true},
    {PC "\"vnc\":\"[::1]:7,password=on\"}",
     "-accel tcg -vga std -vnc '[::1]:7,password=on'", true},
    {PC "\"vnc\":\"unix:a,b.sock\"}",
     "-accel tcg -vga std -vnc unix:/f/a,,b.sock", true},
    {PC "\"vnc\":\"/run/v.sock\"}", "-accel tcg -vga std -vnc unix:/run/v.sock",
     true},
    {PC "\"usb\":true}", "-accel tcg -device qemu-xhci,id=gmusb", false},
    {PC "\"usb\":false}", "-accel tcg", false},
    {PC "\"usb\":[\"tablet\",\"keyboard\",\"usb-host,vendorid=1\","
        "{\"driver\":\"usb-mouse\",\"port\":\"2\"}]}",
     "-accel tcg -device qemu-xhci,id=gmusb -device usb-tablet -device usb-kbd "
     "-device usb-host,vendorid=1 -device "
     "'{\"driver\":\"usb-mouse\",\"port\":\"2\"}'",
     false},
    {PC "\"devices\":[\"pvpanic\",{\"driver\":\"edu\",\"addr\":\"5\"}]}",
     "-accel tcg -device pvpanic -device "
     "'{\"driver\":\"edu\",\"addr\":\"5\"}'",
     false},
    {PC "\"rng\":true}",
     "-accel tcg -object rng-random,id=gmrng,filename=/dev/urandom -device "
     "virtio-rng-pci,rng=gmrng",
     false},
    {PC "\"rng\":\"my,file\"}",
     "-accel tcg -object rng-random,id=gmrng,filename=/f/my,,file -device "
     "virtio-rng-pci,rng=gmrng",
     false},
    {PC "\"machine\":\"microvm\",\"rng\":true}",
     "-accel tcg -object rng-random,id=gmrng,filename=/dev/urandom -device "
     "virtio-rng-device,rng=gmrng",
     false},
    {PC "\"rng\":false}", "-accel tcg", false},
    {VIRT "\"vga\":true}", "-cpu max -device virtio-gpu-pci", false},
    {VIRT "\"vga\":\"std\"}", "-cpu max -device VGA", false},
    {VIRT "\"vnc\":3,\"usb\":[\"tablet\"],\"rng\":true}",
     "-cpu max -device virtio-gpu-pci -vnc 127.0.0.1:3 -object "
     "rng-random,id=gmrng,filename=/dev/urandom -device "
     "virtio-rng-pci,rng=gmrng -device qemu-xhci,id=gmusb -device usb-tablet",
     true},
    {PC "\"firmware\":{\"code\":\"c,1.fd\"}}",
     "-accel tcg -drive "
     "if=pflash,unit=0,format=raw,readonly=on,file=/f/c,,1.fd",
     false},
    {PC "\"firmware\":{\"code\":\"c.fd\",\"store\":\"s.qcow2\"}}",
     "-accel tcg -drive if=pflash,unit=0,format=raw,readonly=on,file=/f/c.fd "
     "-drive if=pflash,unit=1,format=qcow2,file=/f/s.qcow2",
     false},
    {PC "\"firmware\":\"bios\"}", "-accel tcg", false},
    {PC "\"firmware\":\"sub/b.bin\"}", "-accel tcg -bios /f/sub/b.bin", false},
};

static void
fields_become_devices(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char **argv = build(rows[i].entry);
        char *text = argv_to_shell(argv);
        size_t len = strlen(text);
        size_t tail = strlen(rows[i].tail);
        if (len < tail || strcmp(text + len - tail, rows[i].tail) != 0)
            fail_msg("%s: %s", rows[i].entry, text);
        if (!strstr(text, " -nographic ") != rows[i].has_display)
            fail_msg("%s: %s", rows[i].entry, text);
        free(text);
        argv_free(argv);
    }
}

static const struct {
    const char *entry;
    const char *error;
} mistakes[] = {
    {"{\"vga\":\"vrtio\"}",
     "guests.n1.vga: \"vrtio\" is not a graphics card (try virtio)"},
    {"{\"vga\":1}", "guests.n1.vga: this is an integer, not a string"},
    {"{\"vnc\":-1}",
     "guests.n1.vnc: -1 is not within 0 and 59635, the VNC displays"},
    {"{\"vnc\":\"zero\"}",
     "guests.n1.vnc: \"zero\" is not a VNC display (try 0, \":0\" for all "
     "addresses, or \"unix:vnc.sock\")"},
    {"{\"vnc\":\":70000\"}",
     "guests.n1.vnc: \":70000\" is not a VNC display (try 0, \":0\" for all "
     "addresses, or \"unix:vnc.sock\")"},
    {"{\"usb\":\"tablet\"}",
     "guests.n1.usb: this is a string, not a boolean or an array of devices"},
    {"{\"usb\":[\"tablt\"]}",
     "guests.n1.usb[0]: \"tablt\" is not a USB device (try tablet, mouse, "
     "keyboard or usb-storage,drive=…)"},
    {"{\"devices\":[{\"id\":\"x\"}]}",
     "guests.n1.devices[0]: \"driver\" is missing"},
    {"{\"devices\":[7]}", "guests.n1.devices[0]: this is an integer, not a "
                          "string"},
    {"{\"devices\":\"edu\"}", "guests.n1.devices: this is a string, not an "
                              "array of strings or objects"},
    {"{\"rng\":1}", "guests.n1.rng: this is an integer, not a boolean or a "
                    "path"},
    {"{\"firmware\":\"uefi-scure\"}",
     "guests.n1.firmware: \"uefi-scure\" is not a firmware's name (try "
     "uefi-secure)"},
    {"{\"firmware\":{\"vars\":\"v\"}}",
     "guests.n1.firmware: \"code\" is missing"},
    {"{\"firmware\":{\"code\":\"c\",\"vras\":\"v\"}}",
     "guests.n1.firmware.vras: unknown field \"vras\" (did you mean "
     "\"vars\"?)"},
    {"{\"firmware\":{\"code\":\"c\",\"vars\":\"v\",\"store\":\"s\"}}",
     "guests.n1.firmware.store: firmware has \"vars\" (of which the guest "
     "gets a copy) or \"store\" (which it writes to), not both"},
    {"{\"firmware\":\"uefi\",\"disks\":[\"a\",{\"file\":\"b\",\"interface\":"
     "\"pflash\"}]}",
     "guests.n1.disks[1]: \"firmware\" is in the machine's flash already"},
    {"{\"firmware\":[]}", "guests.n1.firmware: this is an array, not a string "
                          "or an object of code and vars"},
};

static void
mistakes_are_told_with_their_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        struct error error = {0};
        struct spec *spec = read_spec(mistakes[i].entry, &error);
        if (spec || strcmp(error.text, mistakes[i].error) != 0)
            fail_msg("%s: %s", mistakes[i].entry, error.text);
    }
}

static void
vnc_displays_are_found_wherever_they_are_said(void **state)
{
    (void)state;
    static const struct {
        const char *entry;
        const char *host; /* NULL: a socket */
        const char *socket;
        int port; /* -1: none */
    } found[] = {
        {"{\"vnc\":2}", "127.0.0.1", NULL, 5902},
        {"{\"vnc\":\":0,password=on\"}", "", NULL, 5900},
        {"{\"vnc\":\"unix:v\"}", NULL, "/f/v", 0},
        {"{\"args\":[\"-vnc\",\"localhost:3\"]}", "localhost", NULL, 5903},
        {"{\"command\":\"qemu-system-x86_64 -vnc unix:v\"}", NULL, "/f/v", 0},
        {"{\"args\":[\"-vnc\",\"none\"]}", NULL, NULL, -1},
        {"{}", NULL, NULL, -1},
    };
    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
        struct spec *spec = read_spec(found[i].entry, NULL);
        struct argv_vnc vnc = {0};
        size_t at = 0;
        assert_int_equal(argv_find_vnc(spec, &at, &vnc), found[i].port >= 0);
        if (found[i].port >= 0)
            assert_int_equal(vnc.port, found[i].port);
        if (found[i].host)
            assert_string_equal(vnc.host, found[i].host);
        if (found[i].socket)
            assert_string_equal(vnc.socket, found[i].socket);
        argv_vnc_finish(&vnc);
        spec_free(spec);
    }
}

/* A QEMU that gets no further than its machine, or says what is wrong. */
static void
assert_qemu_takes(const char *text)
{
    struct error error = {0};
    struct spec *spec = read_spec(text, &error);
    if (!spec)
        fail_msg("%s: %s", text, error.text);
    char *directory = scratch_new();
    char *log = scratch_path(directory, "ttyS0.log");
    const char *const logs[] = {log};
    struct argv_runtime runtime = {.uuid =
                                       "9b9f6b0e-2f0b-4d6b-8c0e-0d2d1f7f5a11",
                                   .monitor_fd = 0,
                                   .logs = logs,
                                   .log_count = 1,
                                   .data_dir = directory};
    char **argv = argv_build(spec, &runtime, &error);
    if (!argv)
        fail_msg("%s: %s", text, error.text);
    char *command = argv_to_shell(argv);
    /* Machine and devices are made, then -S and the monitor's "quit" on a
     * monitor of the test's own end it. */
    char *whole = xasprintf("echo quit | %s -S -monitor stdio >%s/out 2>&1",
                            command, directory);
    char *fd = strstr(whole, "-chardev socket,id=gmqmp,fd=0,server=on,wait=off "
                             "-mon chardev=gmqmp,mode=control");
    assert_non_null(fd);
    memset(fd, ' ',
           strlen("-chardev socket,id=gmqmp,fd=0,server=on,wait=off -mon "
                  "chardev=gmqmp,mode=control"));
    int status = system(whole); /* NOLINT(cert-env33-c): words of our own */
    if (status != 0) {
        char *path = scratch_path(directory, "out");
        char *out = scratch_read(path);
        fail_msg("%s: %d: %s\n%s", text, status, whole, out);
    }
    free(whole);
    free(command);
    argv_free(argv);
    free(log);
    scratch_remove(directory);
    spec_free(spec);
}

static void
a_real_qemu_takes_all_of_it(void **state)
{
    (void)state;
    struct error error = {0};
    static const char *const entries[] = {
        "{\"accel\":\"tcg\",\"memory\":64,\"vga\":\"virtio\",\"vnc\":"
        "\"127.0.0.1:59,to=999\",\"usb\":[\"tablet\","
        "\"keyboard\",{\"driver\":\"usb-mouse\",\"port\":\"3\"}],\"rng\":true,"
        "\"devices\":[\"pvpanic\",{\"driver\":\"edu\",\"addr\":\"1c\"}]}",
        "{\"machine\":\"pc\",\"accel\":\"tcg\",\"memory\":64,\"vga\":true,"
        "\"usb\":true,\"rng\":true}",
        "{\"arch\":\"aarch64\",\"accel\":\"tcg\",\"memory\":64,\"vga\":true,"
        "\"usb\":[\"tablet\"],\"rng\":true,\"devices\":[\"pvpanic-pci\"]}",
    };
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        struct spec *spec = read_spec(entries[i], &error);
        if (!spec)
            fail_msg("%s: %s", entries[i], error.text);
        char *program = argv_find_qemu(spec, NULL);
        spec_free(spec);
        if (program)
            assert_qemu_takes(entries[i]);
        free(program);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_become_devices),
        cmocka_unit_test(mistakes_are_told_with_their_places),
        cmocka_unit_test(vnc_displays_are_found_wherever_they_are_said),
        cmocka_unit_test(a_real_qemu_takes_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
