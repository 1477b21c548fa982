#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
durations_have_their_two_largest_units(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {
        {INT64_MIN, "0s"}, {-1, "0s"},
        {0, "0s"},         {3, "3s"},
        {59, "59s"},       {60, "1m00s"},
        {252, "4m12s"},    {3599, "59m59s"},
        {3600, "1h00m"},   {7500, "2h05m"},
        {86399, "23h59m"}, {86400, "1d0h"},
        {273600, "3d4h"},  {INT64_MAX, "106751991167300d15h"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[32];
        clock_format_duration(rows[i].seconds, text, sizeof(text));
        assert_string_equal(text, rows[i].text);
    }
    char little[4] = "###";
    clock_format_duration(86399, little, 3);
    assert_string_equal(little, "23");
}

static void
clocks_go_forward(void **state)
{
    (void)state;
    uint64_t before_ms = clock_monotonic_ms();
    uint64_t before_ns = clock_monotonic_ns();
    assert_true(clock_monotonic_ns() >= before_ns);
    assert_true(clock_monotonic_ms() >= before_ms);
    assert_true(clock_wall_ms() > INT64_C(1700000000000));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_their_two_largest_units),
        cmocka_unit_test(clocks_go_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
