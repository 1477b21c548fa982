#include "base/text.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FFFD "\xEF\xBF\xBD"

static const struct {
    const char *text;
    size_t max_cols;
    unsigned flags;
    const char *shown;
} printables[] = {
    {"", 0, 0, ""},
    {"plain text", 0, 0, "plain text"},
    {"a\tb\nc\rd", 0, 0, "a b c d"},
    {"a\r\nb", 0, 0, "a b"},
    {"a\r\nb\n\nc", 0, TEXT_KEEP_LINES, "a\nb\n\nc"},
    {"a\rb\tc", 0, TEXT_KEEP_LINES, "a b c"},
    {"\033[31mred\033[0m", 0, 0, FFFD "[31mred" FFFD "[0m"},
    {"\a\b\x7F", 0, 0, FFFD FFFD FFFD},
    /* C1 as characters: CSI, OSC, DCS */
    {"\xC2\x9B"
     "2J\xC2\x9D\xC2\x90",
     0, 0, FFFD "2J" FFFD FFFD},
    /* C1 as bytes */
    {"\x9B"
     "2J",
     0, 0, FFFD "2J"},
    /* bidi controls: U+202E, U+2066, U+200F, U+061C */
    {"a\xE2\x80\xAE"
     "b\xE2\x81\xA6"
     "c\xE2\x80\x8F"
     "d\xD8\x9C",
     0, 0, "a" FFFD "b" FFFD "c" FFFD "d" FFFD},
    /* unassigned: U+0378, U+FFFF */
    {"a\xCD\xB8"
     "b\xEF\xBF\xBF",
     0, 0, "a" FFFD "b" FFFD},
    /* zero-width ones vanish: U+200B, U+200D, U+FEFF, combining */
    {"a\xE2\x80\x8B"
     "b\xE2\x80\x8D"
     "c\xEF\xBB\xBF"
     "de\xCC\x81",
     0, 0, "abcde"},
    /* malformed UTF-8; the last one cut off */
    {"a\xFF"
     "b\xC3(\xE2\x82",
     0, 0, "a" FFFD "b" FFFD "(" FFFD},
    /* cuts */
    {"abcdef", 6, 0, "abcdef"},
    {"abcdefg", 6, 0, "abcde…"},
    {"ab", 1, 0, "…"},
    {"a", 1, 0, "a"},
    {"漢字", 4, 0, "漢字"},
    {"漢字", 3, 0, "漢…"},
    {"漢字", 2, 0, "…"},
    {"漢", 1, 0, "…"},
    {"a漢字", 3, 0, "a…"},
    {"a漢字b", 4, 0, "a漢…"},
    {"abc\ndefghij\nkl", 4, TEXT_KEEP_LINES, "abc\ndef…\nkl"},
    {"abcdefg\n", 3, TEXT_KEEP_LINES, "ab…\n"},
    {"😀😀😀", 5, 0, "😀😀…"},
};

static void
foreign_text_is_made_fit_to_show(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(printables) / sizeof(printables[0]); i++) {
        char *shown =
            text_printable(printables[i].text, strlen(printables[i].text),
                           printables[i].max_cols, printables[i].flags);
        assert_string_equal(shown, printables[i].shown);
        free(shown);
    }
}

static void
zero_byte_is_shown_and_ends_nothing(void **state)
{
    (void)state;
    char *shown = text_printable("a\0b", 3, 0, 0);
    assert_string_equal(shown, "a" FFFD "b");
    free(shown);
    shown = text_printable(NULL, 0, 0, 0);
    assert_string_equal(shown, "");
    free(shown);
}

static void
flood_of_combining_marks_takes_no_memory(void **state)
{
    (void)state;
    size_t marks = 1000000;
    char *text = malloc(marks * 2 + 2);
    assert_non_null(text);
    text[0] = 'e';
    for (size_t i = 0; i < marks; i++)
        memcpy(text + 1 + i * 2, "\xCC\x81", 2);
    text[marks * 2 + 1] = 'x';
    char *shown = text_printable(text, marks * 2 + 2, 0, 0);
    assert_string_equal(shown, "ex");
    free(shown);
    free(text);
}

/* Whatever bytes come in, what comes out is valid, without controls, within
 * the width, one line. */
static void
random_bytes_come_out_fit_to_show(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        char text[64];
        for (size_t i = 0; i < sizeof(text); i++) {
            seed = seed * 1664525u + 1013904223u;
            static const char likely[] = "\033[\xE2\x80\xAE\xF0\x9F\x98\n\r\t";
            text[i] = (seed >> 30) ? (char)(seed >> 20)
                                   : likely[(seed >> 16) % sizeof(likely)];
        }
        size_t max_cols = seed >> 27;
        char *shown = text_printable(text, sizeof(text), max_cols, 0);
        size_t len = strlen(shown);
        assert_true(utf8_is_valid(shown, len, NULL));
        if (max_cols)
            assert_true(utf8_text_cols(shown, len) <= max_cols);
        for (size_t at = 0; at < len;) {
            uint32_t codepoint = 0;
            at += utf8_decode(shown + at, len - at, &codepoint);
            assert_true(utf8_width(codepoint) > 0);
        }
        free(shown);
    }
}

static void
names_are_letters_digits_and_little_else(void **state)
{
    (void)state;
    static const char *const good[] = {
        "a",        "0",
        "n1",       "A-b_c.d",
        "web..old", "x-",
        "v1.",      "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKL",
    };
    static const char *const bad[] = {
        "",
        ".",
        "..",
        "/",
        "a/b",
        "-x",
        "_x",
        ".x",
        "a b",
        "a\n",
        "\na",
        "a\tb",
        "a,b",
        "a=b",
        "a:b",
        "a;b",
        "$(a)",
        "%s",
        "a\\b",
        "\x7F",
        "n\xD0\xB0",
        "ｎ１",
        "ﬁ",
        "é",
        "z\xE2\x80\x8Bz",
        "\xFF",
        "a\033",
        "*",
        "~",
        "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLM",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(text_is_name(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(text_is_name(bad[i]));
    char longest[256];
    memset(longest, 'a', 255);
    longest[255] = '\0';
    assert_false(text_is_name(longest));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_text_is_made_fit_to_show),
        cmocka_unit_test(zero_byte_is_shown_and_ends_nothing),
        cmocka_unit_test(flood_of_combining_marks_takes_no_memory),
        cmocka_unit_test(random_bytes_come_out_fit_to_show),
        cmocka_unit_test(names_are_letters_digits_and_little_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
