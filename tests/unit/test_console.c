#include "base/clock.h"
#include "console-world.h"
#include "console/freezer.h"
#include "console/marks.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int
set_up(void **state)
{
    struct world *world = world_new("/tmp");
    *state = world;
    return 0;
}

static int
tear_down(void **state)
{
    return world_free(*state) ? 0 : -1;
}

/* The log ------------------------------------------------------------------ */

static void
the_log_is_replayed_and_then_followed(void **state)
{
    struct world *world = *state;
    world_print(world, "old\r\n\a\033]2;title\a");
    world->console = world_open_console(world, 24, 80);
    assert_true(console_is_replaying(world->console));
    world_wait_for(world, "old");
    assert_false(console_is_replaying(world->console));
    assert_int_equal(world->output.len, 0);
    assert_int_equal(world->bells, 0);
    /* an earlier server saw it come: the log's own time */
    assert_true(console_last_output_ms(world->console) > 0);
    uint64_t offset = console_offset(world->console);
    assert_int_equal(offset, world_log_size(world));

    world_print(world, "new\a");
    world_wait_for(world, "new");
    assert_string_equal(world->output.data, "new\a");
    assert_int_equal(world->output_offset, offset);
    assert_int_equal(console_offset(world->console), offset + 4);
    assert_int_equal(world->bells, 1);
    assert_string_equal(world->title, "title");
    assert_true(console_last_output_ms(world->console) > 0);
    assert_true(world->changes >= 2);
}

static void
an_empty_log_is_live_at_once(void **state)
{
    struct world *world = *state;
    world->console = world_open_console(world, 24, 80);
    assert_false(console_is_replaying(world->console));
    assert_int_equal(console_offset(world->console), 0);
    assert_int_equal(console_boot_offset(world->console), 0);
}

static void
what_comes_during_the_replay_is_live(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 20000; i++)
        world_print(world, "an old line\r\n");
    uint64_t old = world_log_size(world);
    world->console = world_open_console(world, 24, 80);
    uv_run(&world->loop, UV_RUN_NOWAIT);
    assert_true(console_is_replaying(world->console));
    world_print(world, "live");
    world_wait_for(world, "live");
    assert_string_equal(world->output.data, "live");
    assert_int_equal(world->output_offset, old);
}

static bool
is_history_compressed(void *data)
{
    const struct world *world = data;
    struct freezer *freezer = console_freezer(world->console);
    return freezer_bytes(freezer).packed && freezer_is_idle(freezer);
}

static void
the_history_of_a_silent_console_is_compressed(void **state)
{
    struct world *world = *state;
    world->console = world_open_console(world, 24, 80);
    for (int i = 0; i < 5000; i++)
        world_print(world, "pci 0000:00:1f.2: [8086:2922] type 00 class "
                           "0x010601: a line of the kernel log\r\n");
    world_print(world, "last");
    world_wait_for(world, "last");
    assert_true(run_until(&world->loop, is_history_compressed, world));
    struct freezer_bytes bytes = freezer_bytes(console_freezer(world->console));
    assert_true(bytes.packed < bytes.plain / 10);
    char *text = world_text(world->console);
    assert_non_null(strstr(text, "a line of the kernel log"));
    free(text);
}

/* A pty whose master the test has, as QEMU does. */
struct qemu {
    int master;
    char path[64];
};

static struct qemu
open_qemu(void)
{
    struct qemu qemu;
    int slave;
    assert_int_equal(openpty(&qemu.master, &slave, qemu.path, NULL, NULL), 0);
    close(slave);
    fcntl(qemu.master, F_SETFL, O_NONBLOCK);
    return qemu;
}

static size_t
read_typed(struct qemu *qemu, char *bytes, size_t size)
{
    ssize_t n = read(qemu->master, bytes, size);
    return n > 0 ? (size_t)n : 0;
}

static void
queries_are_answered_live_and_only_then(void **state)
{
    struct world *world = *state;
    struct qemu qemu = open_qemu();
    char bytes[64];
    world_print(world, "\033[6n");
    world->console = world_open_console(world, 24, 80);
    console_set_pty(world->console, qemu.path);
    world_wait_for_offset(world, 4);
    assert_false(console_keyboard_is_open(world->console));
    world_print(world, "ab\033[6n");
    world_wait_for_offset(world, 10);
    assert_true(console_keyboard_is_open(world->console));
    assert_int_equal(read_typed(&qemu, bytes, sizeof(bytes)), 6);
    assert_memory_equal(bytes, "\033[1;3R", 6);
    close(qemu.master);
}

static void
a_flood_of_queries_gets_few_answers(void **state)
{
    struct world *world = *state;
    struct qemu qemu = open_qemu();
    char *queries = xmalloc(1u << 20);
    size_t answers = 0;
    char bytes[4096];
    size_t n;
    for (size_t i = 0; i < (1u << 20); i++)
        queries[i] = "\033[6n"[i % 4];
    world->console = world_open_console(world, 24, 80);
    console_set_pty(world->console, qemu.path);
    world_wait_for_offset(world, 0);
    uint64_t start = clock_monotonic_ms();
    assert_int_equal(write(world->log, queries, 1u << 20), 1u << 20);
    world_wait_for_offset(world, 1u << 20);
    while ((n = read_typed(&qemu, bytes, sizeof(bytes))) > 0)
        answers += n / 6;
    uint64_t seconds = (clock_monotonic_ms() - start) / 1000;
    assert_true(answers > 0);
    assert_true(answers <= 64 + 64 * (seconds + 1));
    free(queries);
    close(qemu.master);
}

static void
typing_opens_the_pty_and_holding_keeps_it_open(void **state)
{
    struct world *world = *state;
    struct qemu qemu = open_qemu();
    struct error error = {0};
    char bytes[16];
    world->console = world_open_console(world, 24, 80);
    assert_false(console_type(world->console, "x", 1, &error));
    assert_int_equal(error.code, ERROR_CODE_STATE);
    console_set_pty(world->console, qemu.path);
    assert_true(console_type(world->console, "ls\r", 3, &error));
    assert_int_equal(console_input_pending(world->console), 0);
    assert_int_equal(read_typed(&qemu, bytes, sizeof(bytes)), 3);
    console_hold_keyboard(world->console);
    console_release_keyboard(world->console);
    console_hold_keyboard(world->console);
    assert_true(console_keyboard_is_open(world->console));
    console_set_pty(world->console, NULL);
    assert_false(console_keyboard_is_open(world->console));
    assert_false(console_type(world->console, "x", 1, &error));
    close(qemu.master);
}

static void
a_held_console_shows_what_comes_in_the_turn_it_comes(void **state)
{
    struct world *world = *state;
    struct qemu qemu = open_qemu();
    world->console = world_open_console(world, 24, 80);
    console_set_pty(world->console, qemu.path);
    console_hold_keyboard(world->console);
    world_wait_for_offset(world, 0);
    uv_run(&world->loop, UV_RUN_NOWAIT);
    for (int i = 0; i < 8; i++) {
        unsigned changes = world->changes;
        world_print(world, "x");
        uv_run(&world->loop, UV_RUN_ONCE);
        assert_int_equal(console_offset(world->console), i + 1);
        assert_int_equal(world->changes, changes + 1);
    }
    close(qemu.master);
}

static bool
has_trouble(void *data)
{
    return ((const struct world *)data)->troubles > 0;
}

static void
a_log_that_is_cut_is_told_and_goes_on(void **state)
{
    struct world *world = *state;
    world_print(world, "0123456789");
    world->console = world_open_console(world, 24, 80);
    world_wait_for_offset(world, 10);
    assert_int_equal(ftruncate(world->log, 0), 0);
    assert_true(run_until(&world->loop, has_trouble, world));
    world_print(world, "abc");
    world_wait_for(world, "0123456789abc");
    assert_int_equal(console_offset(world->console), 3);
    assert_int_equal(world->troubles, 1);

    struct console *first = world->console;
    world->console = world_open_console(world, 10, 10);
    world_wait_for(world, "abc");
    assert_int_equal(terminal_cols(console_terminal(world->console)), 80);
    console_free(first);
}

static void
a_log_that_was_replaced_is_followed_from_the_next_pty_on(void **state)
{
    struct world *world = *state;
    struct qemu qemu = open_qemu();
    world_print(world, "old");
    world->console = world_open_console(world, 24, 80);
    world_wait_for(world, "old");
    console_mark_boot(world->console);
    console_resize(world->console, 24, 70);
    assert_int_equal(console_boot_offset(world->console), 3);
    unlink(world->log_path);
    close(world->log);
    world->log =
        open(world->log_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    world_print(world, "new");
    console_set_pty(world->console, qemu.path);
    world_wait_for(world, "new");
    assert_int_equal(console_boot_offset(world->console), 0);
    console_free(world->console);
    world->console = world_open_console(world, 5, 10);
    world_wait_for(world, "new");
    assert_int_equal(terminal_cols(console_terminal(world->console)), 70);
    assert_int_equal(console_boot_offset(world->console), 0);
    close(qemu.master);
}

static void
a_handler_may_free_the_console(void **state)
{
    struct world *world = *state;
    world->console = world_open_console(world, 24, 80);
    world_wait_for_offset(world, 0);
    world->frees_on_output = true;
    world_print(world, "x");
    while (world->console)
        uv_run(&world->loop, UV_RUN_ONCE);
}

/* Marks -------------------------------------------------------------------- */

static void
a_new_size_is_there_at_once_and_after_a_restart(void **state)
{
    struct world *world = *state;
    world->console = world_open_console(world, 24, 80);
    world_wait_for_offset(world, 0);
    console_resize(world->console, 30, 100);
    assert_int_equal(terminal_rows(console_terminal(world->console)), 30);
    console_free(world->console);
    world->console = world_open_console(world, 24, 80);
    assert_int_equal(terminal_rows(console_terminal(world->console)), 30);
    assert_int_equal(terminal_cols(console_terminal(world->console)), 100);
    console_resize(world->console, 0, 100000);
    assert_int_equal(terminal_rows(console_terminal(world->console)),
                     TERMINAL_MIN_ROWS);
    assert_int_equal(terminal_cols(console_terminal(world->console)),
                     TERMINAL_MAX_COLS);
}

static void
a_resize_waits_for_the_replays_end(void **state)
{
    struct world *world = *state;
    world_print(world, "0123456789abcdef\r\n");
    world->console = world_open_console(world, 24, 80);
    console_resize(world->console, 5, 10);
    assert_int_equal(terminal_cols(console_terminal(world->console)), 80);
    world_wait_for_offset(world, 1);
    assert_int_equal(terminal_cols(console_terminal(world->console)), 10);
    assert_int_equal(terminal_rows(console_terminal(world->console)), 5);
}

static void
a_boot_begins_at_the_logs_end(void **state)
{
    struct world *world = *state;
    world->console = world_open_console(world, 24, 80);
    world_wait_for_offset(world, 0);
    world_print(world, "\033[?1049h\033[31mfirst boot");
    uint64_t end = world_log_size(world);
    /* The loop had no turn: what was printed is not interpreted yet. */
    console_mark_boot(world->console);
    assert_int_equal(console_boot_offset(world->console), end);
    console_resize(world->console, 20, 70);
    world_print(world, "second boot");
    world_wait_for(world, "second boot");
    assert_int_equal(terminal_modes(console_terminal(world->console)) &
                         TERMINAL_MODE_ALTERNATE_SCREEN,
                     0);
    assert_int_equal(terminal_cols(console_terminal(world->console)), 70);
    char *before = world_text(world->console);
    console_free(world->console);
    world->console = world_open_console(world, 24, 80);
    world_wait_for_offset(world, world_log_size(world));
    char *after = world_text(world->console);
    assert_string_equal(after, before);
    assert_int_equal(console_boot_offset(world->console), end);
    free(before);
    free(after);
}

static void
print_at_random(struct world *world, unsigned *seed)
{
    static const char *const pieces[] = {
        "hello ",    "world\r\n",        "\033[1;32mgreen\033[m ",
        "\033[2J",   "\033[H",           "0123456789012345678901234567890123",
        "\033[3;7r", "\033[?1049h",      "\033[?1049l",
        "\xe2\x82",  "\xac\xf0\x9f",     "\t",
        "\033[5;5H", "\033[10;20Hx\r\n", "\n\n\n",
    };
    int count = 1 + (int)(rand_r(seed) % 20);
    for (int i = 0; i < count; i++)
        world_print(world, pieces[(size_t)rand_r(seed) %
                                  (sizeof(pieces) / sizeof(pieces[0]))]);
}

static void
a_new_server_shows_what_an_uninterrupted_one_shows(void **state)
{
    struct world *world = *state;
    unsigned seed = 1;
    struct console *steady = world_open_console(world, 24, 80);
    for (int round = 0; round < 40; round++) {
        world->console = steady;
        for (int step = 0; step < 5; step++) {
            print_at_random(world, &seed);
            if (rand_r(&seed) % 2)
                world_wait_for_offset(world, world_log_size(world));
            if (rand_r(&seed) % 3 == 0)
                console_resize(steady, 5 + (int)(rand_r(&seed) % 20),
                               20 + (int)(rand_r(&seed) % 60));
            if (rand_r(&seed) % 8 == 0)
                console_mark_boot(steady);
        }
        world_wait_for_offset(world, world_log_size(world));
        char *expected = world_text(steady);
        world->console = world_open_console(world, 24, 80);
        world_wait_for_offset(world, world_log_size(world));
        char *replayed = world_text(world->console);
        assert_string_equal(replayed, expected);
        assert_int_equal(console_boot_offset(world->console),
                         console_boot_offset(steady));
        free(expected);
        free(replayed);
        console_free(world->console);
    }
    world->console = steady;
}

static void
a_huge_log_is_replayed_from_near_its_end(void **state)
{
    struct world *world = *state;
    struct buffer lines = {0};
    for (unsigned i = 0; i < 20000; i++)
        buffer_printf(&lines, "line %06u of a kernel log, as long as most\r\n",
                      i);
    size_t total = 0;
    while (total < (40u << 20)) {
        assert_int_equal(write(world->log, lines.data, lines.len), lines.len);
        total += lines.len;
    }
    buffer_finish(&lines);
    world->console = world_open_console(world, 24, 80);
    assert_true(console_offset(world->console) >= total - (32u << 20));
    world_wait_for_offset(world, total);
    assert_true(world_shows(world, "line 019999 of"));
    assert_true(world_shows(world, "line 019500 of"));
    assert_int_equal(console_offset(world->console), total);
}

/* A descriptor ------------------------------------------------------------- */

/* Starts a program on a pty; returns its master. */
static int
spawn(const char *script, pid_t *ret_pid)
{
    int master;
    pid_t pid = forkpty(&master, NULL, NULL, NULL);
    assert_true(pid >= 0);
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", script, (char *)NULL);
        _exit(127);
    }
    *ret_pid = pid;
    return master;
}

static bool
has_ended(void *data)
{
    return ((const struct world *)data)->ends > 0;
}

static void
set_fd(struct world *world, int fd)
{
    struct error error = {0};
    if (!console_set_fd(world->console, fd, &error))
        fail_msg("%s", error.text);
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

static void
a_program_is_shown_logged_typed_into_and_ends(void **state)
{
    struct world *world = *state;
    struct error error = {0};
    pid_t pid;
    size_t len;
    world->console = world_open_console(world, 24, 80);
    set_fd(world, spawn("stty -echo; echo ready; read x; echo \"got $x\"; "
                        "exit 3",
                        &pid));
    world_wait_for(world, "ready");
    assert_true(console_type(world->console, "hello\r", 6, &error));
    world_wait_for(world, "got hello");
    assert_true(run_until(&world->loop, has_ended, world));
    assert_int_equal(world->ends, 1);
    assert_int_equal(world->end_errnum, 0);
    assert_false(console_type(world->console, "x", 1, &error));
    char *log = read_log(world, &len);
    assert_string_equal(log, "ready\r\ngot hello\r\n");
    assert_int_equal(console_offset(world->console), len);
    assert_string_equal(world->output.data, log);
    free(log);
    waitpid(pid, NULL, 0);
}

static void
a_program_knows_its_window_size(void **state)
{
    struct world *world = *state;
    struct error error = {0};
    pid_t pid;
    world->console = world_open_console(world, 24, 80);
    set_fd(world,
           spawn("stty -echo; echo ready; while read x; do stty size; done",
                 &pid));
    world_wait_for(world, "ready");
    assert_true(console_type(world->console, "\r", 1, &error));
    world_wait_for(world, "24 80");
    console_resize(world->console, 30, 100);
    assert_true(console_type(world->console, "\r", 1, &error));
    world_wait_for(world, "30 100");
    console_free(world->console);
    world->console = NULL;
    waitpid(pid, NULL, 0);
}

static void
what_is_shown_is_logged_already(void **state)
{
    struct world *world = *state;
    pid_t pid;
    world->console = world_open_console(world, 24, 80);
    set_fd(world, spawn("for i in 1 2 3 4 5 6 7 8 9; do echo $i; done", &pid));
    while (world->ends == 0) {
        uv_run(&world->loop, UV_RUN_ONCE);
        assert_true(world->output.len == 0 ||
                    world->logged_then == world->output.len);
    }
    waitpid(pid, NULL, 0);
}

static void
a_flood_is_logged_to_the_last_byte(void **state)
{
    struct world *world = *state;
    pid_t pid;
    size_t len;
    world->console = world_open_console(world, 24, 80);
    set_fd(world, spawn("stty -opost; seq 1 500000", &pid));
    assert_true(run_until(&world->loop, has_ended, world));
    char *log = read_log(world, &len);
    const char *at = log;
    for (int i = 1; i <= 500000; i++) {
        char line[16];
        int n = snprintf(line, sizeof(line), "%d\n", i);
        if (strncmp(at, line, (size_t)n) != 0)
            fail_msg("line %d is \"%.20s\"", i, at);
        at += n;
    }
    assert_int_equal(*at, '\0');
    assert_int_equal(world->output.len, len);
    assert_true(world_shows(world, "499999"));
    free(log);
    waitpid(pid, NULL, 0);
}

static void
a_program_waits_until_the_log_before_it_is_replayed(void **state)
{
    struct world *world = *state;
    pid_t pid;
    for (int i = 0; i < 20000; i++)
        world_print(world, "an old line\r\n");
    uint64_t old = world_log_size(world);
    world->console = world_open_console(world, 24, 80);
    set_fd(world, spawn("echo new", &pid));
    assert_true(run_until(&world->loop, has_ended, world));
    assert_string_equal(world->output.data, "new\r\n");
    assert_int_equal(world->output_offset, old);
    assert_int_equal(console_offset(world->console), old + 5);
    assert_int_equal(world_log_size(world), old + 5);
    waitpid(pid, NULL, 0);
}

static void
a_second_program_goes_on_where_the_first_ended(void **state)
{
    struct world *world = *state;
    pid_t pid;
    world->console = world_open_console(world, 24, 80);
    set_fd(world, spawn("echo one", &pid));
    assert_true(run_until(&world->loop, has_ended, world));
    waitpid(pid, NULL, 0);
    world->ends = 0;
    console_mark_boot(world->console);
    assert_int_equal(console_boot_offset(world->console), 5);
    set_fd(world, spawn("echo two", &pid));
    assert_true(run_until(&world->loop, has_ended, world));
    assert_int_equal(console_offset(world->console), 10);
    assert_true(world_shows(world, "two"));
    waitpid(pid, NULL, 0);
}

/* How many boots are marked. */
static size_t
count_boots(const struct console *console)
{
    const struct mark *items = NULL;
    size_t boots = 0;
    size_t count = marks_list(console_marks(console), &items);
    for (size_t i = 0; i < count; i++)
        boots += items[i].kind == MARKS_KIND_BOOT;
    return boots;
}

static void
resets_without_a_word_in_between_are_one_boot(void **state)
{
    struct world *world = *state;
    pid_t pid;
    world->console = world_open_console(world, 24, 80);
    console_mark_boot(world->console);
    console_mark_reset(world->console, 0);
    assert_int_equal(count_boots(world->console), 1);
    set_fd(world, spawn("echo one", &pid));
    assert_true(run_until(&world->loop, has_ended, world));
    waitpid(pid, NULL, 0);
    console_mark_reset(world->console, 0);
    console_mark_reset(world->console, 0);
    assert_int_equal(count_boots(world->console), 2);
    assert_int_equal(console_boot_offset(world->console), 5);
    /* a start is one in any case */
    console_mark_boot(world->console);
    assert_int_equal(count_boots(world->console), 3);
}

static void
a_socket_whose_peer_hung_up_ends_without_a_signal(void **state)
{
    struct world *world = *state;
    struct error error = {0};
    int sockets[2];
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    world->console = world_open_console(world, 24, 80);
    set_fd(world, sockets[0]);
    assert_int_equal(write(sockets[1], "bye", 3), 3);
    close(sockets[1]);
    assert_true(console_type(world->console, "x", 1, &error));
    assert_true(run_until(&world->loop, has_ended, world));
    assert_string_equal(world->output.data, "bye");
}

static void
small_pieces_of_a_console_in_focus_are_gathered(void **state)
{
    struct world *world = *state;
    pid_t pid;
    world->console = world_open_console(world, 24, 80);
    console_hold_keyboard(world->console);
    uint64_t start_ms = clock_monotonic_ms();
    set_fd(world, spawn("i=0; while [ $i -lt 4000 ]; do printf 'abc '; "
                        "i=$((i + 1)); done; echo the end",
                        &pid));
    world_wait_for(world, "the end");
    /* one by one it would be thousands in a few ms; a writer that pauses gets
     * its credit again */
    uint64_t took_ms = clock_monotonic_ms() - start_ms;
    assert_in_range(world->changes, 1, 64 + 2 * took_ms);
    assert_true(run_until(&world->loop, has_ended, world));
    console_release_keyboard(world->console);
}

static void
a_descriptor_that_cannot_be_waited_for_is_refused(void **state)
{
    struct world *world = *state;
    struct error error = {0};
    world->console = world_open_console(world, 24, 80);
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    assert_false(console_set_fd(world->console, fd, &error));
    assert_int_not_equal(error.code, ERROR_CODE_NONE);
    /* It is still the caller's. */
    assert_int_equal(close(fd), 0);
}

static void
set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
a_log_that_cannot_grow_is_told_and_its_gap_is_marked(void **state)
{
    struct world *world = *state;
    struct error error = {0};
    struct rlimit old;
    pid_t pid;
    size_t len;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    world->console = world_open_console(world, 24, 80);
    set_fd(world,
           spawn("stty -echo; echo ready; while read x; do echo \"<$x>\"; done",
                 &pid));
    world_wait_for(world, "ready");
    uint64_t size = world_log_size(world);
    set_file_limit((rlim_t)size);
    assert_true(console_type(world->console, "two\r", 4, &error));
    world_wait_for(world, "<two>");
    assert_true(console_type(world->console, "three\r", 6, &error));
    world_wait_for(world, "<three>");
    assert_int_equal(world->troubles, 1);
    assert_int_equal(console_offset(world->console), size);
    set_file_limit(old.rlim_cur);
    assert_true(console_type(world->console, "four\r", 5, &error));
    world_wait_for(world, "<four>");
    char *log = read_log(world, &len);
    assert_string_equal(log, "ready\r\n<four>\r\n");
    assert_int_equal(console_offset(world->console), len);
    free(log);
    assert_false(world_shows(world, "missing"));

    console_free(world->console);
    waitpid(pid, NULL, 0);
    world->console = world_open_console(world, 24, 80);
    world_wait_for(world, "<four>");
    assert_true(world_shows(world, "[16 bytes are missing in the log]"));
}

static void
a_program_that_ends_in_a_gap_leaves_a_mark_of_it(void **state)
{
    struct world *world = *state;
    struct rlimit old;
    pid_t pid;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    world->console = world_open_console(world, 24, 80);
    set_file_limit(0);
    set_fd(world, spawn("echo lost", &pid));
    world_wait_for(world, "lost");
    assert_true(run_until(&world->loop, has_ended, world));
    set_file_limit(old.rlim_cur);
    console_free(world->console);
    waitpid(pid, NULL, 0);
    world_print(world, "kept");
    world->console = world_open_console(world, 24, 80);
    world_wait_for(world, "kept");
    assert_true(world_shows(world, "[6 bytes are missing in the log]"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_log_is_replayed_and_then_followed),
        TEST(an_empty_log_is_live_at_once),
        TEST(what_comes_during_the_replay_is_live),
        TEST(the_history_of_a_silent_console_is_compressed),
        TEST(queries_are_answered_live_and_only_then),
        TEST(a_flood_of_queries_gets_few_answers),
        TEST(typing_opens_the_pty_and_holding_keeps_it_open),
        TEST(a_held_console_shows_what_comes_in_the_turn_it_comes),
        TEST(a_log_that_is_cut_is_told_and_goes_on),
        TEST(a_log_that_was_replaced_is_followed_from_the_next_pty_on),
        TEST(a_handler_may_free_the_console),
        TEST(a_new_size_is_there_at_once_and_after_a_restart),
        TEST(a_resize_waits_for_the_replays_end),
        TEST(a_boot_begins_at_the_logs_end),
        TEST(a_new_server_shows_what_an_uninterrupted_one_shows),
        TEST(a_huge_log_is_replayed_from_near_its_end),
        TEST(a_program_is_shown_logged_typed_into_and_ends),
        TEST(a_program_knows_its_window_size),
        TEST(what_is_shown_is_logged_already),
        TEST(a_flood_is_logged_to_the_last_byte),
        TEST(a_program_waits_until_the_log_before_it_is_replayed),
        TEST(a_second_program_goes_on_where_the_first_ended),
        TEST(resets_without_a_word_in_between_are_one_boot),
        TEST(a_socket_whose_peer_hung_up_ends_without_a_signal),
        TEST(small_pieces_of_a_console_in_focus_are_gathered),
        TEST(a_descriptor_that_cannot_be_waited_for_is_refused),
        TEST(a_log_that_cannot_grow_is_told_and_its_gap_is_marked),
        TEST(a_program_that_ends_in_a_gap_leaves_a_mark_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
