#include "base/buffer.h"
#include "base/xalloc.h"
#include "fleet/shellwords.h"
#include "fleet/spec.h"
#include "qemu/accel.h"
#include "qemu/argv.h"
#include "qemu/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define UUID "9b9f6b0e-2f0b-4d6b-8c0e-0d2d1f7f5a11"

/* The longest that a QEMU may take to answer, ms: a loaded machine. */
#define ANSWER_TIMEOUT_MS 60000

static struct spec *
make_spec(const char *text, const char *directory)
{
    json_error_t fault;
    json_t *entry = json_loads(text, 0, &fault);
    if (!entry)
        fail_msg("%s: %s", text, fault.text);
    struct error error = {0};
    struct spec *spec = spec_from_json("n1", entry, directory, &error);
    if (!spec)
        fail_msg("%s: %s", text, error.text);
    json_decref(entry);
    return spec;
}

static char **
build(const struct spec *spec, struct error *error)
{
    static const char *const logs[] = {"/s/n1/ttyS0.log", "/s/n1/1.log"};
    struct argv_runtime runtime = {
        .uuid = UUID, .monitor_fd = 3, .logs = logs, .log_count = 2};
    return argv_build(spec, &runtime, error);
}

/* The words of argv after an option; the index-th time it occurs. */
static const char *
value_of(char *const *argv, const char *option, int index)
{
    for (; argv[0]; argv++) {
        if (!strcmp(argv[0], option) && index-- == 0)
            return argv[1];
    }
    return NULL;
}

/* A program that stands for a QEMU where only its path matters. */
#define STAND_IN "\"qemu\":\"/bin/sh\""

static void
fields_become_options(void **state)
{
    (void)state;
    struct spec *spec = make_spec(
        "{" STAND_IN ",\"machine\":\"q35\",\"accel\":\"tcg\",\"smp\":2,"
        "\"memory\":\"1.5G\",\"cpu\":\"max\",\"kernel\":\"k\",\"initrd\":\"i\","
        "\"append\":\"a b,c\",\"nics\":[],\"firmware\":\"bios-256k.bin\","
        "\"args\":[\"-S\"]}",
        "/f");
    char **argv = build(spec, NULL);
    assert_non_null(argv);
    char *text = argv_to_shell(argv);
    assert_string_equal(
        text,
        "/bin/sh -name guest=n1 -uuid " UUID
        " -chardev socket,id=gmqmp,fd=3,server=on,wait=off -mon "
        "chardev=gmqmp,mode=control -chardev "
        "pty,id=gmcon0,logfile=/s/n1/ttyS0.log,logappend=on -nographic "
        "-nodefaults -serial chardev:gmcon0 -machine q35 -accel tcg -cpu max "
        "-smp 2 -m 1536M -bios bios-256k.bin -kernel /f/k -initrd /f/i -append "
        "'a b,c' -S");
    free(text);
    argv_free(argv);
    spec_free(spec);
}

static void
disks_get_their_controllers(void **state)
{
    (void)state;
    struct spec *spec =
        make_spec("{" STAND_IN ",\"nics\":[],\"disks\":[\"a,b.qcow2\","
                  "{\"file\":\"s\",\"interface\":\"scsi\",\"format\":\"raw\"},"
                  "{\"file\":\"t\",\"interface\":\"scsi\",\"readonly\":true},"
                  "{\"file\":\"u\",\"interface\":\"sata\"},"
                  "{\"file\":\"v\",\"interface\":\"ide\",\"readonly\":true},"
                  "{\"file\":\"w\",\"interface\":\"nvme\"}]}",
                  "/f");
    char **argv = build(spec, NULL);
    static const char *const drives[] = {
        "if=none,id=gmdisk0,file=/f/a,,b.qcow2,format=qcow2",
        "if=none,id=gmdisk1,file=/f/s,format=raw",
        "if=none,id=gmdisk2,file=/f/t,readonly=on",
        "if=none,id=gmdisk3,file=/f/u",
        "if=none,id=gmdisk4,file=/f/v,readonly=on",
        "if=none,id=gmdisk5,file=/f/w",
    };
    static const char *const devices[] = {
        "virtio-blk-pci,drive=gmdisk0",
        "virtio-scsi-pci,id=gmscsi",
        "scsi-hd,bus=gmscsi.0,drive=gmdisk1",
        "scsi-cd,bus=gmscsi.0,drive=gmdisk2",
        "ahci,id=gmsata0",
        "ide-hd,bus=gmsata0.0,drive=gmdisk3",
        "ide-cd,drive=gmdisk4",
        "nvme,drive=gmdisk5,serial=gmdisk5",
    };
    for (int i = 0; i < 6; i++)
        assert_string_equal(value_of(argv, "-drive", i), drives[i]);
    for (int i = 0; i < 8; i++)
        assert_string_equal(value_of(argv, "-device", i), devices[i]);
    argv_free(argv);
    spec_free(spec);
}

static void
a_guest_has_one_user_network_unless_told_otherwise(void **state)
{
    (void)state;
    struct spec *spec = make_spec("{" STAND_IN "}", "/f");
    char **argv = build(spec, NULL);
    assert_string_equal(value_of(argv, "-netdev", 0), "user,id=gmnet0");
    assert_string_equal(
        value_of(argv, "-device", 0),
        "virtio-net-pci,id=gmnic0,netdev=gmnet0,mac=52:54:00:49:75:03,romfile=");
    argv_free(argv);
    spec_free(spec);
    spec = make_spec("{" STAND_IN ",\"machine\":\"microvm\",\"nics\":["
                     "{\"mac\":\"52:54:00:00:00:09\"},\"tap,ifname=t,,0\","
                     "\"tap,mac=52:54:00:00:00:07\"]}",
                     "/f");
    argv = build(spec, NULL);
    assert_string_equal(
        value_of(argv, "-device", 0),
        "virtio-net-device,id=gmnic0,netdev=gmnet0,mac=52:54:00:00:00:09");
    assert_int_equal(
        strncmp(value_of(argv, "-nic", 0), "tap,ifname=t,,0,mac=52:54:00:", 29),
        0);
    assert_string_equal(value_of(argv, "-nic", 1),
                        "tap,mac=52:54:00:00:00:07,id=gmnet2");
    argv_free(argv);
    spec_free(spec);
}

static void
guests_of_different_names_have_different_addresses(void **state)
{
    (void)state;
    json_t *entry = json_pack("{s:s}", "qemu", "/bin/sh");
    char *seen[200];
    for (int i = 0; i < 200; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "node%d", i);
        struct spec *spec = spec_from_json(name, entry, "/fleet", NULL);
        char **argv = build(spec, NULL);
        seen[i] = xstrdup(strstr(value_of(argv, "-device", 0), "mac="));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(seen[i], seen[k]);
        argv_free(argv);
        spec_free(spec);
    }
    for (int i = 0; i < 200; i++)
        free(seen[i]);
    json_decref(entry);
}

static void
accelerators_are_chosen_by_what_can_be_used(void **state)
{
    (void)state;
    struct spec *spec = make_spec("{" STAND_IN ",\"arch\":\"sparc\"}", "/f");
    char **argv = build(spec, NULL);
    assert_string_equal(value_of(argv, "-accel", 0), "tcg");
    assert_null(value_of(argv, "-accel", 1));
    assert_null(value_of(argv, "-machine", 0));
    argv_free(argv);
    spec_free(spec);
    spec = make_spec("{" STAND_IN ",\"machine\":\"q35,accel=tcg\"}", "/f");
    argv = build(spec, NULL);
    assert_null(value_of(argv, "-accel", 0));
    argv_free(argv);
    spec_free(spec);
    spec = make_spec("{" STAND_IN ",\"accel\":\"auto\"}", "/f");
    argv = build(spec, NULL);
    const char *native = accel_native("x86_64");
    assert_string_equal(value_of(argv, "-accel", 0), native ? native : "tcg");
    assert_string_equal(value_of(argv, "-accel", native ? 1 : 0), "tcg");
    argv_free(argv);
    spec_free(spec);
}

static void
other_architectures_have_machines_that_boot(void **state)
{
    (void)state;
    struct spec *spec = make_spec("{" STAND_IN ",\"arch\":\"aarch64\"}", "/f");
    char **argv = build(spec, NULL);
    assert_string_equal(value_of(argv, "-machine", 0), "virt");
    assert_string_equal(value_of(argv, "-cpu", 0), "max");
    argv_free(argv);
    const char **names = argv_console_names(spec, NULL);
    assert_string_equal(names[0], "ttyAMA0");
    assert_null(names[1]);
    free(names);
    spec_free(spec);
}

static void
arguments_of_the_users_bring_consoles_and_a_uuid(void **state)
{
    (void)state;
    struct spec *spec = make_spec(
        "{" STAND_IN ",\"args\":[\"-serial\",\"pty\",\"-uuid\",\"" UUID
        "\",\"-monitor\",\"stdio\",\"-vnc\",\":9\"]}",
        "/f");
    const char **names = argv_console_names(spec, NULL);
    assert_string_equal(names[0], "ttyS0");
    assert_string_equal(names[1], "ttyS1");
    assert_null(names[2]);
    free(names);
    char *uuid = argv_own_uuid(spec);
    assert_string_equal(uuid, UUID);
    free(uuid);
    char **argv = build(spec, NULL);
    assert_non_null(value_of(argv, "-uuid", 0));
    assert_null(value_of(argv, "-uuid", 1));
    assert_string_equal(value_of(argv, "-serial", 1), "chardev:gmcon1");
    assert_null(value_of(argv, "-monitor", 0));
    assert_null(value_of(argv, "-nographic", 0));
    argv_free(argv);
    char **notes = argv_notes(spec, NULL);
    assert_string_equal(notes[0],
                        "-serial pty: this serial port is the console ttyS1");
    argv_free(notes);
    spec_free(spec);
}

static void
several_consoles_have_their_devices_in_order(void **state)
{
    (void)state;
    struct spec *spec = make_spec(
        "{" STAND_IN ",\"consoles\":[\"hvc0\",\"ttyS1\",\"hvc1\",\"ttyS0\"],"
        "\"args\":[\"-serial\",\"pty\"]}",
        "/f");
    const char **names = argv_console_names(spec, NULL);
    assert_string_equal(names[0], "hvc0");
    assert_string_equal(names[1], "ttyS1");
    assert_string_equal(names[3], "ttyS0");
    assert_string_equal(names[4], "ttyS2");
    assert_null(names[5]);
    free(names);
    static const char *const logs[] = {"/a", "/b", "/c", "/d", "/e"};
    struct argv_runtime runtime = {
        .uuid = UUID, .monitor_fd = 3, .logs = logs, .log_count = 5};
    char **argv = argv_build(spec, &runtime, NULL);
    assert_string_equal(value_of(argv, "-serial", 0), "chardev:gmcon3");
    assert_string_equal(value_of(argv, "-serial", 1), "chardev:gmcon1");
    assert_string_equal(value_of(argv, "-serial", 2), "chardev:gmcon4");
    assert_string_equal(value_of(argv, "-device", 0),
                        "virtio-serial-pci,id=gmserial");
    assert_string_equal(value_of(argv, "-device", 1),
                        "virtconsole,bus=gmserial.0,chardev=gmcon0");
    assert_string_equal(value_of(argv, "-device", 2),
                        "virtconsole,bus=gmserial.0,chardev=gmcon2");
    assert_string_equal(value_of(argv, "-chardev", 1),
                        "pty,id=gmcon0,logfile=/a,logappend=on");
    argv_free(argv);
    spec_free(spec);
    spec = make_spec("{" STAND_IN ",\"machine\":\"microvm\",\"consoles\":"
                     "[\"hvc0\"]}",
                     "/f");
    argv = build(spec, NULL);
    assert_null(value_of(argv, "-serial", 0));
    assert_string_equal(value_of(argv, "-device", 0),
                        "virtio-serial-device,id=gmserial");
    argv_free(argv);
    spec_free(spec);
}

/* What a kernel is told about a size that is fixed. */
static const struct {
    const char *fields;
    const char *append; /* NULL: none */
} appends[] = {
    {"\"kernel\":\"k\"", NULL},
    {"\"kernel\":\"k\",\"append\":\"quiet\"", "quiet"},
    {"\"console\":{\"rows\":30,\"cols\":90}", NULL},
    {"\"kernel\":\"k\",\"console\":{\"rows\":30,\"cols\":90}",
     "systemd.tty.rows.ttyS0=30 systemd.tty.columns.ttyS0=90"},
    {"\"kernel\":\"k\",\"append\":\"console=hvc0\",\"consoles\":[\"hvc0\","
     "\"ttyS0\"],\"console\":{\"rows\":30,\"cols\":90}",
     "console=hvc0 systemd.tty.rows.hvc0=30 systemd.tty.columns.hvc0=90 "
     "systemd.tty.rows.ttyS0=30 systemd.tty.columns.ttyS0=90"},
    {"\"kernel\":\"k\",\"append\":\"systemd.tty.rows.ttyS0=5\",\"console\":{"
     "\"rows\":30,\"cols\":90}",
     "systemd.tty.rows.ttyS0=5 systemd.tty.columns.ttyS0=90"},
};

static void
a_kernel_is_told_a_fixed_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(appends) / sizeof(appends[0]); i++) {
        char *text = xasprintf("{" STAND_IN ",%s}", appends[i].fields);
        struct spec *spec = make_spec(text, "/f");
        char **argv = build(spec, NULL);
        const char *append = value_of(argv, "-append", 0);
        if (!appends[i].append)
            assert_null(append);
        else
            assert_string_equal(append, appends[i].append);
        argv_free(argv);
        spec_free(spec);
        free(text);
    }
}

static void
fewer_logs_than_consoles_are_our_own_bug(void **state)
{
    (void)state;
    struct spec *spec = make_spec("{" STAND_IN "}", "/f");
    struct argv_runtime runtime = {.uuid = UUID, .monitor_fd = 3};
    struct error error = {0};
    assert_null(argv_build(spec, &runtime, &error));
    assert_int_equal(error.code, ERROR_CODE_INTERNAL);
    spec_free(spec);
}

static void
a_qemu_that_is_not_there_is_told_with_its_package(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        const char *message;
    } rows[] = {
        {"{\"qemu\":\"qemu-system-nothing\"}",
         "qemu-system-nothing is not installed: no such program in PATH "
         "(Debian, Ubuntu: apt install qemu-system-misc; Fedora: dnf install "
         "qemu-system-nothing)"},
        {"{\"command\":\"qemu-nothing\"}",
         "qemu-nothing is not installed: no such program in PATH"},
        {"{\"qemu\":\"./none\"}",
         "cannot run /f/none: No such file or directory"},
        {"{\"qemu\":\"/\"}", "cannot run /: it is not a regular file"},
        {"{\"qemu\":\"/etc/passwd\"}",
         "cannot run /etc/passwd: it is not executable (chmod +x it)"},
        {"{\"command\":\"sub/qemu -m 1\"}",
         "cannot run /f/sub/qemu: No such file or directory"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct spec *spec = make_spec(rows[i].spec, "/f");
        struct error error = {0};
        assert_null(argv_find_qemu(spec, &error));
        assert_string_equal(error.text, rows[i].message);
        spec_free(spec);
    }
}

static void
only_elf_files_that_need_libseccomp_take_a_sandbox(void **state)
{
    (void)state;
    char directory[] = "/tmp/test-argv-XXXXXX";
    assert_non_null(mkdtemp(directory));
    char *path = xasprintf("%s/elf", directory);
    assert_false(sandbox_is_supported(path));
    assert_false(sandbox_is_supported("/"));
    assert_false(sandbox_is_supported("/bin/sh"));
    /* Every cut and many a wrong byte of a real file. */
    FILE *stream = fopen("/bin/sh", "rb");
    unsigned char bytes[4096];
    size_t len = stream ? fread(bytes, 1, sizeof(bytes), stream) : 0;
    assert_int_equal(len, sizeof(bytes));
    (void)fclose(stream);
    for (size_t i = 0; i < 1024; i += i < 128 ? 1 : 61) {
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        unsigned char old = bytes[i];
        bytes[i] = 0xFF;
        assert_int_equal(write(fd, bytes, i % 2 ? len : i + 1),
                         i % 2 ? len : i + 1);
        bytes[i] = old;
        (void)close(fd);
        assert_false(sandbox_is_supported(path));
    }
    (void)unlink(path);
    (void)rmdir(directory);
    free(path);
}

/* From here on: a real QEMU. */

struct machine {
    char directory[64];
    char *log;
    int listener;
    int monitor;
    int output; /* its stdout and stderr */
    pid_t pid;
    struct buffer input;
};

static void
listen_on(struct machine *machine)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/qmp",
                   machine->directory);
    machine->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(
        bind(machine->listener, (struct sockaddr *)&address, sizeof(address)),
        0);
    assert_int_equal(listen(machine->listener, 4), 0);
    machine->monitor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(
        connect(machine->monitor, (struct sockaddr *)&address, sizeof(address)),
        0);
}

static void
start(struct machine *machine, char *const *argv)
{
    listen_on(machine);
    machine->pid = fork();
    assert_true(machine->pid >= 0);
    if (machine->pid == 0) {
        (void)dup2(machine->listener, 3);
        (void)dup2(machine->output, 1);
        (void)dup2(machine->output, 2);
        int null = open("/dev/null", O_RDONLY);
        (void)dup2(null, 0);
        (void)chdir(machine->directory);
        execv(argv[0], argv);
        _exit(127);
    }
    (void)close(machine->listener);
}

/* The next message that is no event; NULL when QEMU is gone. */
static json_t *
hear(struct machine *machine)
{
    for (;;) {
        char *end = machine->input.len
                        ? memchr(machine->input.data, '\n', machine->input.len)
                        : NULL;
        if (end) {
            size_t len = (size_t)(end - machine->input.data);
            json_t *message = json_loadb(machine->input.data, len, 0, NULL);
            buffer_consume(&machine->input, len + 1);
            if (!json_object_get(message, "event"))
                return message;
            json_decref(message);
            continue;
        }
        struct pollfd wait = {.fd = machine->monitor, .events = POLLIN};
        char bytes[4096];
        if (poll(&wait, 1, ANSWER_TIMEOUT_MS) <= 0)
            return NULL;
        ssize_t got = read(machine->monitor, bytes, sizeof(bytes));
        if (got <= 0)
            return NULL;
        buffer_append(&machine->input, bytes, (size_t)got);
    }
}

static void
print_output(const struct machine *machine)
{
    char text[2048];
    ssize_t len = pread(machine->output, text, sizeof(text) - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    (void)fprintf(stderr, "# QEMU says: %s\n", text);
}

static json_t *
ask(struct machine *machine, const char *command)
{
    char *line = xasprintf("{\"execute\":\"%s\"}\n", command);
    (void)send(machine->monitor, line, strlen(line), MSG_NOSIGNAL);
    free(line);
    json_t *reply = hear(machine);
    json_t *value = json_incref(json_object_get(reply, "return"));
    json_decref(reply);
    if (!value)
        print_output(machine);
    return value;
}

static bool
has_qemu(void)
{
    struct spec *spec = make_spec("{}", "/");
    char *path = argv_find_qemu(spec, NULL);
    spec_free(spec);
    free(path);
    return path != NULL;
}

/* Boots a spec (stopped: -S is among its arguments) in a directory whose path
 * has everything in it that QEMU's syntax could stumble over. Returns false
 * when QEMU did not answer. */
static bool
boot(struct machine *machine, const char *text)
{
    (void)snprintf(machine->directory, sizeof(machine->directory),
                   "/tmp/test-argv,id=x,,%%s-XXXXXX");
    assert_non_null(mkdtemp(machine->directory));
    char *image = xasprintf("%s/a,b=c;$(id) json:{}.img", machine->directory);
    int fd = open(image, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    (void)close(fd);
    free(image);
    machine->log = xasprintf("%s/log,append=off", machine->directory);
    char *output = xasprintf("%s/out", machine->directory);
    machine->output = open(output, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    free(output);
    struct spec *spec = make_spec(text, machine->directory);
    const char *logs[] = {machine->log, machine->log, machine->log};
    char *socket = xasprintf("%s/net", machine->directory);
    char *agent = xasprintf("%s/agent", machine->directory);
    const char *sockets[] = {socket, socket, socket, socket};
    struct argv_runtime runtime = {.uuid = UUID,
                                   .monitor_fd = 3,
                                   .logs = logs,
                                   .log_count = 3,
                                   .nic_sockets = sockets,
                                   .agent_socket = agent};
    struct error error = {0};
    char **argv = argv_build(spec, &runtime, &error);
    if (!argv)
        fail_msg("%s", error.text);
    start(machine, argv);
    argv_free(argv);
    spec_free(spec);
    free(agent);
    free(socket);
    json_t *greeting = hear(machine);
    bool is_there = json_object_get(greeting, "QMP") != NULL;
    json_decref(greeting);
    if (!is_there) {
        (void)fprintf(stderr, "# %s\n", text);
        print_output(machine);
        return false;
    }
    json_t *done = ask(machine, "qmp_capabilities");
    json_decref(done);
    return done != NULL;
}

/* Quits QEMU and returns its exit status. */
static int
leave(struct machine *machine)
{
    json_decref(ask(machine, "quit"));
    struct pollfd wait = {.fd = machine->monitor, .events = POLLIN};
    char bytes[4096];
    while (poll(&wait, 1, ANSWER_TIMEOUT_MS) > 0 &&
           read(machine->monitor, bytes, sizeof(bytes)) > 0)
        continue;
    int status = 0;
    (void)kill(machine->pid, SIGTERM);
    (void)waitpid(machine->pid, &status, 0);
    (void)close(machine->monitor);
    (void)close(machine->output);
    buffer_finish(&machine->input);
    free(machine->log);
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", machine->directory, (char *)NULL);
        _exit(127);
    }
    (void)waitpid(pid, NULL, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define IMAGE "a,b=c;$(id) json:{}.img"

/* Each card's fields, and the -netdev that comes of them. */
static const struct {
    const char *nic;
    const char *netdev;
} networks[] = {
    {"{}", "user,id=gmnet0"},
    {"{\"type\":\"user\",\"hostfwd\":[\"2222:22\",{\"protocol\":\"udp\","
     "\"host\":\"0.0.0.0\",\"host-port\":53,\"guest\":\"10.0.2.16\","
     "\"guest-port\":53}],\"options\":{\"restrict\":true,\"hostname\":"
     "\"a,b\"}}",
     "user,id=gmnet0,restrict=on,hostname=a,,b,hostfwd=tcp:127.0.0.1:2222-:22,"
     "hostfwd=udp:0.0.0.0:53-10.0.2.16:53"},
    {"{\"type\":\"tap\",\"name\":\"tap,0\"}",
     "tap,id=gmnet0,ifname=tap,,0,script=no,downscript=no"},
    {"{\"type\":\"tap\",\"name\":\"tap0\",\"script\":\"up.sh\"}",
     "tap,id=gmnet0,ifname=tap0,script=/f/up.sh,downscript=no"},
    {"{\"type\":\"tap\",\"helper\":\"/h\",\"bridge\":\"br1\"}",
     "tap,id=gmnet0,br=br1,helper=/h"},
    {"{\"type\":\"bridge\",\"bridge\":\"br0\"}", "bridge,id=gmnet0,br=br0"},
    {"{\"type\":\"vmnet-bridged\",\"name\":\"en0\"}",
     "vmnet-bridged,id=gmnet0,ifname=en0"},
    {"{\"type\":\"socket\",\"options\":{\"listen\":\":1234\"}}",
     "socket,id=gmnet0,listen=:1234"},
    {"{\"type\":\"dgram\",\"options\":{\"local.type\":\"unix\","
     "\"local.path\":\"/a\",\"remote.type\":\"unix\",\"remote.path\":"
     "\"/b\"}}",
     "dgram,id=gmnet0,local.type=unix,local.path=/a,remote.type=unix,"
     "remote.path=/b"},
    {"{\"network\":\"lan0\"}",
     "stream,id=gmnet0,server=on,addr.type=unix,addr.path=/r/n1,,x.net0"},
};

static void
networks_become_netdevs(void **state)
{
    (void)state;
    static const char *const logs[] = {"/s/n1/ttyS0.log"};
    static const char *const sockets[] = {"/r/n1,x.net0"};
    struct argv_runtime runtime = {.uuid = UUID,
                                   .monitor_fd = 3,
                                   .logs = logs,
                                   .log_count = 1,
                                   .nic_sockets = sockets};
    for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
        char *text = xasprintf("{" STAND_IN ",\"nics\":[%s]}", networks[i].nic);
        struct spec *spec = make_spec(text, "/f");
        char **argv = argv_build(spec, &runtime, NULL);
        assert_string_equal(value_of(argv, "-netdev", 0), networks[i].netdev);
        argv_free(argv);
        spec_free(spec);
        free(text);
    }
}

static void
chosen_ports_take_the_place_of_auto(void **state)
{
    (void)state;
    static const char *const logs[] = {"/s/n1/ttyS0.log"};
    static const int ports[] = {2222, 20001, 20002};
    struct argv_runtime runtime = {.uuid = UUID,
                                   .monitor_fd = 3,
                                   .logs = logs,
                                   .log_count = 1,
                                   .forward_ports = ports};
    struct spec *spec = make_spec(
        "{" STAND_IN ",\"nics\":[{\"hostfwd\":[\"2222:22\",\"auto:80\"]},"
        "\"user\",{\"hostfwd\":[\"udp:0:53\"]}]}",
        "/f");
    char **argv = argv_build(spec, &runtime, NULL);
    assert_string_equal(value_of(argv, "-netdev", 0),
                        "user,id=gmnet0,hostfwd=tcp:127.0.0.1:2222-:22,"
                        "hostfwd=tcp:127.0.0.1:20001-:80");
    assert_string_equal(value_of(argv, "-netdev", 2),
                        "user,id=gmnet2,hostfwd=udp:127.0.0.1:20002-:53");
    argv_free(argv);
    spec_free(spec);
}

static void
the_agent_has_a_port_on_the_consoles_bus(void **state)
{
    (void)state;
    static const char *const logs[] = {"/s/n1/0.log", "/s/n1/1.log"};
    struct argv_runtime runtime = {.uuid = UUID,
                                   .monitor_fd = 3,
                                   .logs = logs,
                                   .log_count = 2,
                                   .agent_socket = "/r/n1,x.agent"};
    static const char *const specs[] = {
        "{" STAND_IN ",\"nics\":[],\"agent\":true}",
        "{" STAND_IN ",\"nics\":[],\"agent\":true,\"consoles\":[\"ttyS0\","
        "\"hvc0\"]}",
    };
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        struct spec *spec = make_spec(specs[i], "/f");
        char **argv = argv_build(spec, &runtime, NULL);
        int chardev = 0;
        while (strncmp(value_of(argv, "-chardev", chardev), "socket,id=gmagent",
                       17) != 0)
            chardev++;
        assert_string_equal(
            value_of(argv, "-chardev", chardev),
            "socket,id=gmagent,server=on,wait=off,path=/r/n1,,x.agent");
        int buses = 0;
        int ports = 0;
        for (int j = 0; value_of(argv, "-device", j); j++) {
            const char *device = value_of(argv, "-device", j);
            buses += strstr(device, "id=gmserial") != NULL;
            ports += strstr(device, "bus=gmserial.0,chardev=gmagent,"
                                    "id=gmagent0,"
                                    "name=org.qemu.guest_agent.0") != NULL;
        }
        assert_int_equal(buses, 1);
        assert_int_equal(ports, 1);
        argv_free(argv);
        spec_free(spec);
    }
}

/* Specs that a real QEMU must take as they come out. */
static const char *const accepted[] = {
    "{\"accel\":\"tcg\",\"args\":[\"-S\"]}",
    "{\"accel\":\"tcg,tb-size=16\",\"machine\":\"pc\",\"smp\":2,\"memory\":64,"
    "\"cpu\":\"max,-vme\",\"nics\":[],\"args\":[\"-S\"]}",
    "{\"accel\":\"tcg\",\"machine\":\"microvm\",\"disks\":[{\"file\":\"" IMAGE
    "\",\"format\":\"raw\"}],\"args\":[\"-S\"]}",
    "{\"accel\":\"tcg\",\"disks\":[{\"file\":\"" IMAGE
    "\",\"format\":\"raw\",\"interface\":\"nvme\"},"
    "{\"file\":\"/dev/null\",\"format\":\"raw\",\"interface\":\"sata\","
    "\"readonly\":true},{\"file\":\"/dev/null\",\"format\":\"raw\","
    "\"interface\":\"ide\",\"readonly\":true},{\"file\":\"/dev/null\","
    "\"format\":\"raw\",\"interface\":\"scsi\",\"readonly\":true},"
    "{\"file\":\"/dev/null\",\"format\":\"raw\",\"readonly\":true}],"
    "\"nics\":[\"user,hostname=a,,b\",{\"model\":\"e1000\"}],"
    "\"args\":[\"-S\"]}",
    "{\"accel\":\"tcg\",\"args\":[\"-S\",\"-serial\",\"mon:stdio\",\"-device\","
    "\"virtio-serial\",\"-chardev\",\"pty,id=v\",\"-device\","
    "\"virtconsole,chardev=v\",\"-nographic\",\"-daemonize\",\"-name\",\"x\","
    "\"-monitor\",\"stdio\"]}",
    "{\"accel\":\"tcg\",\"agent\":true,\"consoles\":[\"ttyS0\",\"hvc0\"],"
    "\"nics\":[{\"hostfwd\":[\"25631:22\",\"udp:25631:53\"],\"options\":{"
    "\"restrict\":true,\"net\":\"10.9.0.0/24\"}},\"user,model=e1000\","
    "{\"type\":\"dgram\",\"options\":{\"remote.type\":\"inet\","
    "\"remote.host\":\"127.0.0.1\",\"remote.port\":\"25632\",\"local.type\":"
    "\"inet\",\"local.host\":\"127.0.0.1\",\"local.port\":\"25633\"}},"
    "{\"network\":\"lan0\"}],\"args\":[\"-S\"]}",
    "{\"command\":\"qemu-system-x86_64 -accel tcg -S -m 64 -nographic\"}",
    "{\"command\":\"sudo qemu-system-x86_64 -accel tcg -S -nodefaults -chardev "
    "vc,id=monitor -mon monitor -serial vc &\"}",
    "{\"command\":\"qemu-system-x86_64 -M q35,accel=tcg -S -display gtk -serial "
    "stdio -parallel vc -curses -daemonize -pidfile x -qmp stdio\"}",
    "{\"command\":\"qemu-system-x86_64 -accel tcg -S -chardev "
    "stdio,id=c,mux=on,signal=off -mon chardev=c -serial chardev:c -device "
    "virtio-serial -device virtconsole,chardev=c -drive "
    "'file=./a,,b=c;$(id) json:{}.img,format=raw,if=virtio'\"}",
    "{\"command\":[\"qemu-system-x86_64\",\"-accel\",\"tcg\",\"-S\","
    "\"-device\",\"{\\\"driver\\\":\\\"isa-serial\\\",\\\"chardev\\\":"
    "\\\"s\\\"}\",\"-chardev\",\"stdio,id=s\",\"-nodefaults\"]}",
};

static void
a_real_qemu_accepts_what_is_built(void **state)
{
    (void)state;
    if (!has_qemu())
        skip();
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        struct machine machine = {0};
        assert_true(boot(&machine, accepted[i]));
        json_t *name = ask(&machine, "query-name");
        assert_string_equal(json_string_value(json_object_get(name, "name")),
                            "n1");
        json_decref(name);
        json_t *uuid = ask(&machine, "query-uuid");
        assert_string_equal(json_string_value(json_object_get(uuid, "UUID")),
                            UUID);
        json_decref(uuid);
        struct stat info;
        assert_int_equal(stat(machine.log, &info), 0);
        assert_int_equal(leave(&machine), 0);
    }
}

static void
paths_with_qemus_own_syntax_in_them_reach_it_whole(void **state)
{
    (void)state;
    if (!has_qemu())
        skip();
    struct machine machine = {0};
    assert_true(boot(&machine, accepted[2]));
    json_t *blocks = ask(&machine, "query-block");
    json_t *inserted = json_object_get(json_array_get(blocks, 0), "inserted");
    char *wanted = xasprintf("%s/" IMAGE, machine.directory);
    assert_string_equal(json_string_value(json_object_get(inserted, "file")),
                        wanted);
    free(wanted);
    json_decref(blocks);
    json_t *chardevs = ask(&machine, "query-chardev");
    size_t ptys = 0;
    for (size_t i = 0; i < json_array_size(chardevs); i++) {
        const json_t *chardev = json_array_get(chardevs, i);
        const char *label =
            json_string_value(json_object_get(chardev, "label"));
        const char *name =
            json_string_value(json_object_get(chardev, "filename"));
        if (!strcmp(label, "gmcon0")) {
            ptys++;
            assert_int_equal(strncmp(name, "pty:/dev/pts/", 13), 0);
        }
    }
    assert_int_equal(ptys, 1);
    json_decref(chardevs);
    assert_int_equal(leave(&machine), 0);
}

static bool
log_has_now(const struct machine *machine, const char *text)
{
    char bytes[65536];
    int fd = open(machine->log, O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, bytes, sizeof(bytes));
    (void)close(fd);
    return len > 0 && memmem(bytes, (size_t)len, text, strlen(text));
}

/* Waits for a text in the console's log. */
static bool
log_has(const struct machine *machine, const char *text)
{
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    assert_true(inotify_add_watch(watch, machine->log, IN_MODIFY) >= 0);
    struct pollfd wait = {.fd = watch, .events = POLLIN};
    bool is_there = log_has_now(machine, text);
    while (!is_there && poll(&wait, 1, ANSWER_TIMEOUT_MS) > 0) {
        char events[4096];
        (void)!read(watch, events, sizeof(events));
        is_there = log_has_now(machine, text);
    }
    (void)close(watch);
    return is_there;
}

static void
the_firmware_speaks_on_the_serial_console(void **state)
{
    (void)state;
    if (!has_qemu())
        skip();
    static const char *const specs[] = {
        "{\"accel\":\"tcg\",\"machine\":\"q35\",\"nics\":[]}",
        "{\"accel\":\"tcg\",\"machine\":\"pc\",\"nics\":[]}",
        "{\"command\":\"qemu-system-x86_64 -M q35,accel=tcg -net none\"}",
        ("{\"command\":\"qemu-system-x86_64 -M pc,accel=tcg -nodefaults "
         "-serial vc -chardev vc,id=m -mon m\"}"),
    };
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        struct machine machine = {0};
        assert_true(boot(&machine, specs[i]));
        assert_true(log_has(&machine, "SeaBIOS"));
        assert_int_equal(leave(&machine), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_become_options),
        cmocka_unit_test(disks_get_their_controllers),
        cmocka_unit_test(a_guest_has_one_user_network_unless_told_otherwise),
        cmocka_unit_test(networks_become_netdevs),
        cmocka_unit_test(chosen_ports_take_the_place_of_auto),
        cmocka_unit_test(the_agent_has_a_port_on_the_consoles_bus),
        cmocka_unit_test(guests_of_different_names_have_different_addresses),
        cmocka_unit_test(accelerators_are_chosen_by_what_can_be_used),
        cmocka_unit_test(other_architectures_have_machines_that_boot),
        cmocka_unit_test(arguments_of_the_users_bring_consoles_and_a_uuid),
        cmocka_unit_test(several_consoles_have_their_devices_in_order),
        cmocka_unit_test(a_kernel_is_told_a_fixed_size),
        cmocka_unit_test(fewer_logs_than_consoles_are_our_own_bug),
        cmocka_unit_test(a_qemu_that_is_not_there_is_told_with_its_package),
        cmocka_unit_test(only_elf_files_that_need_libseccomp_take_a_sandbox),
        cmocka_unit_test(a_real_qemu_accepts_what_is_built),
        cmocka_unit_test(paths_with_qemus_own_syntax_in_them_reach_it_whole),
        cmocka_unit_test(the_firmware_speaks_on_the_serial_console),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
