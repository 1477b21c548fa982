#include "cli/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* 2026-03-01 14:05:30 in the time zone of these tests, which is UTC+1. */
#define NOW INT64_C(1772370330000)
#define HOUR INT64_C(3600000)

static const struct {
    const char *text;
    int64_t ms;
} good[] = {
    {"now", NOW},
    {"0", NOW},
    {"90", NOW - 90000},
    {"90s", NOW - 90000},
    {"10m", NOW - 600000},
    {"1h30m", NOW - HOUR - HOUR / 2},
    {"2d", NOW - 48 * HOUR},
    {"1w", NOW - 7 * 24 * HOUR},
    {"999999999", NOW - INT64_C(999999999000)},
    {"@1700000000", INT64_C(1700000000000)},
    {"14:05", NOW - 30000},
    {"9:05", NOW - 30000 - 5 * HOUR},
    {"14:05:30", NOW},
    {"14:05:30.25", NOW + 250},
    {"today", NOW - 30000 - 300000 - 14 * HOUR},
    {"yesterday", NOW - 30000 - 300000 - 38 * HOUR},
    {"2026-03-01", NOW - 30000 - 300000 - 14 * HOUR},
    {"2026-02-28 14:05:30", NOW - 24 * HOUR},
    {"2026-03-01T13:05", NOW - 30000 - HOUR},
    {"2026-03-01T13:05:30Z", NOW},
    {"2026-03-01 13:05:30.5Z", NOW + 500},
};

static const char *const bad[] = {
    "",
    "soon",
    "10x",
    "m",
    "1h-3m",
    "25:00",
    "12:60",
    "12:5",
    "2026-13-01",
    "2026-03-32",
    "2026-02-29",
    "2026-04-31 12:00",
    "2026-02-30Z",
    "@",
    "@x",
    "2026-03-01x",
    "2026-03-01 ",
    "today 12:00",
    "-5m",
    "12:00Z",
    "1.5h",
    "2026-3-1",
    "99999999999999",
};

static void
what_people_write_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int64_t ms = 0;
        struct error error = {0};
        if (!moment_parse(good[i].text, NOW, &ms, &error))
            fail_msg("%s", error.text);
        if (ms != good[i].ms)
            fail_msg("%s: %lld, not %lld", good[i].text, (long long)ms,
                     (long long)good[i].ms);
    }
}

static void
what_is_no_time_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t ms = 5;
        struct error error = {0};
        if (moment_parse(bad[i], NOW, &ms, &error))
            fail_msg("\"%s\" was taken for %lld", bad[i], (long long)ms);
        assert_int_equal(error.code, ERROR_CODE_INVALID);
        assert_int_equal(ms, 5);
    }
}

static void
times_are_written_in_the_local_zone(void **state)
{
    char text[MOMENT_MAX_BYTES];
    (void)state;
    moment_format(NOW + 7, MOMENT_FULL, text);
    assert_string_equal(text, "2026-03-01 14:05:30.007");
    moment_format(NOW + 7, MOMENT_DATE, text);
    assert_string_equal(text, "2026-03-01 14:05:30");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_people_write_is_read),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(times_are_written_in_the_local_zone),
    };
    setenv("TZ", "XXX-1", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
