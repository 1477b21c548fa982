#include "base/buffer.h"
#include "console/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Widest row of these tests. */
#define MOST_COLS 100
/* Blocks so small that a few rows fill one. */
#define SMALL_BLOCK_BYTES 256

struct world {
    struct history *history;
    struct cell_pool pool;
    uint64_t next_id;
};

static void
begin(struct world *world, size_t max_rows, int cols)
{
    cell_pool_init(&world->pool);
    struct history_config config = {
        .max_rows = max_rows, .cols = cols, .block_bytes = SMALL_BLOCK_BYTES};
    world->history = history_new(&config);
    world->next_id = 1;
}

static void
end(struct world *world)
{
    assert_null(history_check(world->history));
    history_free(world->history);
    cell_pool_finish(&world->pool);
}

/* Appends a row of text; flags: enum row_flags. */
static void
push_styled(struct world *world, const char *text, const struct style *style,
            unsigned flags)
{
    struct row *row = calloc(1, sizeof(*row) + MOST_COLS * sizeof(struct cell));
    assert_non_null(row);
    struct terminal_run run = {.text = text,
                               .bytes = strlen(text),
                               .cols = (int)strlen(text),
                               .style = *style};
    row_write_run(row, &world->pool, &run);
    if (memcmp(style, &(struct style){0}, sizeof(*style)) == 0)
        row->flags = 0;
    row->flags |= (uint16_t)flags;
    row->id = world->next_id;
    row->version = world->next_id++;
    history_push(world->history, row, &world->pool);
    free(row);
    const char *fault = history_check(world->history);
    if (fault)
        fail_msg("%s", fault);
}

static void
push(struct world *world, const char *text, unsigned flags)
{
    push_styled(world, text, &(struct style){0}, flags);
}

static void
expect_row(struct world *world, size_t number, const char *text, unsigned flags)
{
    struct terminal_run runs[MOST_COLS];
    unsigned got = 0;
    struct buffer out = {0};
    buffer_append_text(&out, "");
    size_t count =
        history_read(world->history, number, runs, MOST_COLS, &got, NULL);
    for (size_t i = 0; i < count; i++)
        buffer_append(&out, runs[i].text, runs[i].bytes);
    assert_string_equal(out.data ? out.data : "", text);
    assert_int_equal(got, flags);
    buffer_finish(&out);
}

static void
rows_come_back_in_order(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 100, 20);
    for (int i = 0; i < 50; i++) {
        char text[20];
        (void)snprintf(text, sizeof(text), "line %d", i);
        push(&world, text, 0);
    }
    assert_int_equal(history_rows(world.history), 50);
    assert_int_equal(history_dropped(world.history), 0);
    for (int i = 0; i < 50; i++) {
        char text[20];
        (void)snprintf(text, sizeof(text), "line %d", i);
        expect_row(&world, (size_t)i, text, 0);
        assert_int_equal(history_stamp(world.history, (size_t)i).id, i + 1);
    }
    for (int i = 49; i >= 0; i -= 7) {
        char text[20];
        (void)snprintf(text, sizeof(text), "line %d", i);
        expect_row(&world, (size_t)i, text, 0);
    }
    end(&world);
}

static void
the_oldest_go_first(void **state)
{
    (void)state;
    for (size_t max = 1; max < 40; max++) {
        struct world world;
        begin(&world, max, 20);
        for (int i = 0; i < 60; i++) {
            char text[20];
            (void)snprintf(text, sizeof(text), "%d", i);
            push(&world, text, 0);
        }
        assert_int_equal(history_rows(world.history), max);
        assert_int_equal(history_dropped(world.history), 60 - max);
        char text[20];
        (void)snprintf(text, sizeof(text), "%zu", 60 - max);
        expect_row(&world, 0, text, 0);
        expect_row(&world, max - 1, "59", 0);
        end(&world);
    }
}

static void
none_is_kept_when_none_is_wanted(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 0, 20);
    push(&world, "x", 0);
    assert_int_equal(history_rows(world.history), 0);
    assert_int_equal(history_dropped(world.history), 1);
    assert_int_equal(history_last_line_rows(world.history), 0);
    history_drop_last_line(world.history);
    end(&world);
}

static void
another_bound_drops_the_oldest_at_once(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 100, 20);
    for (int i = 0; i < 50; i++)
        push(&world, "a row", i % 2 ? 0 : ROW_WRAPPED);
    push(&world, "the last but one", 0);
    push(&world, "the last", 0);
    history_set_max_rows(world.history, 2);
    assert_null(history_check(world.history));
    assert_int_equal(history_rows(world.history), 2);
    assert_int_equal(history_dropped(world.history), 50);
    expect_row(&world, 0, "the last but one", 0);
    history_set_max_rows(world.history, 0);
    assert_int_equal(history_rows(world.history), 0);
    push(&world, "none is kept", 0);
    assert_int_equal(history_rows(world.history), 0);
    history_set_max_rows(world.history, 3);
    for (int i = 0; i < 5; i++)
        push(&world, "kept again", 0);
    assert_int_equal(history_rows(world.history), 3);
    end(&world);
}

static void
lines_are_wrapped_at_the_width_they_are_read(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 100, 10);
    push(&world, "short", 0);
    push(&world, "0123456789", ROW_WRAPPED);
    push(&world, "abcdefghij", ROW_WRAPPED);
    push(&world, "xyz", 0);
    push(&world, "", 0);
    history_set_cols(world.history, 15);
    assert_int_equal(history_rows(world.history), 4);
    expect_row(&world, 0, "short", 0);
    expect_row(&world, 1, "0123456789abcde", TERMINAL_ROW_WRAPPED);
    expect_row(&world, 2, "fghijxyz", 0);
    expect_row(&world, 3, "", 0);
    history_set_cols(world.history, 4);
    assert_int_equal(history_rows(world.history), 2 + 6 + 1);
    expect_row(&world, 0, "shor", TERMINAL_ROW_WRAPPED);
    expect_row(&world, 1, "t", 0);
    expect_row(&world, 4, "89ab", TERMINAL_ROW_WRAPPED);
    expect_row(&world, 7, "xyz", 0);
    history_set_cols(world.history, 10);
    assert_int_equal(history_rows(world.history), 5);
    expect_row(&world, 2, "abcdefghij", TERMINAL_ROW_WRAPPED);
    end(&world);
}

static void
a_line_stays_whole_over_blocks(void **state)
{
    (void)state;
    /* of every length up to what is cut */
    for (int before = 0; before < 30; before++) {
        struct world world;
        begin(&world, 1000, 10);
        for (int i = 0; i < before; i++)
            push(&world, "fill", 0);
        push(&world, "0123456789", ROW_WRAPPED);
        push(&world, "abcdefghij", ROW_WRAPPED);
        push(&world, "xyz", 0);
        assert_int_equal(history_last_line_rows(world.history), 3);
        history_set_cols(world.history, 40);
        expect_row(&world, (size_t)before, "0123456789abcdefghijxyz", 0);
        assert_int_equal(history_last_line_rows(world.history), 1);
        history_drop_last_line(world.history);
        assert_int_equal(history_rows(world.history), before);
        end(&world);
    }
}

static void
an_endless_line_is_cut_in_pieces(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 1000, 10);
    for (int i = 0; i < 900; i++)
        push(&world, "0123456789", ROW_WRAPPED);
    assert_int_equal(history_rows(world.history), 900);
    assert_in_range(history_last_line_rows(world.history), 1, 8);
    expect_row(&world, 450, "0123456789", TERMINAL_ROW_WRAPPED);
    end(&world);
}

static void
rows_of_several_widths_stand_side_by_side(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 1000, 10);
    static const int widths[] = {10, 30, 5, 80, 10, 7};
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
        history_set_cols(world.history, widths[i]);
        assert_null(history_check(world.history));
        push(&world, "abcde", 0);
    }
    size_t bytes = history_bytes(world.history);
    assert_true(bytes < 6 * 2 * SMALL_BLOCK_BYTES + 4096);
    assert_int_equal(history_rows(world.history), 6);
    history_set_cols(world.history, 3);
    assert_int_equal(history_rows(world.history), 12);
    for (size_t i = 0; i < 12; i += 2) {
        expect_row(&world, i, "abc", TERMINAL_ROW_WRAPPED);
        expect_row(&world, i + 1, "de", 0);
    }
    end(&world);
}

static void
dropping_counts_rows_as_they_are_wrapped(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 3, 10);
    push(&world, "0123456789", ROW_WRAPPED);
    push(&world, "abcde", 0);
    push(&world, "x", 0);
    history_set_cols(world.history, 5);
    assert_int_equal(history_rows(world.history), 4);
    push(&world, "y", 0);
    assert_int_equal(history_dropped(world.history), 2);
    assert_int_equal(history_rows(world.history), 3);
    expect_row(&world, 0, "abcde", 0);
    push(&world, "z", 0);
    push(&world, "z", 0);
    assert_int_equal(history_dropped(world.history), 4);
    end(&world);
}

static void
an_open_line_may_lose_its_start(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 2, 10);
    for (int i = 0; i < 200; i++)
        push(&world, "0123456789", ROW_WRAPPED);
    assert_int_equal(history_rows(world.history), 2);
    assert_in_range(history_last_line_rows(world.history), 1, 2);
    end(&world);
}

static void
styles_come_back(void **state)
{
    (void)state;
    static const struct style styles[] = {
        {.foreground = STYLE_COLOUR_INDEXED},
        {.background = STYLE_COLOUR_INDEXED | 255},
        {.underline_colour = STYLE_COLOUR_RGB | 0x010203},
        {.foreground = STYLE_COLOUR_RGB, .attributes = STYLE_OVERLINE},
        {.attributes = STYLE_BOLD},
        {.attributes = STYLE_UNDERLINE | 3 << STYLE_UNDERLINE_SHIFT},
        {.foreground = STYLE_COLOUR_RGB | 0xFFFFFF,
         .background = STYLE_COLOUR_RGB | 0x102030,
         .underline_colour = STYLE_COLOUR_RGB | 0x405060,
         .attributes = 0x71FF},
    };
    struct world world;
    begin(&world, 100, 20);
    for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++)
        push_styled(&world, "text", &styles[i], 0);
    for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
        struct terminal_run runs[20];
        assert_int_equal(history_read(world.history, i, runs, 20, NULL, NULL),
                         1);
        assert_true(style_is_equal(&runs[0].style, &styles[i]));
        assert_int_equal(runs[0].cols, 4);
    }
    end(&world);
}

static void
a_line_of_kernel_log_takes_little_memory(void **state)
{
    (void)state;
    struct world world;
    cell_pool_init(&world.pool);
    struct history_config config = {.max_rows = 10000, .cols = 80};
    world.history = history_new(&config);
    world.next_id = 1;
    struct row *row = calloc(1, sizeof(*row) + 80 * sizeof(struct cell));
    assert_non_null(row);
    row->used = 80;
    for (int col = 0; col < 80; col++)
        row->cells[col].symbol = 'x';
    for (int i = 0; i < 30000; i++) {
        row->id = row->version = world.next_id++;
        history_push(world.history, row, &world.pool);
    }
    free(row);
    assert_int_equal(history_rows(world.history), 10000);
    assert_in_range(history_bytes(world.history), 800000, 10000 * 120);
    end(&world);
}

static void
rows_older_than_others_need_no_block_of_their_own(void **state)
{
    (void)state;
    struct world world;
    cell_pool_init(&world.pool);
    struct history_config config = {.max_rows = 10000, .cols = 80};
    world.history = history_new(&config);
    world.next_id = 10000;
    for (int i = 0; i < 2000; i++) {
        push(&world, "x", 0);
        world.next_id -= 2;
    }
    assert_in_range(history_bytes(world.history), 2000, 200000);
    end(&world);
}

static void
memory_is_bounded_for_expensive_rows(void **state)
{
    (void)state;
    struct world world;
    cell_pool_init(&world.pool);
    struct history_config config = {.max_rows = 10000, .cols = 80};
    world.history = history_new(&config);
    struct row *row = calloc(1, sizeof(*row) + 80 * sizeof(struct cell));
    assert_non_null(row);
    row->used = 80;
    row->flags = ROW_COMPLEX;
    for (uint32_t col = 0; col < 80; col++) {
        struct style style = {.foreground = STYLE_COLOUR_RGB | col,
                              .background = STYLE_COLOUR_RGB | col << 8};
        uint32_t symbol = 0x1D400 + col;
        for (int i = 0; i < CELL_MAX_CODEPOINTS; i++)
            symbol = cell_combine(&world.pool, symbol, 0x1D167);
        row->cells[col] = (struct cell){
            .symbol = symbol, .style = intern_add(&world.pool.styles, &style)};
    }
    for (int i = 0; i < 20000; i++) {
        row->id = row->version = (uint64_t)i + 1;
        history_push(world.history, row, &world.pool);
    }
    free(row);
    assert_in_range(history_bytes(world.history), 1000000, 10000 * 1024);
    assert_in_range(history_rows(world.history), 1000, 10000);
    end(&world);
}

/* A row of narrow and wide characters, by the bits of a number. */
static size_t
push_mixed(struct world *world, unsigned bits, char *text)
{
    struct row *row = calloc(1, sizeof(*row) + MOST_COLS * sizeof(struct cell));
    assert_non_null(row);
    size_t bytes = 0;
    int cols = 0;
    for (int i = 0; i < 14; i++) {
        bool is_wide = bits >> i & 1;
        const char *piece = is_wide ? "你" : "a";
        for (; *piece; piece++)
            text[bytes++] = *piece;
        cols += is_wide ? 2 : 1;
    }
    struct terminal_run run = {.text = text, .bytes = bytes, .cols = cols};
    row_write_run(row, &world->pool, &run);
    row->id = world->next_id;
    row->version = world->next_id++;
    history_push(world->history, row, &world->pool);
    free(row);
    return bytes;
}

/* However a line falls, as many rows are counted as it has text for. */
static void
wide_lines_have_the_rows_that_are_counted(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 1u << 14; bits += 37) {
        struct world world;
        char text[64];
        begin(&world, 100, MOST_COLS);
        size_t bytes = push_mixed(&world, bits, text);
        for (int width = 2; width < 32; width++) {
            size_t at = 0;
            history_set_cols(world.history, width);
            for (size_t row = 0; row < history_rows(world.history); row++) {
                struct terminal_run runs[MOST_COLS];
                int cols = 0;
                size_t count = history_read(world.history, row, runs, MOST_COLS,
                                            NULL, &cols);
                assert_int_equal(count, 1);
                assert_in_range(cols, 1, width);
                assert_memory_equal(runs[0].text, text + at, runs[0].bytes);
                at += runs[0].bytes;
            }
            assert_int_equal(at, bytes);
        }
        end(&world);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_in_order),
        cmocka_unit_test(the_oldest_go_first),
        cmocka_unit_test(none_is_kept_when_none_is_wanted),
        cmocka_unit_test(another_bound_drops_the_oldest_at_once),
        cmocka_unit_test(lines_are_wrapped_at_the_width_they_are_read),
        cmocka_unit_test(a_line_stays_whole_over_blocks),
        cmocka_unit_test(an_endless_line_is_cut_in_pieces),
        cmocka_unit_test(rows_of_several_widths_stand_side_by_side),
        cmocka_unit_test(dropping_counts_rows_as_they_are_wrapped),
        cmocka_unit_test(an_open_line_may_lose_its_start),
        cmocka_unit_test(styles_come_back),
        cmocka_unit_test(a_line_of_kernel_log_takes_little_memory),
        cmocka_unit_test(rows_older_than_others_need_no_block_of_their_own),
        cmocka_unit_test(memory_is_bounded_for_expensive_rows),
        cmocka_unit_test(wide_lines_have_the_rows_that_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
