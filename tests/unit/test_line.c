#include "base/utf8.h"
#include "console/line.h"
#include "terminal-world.h"

#include <stdlib.h>

static struct line
read_at(struct line_reader *reader, int row)
{
    struct line line;
    line_read(reader, row, &line);
    assert_in_range(line.rows, 1, 100000);
    assert_true(line.row <= row && row < line.row + line.rows);
    return line;
}

static void
expect_line(struct line_reader *reader, int row, const char *text, int first,
            int rows)
{
    struct line line = read_at(reader, row);
    char *have = strndup(line.text, line.bytes);
    assert_string_equal(have, text);
    free(have);
    assert_int_equal(line.row, first);
    assert_int_equal(line.rows, rows);
}

static void
wrapped_rows_are_one_line(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3, 10, 100);
    struct line_reader reader = {.terminal = world.terminal};
    world_write(&world, "one\r\n0123456789abcdefghijKL\r\ntwo\r\n\033[4Gx");
    /* on the screen: KL, two, x; the long line goes over the border */
    expect_line(&reader, -3, "one", -3, 1);
    expect_line(&reader, -2, "0123456789abcdefghijKL", -2, 3);
    expect_line(&reader, -1, "0123456789abcdefghijKL", -2, 3);
    expect_line(&reader, 0, "0123456789abcdefghijKL", -2, 3);
    expect_line(&reader, 1, "two", 1, 1);
    expect_line(&reader, 2, "   x", 2, 1);
    world_write(&world, "\r\n\r\n\r\n\r\n");
    expect_line(&reader, -5, "0123456789abcdefghijKL", -6, 3);
    terminal_resize(world.terminal, 3, 15);
    expect_line(&reader, -4, "0123456789abcdefghijKL", -5, 2);
    line_reader_finish(&reader);
    world_finish(&world);
}

static void
the_alternate_screen_does_not_continue_the_history(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3, 10, 100);
    struct line_reader reader = {.terminal = world.terminal};
    world_write(&world, "0123456789abcdefghij0123456789KL\r\nx"
                        "\033[?1049h\033[HALT");
    expect_line(&reader, -2, "0123456789abcdefghij", -2, 2);
    expect_line(&reader, 0, "ALT", 0, 1);
    line_reader_finish(&reader);
    world_finish(&world);
}

static void
spans_tell_rows_and_columns(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3, 10, 100);
    struct line_reader reader = {.terminal = world.terminal};
    world_write(&world, "你好 wörld and more\r\n\r\n\r\n\r\n");
    struct line line = read_at(&reader, -3);
    const char *at = strstr(line.text, "wörld and");
    assert_non_null(at);
    struct line_span spans[4];
    size_t start = (size_t)(at - line.text);
    assert_int_equal(line_spans(&reader, &line, start, start + 10, spans, 4),
                     2);
    assert_int_equal(spans[0].row, -3);
    assert_int_equal(spans[0].col, 5);
    assert_int_equal(spans[0].cols, 5);
    assert_int_equal(spans[1].row, -2);
    assert_int_equal(spans[1].col, 0);
    assert_int_equal(spans[1].cols, 4);
    assert_int_equal(line_spans(&reader, &line, start, start + 10, spans, 1),
                     1);
    /* an empty match stands somewhere too, at the very end as well */
    assert_int_equal(line_spans(&reader, &line, 0, 0, spans, 4), 1);
    assert_int_equal(spans[0].cols, 0);
    assert_int_equal(
        line_spans(&reader, &line, line.bytes, line.bytes, spans, 4), 1);
    assert_int_equal(spans[0].row, -2);
    line_reader_finish(&reader);
    world_finish(&world);
}

static void
lines_are_found_again_after_a_resize(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 3, 20, 1000);
    struct line_reader reader = {.terminal = world.terminal};
    for (int i = 0; i < 300; i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "line %d of 300 as it is\r\n", i);
        world_write(&world, text);
    }
    int oldest = -(int)terminal_history_rows(world.terminal);
    struct line line = read_at(&reader, oldest + 2 * 123);
    uint64_t id = line.id;
    static const int widths[] = {20, 7, 80, 33, 2, 20};
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
        int row = 0;
        terminal_resize(world.terminal, 3, widths[i]);
        assert_true(line_find(world.terminal, id, &row));
        line = read_at(&reader, row);
        assert_int_equal(line.row, row);
        assert_int_equal(line.id, id);
        assert_memory_equal(line.text, "line 123 of", 11);
    }
    int row = 0;
    assert_false(line_find(world.terminal, 1 << 30, &row));
    assert_true(line_find(world.terminal, read_at(&reader, 0).id, &row));
    line_reader_finish(&reader);
    world_finish(&world);
}

/* Lines keep their ids on the screen too, on its border to the history, and on
 * their way between the two. */
static void
lines_on_the_screen_are_found_again_after_a_resize(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 5, 20, 1000);
    struct line_reader reader = {.terminal = world.terminal};
    uint64_t ids[8];
    for (int i = 0; i < 8; i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "line %d of 8 that is wrapped%s", i,
                       i < 7 ? "\r\n" : "");
        world_write(&world, text);
    }
    for (int i = 0; i < 8; i++)
        ids[i] = read_at(&reader, 4 - 2 * (7 - i)).id;
    static const int sizes[][2] = {{5, 11}, {5, 40}, {9, 7},  {3, 20},
                                   {20, 9}, {2, 80}, {12, 3}, {5, 20}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        terminal_resize(world.terminal, sizes[i][0], sizes[i][1]);
        for (int j = 0; j < 8; j++) {
            char text[16];
            int row = 0;
            (void)snprintf(text, sizeof(text), "line %d of", j);
            assert_true(line_find(world.terminal, ids[j], &row));
            struct line line = read_at(&reader, row);
            assert_int_equal(line.row, row);
            assert_int_equal(line.id, ids[j]);
            assert_memory_equal(line.text, text, strlen(text));
        }
        assert_null(terminal_check(world.terminal));
    }
    line_reader_finish(&reader);
    world_finish(&world);
}

/* The text that a cell shows, or "". */
static void
cell_of(struct terminal *terminal, int row, int col, char *text)
{
    struct terminal_run runs[200];
    size_t count = terminal_read_row(terminal, row, runs, 200, NULL);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        int at = runs[i].col;
        if (col < at || col >= at + runs[i].cols)
            continue;
        for (size_t byte = 0; byte < runs[i].bytes;) {
            uint32_t codepoint = 0;
            size_t len = utf8_decode(runs[i].text + byte, runs[i].bytes - byte,
                                     &codepoint);
            if (at == col && cell_width(codepoint) > 0) {
                memcpy(text, runs[i].text + byte, len);
                text[len] = '\0';
                return;
            }
            at += cell_width(codepoint) > 0 ? cell_width(codepoint) : 0;
            byte += len;
        }
    }
}

/* Every character of every line stands where its span says. */
static void
check_all(struct world *world)
{
    struct line_reader reader = {.terminal = world->terminal};
    int row = -(int)terminal_history_rows(world->terminal);
    while (row < terminal_rows(world->terminal)) {
        struct line line = read_at(&reader, row);
        assert_int_equal(line.row, row);
        for (size_t at = 0; at < line.bytes;) {
            uint32_t codepoint = 0;
            struct line_span span;
            char shown[8];
            size_t len =
                utf8_decode(line.text + at, line.bytes - at, &codepoint);
            assert_true(len > 0);
            if (cell_width(codepoint) > 0) {
                assert_int_equal(
                    line_spans(&reader, &line, at, at + len, &span, 1), 1);
                assert_int_equal(span.cols, cell_width(codepoint));
                cell_of(world->terminal, span.row, span.col, shown);
                if (codepoint != ' ')
                    assert_memory_equal(shown, line.text + at, len);
            }
            at += len;
        }
        row = line.row + line.rows;
    }
    line_reader_finish(&reader);
}

static uint32_t
next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void
every_character_stands_where_its_span_says(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "word ",         "你好", "e\xCC\x81",  "\033[31mred\033[0m",
        "\033[3C",       "\r\n", "0123456789", "\033[7m \033[0m",
        "\033[2J\033[H", "\t",   "\r\n",       "\033[1;1H",
    };
    for (uint32_t seed = 1; seed < 60; seed++) {
        struct world world;
        uint32_t random = seed;
        world_init(&world, 4, 12, 60);
        for (int i = 0; i < 200; i++) {
            world_write(&world, pieces[next_random(&random) % 12]);
            if (next_random(&random) % 40 == 0)
                terminal_resize(world.terminal,
                                2 + (int)(next_random(&random) % 5),
                                2 + (int)(next_random(&random) % 30));
        }
        check_all(&world);
        terminal_resize(world.terminal, 3, 5);
        check_all(&world);
        terminal_resize(world.terminal, 6, 60);
        check_all(&world);
        world_finish(&world);
    }
}

/* An endless line comes in pieces, each row in one of them. */
static void
endless_lines_come_in_pieces(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 500, 40, 5000);
    struct line_reader reader = {.terminal = world.terminal};
    for (int i = 0; i < 30000; i++)
        world_write(&world, "endless ");
    int row = -(int)terminal_history_rows(world.terminal);
    while (row < terminal_rows(world.terminal)) {
        struct line line = read_at(&reader, row);
        assert_int_equal(line.row, row);
        assert_in_range(line.bytes, 0, 2 * LINE_MAX_BYTES);
        row = line.row + line.rows;
    }
    for (row = 499; row >= -600; row--)
        (void)read_at(&reader, row);
    line_reader_finish(&reader);
    world_finish(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrapped_rows_are_one_line),
        cmocka_unit_test(the_alternate_screen_does_not_continue_the_history),
        cmocka_unit_test(spans_tell_rows_and_columns),
        cmocka_unit_test(lines_are_found_again_after_a_resize),
        cmocka_unit_test(lines_on_the_screen_are_found_again_after_a_resize),
        cmocka_unit_test(every_character_stands_where_its_span_says),
        cmocka_unit_test(endless_lines_come_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
