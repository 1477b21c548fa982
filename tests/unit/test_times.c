#include "console/times.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define START INT64_C(1700000000000)

struct fixture {
    char *dir;
    char *path;
    struct times *times;
};

static int
set_up(void **state)
{
    struct fixture *fixture = xcalloc(1, sizeof(*fixture));
    fixture->dir = scratch_new();
    fixture->path = scratch_path(fixture->dir, "times");
    *state = fixture;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *fixture = *state;
    times_free(fixture->times);
    free(fixture->path);
    scratch_remove(fixture->dir);
    free(fixture);
    return 0;
}

static void
open_times(struct fixture *fixture, uint64_t log_bytes, uint64_t max_bytes)
{
    struct error error = {0};
    times_free(fixture->times);
    fixture->times = times_open(fixture->path, log_bytes, max_bytes, &error);
    if (!fixture->times)
        fail_msg("%s", error.text);
}

/* Written at once, however soon after the one before. */
static void
note(struct fixture *fixture, uint64_t end, int64_t ms)
{
    (void)times_note(fixture->times, end, ms);
    times_flush(fixture->times);
}

static bool
take_first(void *data, const struct times_span *span)
{
    *(struct times_span *)data = *span;
    return false;
}

static struct times_span
span_at(struct fixture *fixture, uint64_t offset)
{
    struct times_span span = {0};
    times_walk(fixture->times, offset, take_first, &span);
    return span;
}

static void
require_span(struct fixture *fixture, uint64_t offset, int64_t from_ms,
             int64_t to_ms)
{
    struct times_span span = span_at(fixture, offset);
    assert_int_equal(span.from_ms, from_ms);
    assert_int_equal(span.to_ms, to_ms);
    assert_true(span.start <= offset && offset < span.end);
}

static void
a_byte_has_the_time_of_the_sample_that_ends_behind_it(void **state)
{
    struct fixture *fixture = *state;
    open_times(fixture, 0, 0);
    note(fixture, 10, START);
    note(fixture, 300, START + 500);
    note(fixture, 301, START + 90000);
    require_span(fixture, 0, START, START);
    require_span(fixture, 9, START, START);
    require_span(fixture, 10, START + 500, START + 500);
    require_span(fixture, 299, START + 500, START + 500);
    require_span(fixture, 300, START + 90000, START + 90000);
    assert_int_equal(span_at(fixture, 301).end, 0);
    assert_int_equal(times_last_ms(fixture->times), START + 90000);
}

static void
what_waits_to_be_written_counts_already(void **state)
{
    struct fixture *fixture = *state;
    open_times(fixture, 0, 0);
    assert_false(times_note(fixture->times, 10, START));
    assert_true(times_note(fixture->times, 20, START + 1));
    assert_true(times_note(fixture->times, 30, START + 2));
    require_span(fixture, 10, START + 2, START + 2);
    assert_int_equal(times_find(fixture->times, START + 3), 30);
    assert_int_equal(times_last_ms(fixture->times), START + 2);
    open_times(fixture, 30, 0); /* it is written at the end */
    require_span(fixture, 10, START + 2, START + 2);
}

static void
what_waits_keeps_its_time_when_the_next_comes_late(void **state)
{
    struct fixture *fixture = *state;
    open_times(fixture, 0, 0);
    assert_false(times_note(fixture->times, 10, START));
    assert_true(times_note(fixture->times, 20, START + 1));
    /* the server was stopped before its timer wrote that */
    assert_false(times_note(fixture->times, 30, START + 600));
    assert_true(times_note(fixture->times, 40, START + 601));
    /* and then the clock was put back */
    assert_false(times_note(fixture->times, 50, START - 9000));
    for (int pass = 0; pass < 2; pass++) {
        require_span(fixture, 10, START + 1, START + 1);
        require_span(fixture, 20, START + 600, START + 600);
        require_span(fixture, 30, START + 601, START + 601);
        require_span(fixture, 40, START - 9000, START - 9000);
        open_times(fixture, 50, 0);
    }
}

static void
what_no_server_saw_lies_between_two_times(void **state)
{
    struct fixture *fixture = *state;
    open_times(fixture, 0, 0);
    note(fixture, 10, START);
    open_times(fixture, 50, 0);
    times_note_unseen(fixture->times, 50, START + 60000);
    note(fixture, 60, START + 61000);
    require_span(fixture, 10, START, START + 60000);
    require_span(fixture, 49, START, START + 60000);
    require_span(fixture, 50, START + 61000, START + 61000);
    /* since the time before: it may have been printed then */
    assert_int_equal(times_find(fixture->times, START + 1), 10);
    /* and at a moment between the log stood where it was known to be */
    assert_int_equal(times_find(fixture->times, START + 30000), 10);
}

static void
a_log_older_than_its_index_has_no_first_time(void **state)
{
    struct fixture *fixture = *state;
    open_times(fixture, 50, 0);
    times_note_unseen(fixture->times, 50, START);
    require_span(fixture, 0, 0, START);
    /* all was seen: nothing to note */
    times_note_unseen(fixture->times, 50, START + 5);
    assert_int_equal(span_at(fixture, 50).end, 0);
}

static void
moments_are_found(void **state)
{
    struct fixture *fixture = *state;
    open_times(fixture, 0, 0);
    for (uint64_t i = 1; i <= 5000; i++)
        note(fixture, i * 10, START + (int64_t)i * 1000);
    assert_int_equal(times_find(fixture->times, START), 0);
    assert_int_equal(times_find(fixture->times, START + 1000), 0);
    assert_int_equal(times_find(fixture->times, START + 1001), 10);
    assert_int_equal(times_find(fixture->times, START + 2500500), 25000);
    assert_int_equal(times_find(fixture->times, INT64_MAX), 50000);
}

static void
an_index_of_many_blocks_is_read_back(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;
    open_times(fixture, 0, 0);
    for (uint64_t i = 1; i <= 20000; i++)
        note(fixture, i * 80, START + (int64_t)i * 60);
    times_free(fixture->times);
    fixture->times = NULL;
    assert_int_equal(stat(fixture->path, &info), 0);
    /* 3 or 4 bytes a line */
    assert_true(info.st_size > 10 * TIMES_BLOCK_BYTES);
    assert_true(info.st_size <= 20000 * 4);
    open_times(fixture, UINT64_C(20000) * 80, 0);
    for (uint64_t i = 1; i <= 20000; i += 7) {
        int64_t ms = START + (int64_t)i * 60;
        require_span(fixture, i * 80 - 1, ms, ms);
    }
    note(fixture, UINT64_C(20001) * 80, START * 2);
    require_span(fixture, UINT64_C(20000) * 80, START * 2, START * 2);
}

static void
a_clock_that_is_set_back_is_survived(void **state)
{
    struct fixture *fixture = *state;
    open_times(fixture, 0, 0);
    note(fixture, 10, START);
    note(fixture, 20, START - 3600000);
    note(fixture, 30, START - 3599000);
    times_note_unseen(fixture->times, 40, START - 4000000);
    open_times(fixture, 40, 0);
    require_span(fixture, 10, START - 3600000, START - 3600000);
    require_span(fixture, 25, START - 3599000, START - 3599000);
    require_span(fixture, 35, START - 4000000, START - 4000000);
}

static void
a_torn_sample_is_no_harm(void **state)
{
    struct fixture *fixture = *state;
    open_times(fixture, 0, 0);
    note(fixture, 10, START);
    note(fixture, 20, START + 1000);
    times_free(fixture->times);
    fixture->times = NULL;
    struct stat info;
    assert_int_equal(stat(fixture->path, &info), 0);
    assert_int_equal(truncate(fixture->path, info.st_size - 1), 0);
    open_times(fixture, 25, 0);
    require_span(fixture, 5, START, START);
    assert_int_equal(span_at(fixture, 15).end, 0);
    note(fixture, 25, START + 2000);
    open_times(fixture, 25, 0);
    require_span(fixture, 15, START + 2000, START + 2000);
}

static void
garbage_is_forgotten(void **state)
{
    struct fixture *fixture = *state;
    char *garbage = xmalloc(20000);
    unsigned seed = 1;
    for (size_t i = 0; i < 20000; i++) {
        seed = seed * 1103515245u + 12345u;
        garbage[i] = (char)(seed >> 16);
    }
    garbage[0] = 'T';
    garbage[TIMES_BLOCK_BYTES] = 'T';
    scratch_write(fixture->path, garbage, 20000);
    free(garbage);
    open_times(fixture, 100, 0);
    times_forget(fixture->times);
    note(fixture, 110, START);
    open_times(fixture, 110, 0);
    require_span(fixture, 5, START, START);
}

static void
an_index_beyond_its_log_is_begun_anew(void **state)
{
    struct fixture *fixture = *state;
    open_times(fixture, 0, 0);
    note(fixture, 1000, START);
    open_times(fixture, 500, 0);
    assert_int_equal(span_at(fixture, 0).end, 0);
    note(fixture, 600, START + 7);
    require_span(fixture, 0, START + 7, START + 7);
}

static void
what_the_log_lost_can_go(void **state)
{
    struct fixture *fixture = *state;
    open_times(fixture, 0, 0);
    for (uint64_t i = 1; i <= 10000; i++)
        note(fixture, i * 80, START + (int64_t)i * 60);
    assert_int_equal(times_dispensable(fixture->times, 0), 0);
    uint64_t start = UINT64_C(5000) * 80;
    uint64_t gone = times_dispensable(fixture->times, start);
    assert_true(gone >= TIMES_BLOCK_BYTES);
    assert_int_equal(gone % TIMES_BLOCK_BYTES, 0);
    int fd = open(fixture->path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                               0, (off_t)gone),
                     0);
    (void)close(fd);
    int64_t ms = START + 5001 * INT64_C(60);
    require_span(fixture, start, ms, ms);
    open_times(fixture, UINT64_C(10000) * 80, 0);
    require_span(fixture, start, ms, ms);
    assert_int_equal(times_find(fixture->times, START), 0);
}

static void
it_takes_no_more_than_it_may(void **state)
{
    struct fixture *fixture = *state;
    open_times(fixture, 0, 4 * TIMES_BLOCK_BYTES);
    for (uint64_t i = 1; i <= 20000; i++)
        note(fixture, i, START + (int64_t)i * 1000);
    uint64_t gone = times_dispensable(fixture->times, 0);
    struct stat info;
    assert_int_equal(stat(fixture->path, &info), 0);
    assert_true((uint64_t)info.st_size - gone <= 4 * TIMES_BLOCK_BYTES);
    /* nothing is known of what is before but that it is older */
    assert_int_equal(span_at(fixture, 0).from_ms, 0);
    assert_true(span_at(fixture, 0).to_ms > START);
    require_span(fixture, 19999, START + 20000000, START + 20000000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_byte_has_the_time_of_the_sample_that_ends_behind_it),
        TEST(what_waits_to_be_written_counts_already),
        TEST(what_waits_keeps_its_time_when_the_next_comes_late),
        TEST(what_no_server_saw_lies_between_two_times),
        TEST(a_log_older_than_its_index_has_no_first_time),
        TEST(moments_are_found),
        TEST(an_index_of_many_blocks_is_read_back),
        TEST(a_clock_that_is_set_back_is_survived),
        TEST(a_torn_sample_is_no_harm),
        TEST(garbage_is_forgotten),
        TEST(an_index_beyond_its_log_is_begun_anew),
        TEST(what_the_log_lost_can_go),
        TEST(it_takes_no_more_than_it_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
