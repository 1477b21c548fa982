#include "base/buffer.h"
#include "console/freezer.h"
#include "console/history.h"
#include "console/row.h"
#include "console/terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Two histories get the same rows: one is compressed at every opportunity, the
 * other one never. Whoever reads must not be able to tell. */

#define MOST_COLS 120
#define RUNS_MAX 256
/* Small ones: a few rows fill a block, and are still worth to be compressed. */
#define BLOCK_BYTES 1024
/* What stays unpacked where that is bounded. */
#define MOST_BYTES ((size_t)1 << 20)

struct twins {
    struct freezer *freezer;
    struct history *cold;
    struct history *warm;
    struct cell_pool pool;
    uint64_t next_id;
    uint32_t seed;
    int cols;
};

static uint32_t
next_random(struct twins *twins, uint32_t below)
{
    twins->seed = twins->seed * 1664525u + 1013904223u;
    return (twins->seed >> 8) % below;
}

static void
begin(struct twins *twins, size_t max_rows, int cols, size_t block_bytes)
{
    *twins = (struct twins){.next_id = 1, .seed = 7, .cols = cols};
    cell_pool_init(&twins->pool);
    twins->freezer = freezer_new();
    struct history_config config = {
        .max_rows = max_rows, .cols = cols, .block_bytes = block_bytes};
    twins->warm = history_new(&config);
    config.freezer = twins->freezer;
    twins->cold = history_new(&config);
}

static void
end(struct twins *twins)
{
    history_free(twins->cold);
    history_free(twins->warm);
    assert_true(freezer_is_idle(twins->freezer));
    struct freezer_bytes bytes = freezer_bytes(twins->freezer);
    assert_int_equal(bytes.plain, 0);
    assert_int_equal(bytes.packed, 0);
    assert_int_equal(bytes.unpacked, 0);
    freezer_free(twins->freezer);
    cell_pool_finish(&twins->pool);
}

/* So many periods in which nobody does anything. */
static void
wait_periods(struct freezer *freezer, int periods)
{
    for (int i = 0; i < periods; i++) {
        freezer_tick(freezer);
        while (freezer_work(freezer))
            ;
    }
}

static void
push_text(struct twins *twins, const char *text, int cols,
          const struct style *style, unsigned flags)
{
    struct row *row = calloc(1, sizeof(*row) + MOST_COLS * sizeof(struct cell));
    assert_non_null(row);
    struct terminal_run run = {
        .text = text, .bytes = strlen(text), .cols = cols, .style = *style};
    row_write_run(row, &twins->pool, &run);
    row->flags |= (uint16_t)flags;
    row->id = twins->next_id;
    row->version = twins->next_id + next_random(twins, 3);
    twins->next_id += 1 + next_random(twins, 2);
    history_push(twins->cold, row, &twins->pool);
    history_push(twins->warm, row, &twins->pool);
    free(row);
}

/* A row with some of everything. */
static void
push_any(struct twins *twins)
{
    static const char *const pieces[] = {
        "systemd[1]: ", "ok ", "你好", "é", "eth0 ", "x", "0000:00:1f.2 "};
    static const int widths[] = {12, 3, 4, 1, 5, 1, 13};
    char text[512] = "";
    int cols = 0;
    for (;;) {
        uint32_t i = next_random(twins, 7);
        if (cols + widths[i] > twins->cols || next_random(twins, 12) == 0)
            break;
        strcat(text, pieces[i]);
        cols += widths[i];
    }
    struct style style = {0};
    if (next_random(twins, 3) == 0)
        style.foreground = STYLE_COLOUR_RGB | next_random(twins, 1 << 20);
    bool is_wrapped = cols + 2 > twins->cols && next_random(twins, 2);
    push_text(twins, text, cols, &style, is_wrapped ? ROW_WRAPPED : 0);
}

static void
require_same_row(struct history *one, struct history *other, size_t row)
{
    struct terminal_run runs[2][RUNS_MAX];
    unsigned flags[2];
    int cols[2];
    size_t count =
        history_read(one, row, runs[0], RUNS_MAX, &flags[0], &cols[0]);
    assert_int_equal(
        history_read(other, row, runs[1], RUNS_MAX, &flags[1], &cols[1]),
        count);
    assert_int_equal(flags[0], flags[1]);
    assert_int_equal(cols[0], cols[1]);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(runs[0][i].bytes, runs[1][i].bytes);
        assert_memory_equal(runs[0][i].text, runs[1][i].text, runs[0][i].bytes);
        assert_int_equal(runs[0][i].col, runs[1][i].col);
        assert_int_equal(runs[0][i].cols, runs[1][i].cols);
        assert_memory_equal(&runs[0][i].style, &runs[1][i].style,
                            sizeof(struct style));
    }
    struct terminal_row_stamp stamp = history_stamp(one, row);
    struct terminal_row_stamp twin = history_stamp(other, row);
    assert_int_equal(stamp.id, twin.id);
    assert_int_equal(stamp.version, twin.version);
}

static void
require_same_line(struct history *one, struct history *other, size_t row)
{
    struct history_line line;
    struct history_line twin;
    history_find_line(one, row, &line);
    history_find_line(other, row, &twin);
    assert_int_equal(line.row, twin.row);
    assert_int_equal(line.rows, twin.rows);
    assert_int_equal(line.id, twin.id);
    struct buffer text = {0};
    struct buffer twin_text = {0};
    history_line_append(&line, &text);
    history_line_append(&twin, &twin_text);
    assert_int_equal(text.len, twin_text.len);
    if (text.len)
        assert_memory_equal(text.data, twin_text.data, text.len);
    buffer_finish(&text);
    buffer_finish(&twin_text);
    size_t found = 0;
    assert_int_equal(history_find_id(one, line.id, &found),
                     history_find_id(other, line.id, &row));
    assert_int_equal(found, row);
}

static void
require_same(struct history *one, struct history *other)
{
    assert_null(history_check(one));
    assert_int_equal(history_rows(one), history_rows(other));
    assert_int_equal(history_dropped(one), history_dropped(other));
    for (size_t row = 0; row < history_rows(one); row++)
        require_same_row(one, other, row);
    for (size_t row = 0; row < history_rows(one); row += 7)
        require_same_line(one, other, row);
}

static void
push_log(struct twins *twins, int lines)
{
    for (int i = 0; i < lines; i++) {
        char text[MOST_COLS];
        int cols = snprintf(text, sizeof(text),
                            "[%5d.%06d] pci 0000:00:1f.%d: BAR %d: assigned",
                            i / 9, i * 37 % 1000000, i % 8, i % 5);
        push_text(twins, text, cols, &(struct style){0}, 0);
    }
}

static void
what_nobody_looks_at_becomes_small_and_reads_the_same(void **state)
{
    (void)state;
    struct twins twins;
    begin(&twins, 10000, 80, 0);
    push_log(&twins, 9000);
    assert_false(freezer_is_idle(twins.freezer));
    wait_periods(twins.freezer, 1);
    assert_int_equal(freezer_bytes(twins.freezer).packed, 0);
    wait_periods(twins.freezer, 1);
    assert_true(freezer_is_idle(twins.freezer));
    struct freezer_bytes bytes = freezer_bytes(twins.freezer);
    assert_in_range(bytes.plain, 9000 * 40, 9000 * 80);
    assert_in_range(bytes.packed, 1, bytes.plain / 5);
    assert_int_equal(bytes.unpacked, 0);
    require_same(twins.cold, twins.warm);
    end(&twins);
}

static void
what_was_read_is_let_go_again(void **state)
{
    (void)state;
    struct twins twins;
    begin(&twins, 10000, 80, 0);
    push_log(&twins, 5000);
    wait_periods(twins.freezer, 2);
    size_t packed = freezer_bytes(twins.freezer).packed;
    require_same_row(twins.cold, twins.warm, 10);
    assert_true(freezer_bytes(twins.freezer).unpacked > 0);
    assert_false(freezer_is_idle(twins.freezer));
    for (int i = 0; i < 5; i++) {
        require_same_row(twins.cold, twins.warm, 11);
        wait_periods(twins.freezer, 1);
        assert_true(freezer_bytes(twins.freezer).unpacked > 0);
    }
    wait_periods(twins.freezer, 2);
    assert_true(freezer_is_idle(twins.freezer));
    assert_int_equal(freezer_bytes(twins.freezer).unpacked, 0);
    assert_int_equal(freezer_bytes(twins.freezer).packed, packed);
    require_same(twins.cold, twins.warm);
    end(&twins);
}

static void
only_so_much_stays_unpacked(void **state)
{
    (void)state;
    struct twins twins;
    begin(&twins, 1000000, 80, 0);
    push_log(&twins, 60000);
    wait_periods(twins.freezer, 2);
    assert_true(freezer_bytes(twins.freezer).plain > MOST_BYTES);
    for (size_t row = 0; row < history_rows(twins.cold); row += 100)
        require_same_row(twins.cold, twins.warm, row);
    assert_true(freezer_bytes(twins.freezer).unpacked > MOST_BYTES);
    freezer_trim(twins.freezer, MOST_BYTES);
    assert_in_range(freezer_bytes(twins.freezer).unpacked, MOST_BYTES / 2,
                    MOST_BYTES);
    for (size_t row = 0; row < history_rows(twins.cold); row += 999)
        require_same_row(twins.cold, twins.warm, row);
    end(&twins);
}

static void
a_width_of_old_lines_is_counted_without_their_text(void **state)
{
    (void)state;
    struct twins twins;
    begin(&twins, 10000, 80, 0);
    push_log(&twins, 8000);
    wait_periods(twins.freezer, 2);
    history_set_cols(twins.cold, 31);
    history_set_cols(twins.warm, 31);
    assert_int_equal(history_rows(twins.cold), history_rows(twins.warm));
    struct freezer_bytes bytes = freezer_bytes(twins.freezer);
    assert_in_range(bytes.unpacked, 1, bytes.plain / 3);
    require_same(twins.cold, twins.warm);
    end(&twins);
}

/* What compressing does not make smaller stays as it is, and is not tried over
 * and over. */
static void
noise_stays_as_it_is(void **state)
{
    (void)state;
    struct twins twins;
    begin(&twins, 10000, 80, 0);
    for (int i = 0; i < 3000; i++) {
        char text[4 * 80 + 1];
        size_t at = 0;
        for (int col = 0; col < 80; col++) {
            uint32_t c = 0x10000 + next_random(&twins, 0x10000);
            text[at++] = (char)(0xF0 | c >> 18);
            text[at++] = (char)(0x80 | (c >> 12 & 63));
            text[at++] = (char)(0x80 | (c >> 6 & 63));
            text[at++] = (char)(0x80 | (c & 63));
        }
        text[at] = '\0';
        struct style style = {.foreground = next_random(&twins, 1 << 24) |
                                            STYLE_COLOUR_RGB};
        push_text(&twins, text, 80, &style, 0);
    }
    wait_periods(twins.freezer, 2);
    assert_true(freezer_is_idle(twins.freezer));
    require_same(twins.cold, twins.warm);
    end(&twins);
}

static void
copies_share_what_is_compressed(void **state)
{
    (void)state;
    struct twins twins;
    begin(&twins, 10000, 80, BLOCK_BYTES);
    push_log(&twins, 500);
    struct history *early = history_copy(twins.cold);
    struct history *early_twin = history_copy(twins.warm);
    wait_periods(twins.freezer, 2);
    size_t packed = freezer_bytes(twins.freezer).packed;
    struct history *late = history_copy(twins.cold);
    assert_int_equal(freezer_bytes(twins.freezer).packed, packed);
    push_log(&twins, 100);
    history_drop_last_line(twins.cold);
    history_drop_last_line(twins.warm);
    wait_periods(twins.freezer, 3);
    require_same(early, early_twin);
    require_same(late, early_twin);
    require_same(twins.cold, twins.warm);
    history_free(early);
    wait_periods(twins.freezer, 3);
    require_same(late, early_twin);
    history_free(late);
    history_free(early_twin);
    require_same(twins.cold, twins.warm);
    end(&twins);
}

/* The last lines are taken away until a compressed block is written again. */
static void
a_compressed_block_is_written_again(void **state)
{
    (void)state;
    struct twins twins;
    begin(&twins, 10000, 80, BLOCK_BYTES);
    push_log(&twins, 100);
    wait_periods(twins.freezer, 2);
    for (int i = 0; i < 60; i++) {
        history_drop_last_line(twins.cold);
        history_drop_last_line(twins.warm);
    }
    push_log(&twins, 3);
    require_same(twins.cold, twins.warm);
    wait_periods(twins.freezer, 2);
    push_log(&twins, 100);
    require_same(twins.cold, twins.warm);
    end(&twins);
}

/* Makes a copy, and keeps one of both. */
static void
keep_copy(struct history **history, bool is_copy)
{
    struct history *copy = history_copy(*history);
    struct history *other = is_copy ? *history : copy;
    *history = is_copy ? copy : *history;
    history_free(other);
}

static void
step(struct twins *twins)
{
    switch (next_random(twins, 12)) {
    case 0:
        wait_periods(twins->freezer, 1);
        break;
    case 1:
        freezer_tick(twins->freezer);
        (void)freezer_work(twins->freezer);
        break;
    case 2:
        twins->cols = 20 + (int)next_random(twins, MOST_COLS - 20);
        history_set_cols(twins->cold, twins->cols);
        history_set_cols(twins->warm, twins->cols);
        break;
    case 3:
        history_drop_last_line(twins->cold);
        history_drop_last_line(twins->warm);
        break;
    case 4:
        if (history_rows(twins->cold))
            require_same_row(
                twins->cold, twins->warm,
                next_random(twins, (uint32_t)history_rows(twins->cold)));
        break;
    case 5:
        keep_copy(&twins->cold, next_random(twins, 2));
        keep_copy(&twins->warm, true);
        break;
    default:
        for (uint32_t i = next_random(twins, 30); i > 0; i--)
            push_any(twins);
    }
}

static void
nobody_can_tell_whatever_is_done(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        struct twins twins;
        begin(&twins, 300, 60, BLOCK_BYTES);
        twins.seed = seed;
        for (int i = 0; i < 150; i++) {
            step(&twins);
            if (i % 10 == 0)
                require_same(twins.cold, twins.warm);
        }
        require_same(twins.cold, twins.warm);
        end(&twins);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_looks_at_becomes_small_and_reads_the_same),
        cmocka_unit_test(what_was_read_is_let_go_again),
        cmocka_unit_test(only_so_much_stays_unpacked),
        cmocka_unit_test(a_width_of_old_lines_is_counted_without_their_text),
        cmocka_unit_test(noise_stays_as_it_is),
        cmocka_unit_test(copies_share_what_is_compressed),
        cmocka_unit_test(a_compressed_block_is_written_again),
        cmocka_unit_test(nobody_can_tell_whatever_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
