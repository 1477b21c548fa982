#include "server/needles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* texts: in order, separated by "|"; NULL: the pattern is tried on all. */
static const struct {
    const char *pattern;
    const char *texts;
} rows[] = {
    {"Kernel panic", "kernel panic"},
    {"login: ?$", "login:"},
    {"\\blogin: ?$", "login:"},
    {"abc|defg", "abc|defg"},
    {"abc|de", NULL},
    {"(?:abc|defg)x*hijklm", "hijklm"},
    {"x(abc|defg)y", "abc|defg"},
    {"x(abc|defg)?y", NULL},
    {"abcd?", "abc"},
    {"abc+d", "abc"},
    {"abcde{0,3}f", "abcd"},
    {"abc{2}def", "abc"},
    {"ab[cd]efgh", "efgh"},
    {"ab[]x]efgh", "efgh"},
    {"ab[[:alpha:]]efgh", "efgh"},
    {"[^]]{1,40}: wrong", ": wrong"},
    {"\\[FAILED\\] Failed to ", "[failed] failed to "},
    {"\\d+ errors", " errors"},
    {"\\x41bcdef", NULL},
    {"(?i)Oops", "oops"},
    {"(?x) a b c", NULL},
    {"(?<name>abcd)", "abcd"},
    {"(?P<name>abcd)", "abcd"},
    {"(?=abcd)", NULL},
    {"(?!abcd)efgh", NULL},
    {"(*UTF)abcd", NULL},
    {"\\Qa.b\\E", NULL},
    {"(a)\\1bcd", NULL},
    {".*", NULL},
    {"", NULL},
    {"caf\xC3\xA9 latte", " latte"},
    {"this one is longer than a needle may be", "this one is longer than "},
    {"((((((((((((((((((abc))))))))))))))))))", NULL},
    {"abc\\tdefg", "defg"},
    {"a{,3}bcd", "a{,3}bcd"},
};

static void
fixed_texts_of_patterns_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct needles needles;
        char joined[512] = "";
        bool has_any = needles_find(&needles, rows[i].pattern);
        for (size_t j = 0; j < needles.count; j++) {
            strcat(joined, j ? "|" : "");
            strcat(joined, needles.items[j]);
        }
        if (has_any != (rows[i].texts != NULL) ||
            (has_any && strcmp(joined, rows[i].texts) != 0))
            fail_msg("%s: %s", rows[i].pattern, has_any ? joined : "none");
    }
}

static void
broken_patterns_have_none(void **state)
{
    (void)state;
    static const char *const broken[] = {"abcd(", "abcd)",  "abcd[", "abcd\\",
                                         "(abcd", "abc[\\", "(?<",   "(?"};
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct needles needles;
        assert_false(needles_find(&needles, broken[i]));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_texts_of_patterns_are_found),
        cmocka_unit_test(broken_patterns_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
