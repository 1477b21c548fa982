#include "console/pattern.h"
#include "cpu-time.h"
#include "server/expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct expect *
make(const char *pattern, unsigned flags)
{
    struct error error = {0};
    struct expect *expect = expect_new(pattern, flags, 0, &error);
    if (!expect)
        fail_msg("%s", error.text);
    return expect;
}

static const struct {
    const char *pattern;
    unsigned flags;
    const char *bytes;
    const char *line; /* NULL: no match */
    const char *match;
    int offset; /* of the match when fed byte by byte */
} rows[] = {
    {"login:", 0, "n1 login: ", "n1 login:", "login:", 9},
    {"login: $", 0, "n1 login: ", "n1 login: ", "login: ", 10},
    {"^b", 0, "ab\nb\n", "b", "b", 4},
    {"two", 0, "one\r\ntwo\r\n", "two", "two", 8},
    {"\\d+ ok", 0, "12 \033[1mok\033[0m", "12 ok", "12 ok", 9},
    {"^done$", 0, "  5%\r 50%\rdone\n", "done", "done", 14},
    {"^done$", 0, "  5%\r 50% ok\rdone\n", NULL, NULL, 0},
    {"^done", 0, "  5%\rdone\n", "done", "done", 9},
    {"a.c", EXPECT_LITERAL, "abc a.c", "abc a.c", "a.c", 7},
    {"(", EXPECT_LITERAL, "x (", "x (", "(", 3},
    {"^$", 0, "x\n\n", "", "", 3},
    {"é", 0, "caf\xC3\xA9", "café", "é", 5},
    {"^.$", 0, "\xC3\xA9\n", "é", "é", 2},
    {"\\x{FFFD}", 0, "a\xFF", "a\xEF\xBF\xBD", "\xEF\xBF\xBD", 2},
    {"never", 0, "\033]0;never\anev\ner\n", NULL, NULL, 0},
    {"(?i)PANIC", 0, "Kernel panic", "Kernel panic", "panic", 12},
    {"a\\Kb", 0, "ab", "ab", "b", 2},
};

static void
pattern_is_found_however_the_bytes_are_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].bytes);
        for (size_t piece = 1; piece <= len; piece++) {
            struct expect *expect = make(rows[i].pattern, rows[i].flags);
            const struct expect_match *found = NULL;
            for (size_t at = 0; at < len && !found; at += piece)
                found = expect_feed(expect, rows[i].bytes + at,
                                    piece < len - at ? piece : len - at, at);
            if (!found != !rows[i].line)
                fail_msg("row %zu, pieces of %zu", i, piece);
            if (found) {
                assert_string_equal(found->text, rows[i].match);
                assert_true((int)found->offset >= rows[i].offset);
                if (piece == 1)
                    assert_int_equal(found->offset, rows[i].offset);
                if (piece == 1)
                    assert_string_equal(found->line, rows[i].line);
            }
            expect_free(expect);
        }
    }
}

static void
matches_come_one_after_the_other(void **state)
{
    (void)state;
    static const char bytes[] = "a1\nb\na2\na3";
    struct expect *expect = make("a\\d", 0);
    static const uint64_t offsets[] = {3, 8, 10};
    static const char *const texts[] = {"a1", "a2", "a3"};
    for (int i = 0; i < 3; i++) {
        const struct expect_match *found = expect_feed(expect, bytes, 10, 0);
        assert_non_null(found);
        assert_string_equal(found->text, texts[i]);
        assert_int_equal(found->offset, offsets[i]);
    }
    assert_null(expect_feed(expect, bytes, 10, 0));
    expect_free(expect);
    expect_free(NULL);
}

/* What a wait read from the log comes again as live output. */
static void
bytes_seen_already_are_skipped(void **state)
{
    (void)state;
    struct expect *expect = make("xy", 0);
    assert_null(expect_feed(expect, "abx", 3, 100));
    assert_null(expect_feed(expect, "abx", 3, 100));
    assert_null(expect_feed(expect, "bx", 2, 101));
    assert_null(expect_feed(expect, "bxz", 3, 101));
    assert_null(expect_feed(expect, "zx", 2, 103));
    const struct expect_match *found = expect_feed(expect, "zxy", 3, 103);
    assert_non_null(found);
    assert_string_equal(found->line, "abxzxy");
    assert_int_equal(found->offset, 106);
    expect_free(expect);
}

static void
bytes_before_the_start_are_skipped(void **state)
{
    (void)state;
    struct expect *expect = expect_new("old|new", 0, 10, NULL);
    assert_non_null(expect);
    assert_null(expect_feed(expect, "old\n", 4, 0));
    assert_null(expect_feed(expect, "old old", 7, 4));
    const struct expect_match *found =
        expect_feed(expect, "ld old\nnew\n", 11, 5);
    assert_non_null(found);
    assert_string_equal(found->text, "new");
    assert_int_equal(found->offset, 16);
    expect_free(expect);
    /* half of a line counts as a line */
    expect = expect_new("^ld$", 0, 1, NULL);
    assert_non_null(expect_feed(expect, "old\n", 4, 0));
    expect_free(expect);
}

static void
foreign_text_of_a_match_is_fit_to_show(void **state)
{
    (void)state;
    struct expect *expect = make("b.*c", 0);
    const struct expect_match *found = expect_feed(expect,
                                                   "a\xE2\x80\xAE"
                                                   "b\xFF\xC2\x9B"
                                                   "c\n",
                                                   10, 0);
    assert_non_null(found);
    assert_string_equal(found->line, "a\xEF\xBF\xBD"
                                     "b\xEF\xBF\xBD\xEF\xBF\xBD"
                                     "c");
    assert_string_equal(found->text, "b\xEF\xBF\xBD\xEF\xBF\xBD"
                                     "c");
    expect_free(expect);
}

static void
bad_pattern_is_told_with_its_place(void **state)
{
    (void)state;
    struct error error = {0};
    assert_null(expect_new("ab(c", 0, 0, &error));
    assert_int_equal(error.code, ERROR_CODE_INVALID);
    assert_non_null(strstr(error.text, "ab(c"));
    assert_non_null(strstr(error.text, "parenthesis"));
    assert_non_null(strstr(error.text, "at character 5"));
    assert_null(
        expect_new("(((a{1,999}){1,999}){1,999}){1,999}", 0, 0, &error));
    char *longest = malloc(5000);
    memset(longest, 'a', 4999);
    longest[4999] = '\0';
    assert_null(expect_new(longest, EXPECT_LITERAL, 0, &error));
    assert_int_equal(error.code, ERROR_CODE_LIMIT);
    free(longest);
}

static void
pattern_that_takes_for_ever_is_given_up(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "^(a+)+$", "(a|aa)+$", "(a*)*b", "(?:a|a)*c", "^(.*?,){20}P",
    };
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        struct expect *expect = make(patterns[i], 0);
        struct error error = {0};
        uint64_t offset = 0;
        uint64_t start = cpu_time();
        for (int j = 0; j < 2000; j++) {
            static const char line[] =
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,a,a,a,a,a,a,a,a,a,a,a,a,"
                "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a!\n";
            assert_null(expect_feed(expect, line, sizeof(line) - 1, offset));
            offset += sizeof(line) - 1;
        }
        /* whatever the pattern does, it cannot cost more than this */
        assert_true(cpu_time() - start < 20000);
        if (expect_has_given_up(expect, &error)) {
            assert_int_equal(error.code, ERROR_CODE_LIMIT);
            assert_non_null(strstr(error.text, "simpler"));
        }
        if (i == 0)
            assert_true(expect_has_given_up(expect, NULL));
        expect_free(expect);
    }
}

static void
pattern_that_is_hard_on_few_lines_is_kept(void **state)
{
    (void)state;
    struct expect *expect = make("^(a+)+$", 0);
    uint64_t offset = 0;
    static const char hard[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\n";
    for (unsigned i = 0; i < PATTERN_MAX_OVERRUNS - 1; i++) {
        assert_null(expect_feed(expect, hard, sizeof(hard) - 1, offset));
        offset += sizeof(hard) - 1;
    }
    assert_false(expect_has_given_up(expect, NULL));
    assert_non_null(expect_feed(expect, "aa\n", 3, offset));
    expect_free(expect);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pattern_is_found_however_the_bytes_are_split),
        cmocka_unit_test(matches_come_one_after_the_other),
        cmocka_unit_test(bytes_seen_already_are_skipped),
        cmocka_unit_test(bytes_before_the_start_are_skipped),
        cmocka_unit_test(foreign_text_of_a_match_is_fit_to_show),
        cmocka_unit_test(bad_pattern_is_told_with_its_place),
        cmocka_unit_test(pattern_that_takes_for_ever_is_given_up),
        cmocka_unit_test(pattern_that_is_hard_on_few_lines_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
