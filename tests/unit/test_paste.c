#include "client/expand.h"
#include "server/paste-pace.h"
#include "server/paste-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* All that comes out when the text goes in by pieces of size and everything
 * that is ready is taken after each. */
static char *
passed(const char *text, size_t len, size_t size, bool is_bracketed)
{
    struct paste_text paste;
    struct buffer out = {0};
    paste_text_init(&paste, is_bracketed);
    for (size_t at = 0; at < len; at += size) {
        paste_text_add(&paste, text + at, len - at < size ? len - at : size);
        size_t ready = paste_text_ready(&paste);
        buffer_append(&out, paste_text_bytes(&paste), ready);
        paste_text_take(&paste, ready);
    }
    paste_text_complete(&paste);
    size_t ready = paste_text_ready(&paste);
    buffer_append(&out, paste_text_bytes(&paste), ready);
    paste_text_take(&paste, ready);
    assert_true(paste_text_is_over(&paste));
    assert_int_equal(paste.given, out.len);
    paste_text_finish(&paste);
    return buffer_steal(&out);
}

static void
check_text(const char *text, bool is_bracketed, const char *wanted)
{
    for (size_t size = 1; size <= strlen(text) + 1; size++) {
        char *got = passed(text, strlen(text), size, is_bracketed);
        assert_string_equal(got, wanted);
        free(got);
    }
}

static void
line_ends_become_enter(void **state)
{
    (void)state;
    check_text("a\nb\r\nc\rd\n\n", false, "a\rb\rc\rd\r\r");
    check_text("", false, "");
    check_text("\r\r\n\n", false, "\r\r\r");
}

static void
brackets_keep_the_text(void **state)
{
    (void)state;
    check_text("a\nb\r\n", true, "\033[200~a\nb\r\n\033[201~");
    check_text("\033[20", true, "\033[200~\033[20\033[201~");
}

static void
no_piece_smuggles_an_end_mark(void **state)
{
    (void)state;
    check_text("a\033[201~b", true, "\033[200~a b\033[201~");
    check_text("\033[2\033[201~01~x", true, "\033[200~\033[2 01~x\033[201~");
    check_text("\033[\033[201~201~\033[201~", true,
               "\033[200~\033[ 201~ \033[201~");
    /* without brackets it is text like any */
    check_text("a\033[201~b", false, "a\033[201~b");
}

static void
lines_come_one_by_one(void **state)
{
    (void)state;
    struct paste_text paste;
    paste_text_init(&paste, false);
    paste_text_add(&paste, "one\ntw", 6);
    assert_int_equal(paste_text_line(&paste), 4);
    paste_text_take(&paste, 4);
    assert_int_equal(paste_text_line(&paste), 0);
    paste_text_add(&paste, "o\nend", 5);
    assert_int_equal(paste_text_line(&paste), 4);
    paste_text_take(&paste, 4);
    assert_int_equal(paste.lines, 2);
    paste_text_complete(&paste);
    assert_int_equal(paste_text_line(&paste), 3);
    paste_text_finish(&paste);
}

static void
a_line_without_end_is_cut(void **state)
{
    (void)state;
    struct paste_text paste;
    char *text = calloc(1, PASTE_LINE_MAX_BYTES + 10);
    memset(text, 'x', PASTE_LINE_MAX_BYTES + 10);
    paste_text_init(&paste, false);
    paste_text_add(&paste, text, PASTE_LINE_MAX_BYTES + 10);
    assert_int_equal(paste_text_line(&paste), PASTE_LINE_MAX_BYTES);
    paste_text_finish(&paste);
    free(text);
}

static void
what_is_broken_off_in_brackets_ends_in_one(void **state)
{
    (void)state;
    struct paste_text paste;
    paste_text_init(&paste, true);
    paste_text_add(&paste, "abc", 3);
    assert_string_equal(paste_text_break_off(&paste), "");
    paste_text_take(&paste, 7);
    assert_string_equal(paste_text_break_off(&paste), "\033[201~");
    paste_text_complete(&paste);
    paste_text_take(&paste, paste_text_ready(&paste));
    assert_string_equal(paste_text_break_off(&paste), "");
    paste_text_finish(&paste);
}

static void
the_meter_holds_its_rate(void **state)
{
    (void)state;
    static const int64_t rates[] = {1, 7, 100, 960, 11520, 1000000};
    for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
        struct paste_meter meter = {0};
        uint64_t now = 1000;
        uint64_t sent = 0;
        uint64_t wait = 0;
        while (now < 11000) {
            size_t allowed =
                paste_meter_allow(&meter, rates[i], now, 64, &wait);
            sent += allowed;
            if (!allowed) {
                assert_true(wait >= 10);
                now += wait;
            }
        }
        /* ten seconds, and the burst in the beginning */
        uint64_t rate = (uint64_t)rates[i];
        assert_true(sent <= rate * 10 + rate / 50 + 1);
        assert_true(sent + 1 >= rate * 9);
    }
}

static void
no_rate_is_no_limit(void **state)
{
    (void)state;
    struct paste_meter meter = {0};
    uint64_t wait = 0;
    assert_int_equal(paste_meter_allow(&meter, 0, 5, 12345, &wait), 12345);
    assert_int_equal(wait, 0);
}

static void
an_echo_is_seen_however_it_is_drawn(void **state)
{
    (void)state;
    static const struct {
        const char *output;
        bool is_complete;
    } rows[] = {
        {"setenv a 1\r\n", true},
        {"setenv a 1", false},
        {"setenv a 2\r\n", false},
        {"\033[1;31ms\033[0metenv  \r a 1\r\n", true},
        {"set\r\n[ 1.0] noise\r\nenv a 1\r\n", true},
        {"\033[setenv a 1\r\n", false}, /* inside of a sequence */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct paste_echo echo = {0};
        assert_true(paste_echo_expect(&echo, "setenv a\t1\r", 11));
        bool is_complete = false;
        for (const char *at = rows[i].output; *at; at++)
            is_complete = paste_echo_feed(&echo, at, 1);
        assert_int_equal(is_complete, rows[i].is_complete);
        paste_echo_finish(&echo);
    }
}

static void
a_line_without_end_has_no_echo_to_wait_for(void **state)
{
    (void)state;
    struct paste_echo echo = {0};
    assert_false(paste_echo_expect(&echo, "abc", 3));
    assert_true(paste_echo_expect(&echo, "\r", 1));
    assert_true(paste_echo_feed(&echo, "\r\n", 2));
    paste_echo_finish(&echo);
}

static void
names_and_numbers_are_filled_in(void **state)
{
    (void)state;
    struct buffer out = {0};
    const char text[] = "{name}: {index} {nam} {{name}} {";
    expand_text(text, sizeof(text) - 1, "n1", 12, &out);
    assert_string_equal(out.data, "n1: 12 {nam} {n1} {");
    assert_true(expand_is_needed(text, sizeof(text) - 1));
    assert_false(expand_is_needed("{nam}", 5));
    buffer_finish(&out);
}

static void
a_word_cut_in_two_is_kept_together(void **state)
{
    (void)state;
    assert_int_equal(expand_tail("ab{nam", 6), 4);
    assert_int_equal(expand_tail("ab{", 3), 1);
    assert_int_equal(expand_tail("{index", 6), 6);
    assert_int_equal(expand_tail("{name}", 6), 0);
    assert_int_equal(expand_tail("{nbme", 5), 0);
    assert_int_equal(expand_tail("", 0), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_ends_become_enter),
        cmocka_unit_test(brackets_keep_the_text),
        cmocka_unit_test(no_piece_smuggles_an_end_mark),
        cmocka_unit_test(lines_come_one_by_one),
        cmocka_unit_test(a_line_without_end_is_cut),
        cmocka_unit_test(what_is_broken_off_in_brackets_ends_in_one),
        cmocka_unit_test(the_meter_holds_its_rate),
        cmocka_unit_test(no_rate_is_no_limit),
        cmocka_unit_test(an_echo_is_seen_however_it_is_drawn),
        cmocka_unit_test(a_line_without_end_has_no_echo_to_wait_for),
        cmocka_unit_test(names_and_numbers_are_filled_in),
        cmocka_unit_test(a_word_cut_in_two_is_kept_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
