#include "console/excerpt.h"
#include "terminal-world.h"

#define ALL 9999

/* What is copied, of 3 rows of 10 columns. */
static const struct {
    const char *bytes;
    struct excerpt excerpt;
    const char *text;
    size_t lines;
} rows[] = {
    {"one\r\ntwo\r\nthree", {0, 2, 0, ALL, false}, "one\ntwo\nthree", 3},
    {"one\r\ntwo\r\nthree", {0, 1, 1, 1, false}, "ne\ntw", 2},
    {"one\r\ntwo\r\nthree", {1, 1, 1, 2, false}, "wo", 1},
    {"one\r\ntwo\r\nthree", {0, 2, 1, 2, true}, "ne\nwo\nhr", 3},
    /* rows that are not there */
    {"one", {-9, 9, 0, ALL, false}, "one\n\n", 3},
    {"one", {5, 9, 0, ALL, false}, "", 0},
    {"one", {2, 1, 0, ALL, false}, "", 0},
    {"1\r\n2\r\n3\r\n4", {-1, 0, 0, ALL, false}, "1\n2", 2},
    /* beyond the text, and an empty range */
    {"one", {0, 0, 5, 9, false}, "", 1},
    {"one", {0, 0, 2, 1, false}, "", 1},
    {"one two", {0, 0, 0, 3, false}, "one", 1},
    {"\033[4Gx  ", {0, 0, 0, ALL, false}, "   x", 1},
    {"\033[4Gx", {0, 0, 2, ALL, false}, " x", 1},
    /* wrapped rows are one line, blanks at the seam and all */
    {"0123456789ab", {0, 1, 0, ALL, false}, "0123456789ab", 1},
    {"0123456789ab", {0, 1, 8, 0, false}, "89a", 1},
    {"0123456789ab", {0, 0, 8, ALL, false}, "89", 1},
    {"012345678 ab", {0, 1, 0, ALL, false}, "012345678 ab", 1},
    {"012345678你b", {0, 1, 0, ALL, false}, "012345678你b", 1},
    {"0123456789ab", {0, 1, 0, 0, true}, "0\na", 2},
    {"0123456789\r\nab", {0, 1, 0, ALL, false}, "0123456789\nab", 2},
    /* characters whole */
    {"a你b", {0, 0, 1, 1, false}, "你", 1},
    {"a你b", {0, 0, 2, 2, false}, "你", 1},
    {"a你b", {0, 0, 0, 0, false}, "a", 1},
    {"a你b", {0, 0, 3, 3, false}, "b", 1},
    {"a你b\r\n1234", {0, 1, 2, 3, true}, "你b\n34", 2},
    {"ae\xCC\x81z", {0, 0, 1, 1, false}, "e\xCC\x81", 1},
    {"ae\xCC\x81z", {0, 0, 0, 0, false}, "a", 1},
    {"ae\xCC\x81z", {0, 0, 2, 2, false}, "z", 1},
    /* what is hidden is not told */
    {"a\033[8msecret\033[0mb", {0, 0, 0, ALL, false}, "a      b", 1},
    {"a\033[8m你\033[0mb", {0, 0, 0, ALL, false}, "a  b", 1},
    {"\033[7ma\033[0m\033[5Gz", {0, 0, 0, ALL, false}, "a   z", 1},
};

static void
parts_become_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world world;
        struct buffer out = {0};
        size_t lines = 77;
        world_init(&world, 3, 10, 10);
        world_write(&world, rows[i].bytes);
        buffer_append_text(&out, ">");
        assert_true(excerpt_render(world.terminal, &rows[i].excerpt, SIZE_MAX,
                                   &out, &lines));
        if (strcmp(out.data + 1, rows[i].text) != 0 || lines != rows[i].lines)
            fail_msg("row %zu: \"%s\", %zu lines", i, out.data + 1, lines);
        buffer_finish(&out);
        world_finish(&world);
    }
}

static void
too_much_ends_early_and_says_so(void **state)
{
    (void)state;
    struct world world;
    struct buffer out = {0};
    size_t lines = 0;
    struct excerpt excerpt = {.first = -1000, .last = 99, .last_col = ALL};
    world_init(&world, 3, 10, 1000);
    for (int i = 0; i < 1000; i++)
        world_write(&world, "0123456\r\n");
    assert_false(excerpt_render(world.terminal, &excerpt, 100, &out, &lines));
    assert_true(out.len < 120);
    buffer_finish(&out);
    world_finish(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_become_text),
        cmocka_unit_test(too_much_ends_early_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
