#include "guest-world.h"
#include "qemu/process.h"

#include <fcntl.h>
#include <pty.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

/* Guests without a QEMU: programs on a pty, serial devices, sockets. */

static int
set_up(void **state)
{
    *state = world_new(NULL);
    return 0;
}

static int
tear_down(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < world->count; i++)
        if (guest_is_active(world->guests[i]))
            world_kill(world, world->guests[i]);
    world_free(world);
    return 0;
}

/* A program that runs a shell script. */
static struct guest *
define_script(struct world *world, const char *script)
{
    json_t *entry = json_pack("{s: [s, s, s]}", "exec", "sh", "-c", script);
    char *text = json_dumps(entry, 0);
    struct guest *guest = world_define(world, "tool", text);
    free(text);
    json_decref(entry);
    return guest;
}

struct expectation {
    const struct world *world;
    const char *text;
};

static bool
has_said(void *data)
{
    const struct expectation *wish = data;
    const struct buffer *output = &wish->world->output;
    return output->data && strstr(output->data, wish->text);
}

static void
expect(struct world *world, const char *text)
{
    struct expectation wish = {world, text};
    if (!run_until(&world->loop, has_said, &wish))
        fail_msg("no \"%s\" in \"%s\"", text,
                 world->output.data ? world->output.data : "");
}

static void
type(struct guest *guest, const char *text)
{
    struct error error = {0};
    if (!console_type(guest_console(guest, 0), text, strlen(text), &error))
        fail_msg("%s", error.text);
}

static void
program_runs_on_a_terminal_of_its_consoles_size(void **state)
{
    struct world *world = *state;
    struct guest *guest = define_script(
        world, "stty size; echo $TERM; pwd; read line; echo got $line; exit 3");
    struct outcome outcome = world_start(world, guest);
    assert_false(outcome.has_failed);
    assert_int_equal(guest_state(guest), GUEST_STATE_RUNNING);
    expect(world, "24 80\r\nxterm-256color\r\n");
    expect(world, world->dir);
    type(guest, "hello\n");
    world_await(world, guest, "crashed");
    /* All that it printed is in when its end is told. */
    assert_non_null(strstr(world->output.data, "got hello"));
    assert_int_equal(world_number(guest, "exit.code"), 3);
    assert_true(world_says(guest, "exit.summary", "sh exited with status 3"));
    assert_true(world_says(guest, "exit.command", "-c"));
    char *path = world_file(world, "tool", "console.log");
    char *log = scratch_read(path);
    assert_non_null(strstr(log, "got hello"));
    free(log);
    free(path);
}

static void
program_that_succeeds_is_stopped_and_starts_again(void **state)
{
    struct world *world = *state;
    struct guest *guest = define_script(world, "echo once");
    for (int round = 0; round < 3; round++) {
        assert_false(world_start(world, guest).has_failed);
        world_await(world, guest, "stopped");
        assert_int_equal(world_number(guest, "exit.code"), 0);
    }
    char *path = world_file(world, "tool", "console.log");
    char *log = scratch_read(path);
    assert_string_equal(log, "once\r\nonce\r\nonce\r\n");
    free(log);
    free(path);
}

static void
resized_console_resizes_the_programs_terminal(void **state)
{
    struct world *world = *state;
    struct guest *guest = define_script(
        world, "trap 'stty size' WINCH; echo ready; while :; do read x; done");
    assert_false(world_start(world, guest).has_failed);
    expect(world, "ready");
    console_resize(guest_console(guest, 0), 30, 100);
    type(guest, "\n");
    expect(world, "30 100");
}

static void
shutdown_asks_the_program_to_end(void **state)
{
    struct world *world = *state;
    struct guest *guest =
        define_script(world, "trap 'echo bye; exit 0' TERM; echo ready; "
                             "while :; do sleep 0.05; done");
    assert_false(world_start(world, guest).has_failed);
    expect(world, "ready");
    struct outcome outcome = {0};
    assert_true(guest_shutdown(guest, 0, 0, world_on_done, &outcome, NULL));
    assert_int_equal(guest_state(guest), GUEST_STATE_SHUTTING_DOWN);
    world_finish(world, &outcome);
    assert_false(outcome.has_failed);
    assert_int_equal(guest_state(guest), GUEST_STATE_STOPPED);
    assert_non_null(strstr(world->output.data, "bye"));
}

static void
shutdown_hangs_up_on_a_program_that_ignores_sigterm(void **state)
{
    struct world *world = *state;
    struct guest *guest = define_script(
        world, "trap '' TERM; trap 'echo bye; exit 0' HUP; echo ready; "
               "while :; do sleep 0.05; done");
    assert_false(world_start(world, guest).has_failed);
    expect(world, "ready");
    struct outcome outcome = {0};
    assert_true(guest_shutdown(guest, 0, 0, world_on_done, &outcome, NULL));
    world_finish(world, &outcome);
    assert_false(outcome.has_failed);
    assert_int_equal(guest_state(guest), GUEST_STATE_STOPPED);
    assert_non_null(strstr(world->output.data, "bye"));
}

static void
program_that_ignores_hangups_is_killed_with_its_group(void **state)
{
    struct world *world = *state;
    struct guest *guest =
        define_script(world, "trap '' HUP TERM; sleep 1000 & echo child $!; "
                             "while :; do sleep 0.05; done");
    assert_false(world_start(world, guest).has_failed);
    expect(world, "child ");
    expect(world, "\r\n");
    pid_t child =
        (pid_t)strtol(strstr(world->output.data, "child ") + 6, NULL, 10);
    world_kill(world, guest);
    assert_int_equal(guest_state(guest), GUEST_STATE_STOPPED);
    struct process_identity identity = {0};
    while (process_identify(child, &identity, NULL))
        (void)sched_yield(); /* init reaps it */
}

static void
monitors_actions_are_refused_with_a_reason(void **state)
{
    struct world *world = *state;
    struct guest *guest = define_script(world, "sleep 1000");
    assert_false(world_start(world, guest).has_failed);
    struct error error = {0};
    assert_false(guest_pause(guest, NULL, NULL, &error));
    assert_int_equal(error.code, ERROR_CODE_STATE);
    assert_non_null(strstr(error.text, "no QEMU guest but"));
    assert_false(guest_resume(guest, NULL, NULL, &error));
    assert_false(guest_reset(guest, NULL, NULL, &error));
    assert_false(guest_qmp(guest, "stop", NULL, 0, NULL, NULL, &error));
}

static void
program_that_is_not_there_is_an_error(void **state)
{
    struct world *world = *state;
    struct guest *guest =
        world_define(world, "tool", "{\"exec\": [\"no-such-program-here\"]}");
    struct error error = {0};
    assert_false(guest_start(guest, NULL, NULL, &error));
    assert_non_null(strstr(error.text, "no-such-program-here"));
    assert_int_equal(guest_state(guest), GUEST_STATE_DEFINED);
    assert_false(guest_is_active(guest));
}

static void
program_ends_with_its_server(void **state)
{
    struct world *world = *state;
    struct guest *guest = define_script(world, "echo hello; sleep 1000");
    assert_false(world_start(world, guest).has_failed);
    expect(world, "hello");
    world_forget(world, guest);
    guest_free(guest);
    struct world *next = world_adopt(world->dir);
    assert_int_equal(next->count, 1);
    guest = next->guests[0];
    assert_int_equal(guest_state(guest), GUEST_STATE_STOPPED);
    assert_true(world_says(guest, "exit.summary", "ended with the server"));
    assert_false(world_start(next, guest).has_failed);
    world_kill(next, guest);
    world_free(next);
}

/* A device: the slave of a pty whose master is the other end. */
struct line {
    int master;
    int slave;
    char path[128];
};

static void
open_line(struct line *line)
{
    assert_int_equal(
        openpty(&line->master, &line->slave, line->path, NULL, NULL), 0);
    struct termios raw;
    assert_int_equal(tcgetattr(line->slave, &raw), 0);
    cfmakeraw(&raw);
    assert_int_equal(tcsetattr(line->slave, TCSANOW, &raw), 0);
}

static struct guest *
define_line(struct world *world, const struct line *line)
{
    char *entry = xasprintf("{\"device\": \"%s\", \"baud\": 9600}", line->path);
    struct guest *guest = world_define(world, "line", entry);
    free(entry);
    return guest;
}

static bool
is_readable(void *data)
{
    int fd = *(int *)data;
    fd_set set;
    struct timeval now = {0};
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return select(fd + 1, &set, NULL, NULL, &now) == 1;
}

/* Reads what was typed at the other end, which comes without the loop. */
static void
check_typed(int fd, const char *text)
{
    char bytes[64] = "";
    size_t got = 0;
    while (got < strlen(text)) {
        ssize_t more = read(fd, bytes + got, sizeof(bytes) - 1 - got);
        assert_true(more > 0);
        got += (size_t)more;
    }
    assert_string_equal(bytes, text);
}

static void
device_is_read_and_typed_to(void **state)
{
    struct world *world = *state;
    struct line line;
    open_line(&line);
    struct guest *guest = define_line(world, &line);
    assert_false(world_start(world, guest).has_failed);
    assert_int_equal(guest_state(guest), GUEST_STATE_RUNNING);
    struct termios now;
    assert_int_equal(tcgetattr(line.slave, &now), 0);
    assert_int_equal(cfgetospeed(&now), B9600);
    assert_true(now.c_cflag & CLOCAL);
    assert_int_equal(write(line.master, "login: ", 7), 7);
    expect(world, "login: ");
    type(guest, "root\r");
    assert_true(run_until(&world->loop, is_readable, &line.master));
    check_typed(line.master, "root\r");
    world_kill(world, guest);
    assert_int_equal(guest_state(guest), GUEST_STATE_STOPPED);
    assert_true(world_says(guest, "exit.summary", "let go"));
    assert_false(world_start(world, guest).has_failed);
    close(line.slave);
    close(line.master);
    world_await(world, guest, "crashed");
}

static void
device_is_opened_again_by_the_next_server(void **state)
{
    struct world *world = *state;
    struct line line;
    open_line(&line);
    struct guest *guest = define_line(world, &line);
    assert_false(world_start(world, guest).has_failed);
    uint64_t boot = console_boot_offset(guest_console(guest, 0));
    assert_int_equal(write(line.master, "before ", 7), 7);
    expect(world, "before");
    world_forget(world, guest);
    guest_free(guest);
    (void)ioctl(line.slave, TIOCNXCL);
    struct world *next = world_adopt(world->dir);
    guest = next->guests[0];
    assert_int_equal(guest_state(guest), GUEST_STATE_RUNNING);
    assert_int_equal(write(line.master, "after", 5), 5);
    expect(next, "after");
    assert_int_equal(console_boot_offset(guest_console(guest, 0)), boot);
    world_kill(next, guest);
    world_free(next);
    close(line.slave);
    close(line.master);
}

static void
what_is_no_serial_device_is_refused(void **state)
{
    struct world *world = *state;
    struct guest *guest =
        world_define(world, "line", "{\"device\": \"/dev/null\"}");
    struct error error = {0};
    assert_false(guest_start(guest, NULL, NULL, &error));
    assert_non_null(strstr(error.text, "/dev/null is no serial device"));
}

static void
socket_is_a_console_until_the_other_end_closes(void **state)
{
    struct world *world = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char *path = scratch_path(world->dir, "line.sock");
    memcpy(address.sun_path, path, strlen(path) + 1);
    struct guest *guest =
        world_define(world, "line", "{\"socket\": \"line.sock\"}");
    struct error error = {0};
    assert_false(guest_start(guest, NULL, NULL, &error));
    assert_non_null(strstr(error.text, "line.sock"));
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(
        bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_false(world_start(world, guest).has_failed);
    int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(peer >= 0);
    assert_int_equal(write(peer, "hello\r\n", 7), 7);
    expect(world, "hello");
    type(guest, "you\r");
    assert_true(run_until(&world->loop, is_readable, &peer));
    check_typed(peer, "you\r");
    close(peer);
    world_await(world, guest, "stopped");
    assert_true(world_says(guest, "exit.summary", "closed the connection"));
    close(listener);
    free(path);
}

#define IN_WORLD(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(program_runs_on_a_terminal_of_its_consoles_size),
        IN_WORLD(program_that_succeeds_is_stopped_and_starts_again),
        IN_WORLD(resized_console_resizes_the_programs_terminal),
        IN_WORLD(shutdown_asks_the_program_to_end),
        IN_WORLD(shutdown_hangs_up_on_a_program_that_ignores_sigterm),
        IN_WORLD(program_that_ignores_hangups_is_killed_with_its_group),
        IN_WORLD(monitors_actions_are_refused_with_a_reason),
        IN_WORLD(program_that_is_not_there_is_an_error),
        IN_WORLD(program_ends_with_its_server),
        IN_WORLD(device_is_read_and_typed_to),
        IN_WORLD(device_is_opened_again_by_the_next_server),
        IN_WORLD(what_is_no_serial_device_is_refused),
        IN_WORLD(socket_is_a_console_until_the_other_end_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
