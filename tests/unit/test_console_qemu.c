#include "console-world.h"
#include "guest-sector.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* A console on a real QEMU, with a boot sector for a guest. */
struct fixture {
    struct world *world;
    char *mount_point; /* a small file system of its own, or NULL */
    char *image;
    char pts[64];
    pid_t pid;
};

/* QEMU ----------------------------------------------------------------------
 */

static bool
has_qemu(void)
{
    const char *path = getenv("PATH");
    char *paths = xstrdup(path ? path : "");
    char *rest = paths;
    bool is_there = false;
    for (char *dir; !is_there && (dir = strsep(&rest, ":"));) {
        char *program = xasprintf("%s/qemu-system-x86_64", dir);
        is_there = access(program, X_OK) == 0;
        free(program);
    }
    free(paths);
    return is_there;
}

static void
exec_qemu(struct fixture *fixture, int out)
{
    char *drive = xasprintf("file=%s,format=raw,snapshot=on", fixture->image);
    char *chardev = xasprintf("pty,id=c0,logfile=%s,logappend=on",
                              fixture->world->log_path);
    dup2(out, STDOUT_FILENO);
    setsid();
    execlp("qemu-system-x86_64", "qemu-system-x86_64", "-display", "none",
           "-nodefaults", "-machine", "pc", "-accel", "tcg", "-m", "16",
           "-drive", drive, "-chardev", chardev, "-serial", "chardev:c0",
           (char *)NULL);
    _exit(127);
}

/* QEMU says "char device redirected to /dev/pts/7 (label c0)". */
static void
read_pts(struct fixture *fixture, int in)
{
    char said[256];
    size_t len = 0;
    ssize_t n;
    while (len < sizeof(said) - 1 &&
           (n = read(in, said + len, sizeof(said) - 1 - len)) > 0) {
        len += (size_t)n;
        said[len] = '\0';
        const char *start = strstr(said, "/dev/pts/");
        if (start && strchr(start, '\n') &&
            sscanf(start, "%63s", fixture->pts) == 1)
            return;
    }
    fail_msg("QEMU did not name its pty");
}

static void
start_qemu(struct fixture *fixture)
{
    int out[2];
    fixture->image = xasprintf("%s/disk", fixture->world->dir);
    int fd = open(fixture->image, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, guest_sector, sizeof(guest_sector)),
                     sizeof(guest_sector));
    close(fd);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    fixture->pid = fork();
    assert_true(fixture->pid >= 0);
    if (fixture->pid == 0)
        exec_qemu(fixture, out[1]);
    close(out[1]);
    read_pts(fixture, out[0]);
    close(out[0]);
    console_set_pty(fixture->world->console, fixture->pts);
    world_wait_for(fixture->world, "READY");
}

static void
stop_qemu(struct fixture *fixture)
{
    if (fixture->pid <= 0)
        return;
    kill(fixture->pid, SIGKILL);
    waitpid(fixture->pid, NULL, 0);
    fixture->pid = 0;
}

static void
make_world(struct fixture *fixture, const char *parent)
{
    fixture->world = world_new(parent);
    fixture->world->console = world_open_console(fixture->world, 24, 80);
}

static int
set_up(void **state)
{
    *state = xcalloc(1, sizeof(struct fixture));
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *fixture = *state;
    bool is_clean = true;
    stop_qemu(fixture);
    if (fixture->image)
        unlink(fixture->image);
    if (fixture->world)
        is_clean = world_free(fixture->world);
    if (fixture->mount_point) {
        umount2(fixture->mount_point, MNT_DETACH);
        rmdir(fixture->mount_point);
    }
    free(fixture->mount_point);
    free(fixture->image);
    free(fixture);
    return is_clean ? 0 : -1;
}

/* The world with its QEMU; false when there is none. */
static struct world *
boot(struct fixture *fixture)
{
    if (!has_qemu()) {
        print_message("skipped: there is no qemu-system-x86_64\n");
        skip();
    }
    make_world(fixture, "/tmp");
    start_qemu(fixture);
    return fixture->world;
}

static void
type(struct world *world, const char *text)
{
    struct error error = {0};
    if (!console_type(world->console, text, strlen(text), &error))
        fail_msg("%s", error.text);
}

static bool
is_closed(void *data)
{
    const struct world *world = data;
    return !console_keyboard_is_open(world->console);
}

static char *
read_log(struct world *world, size_t *ret_len)
{
    size_t len = (size_t)world_log_size(world);
    char *text = xmalloc(len + 1);
    assert_int_equal(pread(world->log, text, len, 0), len);
    text[len] = '\0';
    *ret_len = len;
    return text;
}

/* QEMU repeats a byte in the log when it finds the pty full. The kernel, which
 * empties it, can be late on a very busy machine. */
#define STALLS 3

/* Checks that text holds flood lines without a break, from number *next on.
 * repeats: how many bytes may be there twice. */
static void
expect_lines(const char *text, unsigned *next, unsigned repeats)
{
    char line[80];
    const char *at = text;
    const char *end = text + strlen(text);
    while (end - at >= (ptrdiff_t)sizeof(line)) {
        int len =
            snprintf(line, sizeof(line), "%08x%s", *next, GUEST_SECTOR_LINE);
        for (int i = 0; i < len; i++, at++) {
            if (*at != line[i] && repeats > 0 && *at == at[-1]) {
                repeats--;
                at++;
            }
            if (*at != line[i])
                fail_msg("not line %x: \"%.120s\"", *next, at - i);
        }
        ++*next;
    }
}

static const char *
find_flood(const char *text)
{
    const char *flood = strstr(text, "00000000 the quick");
    assert_non_null(flood);
    return flood;
}

/* Tests ---------------------------------------------------------------------
 */

static void
what_is_typed_into_an_idle_guest_arrives_and_is_shown(void **state)
{
    struct fixture *fixture = *state;
    struct world *world = boot(fixture);
    assert_false(console_keyboard_is_open(world->console));
    type(world, "hello");
    world_wait_for(world, "hello");
    assert_true(run_until(&world->loop, is_closed, world));
    type(world, " again");
    world_wait_for(world, "hello again");
}

static void
a_flood_is_whole_while_the_pty_comes_and_goes(void **state)
{
    struct fixture *fixture = *state;
    struct world *world = boot(fixture);
    unsigned next = 0;
    size_t len;
    type(world, "F");
    for (unsigned i = 1; i <= 10; i++) {
        world_wait_for_offset(world, (uint64_t)i * 40000);
        if (i % 2)
            console_hold_keyboard(world->console);
        else
            console_release_keyboard(world->console);
    }
    type(world, "x");
    world_wait_for(world, "\nx");
    assert_int_equal(console_offset(world->console), world_log_size(world));
    char *log = read_log(world, &len);
    expect_lines(find_flood(log), &next, STALLS);
    assert_true(next > 400000 / 60);
    free(log);
    expect_lines(find_flood(world->output.data), &(unsigned){0}, STALLS);
}

static void
a_guest_that_reads_no_keys_is_neither_held_up_nor_repeated(void **state)
{
    struct fixture *fixture = *state;
    struct world *world = boot(fixture);
    unsigned next = 0;
    size_t len;
    type(world, "G");
    world_wait_for(world, "lazy dog");
    type(world, "more than the UART's sixteen bytes of FIFO");
    assert_true(run_until(&world->loop, is_closed, world));
    world_wait_for_offset(world, console_offset(world->console) + 200000);
    stop_qemu(fixture);
    char *log = read_log(world, &len);
    expect_lines(find_flood(log), &next, STALLS);
    free(log);
}

static void
a_server_that_stands_still_holds_up_no_guest(void **state)
{
    struct fixture *fixture = *state;
    struct world *world = boot(fixture);
    unsigned next = 0;
    size_t len;
    console_hold_keyboard(world->console);
    type(world, "F");
    world_wait_for(world, "lazy dog");
    /* The loop has no turn, as after a SIGSTOP; the pty holds 20 KB. */
    uint64_t start = clock_monotonic_ms();
    uint64_t end = world_log_size(world) + 200000;
    while (world_log_size(world) < end)
        assert_true(clock_monotonic_ms() - start < UNTIL_DEADLINE_MS);
    type(world, "x");
    world_wait_for(world, "\nx");
    char *log = read_log(world, &len);
    expect_lines(find_flood(log), &next, STALLS);
    free(log);
}

static void
a_qemu_that_is_killed_takes_its_keyboard_along(void **state)
{
    struct fixture *fixture = *state;
    struct world *world = boot(fixture);
    struct error error = {0};
    console_hold_keyboard(world->console);
    type(world, "hello");
    world_wait_for(world, "hello");
    stop_qemu(fixture);
    assert_true(run_until(&world->loop, is_closed, world));
    assert_false(console_type(world->console, "x", 1, &error));
    assert_int_equal(world->troubles, 0);
    assert_true(world_shows(world, "hello"));
}

/* A full disk ---------------------------------------------------------------
 */

static void
mount_small(struct fixture *fixture)
{
    fixture->mount_point = xstrdup("/tmp/guestmux-small-XXXXXX");
    assert_non_null(mkdtemp(fixture->mount_point));
    if (mount("tmpfs", fixture->mount_point, "tmpfs", MS_NOSUID | MS_NODEV,
              "size=1m,mode=0700") == 0)
        return;
    print_message("skipped: a small file system cannot be mounted (%s)\n",
                  strerror(errno));
    rmdir(fixture->mount_point);
    free(fixture->mount_point);
    fixture->mount_point = NULL;
    skip();
}

/* Writes a file until the disk is full. Returns its path. */
static char *
fill_disk(struct fixture *fixture)
{
    char block[4096] = {0};
    char *path = xasprintf("%s/filler", fixture->mount_point);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    while (write(fd, block, sizeof(block)) > 0)
        ;
    assert_int_equal(errno, ENOSPC);
    close(fd);
    return path;
}

static bool
has_gap(void *data)
{
    const struct world *world = data;
    return strstr(world->trouble.text, "cannot grow") != NULL;
}

static bool
grows_again(void *data)
{
    const struct world *world = data;
    return strstr(world->trouble.text, "grows again") != NULL;
}

static bool
has_more_output(void *data)
{
    const struct world *world = data;
    return world->output.len >= world->wanted_offset;
}

static struct world *
boot_on_small_disk(struct fixture *fixture)
{
    if (!has_qemu()) {
        print_message("skipped: there is no qemu-system-x86_64\n");
        skip();
    }
    mount_small(fixture);
    make_world(fixture, fixture->mount_point);
    start_qemu(fixture);
    return fixture->world;
}

static void
an_echo_is_shown_though_the_disk_is_full(void **state)
{
    struct fixture *fixture = *state;
    struct world *world = boot_on_small_disk(fixture);
    type(world, "one ");
    world_wait_for(world, "one");
    char *filler = fill_disk(fixture);
    /* The log's last page has room left. */
    char *filling = xmalloc(5000);
    memset(filling, '.', 4999);
    filling[4999] = '\0';
    type(world, filling);
    type(world, "two ");
    world_wait_for(world, "two");
    assert_true(run_until(&world->loop, has_gap, world));
    type(world, "three ");
    world_wait_for(world, "three");
    uint64_t end = world_log_size(world);
    assert_int_equal(console_offset(world->console), end);
    unlink(filler);
    type(world, "four");
    world_wait_for(world, "four");
    assert_true(run_until(&world->loop, grows_again, world));
    assert_true(world_shows(world, "two three four"));
    assert_false(world_shows(world, "fourfour"));
    assert_int_equal(console_offset(world->console), world_log_size(world));
    free(filling);
    free(filler);
}

static void
a_flood_onto_a_full_disk_is_shown_whole(void **state)
{
    struct fixture *fixture = *state;
    struct world *world = boot_on_small_disk(fixture);
    unsigned next = 0;
    console_hold_keyboard(world->console);
    char *filler = fill_disk(fixture);
    type(world, "F");
    assert_true(run_until(&world->loop, has_gap, world));
    world->wanted_offset = world->output.len + 100000;
    assert_true(run_until(&world->loop, has_more_output, world));
    unlink(filler);
    assert_true(run_until(&world->loop, grows_again, world));
    world->wanted_offset = world->output.len + 10000;
    assert_true(run_until(&world->loop, has_more_output, world));
    type(world, "x");
    world_wait_for(world, "\nx");
    /* While the pty is read by this process, it is full more often. */
    expect_lines(find_flood(world->output.data), &next, 20);
    assert_true(next > 110000 / 60);
    assert_int_equal(console_offset(world->console), world_log_size(world));

    /* Another server sees the gap in its place. */
    console_free(world->console);
    world->console = world_open_console(world, 24, 80);
    world_wait_for_offset(world, world_log_size(world));
    assert_true(world_shows(world, "bytes are missing in the log]"));
    free(filler);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_typed_into_an_idle_guest_arrives_and_is_shown),
        TEST(a_flood_is_whole_while_the_pty_comes_and_goes),
        TEST(a_guest_that_reads_no_keys_is_neither_held_up_nor_repeated),
        TEST(a_server_that_stands_still_holds_up_no_guest),
        TEST(a_qemu_that_is_killed_takes_its_keyboard_along),
        TEST(an_echo_is_shown_though_the_disk_is_full),
        TEST(a_flood_onto_a_full_disk_is_shown_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
