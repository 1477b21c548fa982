#include "console/pattern.h"
#include "cpu-time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct pattern *
compile(const char *text, unsigned flags)
{
    struct error error = {0};
    struct pattern *pattern = pattern_new(text, flags, &error);
    if (!pattern)
        fail_msg("%s", error.text);
    return pattern;
}

static const struct {
    const char *pattern;
    unsigned flags;
    const char *line;
    int start; /* -1: no match */
    int end;
} rows[] = {
    {"b", PATTERN_LITERAL, "abc", 1, 2},
    {"a.c", PATTERN_LITERAL, "abc a.c", 4, 7},
    {"a.c", 0, "abc a.c", 0, 3},
    {"^c$", 0, "abc", -1, 0},
    {"\\Qa.c\\E", 0, "abc a.c", 4, 7},
    {"[0-9]+", 0, "eth10: up", 3, 5},
    {"error", PATTERN_LITERAL | PATTERN_SMART, "an Error", 3, 8},
    {"Error", PATTERN_LITERAL | PATTERN_SMART, "an error", -1, 0},
    {"Error", PATTERN_LITERAL | PATTERN_INSENSITIVE, "an error", 3, 8},
    {"error", 0, "an Error", -1, 0},
    {"über", PATTERN_SMART, "Über", 0, 5},
    {"Über", PATTERN_SMART, "über", -1, 0},
    /* letters behind backslashes are no text, unless the pattern is text */
    {"\\Derr", PATTERN_SMART, ".ERR", 0, 4},
    {"\\Derr", PATTERN_SMART | PATTERN_LITERAL, "\\derr", -1, 0},
    {"x*", 0, "abc", 0, 0},
    {"a\\Kb", 0, "ab", 1, 2},
    {"(?=ab\\K)", 0, "xab", -1, 0},
    {"b", 0, "\xff\xfe b", 3, 4},
};

static void
patterns_find_what_they_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct error error = {0};
        struct pattern_match match = {0};
        struct pattern *pattern =
            pattern_new(rows[i].pattern, rows[i].flags, &error);
        if (!pattern && rows[i].start < 0)
            continue; /* a later PCRE2 refuses it */
        assert_non_null(pattern);
        bool is_found = pattern_find(pattern, rows[i].line,
                                     strlen(rows[i].line), 0, &match);
        if (is_found && !strstr(rows[i].pattern, "\\K)")) {
            if (rows[i].start != (int)match.start ||
                rows[i].end != (int)match.end)
                fail_msg("%s in %s: %zu-%zu", rows[i].pattern, rows[i].line,
                         match.start, match.end);
        } else if (!strstr(rows[i].pattern, "\\K)")) {
            assert_int_equal(rows[i].start, -1);
        } else {
            assert_true(!is_found || match.start <= match.end);
        }
        pattern_free(pattern);
    }
}

static void
search_goes_on_behind_a_match(void **state)
{
    (void)state;
    struct pattern *pattern = compile("a+", 0);
    static const char line[] = "aa b a";
    struct pattern_match match;
    assert_true(pattern_find(pattern, line, 6, 0, &match));
    assert_int_equal(match.end, 2);
    assert_true(pattern_find(pattern, line, 6, match.end, &match));
    assert_int_equal(match.start, 5);
    assert_false(pattern_find(pattern, line, 6, match.end, &match));
    assert_false(pattern_find(pattern, line, 6, 7, &match));
    assert_false(pattern_find(pattern, "", 0, 0, &match));
    pattern_free(pattern);
}

static void
bad_patterns_are_told_with_their_place(void **state)
{
    (void)state;
    struct error error = {0};
    assert_null(pattern_new("a(b", 0, &error));
    assert_non_null(strstr(error.text, "at character 4"));
    assert_null(pattern_new("", 0, &error));
    assert_non_null(strstr(error.text, "empty"));
    assert_null(pattern_new("\\C", 0, &error));
    char *text = malloc(PATTERN_MAX_BYTES + 2);
    assert_non_null(text);
    memset(text, 'x', PATTERN_MAX_BYTES + 1);
    text[PATTERN_MAX_BYTES + 1] = '\0';
    assert_null(pattern_new(text, PATTERN_LITERAL, &error));
    assert_int_equal(error.code, ERROR_CODE_LIMIT);
    text[PATTERN_MAX_BYTES] = '\0';
    struct pattern *longest = compile(text, PATTERN_LITERAL);
    pattern_free(longest);
    free(text);
}

/* A line of so many bytes with a word somewhere in it. */
static char *
line_with(const char *filler, const char *word, size_t len, size_t at)
{
    char *line = malloc(len + strlen(word) + 8);
    assert_non_null(line);
    size_t used = 0;
    while (used + strlen(filler) <= at) {
        for (const char *byte = filler; *byte; byte++)
            line[used++] = *byte;
    }
    for (; *word; word++)
        line[used++] = *word;
    while (used < len)
        line[used++] = '.';
    line[used] = '\0';
    return line;
}

static void
long_lines_are_looked_at_in_pieces_that_overlap(void **state)
{
    (void)state;
    struct pattern *word = compile("needle", PATTERN_LITERAL);
    struct pattern *start = compile("^needle", 0);
    for (size_t at = 0; at < 13000; at += 7) {
        char *line = line_with("ä", "needle", 14000, at);
        struct pattern_match match;
        assert_true(pattern_find(word, line, strlen(line), 0, &match));
        assert_memory_equal(line + match.start, "needle", 6);
        assert_false(pattern_find(word, line, strlen(line), match.end, &match));
        assert_int_equal(pattern_find(start, line, strlen(line), 0, &match),
                         at < 2);
        free(line);
    }
    /* every one of many, once */
    char *many = malloc(20000);
    assert_non_null(many);
    for (size_t i = 0; i < 2000; i++)
        memcpy(many + 10 * i, "---needle-", 10);
    struct pattern_match match = {0};
    for (size_t i = 0; i < 2000; i++) {
        assert_true(pattern_find(word, many, 20000, match.end, &match));
        assert_int_equal(match.start, 10 * i + 3);
    }
    assert_false(pattern_find(word, many, 20000, match.end, &match));
    free(many);
    pattern_free(word);
    pattern_free(start);
}

/* Patterns of which each would hold the loop for minutes. */
static void
expensive_patterns_are_given_up(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "(a+)+$",         "(a|aa)+$",   "(.*.*)*x$",
        "(a?){30}a{30}x", "([ab]|a)*c", "(?R)?(a+)+$",
    };
    char *line = line_with("a", "b", 4000, 3999);
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        struct error error = {0};
        struct pattern_match match;
        struct pattern *pattern = pattern_new(patterns[i], 0, &error);
        if (!pattern)
            continue;
        uint64_t start_ms = cpu_time();
        for (unsigned n = 0; n < PATTERN_MAX_OVERRUNS; n++)
            (void)pattern_find(pattern, line, strlen(line), 0, &match);
        assert_in_range(cpu_time() - start_ms, 0, 20000);
        pattern_free(pattern);
    }
    struct error error = {0};
    struct pattern *pattern = compile("(a+)+$", 0);
    struct pattern_match match;
    for (unsigned n = 0; n < PATTERN_MAX_OVERRUNS; n++) {
        assert_false(pattern_has_overrun(pattern, NULL));
        (void)pattern_find(pattern, line, strlen(line), 0, &match);
    }
    assert_true(pattern_has_overrun(pattern, &error));
    assert_int_equal(error.code, ERROR_CODE_LIMIT);
    pattern_free(pattern);
    free(line);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_find_what_they_should),
        cmocka_unit_test(search_goes_on_behind_a_match),
        cmocka_unit_test(bad_patterns_are_told_with_their_place),
        cmocka_unit_test(long_lines_are_looked_at_in_pieces_that_overlap),
        cmocka_unit_test(expensive_patterns_are_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
