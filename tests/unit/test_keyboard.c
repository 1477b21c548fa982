#include "base/buffer.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "console/keyboard.h"
#include "until.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX_PENDING (1u << 20)
/* ms; the watchdog's. */
#define LATE_MS 500

/* The test is QEMU: it has the master. */
struct fixture {
    uv_loop_t loop;
    uv_check_t turn;
    struct watchdog *watchdog;
    struct keyboard *keyboard;
    int master;
    char path[64];
    struct buffer drained;
    struct buffer typed; /* what QEMU read */
    unsigned states;
    unsigned troubles;
    unsigned taken;
    struct error trouble;
    size_t expected;
    bool frees_on_state;
};

static void
on_state(void *data)
{
    struct fixture *fixture = data;
    fixture->states++;
    if (!fixture->frees_on_state)
        return;
    keyboard_free(fixture->keyboard);
    fixture->keyboard = NULL;
}

static void
on_drained(void *data, const char *bytes, size_t len)
{
    struct fixture *fixture = data;
    buffer_append(&fixture->drained, bytes, len);
}

static void
on_trouble(void *data, const struct error *error)
{
    struct fixture *fixture = data;
    fixture->trouble = *error;
    fixture->troubles++;
}

static void
on_taken(void *data)
{
    struct fixture *fixture = data;
    fixture->taken++;
}

static const struct keyboard_handlers handlers = {
    .on_state = on_state,
    .on_drained = on_drained,
    .on_trouble = on_trouble,
    .on_taken = on_taken,
};

static void
open_master(struct fixture *fixture)
{
    int slave;
    assert_int_equal(
        openpty(&fixture->master, &slave, fixture->path, NULL, NULL), 0);
    close(slave);
    fcntl(fixture->master, F_SETFL, O_NONBLOCK);
}

static void
on_turn(uv_check_t *turn)
{
    watchdog_turn(turn->data);
}

static int
set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    *state = fixture;
    uv_loop_init(&fixture->loop);
    fixture->watchdog = watchdog_new(LATE_MS);
    uv_check_init(&fixture->loop, &fixture->turn);
    fixture->turn.data = fixture->watchdog;
    uv_check_start(&fixture->turn, on_turn);
    uv_unref((uv_handle_t *)&fixture->turn);
    fixture->keyboard =
        keyboard_new(&fixture->loop, fixture->watchdog, &handlers, fixture);
    open_master(fixture);
    keyboard_set_path(fixture->keyboard, fixture->path);
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *fixture = *state;
    keyboard_free(fixture->keyboard);
    watchdog_free(fixture->watchdog);
    if (fixture->master >= 0)
        close(fixture->master);
    buffer_finish(&fixture->drained);
    buffer_finish(&fixture->typed);
    uv_close((uv_handle_t *)&fixture->turn, NULL);
    bool is_clean = until_closed(&fixture->loop);
    free(fixture);
    return is_clean ? 0 : -1;
}

static bool
type(struct fixture *fixture, const char *text)
{
    struct error error = {0};
    return keyboard_type(fixture->keyboard, text, strlen(text), MAX_PENDING,
                         &error);
}

/* Reads what was typed, as QEMU does. */
static bool
has_read(void *data)
{
    struct fixture *fixture = data;
    char bytes[4096];
    ssize_t n;
    while ((n = read(fixture->master, bytes, sizeof(bytes))) > 0)
        buffer_append(&fixture->typed, bytes, (size_t)n);
    return fixture->typed.len >= fixture->expected;
}

static bool
has_drained(void *data)
{
    const struct fixture *fixture = data;
    return fixture->drained.len >= fixture->expected;
}

static bool
is_closed(void *data)
{
    const struct fixture *fixture = data;
    return !keyboard_is_open(fixture->keyboard);
}

static bool
is_hung_up(int master)
{
    struct pollfd pty = {.fd = master};
    return poll(&pty, 1, 0) == 1 && (pty.revents & POLLHUP);
}

/* Whether the loop would sleep until something happens outside. */
static bool
is_quiet(struct fixture *fixture)
{
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    return uv_backend_timeout(&fixture->loop) == -1;
}

static void
nobody_opens_it_before_it_is_needed(void **state)
{
    struct fixture *fixture = *state;
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    assert_false(keyboard_is_open(fixture->keyboard));
    assert_true(is_hung_up(fixture->master));
}

static void
what_is_typed_goes_out_without_a_turn_of_the_loop(void **state)
{
    struct fixture *fixture = *state;
    assert_true(type(fixture, "ls\r"));
    assert_true(keyboard_is_open(fixture->keyboard));
    assert_int_equal(keyboard_pending(fixture->keyboard), 0);
    fixture->expected = 3;
    assert_true(has_read(fixture));
    assert_memory_equal(fixture->typed.data, "ls\r", 3);
    assert_int_equal(fixture->states, 1);
}

static void
every_byte_arrives_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    struct error error = {0};
    char bytes[256];
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    assert_true(keyboard_type(fixture->keyboard, bytes, sizeof(bytes),
                              MAX_PENDING, &error));
    fixture->expected = sizeof(bytes);
    assert_true(run_until(&fixture->loop, has_read, fixture));
    assert_memory_equal(fixture->typed.data, bytes, sizeof(bytes));
}

static void
it_stays_open_a_while_after_typing_and_then_closes(void **state)
{
    struct fixture *fixture = *state;
    uint64_t start = clock_monotonic_ms();
    assert_true(type(fixture, "x"));
    assert_true(run_until(&fixture->loop, is_closed, fixture));
    assert_true(clock_monotonic_ms() - start >= KEYBOARD_LINGER_MS - 50);
    assert_true(is_hung_up(fixture->master));
    assert_int_equal(fixture->states, 2);
    /* What was typed is still there for a QEMU that was slow. */
    fixture->expected = 1;
    assert_true(has_read(fixture));
}

static void
it_is_open_while_it_is_held(void **state)
{
    struct fixture *fixture = *state;
    keyboard_hold(fixture->keyboard);
    assert_true(keyboard_is_open(fixture->keyboard));
    keyboard_hold(fixture->keyboard);
    keyboard_release(fixture->keyboard);
    /* No timer runs: it would stay so for ever. */
    assert_true(is_quiet(fixture));
    keyboard_release(fixture->keyboard);
    assert_true(run_until(&fixture->loop, is_closed, fixture));
    keyboard_release(fixture->keyboard);
}

/* Prints as QEMU does, without anybody's reading. */
static void
print_much(struct fixture *fixture, size_t bytes)
{
    char line[128];
    memset(line, 'x', sizeof(line));
    for (int i = 0; i < 8; i++)
        line[i] = "\n\r\n\x04\x03\x1c\0\xff"[i];
    for (size_t total = 0; total < bytes;) {
        struct pollfd pty = {.fd = fixture->master, .events = POLLOUT};
        assert_int_equal(poll(&pty, 1, 10000), 1);
        ssize_t n = write(fixture->master, line, sizeof(line));
        if (n > 0)
            total += (size_t)n;
    }
}

static void
what_the_guest_prints_goes_to_nowhere_while_open(void **state)
{
    struct fixture *fixture = *state;
    keyboard_hold(fixture->keyboard);
    print_much(fixture, 1u << 20);
    assert_true(is_quiet(fixture));
    assert_int_equal(fixture->drained.len, 0);
    assert_true(type(fixture, "x"));
    fixture->expected = 1;
    assert_true(has_read(fixture));
}

static void
what_the_guest_prints_goes_to_nowhere_after_a_close(void **state)
{
    struct fixture *fixture = *state;
    keyboard_hold(fixture->keyboard);
    keyboard_free(fixture->keyboard);
    fixture->keyboard = NULL;
    print_much(fixture, 1u << 20);
}

static void
a_keyboard_that_drained_discards_after_its_close(void **state)
{
    struct fixture *fixture = *state;
    keyboard_set_mode(fixture->keyboard, KEYBOARD_MODE_DRAIN);
    keyboard_hold(fixture->keyboard);
    assert_int_equal(write(fixture->master, "hello\n", 6), 6);
    fixture->expected = 6;
    assert_true(run_until(&fixture->loop, has_drained, fixture));
    assert_int_equal(write(fixture->master, "hello\n", 6), 6);
    keyboard_free(fixture->keyboard);
    fixture->keyboard = NULL;
    print_much(fixture, 1u << 20);
}

static void
the_mode_changes_while_open(void **state)
{
    struct fixture *fixture = *state;
    keyboard_hold(fixture->keyboard);
    for (int i = 0; i < 3; i++) {
        print_much(fixture, 100000);
        keyboard_set_mode(fixture->keyboard, KEYBOARD_MODE_DRAIN);
        fixture->drained.len = 0;
        assert_int_equal(write(fixture->master, "hello\n", 6), 6);
        fixture->expected = 6;
        assert_true(run_until(&fixture->loop, has_drained, fixture));
        assert_int_equal(write(fixture->master, "hello\n", 6), 6);
        keyboard_set_mode(fixture->keyboard, KEYBOARD_MODE_DISCARD);
    }
}

static void
what_the_guest_prints_is_drained(void **state)
{
    struct fixture *fixture = *state;
    keyboard_set_mode(fixture->keyboard, KEYBOARD_MODE_DRAIN);
    char line[128];
    size_t total = 0;
    memset(line, 'x', sizeof(line));
    keyboard_hold(fixture->keyboard);
    while (total < (1u << 20)) {
        ssize_t n = write(fixture->master, line, sizeof(line));
        if (n > 0) {
            total += (size_t)n;
        } else {
            assert_int_equal(errno, EAGAIN);
            uv_run(&fixture->loop, UV_RUN_ONCE);
        }
    }
    fixture->expected = total;
    assert_true(run_until(&fixture->loop, has_drained, fixture));
    assert_int_equal(fixture->drained.len, total);
}

static void
stale_output_is_thrown_away_when_it_opens(void **state)
{
    struct fixture *fixture = *state;
    int slave = open(fixture->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(slave >= 0);
    assert_int_equal(write(fixture->master, "stale\n", 6), 6);
    struct pollfd pty = {.fd = slave, .events = POLLIN};
    assert_int_equal(poll(&pty, 1, 10000), 1);
    keyboard_set_mode(fixture->keyboard, KEYBOARD_MODE_DRAIN);
    keyboard_hold(fixture->keyboard);
    close(slave);
    assert_int_equal(write(fixture->master, "fresh", 5), 5);
    fixture->expected = 5;
    assert_true(run_until(&fixture->loop, has_drained, fixture));
    assert_memory_equal(fixture->drained.data, "fresh", 5);
}

static void
a_guest_that_does_not_read_makes_the_rest_wait(void **state)
{
    struct fixture *fixture = *state;
    struct error error = {0};
    size_t len = 600000;
    char *bytes = malloc(len);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)('a' + i % 26);
    assert_true(
        keyboard_type(fixture->keyboard, bytes, len, MAX_PENDING, &error));
    assert_true(keyboard_pending(fixture->keyboard) > len / 2);
    assert_false(
        keyboard_type(fixture->keyboard, bytes, len, MAX_PENDING, &error));
    assert_int_equal(error.code, ERROR_CODE_LIMIT);
    fixture->expected = len;
    assert_true(run_until(&fixture->loop, has_read, fixture));
    assert_int_equal(fixture->typed.len, len);
    assert_memory_equal(fixture->typed.data, bytes, len);
    assert_int_equal(keyboard_pending(fixture->keyboard), 0);
    free(bytes);
}

static void
it_stays_open_as_long_as_bytes_wait(void **state)
{
    struct fixture *fixture = *state;
    struct error error = {0};
    size_t len = 200000;
    char *bytes = calloc(1, len);
    keyboard_hold(fixture->keyboard);
    assert_true(
        keyboard_type(fixture->keyboard, bytes, len, MAX_PENDING, &error));
    keyboard_release(fixture->keyboard);
    assert_true(is_quiet(fixture));
    assert_true(keyboard_is_open(fixture->keyboard));
    free(bytes);
}

static void
a_qemu_that_dies_closes_it_quietly(void **state)
{
    struct fixture *fixture = *state;
    keyboard_hold(fixture->keyboard);
    close(fixture->master);
    fixture->master = -1;
    assert_true(run_until(&fixture->loop, is_closed, fixture));
    assert_int_equal(fixture->troubles, 0);
    assert_int_equal(fixture->states, 2);
    assert_false(type(fixture, "x"));
    /* Nothing is left that would wake the loop. */
    assert_false(uv_loop_alive(&fixture->loop));
}

static void
typing_into_a_qemu_that_just_died_is_no_trouble(void **state)
{
    struct fixture *fixture = *state;
    keyboard_hold(fixture->keyboard);
    close(fixture->master);
    fixture->master = -1;
    assert_true(type(fixture, "x"));
    assert_true(run_until(&fixture->loop, is_closed, fixture));
    assert_int_equal(keyboard_pending(fixture->keyboard), 0);
    assert_int_equal(fixture->troubles, 0);
}

static void
a_new_path_is_opened_while_held(void **state)
{
    struct fixture *fixture = *state;
    keyboard_hold(fixture->keyboard);
    int old = fixture->master;
    open_master(fixture);
    keyboard_set_path(fixture->keyboard, fixture->path);
    assert_true(is_hung_up(old));
    close(old);
    assert_true(keyboard_is_open(fixture->keyboard));
    assert_true(type(fixture, "x"));
    fixture->expected = 1;
    assert_true(has_read(fixture));
    keyboard_set_path(fixture->keyboard, NULL);
    assert_false(keyboard_is_open(fixture->keyboard));
    assert_false(type(fixture, "x"));
}

static void
the_same_path_again_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    keyboard_hold(fixture->keyboard);
    keyboard_set_path(fixture->keyboard, fixture->path);
    assert_int_equal(fixture->states, 1);
    assert_true(keyboard_is_open(fixture->keyboard));
}

static void
a_pty_that_became_somebody_elses_is_not_opened(void **state)
{
    struct fixture *fixture = *state;
    struct error error = {0};
    struct stat before;
    struct stat after;
    assert_int_equal(stat(fixture->path, &before), 0);
    close(fixture->master);
    char *old_path = xstrdup(fixture->path);
    /* File times have the granularity of the kernel's clock tick. */
    do {
        open_master(fixture);
        if (stat(fixture->path, &after) == 0 &&
            after.st_ctim.tv_nsec != before.st_ctim.tv_nsec)
            break;
        close(fixture->master);
    } while (true);
    bool is_reused = strcmp(old_path, fixture->path) == 0;
    free(old_path);
    if (!is_reused) {
        print_message("skipped: the pty's number was not used again\n");
        skip();
    }
    assert_false(keyboard_type(fixture->keyboard, "x", 1, MAX_PENDING, &error));
    assert_int_equal(error.code, ERROR_CODE_STATE);
    assert_non_null(strstr(error.text, fixture->path));
}

static void
a_pty_that_cannot_be_opened_is_told_once_and_tried_again(void **state)
{
    struct fixture *fixture = *state;
    /* A name that points to the pty is not the pty. */
    char link[] = "/tmp/guestmux-pty-XXXXXX";
    int fd = mkstemp(link);
    assert_true(fd >= 0);
    close(fd);
    keyboard_set_path(fixture->keyboard, link);
    keyboard_hold(fixture->keyboard);
    assert_false(keyboard_is_open(fixture->keyboard));
    assert_int_equal(fixture->troubles, 1);
    assert_false(type(fixture, "x"));
    assert_int_equal(fixture->troubles, 1);
    assert_true(uv_loop_alive(&fixture->loop));
    unlink(link);
}

static bool
is_reopened(void *data)
{
    struct fixture *fixture = data;
    return keyboard_check_taken(fixture->keyboard);
}

static void
what_the_watchdog_took_is_opened_again(void **state)
{
    struct fixture *fixture = *state;
    keyboard_set_mode(fixture->keyboard, KEYBOARD_MODE_DRAIN);
    keyboard_hold(fixture->keyboard);
    uint64_t before = clock_monotonic_ms();
    assert_int_equal(write(fixture->master, "hello", 5), 5);
    /* The loop does not run: it is stuck, for all the watchdog knows. */
    struct pollfd pty = {.fd = fixture->master};
    assert_int_equal(poll(&pty, 1, 20000), 1);
    assert_true(pty.revents & POLLHUP);
    assert_true(type(fixture, "typed")); /* the harmless one takes nothing */
    assert_int_equal(keyboard_pending(fixture->keyboard), 5);
    assert_true(run_until(&fixture->loop, is_reopened, fixture));
    assert_true(keyboard_is_open(fixture->keyboard));
    assert_true(keyboard_open_ms(fixture->keyboard) <=
                clock_monotonic_ms() - before);
    fixture->expected = 5;
    assert_true(run_until(&fixture->loop, has_read, fixture));
    assert_memory_equal(fixture->typed.data, "typed", 5);
    assert_int_equal(write(fixture->master, "world", 5), 5);
    fixture->drained.len = 0;
    assert_true(run_until(&fixture->loop, has_drained, fixture));
}

static void
a_handler_may_free_the_keyboard(void **state)
{
    struct fixture *fixture = *state;
    fixture->frees_on_state = true;
    keyboard_hold(fixture->keyboard);
    assert_null(fixture->keyboard);
}

static void
what_is_typed_before_the_path_is_known_waits_for_it(void **state)
{
    struct fixture *fixture = *state;
    keyboard_set_path(fixture->keyboard, NULL);
    assert_false(type(fixture, "lost"));
    keyboard_expect(fixture->keyboard);
    assert_true(type(fixture, "early "));
    assert_true(type(fixture, "bird\r"));
    assert_int_equal(keyboard_pending(fixture->keyboard), 11);
    keyboard_set_path(fixture->keyboard, fixture->path);
    fixture->expected = 11;
    assert_true(run_until(&fixture->loop, has_read, fixture));
    assert_memory_equal(fixture->typed.data, "early bird\r", 11);
    assert_true(type(fixture, "x"));
}

static void
what_is_typed_for_a_path_that_never_comes_is_dropped(void **state)
{
    struct fixture *fixture = *state;
    keyboard_set_path(fixture->keyboard, NULL);
    keyboard_expect(fixture->keyboard);
    assert_true(type(fixture, "nobody"));
    keyboard_set_path(fixture->keyboard, NULL);
    assert_int_equal(keyboard_pending(fixture->keyboard), 0);
    assert_false(type(fixture, "lost"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_opens_it_before_it_is_needed),
        TEST(what_is_typed_goes_out_without_a_turn_of_the_loop),
        TEST(every_byte_arrives_as_it_is),
        TEST(it_stays_open_a_while_after_typing_and_then_closes),
        TEST(it_is_open_while_it_is_held),
        TEST(what_the_guest_prints_goes_to_nowhere_while_open),
        TEST(what_the_guest_prints_goes_to_nowhere_after_a_close),
        TEST(a_keyboard_that_drained_discards_after_its_close),
        TEST(the_mode_changes_while_open),
        TEST(what_the_guest_prints_is_drained),
        TEST(stale_output_is_thrown_away_when_it_opens),
        TEST(a_guest_that_does_not_read_makes_the_rest_wait),
        TEST(it_stays_open_as_long_as_bytes_wait),
        TEST(a_qemu_that_dies_closes_it_quietly),
        TEST(typing_into_a_qemu_that_just_died_is_no_trouble),
        TEST(a_new_path_is_opened_while_held),
        TEST(the_same_path_again_changes_nothing),
        TEST(a_pty_that_became_somebody_elses_is_not_opened),
        TEST(a_pty_that_cannot_be_opened_is_told_once_and_tried_again),
        TEST(what_the_watchdog_took_is_opened_again),
        TEST(a_handler_may_free_the_keyboard),
        TEST(what_is_typed_before_the_path_is_known_waits_for_it),
        TEST(what_is_typed_for_a_path_that_never_comes_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
