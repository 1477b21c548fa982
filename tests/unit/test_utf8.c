#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Malformed sequences, and how many bytes one replacement character stands for
 * (Unicode's "maximal subpart", table 3-8). */
static const struct {
    const char *bytes;
    size_t len;
    size_t taken; /* 0: valid so far, but cut off */
} malformed[] = {
    {"\x80", 1, 1},             /* a continuation alone */
    {"\xBF\xBF", 2, 1},         /* two of them */
    {"\xC0\x80", 2, 1},         /* over-long zero */
    {"\xC1\xBF", 2, 1},         /* over-long */
    {"\xE0\x80\x80", 3, 1},     /* over-long */
    {"\xE0\x9F\xBF", 3, 1},     /* over-long, the largest */
    {"\xF0\x80\x80\x80", 4, 1}, /* over-long */
    {"\xF0\x8F\xBF\xBF", 4, 1}, /* over-long, the largest */
    {"\xED\xA0\x80", 3, 1},     /* first surrogate */
    {"\xED\xBF\xBF", 3, 1},     /* last surrogate */
    {"\xF4\x90\x80\x80", 4, 1}, /* U+110000 */
    {"\xF5\x80\x80\x80", 4, 1}, /* beyond */
    {"\xF8\x88\x80\x80\x80", 5, 1},
    {"\xFE", 1, 1},
    {"\xFF", 1, 1},
    {"\xC3(", 2, 1},            /* ASCII where a continuation should be */
    {"\xE2\x82(", 3, 2},        /* the same, later */
    {"\xF0\x9F\x98(", 4, 3},    /* the same, latest */
    {"\xF0\xBF\xBD(", 4, 3},    /* ends in the bytes of U+FFFD */
    {"\xE2\xE2\x82\xAC", 4, 1}, /* a lead where a continuation should be */
    {"\xC3", 1, 0},             /* cut */
    {"\xE2\x82", 2, 0},         /* cut */
    {"\xF0\x9F\x98", 3, 0},     /* cut */
    {"\xF4\x8F\xBF", 3, 0},     /* cut */
};

static void
malformed_sequences_are_replaced_part_by_part(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        uint32_t codepoint = 0;
        size_t taken =
            utf8_decode(malformed[i].bytes, malformed[i].len, &codepoint);
        assert_int_equal(taken, malformed[i].taken);
        assert_int_equal(codepoint, UTF8_REPLACEMENT);
    }
}

static void
malformed_sequences_are_not_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        char text[16] = "ab";
        memcpy(text + 2, malformed[i].bytes, malformed[i].len);
        size_t offset = 0;
        assert_false(utf8_is_valid(text, 2 + malformed[i].len, &offset));
        assert_int_equal(offset, 2);
        assert_false(utf8_is_valid(text, 2 + malformed[i].len, NULL));
    }
}

static void
every_character_comes_back(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        if (c == 0xD800)
            c = 0xE000;
        char bytes[4];
        uint32_t back = 0;
        size_t len = utf8_encode(c, bytes);
        if (utf8_decode(bytes, len, &back) != len || back != c ||
            !utf8_is_valid(bytes, len, NULL))
            fail_msg("U+%04X", (unsigned)c);
        if (len > 1 && utf8_decode(bytes, len - 1, &back) != 0)
            fail_msg("U+%04X, cut", (unsigned)c);
    }
}

static void
what_is_no_character_is_encoded_as_replacement(void **state)
{
    (void)state;
    static const uint32_t bad[] = {0xD800, 0xDFFF, 0x110000, UINT32_MAX};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char bytes[4];
        assert_int_equal(utf8_encode(bad[i], bytes), 3);
        assert_memory_equal(bytes, "\xEF\xBF\xBD", 3);
    }
}

static void
replacement_character_itself_is_valid(void **state)
{
    (void)state;
    assert_true(utf8_is_valid("\xEF\xBF\xBD", 3, NULL));
    assert_true(utf8_is_valid("", 0, NULL));
    assert_true(utf8_is_valid("a\0b", 3, NULL));
}

static const struct {
    uint32_t codepoint;
    int width;
} widths[] = {
    {0x00, -1},  {0x1B, -1},   {0x1F, -1},     {' ', 1},         {'~', 1},
    {0x7F, -1},  {0x80, -1},   {0x9B, -1},     {0x9F, -1},       {0xA0, 1},
    {0xAD, 1},   {0xE9, 1},    {0x0301, 0},    {0x200B, 0},      {0x200D, 0},
    {0x202E, 0}, {0xFE0F, 0},  {0x2500, 1},    {0x4E00, 2},      {0xAC00, 2},
    {0xFF21, 2}, {0x1F600, 2}, {0xD800, -1},   {0xDFFF, -1},     {0xFFFD, 1},
    {0xE000, 1}, {0x1160, 0},  {0x11FF, 0},    {0xD7B0, 0},      {0x0378, 1},
    {0x0903, 1}, {0x0600, 1},  {0x110000, -1}, {UINT32_MAX, -1},
};

static void
widths_are_those_of_terminals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
        if (utf8_width(widths[i].codepoint) != widths[i].width)
            fail_msg("U+%04X has %d columns", (unsigned)widths[i].codepoint,
                     utf8_width(widths[i].codepoint));
    }
}

static void
no_character_has_another_width_than_these(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x110000; c++) {
        int width = utf8_width(c);
        assert_in_range(width + 1, 0, 3);
        if (utf8_is_combining(c))
            assert_int_equal(width, 0);
    }
}

static void
marks_combine_and_format_characters_do_not(void **state)
{
    (void)state;
    assert_true(utf8_is_combining(0x0301));
    assert_true(utf8_is_combining(0x20DD));
    assert_true(utf8_is_combining(0xFE0F));
    assert_true(utf8_is_combining(0x1160));
    static const uint32_t others[] = {'a',    0x0903, 0x1B,   0x9B,
                                      0x200B, 0x200D, 0x202E, 0x2066,
                                      0xFEFF, 0x4E00, 0xD800, UINT32_MAX};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(utf8_is_combining(others[i]));
}

static void
characters_without_a_meaning_are_unassigned(void **state)
{
    (void)state;
    static const uint32_t without[] = {0x0378,   0xFFFE,   0xFFFF,
                                       0x10FFFF, 0x110000, UINT32_MAX};
    static const uint32_t with[] = {0, 'a', 0x1B, 0xE000, 0xFFFD, 0x1F600};
    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
        assert_false(utf8_is_assigned(without[i]));
    for (size_t i = 0; i < sizeof(with) / sizeof(with[0]); i++)
        assert_true(utf8_is_assigned(with[i]));
}

static void
text_has_the_columns_of_its_characters(void **state)
{
    (void)state;
    const char text[] = "aé漢e\xCC\x81\n😀";
    assert_int_equal(utf8_text_cols(text, sizeof(text) - 1), 1 + 1 + 2 + 1 + 2);
    assert_int_equal(utf8_text_cols("", 0), 0);
    assert_int_equal(utf8_text_cols("ab\xE6\xBC", 4), 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_sequences_are_replaced_part_by_part),
        cmocka_unit_test(malformed_sequences_are_not_valid),
        cmocka_unit_test(every_character_comes_back),
        cmocka_unit_test(what_is_no_character_is_encoded_as_replacement),
        cmocka_unit_test(replacement_character_itself_is_valid),
        cmocka_unit_test(widths_are_those_of_terminals),
        cmocka_unit_test(no_character_has_another_width_than_these),
        cmocka_unit_test(marks_combine_and_format_characters_do_not),
        cmocka_unit_test(characters_without_a_meaning_are_unassigned),
        cmocka_unit_test(text_has_the_columns_of_its_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
