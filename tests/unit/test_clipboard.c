#include "tui/clipboard.h"
#include "tui/outgoing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct {
    enum clipboard_when when;
    struct clipboard_place place;
    unsigned ways;
} places[] = {
    {CLIPBOARD_AUTO, {"xterm-256color", NULL, NULL, false}, CLIPBOARD_PLAIN},
    {CLIPBOARD_AUTO, {"xterm", "", "", false}, CLIPBOARD_PLAIN},
    {CLIPBOARD_AUTO,
     {"screen-256color", "/tmp/tmux-0/default,1,0", NULL, false},
     CLIPBOARD_PLAIN | CLIPBOARD_TMUX},
    {CLIPBOARD_AUTO,
     {"tmux-256color", NULL, NULL, false},
     CLIPBOARD_PLAIN | CLIPBOARD_TMUX},
    {CLIPBOARD_AUTO, {"screen", NULL, "1.pts-0", false}, CLIPBOARD_SCREEN},
    {CLIPBOARD_AUTO,
     {"screen", NULL, NULL, false},
     CLIPBOARD_PLAIN | CLIPBOARD_SCREEN},
    {CLIPBOARD_AUTO, {"linux", NULL, NULL, true}, 0},
    {CLIPBOARD_AUTO, {"dumb", NULL, NULL, false}, 0},
    {CLIPBOARD_AUTO, {NULL, NULL, NULL, false}, 0},
    {CLIPBOARD_ON, {"linux", NULL, NULL, true}, CLIPBOARD_PLAIN},
    {CLIPBOARD_OFF, {"xterm", NULL, NULL, false}, 0},
};

static void
ways_are_those_of_the_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        unsigned ways = clipboard_ways(places[i].when, &places[i].place);
        if (ways != places[i].ways)
            fail_msg("place %zu: %u", i, ways);
    }
}

static const struct {
    unsigned ways;
    const char *text;
    const char *bytes;
} sequences[] = {
    {CLIPBOARD_PLAIN, "hello", "\033]52;c;aGVsbG8=\a"},
    {CLIPBOARD_PLAIN, "", "\033]52;c;\a"},
    {CLIPBOARD_TMUX, "hello", "\033Ptmux;\033\033]52;c;aGVsbG8=\a\033\\"},
    {CLIPBOARD_SCREEN, "hello", "\033P\033]52;c;aGVsbG8=\a\033\\"},
    {CLIPBOARD_PLAIN | CLIPBOARD_TMUX, "hello",
     "\033]52;c;aGVsbG8=\a\033Ptmux;\033\033]52;c;aGVsbG8=\a\033\\"},
};

static void
sequences_are_wrapped_for_what_is_in_between(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        struct buffer out = {0};
        clipboard_encode(sequences[i].ways, sequences[i].text,
                         strlen(sequences[i].text), &out);
        assert_string_equal(out.data, sequences[i].bytes);
        buffer_finish(&out);
    }
}

/* What screen passes on is the sequence again, and no piece is too long. */
static void
long_texts_go_through_screen_in_pieces(void **state)
{
    (void)state;
    struct buffer plain = {0};
    struct buffer wrapped = {0};
    struct buffer passed = {0};
    char text[3000];
    memset(text, 'x', sizeof(text));
    clipboard_encode(CLIPBOARD_PLAIN, text, sizeof(text), &plain);
    clipboard_encode(CLIPBOARD_SCREEN, text, sizeof(text), &wrapped);
    for (const char *at = wrapped.data; *at;) {
        assert_int_equal(strncmp(at, "\033P", 2), 0);
        const char *end = strstr(at, "\033\\");
        assert_non_null(end);
        assert_true(end - at < 768);
        buffer_append(&passed, at + 2, (size_t)(end - at - 2));
        at = end + 2;
    }
    assert_string_equal(passed.data, plain.data);
    buffer_finish(&plain);
    buffer_finish(&wrapped);
    buffer_finish(&passed);
}

static void
words_for_when_are_three(void **state)
{
    (void)state;
    enum clipboard_when when = CLIPBOARD_AUTO;
    struct error error = {0};
    assert_true(clipboard_parse("off", &when, &error));
    assert_int_equal(when, CLIPBOARD_OFF);
    assert_true(clipboard_parse("on", &when, &error));
    assert_int_equal(when, CLIPBOARD_ON);
    assert_true(clipboard_parse("auto", &when, &error));
    assert_int_equal(when, CLIPBOARD_AUTO);
    assert_false(clipboard_parse("yes", &when, &error));
    assert_int_equal(error.code, ERROR_CODE_INVALID);
}

/* --- writing between frames ----------------------------------------------- */

static void
what_a_terminal_does_not_take_waits(void **state)
{
    (void)state;
    int ends[2];
    char *bytes = malloc(OUTGOING_MAX_BYTES);
    struct outgoing outgoing = {0};
    assert_int_equal(pipe(ends), 0);
    assert_non_null(bytes);
    memset(bytes, 'y', OUTGOING_MAX_BYTES);
    assert_true(outgoing_pump(&outgoing, ends[1]));
    assert_true(outgoing_add(&outgoing, bytes, OUTGOING_MAX_BYTES));
    assert_false(outgoing_add(&outgoing, "z", 1));
    /* a pipe holds less: nothing blocks, and the rest goes when it is read */
    assert_false(outgoing_pump(&outgoing, ends[1]));
    size_t got = 0;
    while (!outgoing_pump(&outgoing, ends[1])) {
        ssize_t len = read(ends[0], bytes, OUTGOING_MAX_BYTES);
        assert_true(len > 0);
        got += (size_t)len;
    }
    close(ends[1]);
    for (;;) {
        ssize_t len = read(ends[0], bytes, OUTGOING_MAX_BYTES);
        if (len <= 0)
            break;
        got += (size_t)len;
    }
    assert_int_equal(got, OUTGOING_MAX_BYTES);
    outgoing_finish(&outgoing, -1);
    close(ends[0]);
    free(bytes);
}

static void
a_sequence_that_was_begun_is_ended(void **state)
{
    (void)state;
    int ends[2];
    struct outgoing outgoing = {0};
    char bytes[8];
    assert_int_equal(pipe(ends), 0);
    assert_true(outgoing_add(&outgoing, "\033]52;c;abc", 10));
    outgoing.sent = 4;
    outgoing_finish(&outgoing, ends[1]);
    assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 2);
    assert_memory_equal(bytes, "\033\\", 2);
    close(ends[0]);
    close(ends[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ways_are_those_of_the_place),
        cmocka_unit_test(sequences_are_wrapped_for_what_is_in_between),
        cmocka_unit_test(long_texts_go_through_screen_in_pieces),
        cmocka_unit_test(words_for_when_are_three),
        cmocka_unit_test(what_a_terminal_does_not_take_waits),
        cmocka_unit_test(a_sequence_that_was_begun_is_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
