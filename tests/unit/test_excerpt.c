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

/* Between the steps of a reader the terminal prints. */
static void
steps_keep_their_rows_while_output_comes(void **state)
{
    (void)state;
    struct world world;
    struct buffer out = {0};
    struct excerpt_reader reader;
    struct excerpt excerpt = {.first = -4, .last = -1, .last_col = ALL};
    world_init(&world, 3, 10, 100);
    world_write(&world, "a\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng");
    excerpt_begin(&reader, world.terminal, &excerpt, &out);
    for (int steps = 1; !excerpt_step(&reader, 1); steps++) {
        assert_in_range(steps, 1, 4);
        world_write(&world, "\r\nmore\r\nand more");
    }
    assert_string_equal(out.data, "a\nb\nc\nd");
    assert_int_equal(reader.lines, 4);
    assert_false(excerpt_is_stale(&reader));
    terminal_resize(world.terminal, 3, 20);
    assert_true(excerpt_is_stale(&reader));
    excerpt_finish(&reader);
    buffer_finish(&out);
    world_finish(&world);
}

static void
rows_that_leave_the_history_between_steps_are_left_out(void **state)
{
    (void)state;
    struct world world;
    struct buffer out = {0};
    struct excerpt_reader reader;
    struct excerpt excerpt = {.first = -4, .last = -1, .last_col = ALL};
    world_init(&world, 3, 10, 4);
    world_write(&world, "a\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng");
    excerpt_begin(&reader, world.terminal, &excerpt, &out);
    assert_false(excerpt_step(&reader, 1));
    world_write(&world, "\r\n1\r\n2\r\n3");
    assert_true(excerpt_step(&reader, 10));
    assert_string_equal(out.data, "a\nd");
    excerpt_finish(&reader);
    buffer_finish(&out);
    world_finish(&world);
}

static void
rows_grow_into_the_lines_that_they_are_part_of(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3, 10, 100);
    /* rows -3 "x", -2 to 0 one line, 1 another, 2 a third */
    world_write(&world, "x\r\n0123456789abcdefghijABC\r\none\r\ntwo");
    static const int spans[][4] = {
        {-1, -1, -2, 0}, {-2, -2, -2, 0}, {0, 0, -2, 0},
        {-3, -1, -3, 0}, {0, 1, -2, 1},   {2, 2, 2, 2},
    };
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        struct excerpt excerpt = {.first = spans[i][0],
                                  .last = spans[i][1],
                                  .first_col = 3,
                                  .last_col = 4};
        excerpt_take_lines(world.terminal, &excerpt);
        assert_int_equal(excerpt.first, spans[i][2]);
        assert_int_equal(excerpt.last, spans[i][3]);
        assert_int_equal(excerpt.first_col, 0);
        assert_int_equal(excerpt.last_col, 9);
    }
    world_finish(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_become_text),
        cmocka_unit_test(steps_keep_their_rows_while_output_comes),
        cmocka_unit_test(
            rows_that_leave_the_history_between_steps_are_left_out),
        cmocka_unit_test(rows_grow_into_the_lines_that_they_are_part_of),
        cmocka_unit_test(too_much_ends_early_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
