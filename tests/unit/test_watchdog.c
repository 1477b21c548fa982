#include "base/clock.h"
#include "console/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ms; short, so that the tests need not wait for seconds. */
#define LATE_MS 300u
/* ms; where the test itself must not be late, however busy the machine is. */
#define PATIENT_MS 2000u
/* ms; far more than anything takes. */
#define DEADLINE_MS 90000

struct fixture {
    struct watchdog *watchdog;
    int master;
    int slave; /* guarded */
};

static int
set_up_for(void **state, unsigned late_ms)
{
    struct error error = {0};
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    *state = fixture;
    fixture->watchdog = watchdog_new(late_ms);
    if (openpty(&fixture->master, &fixture->slave, NULL, NULL, NULL) != 0)
        return -1;
    fcntl(fixture->slave, F_SETFL, O_NONBLOCK);
    return watchdog_guard(fixture->watchdog, fixture->slave, &error) ? 0 : -1;
}

static int
set_up(void **state)
{
    return set_up_for(state, LATE_MS);
}

static int
set_up_patient(void **state)
{
    return set_up_for(state, PATIENT_MS);
}

static int
tear_down(void **state)
{
    struct fixture *fixture = *state;
    watchdog_close(fixture->watchdog, fixture->slave);
    watchdog_free(fixture->watchdog);
    close(fixture->master);
    free(fixture);
    return 0;
}

/* What happens to the pty's other side when the slave is closed. */
static bool
wait_for_hangup(int master)
{
    struct pollfd pty = {.fd = master};
    return poll(&pty, 1, DEADLINE_MS) == 1 && (pty.revents & POLLHUP);
}

static void
a_stuck_loop_loses_a_pty_that_has_bytes(void **state)
{
    struct fixture *fixture = *state;
    char byte;
    uint64_t start = clock_monotonic_ms();
    assert_int_equal(write(fixture->master, "hello\n", 6), 6);
    assert_true(wait_for_hangup(fixture->master));
    assert_true(clock_monotonic_ms() - start >= LATE_MS);
    /* Waits until the thread has finished what the hang-up showed. */
    assert_true(watchdog_is_taken(fixture->watchdog, fixture->slave));
    assert_int_equal(watchdog_taken_count(fixture->watchdog), 1);
    /* The number is still ours, and harmless. */
    assert_int_equal(read(fixture->slave, &byte, 1), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(write(fixture->slave, "x", 1), -1);
    assert_int_equal(errno, EBADF);
    assert_true(fcntl(fixture->slave, F_GETFD) & FD_CLOEXEC);
}

static void
all_ptys_are_taken_also_the_silent_ones(void **state)
{
    struct fixture *fixture = *state;
    struct error error = {0};
    int master;
    int slave;
    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    assert_true(watchdog_guard(fixture->watchdog, slave, &error));
    assert_int_equal(write(fixture->master, "hello\n", 6), 6);
    assert_true(wait_for_hangup(master));
    assert_true(watchdog_is_taken(fixture->watchdog, slave));
    assert_true(watchdog_is_taken(fixture->watchdog, fixture->slave));
    assert_int_equal(watchdog_taken_count(fixture->watchdog), 2);
    watchdog_close(fixture->watchdog, slave);
    close(master);
}

static void
a_loop_that_turns_keeps_its_ptys(void **state)
{
    struct fixture *fixture = *state;
    struct pollfd pty = {.fd = fixture->master};
    assert_int_equal(write(fixture->master, "hello\n", 6), 6);
    uint64_t start = clock_monotonic_ms();
    while (clock_monotonic_ms() - start < (uint64_t)3 * PATIENT_MS) {
        watchdog_turn(fixture->watchdog);
        assert_int_equal(poll(&pty, 1, (int)PATIENT_MS / 64), 0);
    }
    assert_int_equal(watchdog_taken_count(fixture->watchdog), 0);
    /* And when it gets stuck after all: */
    assert_true(wait_for_hangup(fixture->master));
}

static void
an_idle_loop_keeps_a_silent_pty(void **state)
{
    struct fixture *fixture = *state;
    struct pollfd pty = {.fd = fixture->master};
    assert_int_equal(poll(&pty, 1, (int)(3 * LATE_MS)), 0);
    assert_int_equal(watchdog_taken_count(fixture->watchdog), 0);
}

static void
a_pty_that_was_read_is_kept(void **state)
{
    struct fixture *fixture = *state;
    struct pollfd pty = {.fd = fixture->master};
    char bytes[16];
    assert_int_equal(write(fixture->master, "hello\n", 6), 6);
    struct pollfd slave = {.fd = fixture->slave, .events = POLLIN};
    assert_int_equal(poll(&slave, 1, DEADLINE_MS), 1);
    while (read(fixture->slave, bytes, sizeof(bytes)) > 0)
        ;
    /* The line's echo is not waited for by anybody. */
    assert_int_equal(poll(&pty, 1, (int)(3 * PATIENT_MS)), 0);
    assert_int_equal(watchdog_taken_count(fixture->watchdog), 0);
}

static void
a_closed_pty_is_guarded_no_more(void **state)
{
    struct fixture *fixture = *state;
    struct error error = {0};
    int master;
    int slave;
    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    assert_true(watchdog_guard(fixture->watchdog, slave, &error));
    watchdog_close(fixture->watchdog, slave);
    /* The number is a stranger's now. */
    int stranger = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(stranger, slave);
    assert_int_equal(write(fixture->master, "hello\n", 6), 6);
    assert_true(wait_for_hangup(fixture->master));
    assert_false(watchdog_is_taken(fixture->watchdog, stranger));
    char byte;
    assert_int_equal(read(stranger, &byte, 1), 0);
    close(stranger);
    close(master);
}

static void
opening_and_closing_under_fire_hits_no_stranger(void **state)
{
    struct fixture *fixture = *state;
    struct error error = {0};
    /* The loop never turns: the thread takes what it can while ptys come and
     * go, and other descriptors get their numbers. */
    uint64_t start = clock_monotonic_ms();
    while (clock_monotonic_ms() - start < (uint64_t)6 * LATE_MS) {
        int master;
        int slave;
        int pipes[2];
        char byte = 0;
        assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
        assert_true(watchdog_guard(fixture->watchdog, slave, &error));
        assert_int_equal(write(master, "x\n", 2), 2);
        watchdog_close(fixture->watchdog, slave);
        assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
        assert_int_equal(write(pipes[1], "y", 1), 1);
        assert_int_equal(read(pipes[0], &byte, 1), 1);
        assert_int_equal(byte, 'y');
        close(pipes[0]);
        close(pipes[1]);
        close(master);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define PATIENT_TEST(name)                                                     \
    cmocka_unit_test_setup_teardown(name, set_up_patient, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_stuck_loop_loses_a_pty_that_has_bytes),
        TEST(all_ptys_are_taken_also_the_silent_ones),
        PATIENT_TEST(a_loop_that_turns_keeps_its_ptys),
        TEST(an_idle_loop_keeps_a_silent_pty),
        PATIENT_TEST(a_pty_that_was_read_is_kept),
        TEST(a_closed_pty_is_guarded_no_more),
        TEST(opening_and_closing_under_fire_hits_no_stranger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
