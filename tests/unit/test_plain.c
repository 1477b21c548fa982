#include "base/buffer.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "console/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Appends finished lines, each ended by '|', to out. */
static void
feed(struct plain *plain, const char *bytes, size_t len, struct buffer *out)
{
    for (size_t at = 0; at < len;) {
        bool is_done = false;
        size_t taken = plain_feed(plain, bytes + at, len - at, &is_done);
        assert_true((taken > 0 || is_done) && taken <= len - at);
        assert_true(is_done || taken == len - at);
        assert_true(plain->at <= plain->line.len);
        assert_true(plain->line.len <= PLAIN_LINE_MAX_BYTES);
        at += taken;
        if (!is_done)
            continue;
        buffer_append(out, plain->line.data, plain->line.len);
        buffer_append_byte(out, '|');
        plain_next_line(plain);
    }
}

static const struct {
    const char *bytes;
    const char *lines; /* '|' ends each; behind the last: the unfinished one */
} rows[] = {
    {"", ""},
    {"one\ntwo\r\n\nlogin: ", "one|two||login: "},
    {"a\tb\t\tc\n12345678\tx", "a       b               c|12345678        x"},
    /* \r and \b move within the line and delete nothing */
    {"50%\r100%\n", "100%|"},
    {"hello\rJ\n", "Jello|"},
    {"abc\b\bX\n", "aXc|"},
    {"\b\b\rx\n", "x|"},
    {"abc\b \b\n", "ab |"},
    /* whole characters are overwritten, whatever their lengths */
    {"é\b \b|\n", "||"},
    {"é\rabc\n", "abc|"},
    {"abc\ré\n", "ébc|"},
    {"漢字\rab\n", "ab|"},
    {"ab\r漢字\n", "漢字|"},
    {"a漢b\b\bX\n", "aXb|"},
    {"é\b\b\bx\n", "x|"},
    /* escape sequences are left out */
    {"\033[1;31mred\033[0m \033(B\033=\033>x\0337\0338\n", "red x|"},
    {"\033[?2004h$ \033[6n\033]0;title\a\033]0;title\033\\ok\n", "$ ok|"},
    {"\033Pq#0;1\033\\a\033_x\033\\b\033^x\033\\c\033Xx\033\\d\n", "abcd|"},
    {"\033 F\033#8\033%Gx\n", "x|"},
    /* an ESC starts anew wherever it comes */
    {"\033\033[31mx\n", "x|"},
    {"\033[3\033[31mx\n", "x|"},
    {"\033]0;t\033[31mx\n", "x|"},
    {"\033]0;t\033\033\\x\n", "x|"},
    /* CAN and SUB end a sequence */
    {"\033[3\030x\033\032y\033]0;t\030z\n", "xyz|"},
    /* the finals behind intermediates introduce nothing */
    {"\033(Pa\033 [b\033#]c\n", "abc|"},
    /* the cursor leaves the line */
    {"\033[2J\033[Hone\033[2;1Htwo\033[3dthree\033[Afour",
     "one|two|three|four"},
    {"a\033Db\033Ec\033Md\033ce\vf\fg\033[2Jh", "a|b|c|d|e|f|g|h"},
    {"a\033[Jb\033[Kc\033[1Cd\033[?2Je\n", "abcde|"},
    /* controls inside of a sequence are carried out */
    {"ab\033[3\r1mX\033[\n1mY\n", "Xb|Y|"},
    {"ab\033\r[1mX\033\n[1mY\n", "Xb|Y|"},
    {"ab\033[3\b1mX\n", "aX|"},
    /* controls in strings belong to the string, but OSC ends with its line */
    {"\033Pqa\nb\rc\a\033\\x\n", "x|"},
    {"\033]0;a\rb\nc\n", "|c|"},
    /* what is no control but no text either */
    {"a\177\001\016\017\005b\n", "ab|"},
    {"a\377\200b\343\201\n", "a\xEF\xBF\xBD\xEF\xBF\xBD"
                             "b\xEF\xBF\xBD|"},
    {"\033[31\303\251mx\n", "x|"},
};

static void
lines_read_as_a_person_reads_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct plain plain = {0};
        struct buffer out = {0};
        feed(&plain, rows[i].bytes, strlen(rows[i].bytes), &out);
        buffer_append(&out, plain.line.data, plain.line.len);
        if (strcmp(out.data, rows[i].lines) != 0)
            fail_msg("row %zu: \"%s\", not \"%s\"", i, out.data, rows[i].lines);
        buffer_finish(&out);
        plain_finish(&plain);
    }
}

static void
bytes_give_the_same_lines_however_they_are_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].bytes);
        for (size_t piece = 1; piece <= len; piece++) {
            struct plain plain = {0};
            struct buffer out = {0};
            for (size_t at = 0; at < len; at += piece)
                feed(&plain, rows[i].bytes + at,
                     piece < len - at ? piece : len - at, &out);
            buffer_append(&out, plain.line.data, plain.line.len);
            assert_string_equal(out.data, rows[i].lines);
            buffer_finish(&out);
            plain_finish(&plain);
        }
    }
}

/* Random bytes, in one piece and in random ones. */
static void
random_bytes_give_the_same_lines_in_any_pieces(void **state)
{
    (void)state;
    static const char likely[] = "ab \r\n\b\t\033[]P\\;1m\a\030é漢\303";
    uint32_t seed = 7;
    for (int round = 0; round < 3000; round++) {
        char bytes[300];
        for (size_t i = 0; i < sizeof(bytes); i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = seed >> 28 ? likely[(seed >> 8) % (sizeof(likely) - 1)]
                                  : (char)(seed >> 16);
        }
        struct plain whole = {0};
        struct plain split = {0};
        struct buffer out[2] = {{0}};
        feed(&whole, bytes, sizeof(bytes), &out[0]);
        for (size_t at = 0; at < sizeof(bytes);) {
            seed = seed * 1664525u + 1013904223u;
            size_t piece = (seed >> 24) % 7 + 1;
            piece = piece < sizeof(bytes) - at ? piece : sizeof(bytes) - at;
            feed(&split, bytes + at, piece, &out[1]);
            at += piece;
        }
        buffer_append(&out[0], whole.line.data, whole.line.len);
        buffer_append(&out[1], split.line.data, split.line.len);
        assert_int_equal(out[0].len, out[1].len);
        assert_memory_equal(out[0].data, out[1].data, out[0].len);
        buffer_finish(&out[0]);
        buffer_finish(&out[1]);
        plain_finish(&whole);
        plain_finish(&split);
    }
}

static void
valid_text_stays_valid_when_it_is_overwritten(void **state)
{
    (void)state;
    static const char *const parts[] = {"a", "é", "漢", "😀", "\r", "\b", " "};
    uint32_t seed = 3;
    struct plain plain = {0};
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1664525u + 1013904223u;
        const char *part = parts[(seed >> 16) % 7];
        bool is_done = false;
        plain_feed(&plain, part, strlen(part), &is_done);
        assert_true(utf8_is_valid(plain.line.data, plain.line.len, NULL));
    }
    plain_finish(&plain);
}

static void
string_without_an_end_hides_no_prompt(void **state)
{
    (void)state;
    static const char *const starts[] = {"\033]0;", "\033Pq", "\033_", "\033X",
                                         "\033^"};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        struct plain plain = {0};
        struct buffer out = {0};
        feed(&plain, starts[i], strlen(starts[i]), &out);
        for (int j = 0; j < 100000; j++)
            feed(&plain, "0123456789", 10, &out);
        feed(&plain, "\nlogin: ", 8, &out);
        assert_int_equal(plain.line.len, 7);
        assert_memory_equal(plain.line.data, "login: ", 7);
        buffer_finish(&out);
        plain_finish(&plain);
    }
}

static void
long_line_is_several_of_which_nothing_is_lost(void **state)
{
    (void)state;
    static const char *const characters[] = {"x", "\xC3\xA9", "漢", "😀"};
    for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
        struct plain plain = {0};
        struct buffer out = {0};
        size_t bytes = strlen(characters[i]);
        size_t count = 0;
        size_t kept = 0;
        for (size_t j = 0; j < 100000; j++)
            feed(&plain, characters[i], bytes, &out);
        feed(&plain, "\nnext\n", 6, &out);
        for (size_t j = 0; j < out.len; j++) {
            count += out.data[j] == '|';
            kept += out.data[j] != '|';
        }
        assert_true(utf8_is_valid(out.data, out.len, NULL));
        assert_int_equal(kept, 100000 * bytes + 4);
        assert_true(count <= 100000 * bytes / (PLAIN_LINE_MAX_BYTES - 3) + 2);
        assert_memory_equal(out.data + out.len - 6, "|next|", 6);
        buffer_finish(&out);
        plain_finish(&plain);
    }
}

static void
overwriting_pushes_nothing_beyond_the_longest_line(void **state)
{
    (void)state;
    struct plain plain = {0};
    struct buffer out = {0};
    for (int i = 0; i < PLAIN_LINE_MAX_BYTES - 10; i++)
        feed(&plain, "x", 1, &out);
    for (int i = 0; i < 100; i++) {
        feed(&plain, "\r😀😀\t😀", 14, &out);
        assert_true(utf8_is_valid(plain.line.data, plain.line.len, NULL));
    }
    for (int i = 0; i < 2000; i++)
        feed(&plain, "\b\t\t\t", 4, &out);
    buffer_finish(&out);
    plain_finish(&plain);
}

static void
where_the_text_begins_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        size_t text_at;
    } lines[] = {{"one", 0},
                 {"\033c\033[?7l\033[2Jtwo\r", 11},
                 {"\r\033[31m\033]0;title\athree", 16},
                 {"\xc3\xa9", 0},
                 {"\033[m", 0}};
    for (size_t split = 1; split < 4; split++) {
        struct plain plain = {0};
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            bool is_done = false;
            size_t len = strlen(lines[i].line);
            for (size_t at = 0; at < len; at += split)
                (void)plain_feed(&plain, lines[i].line + at,
                                 len - at < split ? len - at : split, &is_done);
            /* a character that comes in pieces is there with its last one */
            assert_true(plain.text_at == lines[i].text_at ||
                        (split == 1 && i == 3 && plain.text_at == 1));
            (void)plain_feed(&plain, "\n", 1, &is_done);
            assert_true(is_done);
            plain_next_line(&plain);
        }
        plain_finish(&plain);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_read_as_a_person_reads_them),
        cmocka_unit_test(bytes_give_the_same_lines_however_they_are_split),
        cmocka_unit_test(random_bytes_give_the_same_lines_in_any_pieces),
        cmocka_unit_test(valid_text_stays_valid_when_it_is_overwritten),
        cmocka_unit_test(string_without_an_end_hides_no_prompt),
        cmocka_unit_test(long_line_is_several_of_which_nothing_is_lost),
        cmocka_unit_test(overwriting_pushes_nothing_beyond_the_longest_line),
        cmocka_unit_test(where_the_text_begins_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
