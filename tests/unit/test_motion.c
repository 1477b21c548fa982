#include "tui/motion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COLS 12
#define ROWS_MAX 8

/* A text of some rows, of which only some are at hand. */
struct world {
    const char *rows[ROWS_MAX];
    int64_t count;
    int64_t first_at_hand;
    int64_t last_at_hand;
    struct row_text row;
};

static const struct row_text *
on_row(void *data, int64_t row)
{
    struct world *world = data;
    if (row < world->first_at_hand || row > world->last_at_hand)
        return NULL;
    assert_in_range(row, 0, world->count - 1);
    struct mirror_run run = {.text = world->rows[row], .cols = COLS};
    struct mirror_row line = {.runs = &run, .run_count = 1};
    row_text_read(&world->row, &line, COLS);
    return &world->row;
}

static void
fill(struct world *world, const char *const rows[ROWS_MAX])
{
    *world = (struct world){0};
    while (world->count < ROWS_MAX && rows[world->count]) {
        world->rows[world->count] = rows[world->count];
        world->count++;
    }
    world->last_at_hand = world->count - 1;
}

/* Runs a motion; each row that it lacks comes in turn. */
static struct place
run(struct world *world, enum motion_kind kind, bool is_long,
    const struct place *from)
{
    struct motion_text text = {
        .row = on_row, .data = world, .first = 0, .last = world->count - 1};
    struct motion motion;
    int64_t row = -1;
    motion_begin(&motion, kind, is_long, from);
    for (int i = 0; !motion_run(&motion, &text, &row); i++) {
        assert_in_range(row, 0, world->count - 1);
        assert_true(i < ROWS_MAX);
        /* only that one, as when the view moved far */
        world->first_at_hand = row;
        world->last_at_hand = row;
        if (motion.at.row < row)
            world->first_at_hand = motion.at.row;
        if (motion.at.row > row)
            world->last_at_hand = motion.at.row;
    }
    return motion.at;
}

static const struct {
    const char *rows[ROWS_MAX];
    enum motion_kind kind;
    bool is_long;
    struct place from;
    struct place to;
} moves[] = {
    {{"one two-x"}, MOTION_WORD_NEXT, false, {0, 0}, {0, 4}},
    {{"one two-x"}, MOTION_WORD_NEXT, false, {0, 4}, {0, 7}},
    {{"one two-x"}, MOTION_WORD_NEXT, false, {0, 7}, {0, 8}},
    {{"one two-x", "z"}, MOTION_WORD_NEXT, true, {0, 4}, {1, 0}},
    {{"one two-x"}, MOTION_WORD_NEXT, true, {0, 1}, {0, 4}},
    {{"one", "", "  two"}, MOTION_WORD_NEXT, false, {0, 1}, {2, 2}},
    {{"one", ""}, MOTION_WORD_NEXT, false, {0, 0}, {0, 2}},
    {{"  one"}, MOTION_WORD_NEXT, false, {0, 0}, {0, 2}},
    /* a row that is full goes on in the next one */
    {{"hello worlds", "and more"}, MOTION_WORD_NEXT, false, {0, 7}, {1, 4}},
    {{"hello world", "and more"}, MOTION_WORD_NEXT, false, {0, 7}, {1, 0}},
    {{"你好 x"}, MOTION_WORD_NEXT, false, {0, 0}, {0, 5}},

    {{"one two"}, MOTION_WORD_END, false, {0, 0}, {0, 2}},
    {{"one two"}, MOTION_WORD_END, false, {0, 2}, {0, 6}},
    {{"one", "", "two"}, MOTION_WORD_END, false, {0, 2}, {2, 2}},
    {{"one two-x"}, MOTION_WORD_END, true, {0, 4}, {0, 8}},
    {{"one two-x"}, MOTION_WORD_END, false, {0, 4}, {0, 6}},
    {{"one"}, MOTION_WORD_END, false, {0, 2}, {0, 2}},
    {{"hello worlds", "and more"}, MOTION_WORD_END, false, {0, 6}, {1, 2}},

    {{"one two"}, MOTION_WORD_PREVIOUS, false, {0, 6}, {0, 4}},
    {{"one two"}, MOTION_WORD_PREVIOUS, false, {0, 4}, {0, 0}},
    {{"one two"}, MOTION_WORD_PREVIOUS, false, {0, 0}, {0, 0}},
    {{"one", "", "two"}, MOTION_WORD_PREVIOUS, false, {2, 0}, {0, 0}},
    {{"one two-x"}, MOTION_WORD_PREVIOUS, false, {0, 8}, {0, 7}},
    {{"one two-x"}, MOTION_WORD_PREVIOUS, true, {0, 8}, {0, 4}},
    {{"hello worlds", "and more"}, MOTION_WORD_PREVIOUS, false, {1, 0}, {0, 6}},

    {{"a", "b", "", "", "c", ""}, MOTION_PARAGRAPH_NEXT, false, {0, 0}, {2, 0}},
    {{"a", "b", "", "", "c", ""}, MOTION_PARAGRAPH_NEXT, false, {2, 0}, {5, 0}},
    {{"a", "b", "", "", "c"}, MOTION_PARAGRAPH_NEXT, false, {2, 0}, {4, 0}},
    {{"", "b", "", "", "c"}, MOTION_PARAGRAPH_PREVIOUS, false, {4, 0}, {3, 0}},
    {{"", "b", "", "", "c"}, MOTION_PARAGRAPH_PREVIOUS, false, {3, 0}, {0, 0}},
    {{"a", "b"}, MOTION_PARAGRAPH_PREVIOUS, false, {1, 0}, {0, 0}},
};

static void
check(size_t i, struct world *world, const char *when)
{
    struct place at =
        run(world, moves[i].kind, moves[i].is_long, &moves[i].from);
    if (at.row != moves[i].to.row || at.col != moves[i].to.col)
        fail_msg("move %zu, %s: row %d, column %d", i, when, (int)at.row,
                 at.col);
    row_text_finish(&world->row);
}

static void
motions_end_where_vi_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        struct world world;
        fill(&world, moves[i].rows);
        check(i, &world, "all at hand");
    }
}

static void
rows_that_come_late_make_no_difference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        struct world world;
        fill(&world, moves[i].rows);
        world.first_at_hand = moves[i].from.row;
        world.last_at_hand = moves[i].from.row;
        check(i, &world, "one at hand");
    }
}

/* --- rows as cells -------------------------------------------------------- */

static void
read_text(struct row_text *text, const char *line, uint32_t attributes)
{
    struct mirror_run run = {.text = line, .attributes = attributes};
    struct mirror_row row = {.runs = &run, .run_count = 1};
    row_text_read(text, &row, COLS);
}

static void
wide_characters_are_one(void **state)
{
    (void)state;
    struct row_text text = {0};
    read_text(&text, "a你e\xCC\x81z", 0);
    assert_int_equal(row_text_end(&text), 5);
    assert_int_equal(row_text_head(&text, 2), 1);
    assert_int_equal(row_text_tail(&text, 2), 3);
    assert_int_equal(row_text_tail(&text, 1), 3);
    assert_int_equal(text.cells[3].bytes, 3);
    assert_int_equal(row_text_class(&text, 2), ROW_WORD);
    assert_int_equal(row_text_class(&text, 99), ROW_BLANK);
    row_text_finish(&text);
}

static void
later_runs_cover_earlier_ones(void **state)
{
    (void)state;
    struct row_text text = {0};
    struct mirror_run runs[] = {{.text = "a你你", .col = 0},
                                {.text = "x", .col = 2}};
    struct mirror_row row = {.runs = runs, .run_count = 2};
    row_text_read(&text, &row, COLS);
    assert_int_equal(text.cells[1].text[0], ' ');
    assert_int_equal(text.cells[2].text[0], 'x');
    assert_int_equal(text.cells[3].cols, 2);
    row_text_finish(&text);
}

static void
hidden_text_is_blank(void **state)
{
    (void)state;
    struct row_text text = {0};
    read_text(&text, "secret", MIRROR_HIDDEN);
    assert_int_equal(row_text_end(&text), 0);
    row_text_finish(&text);
}

static const struct {
    const char *line;
    int col;
    int from;
    int to;
} words[] = {
    {"cd /var/log", 5, 3, 10}, {"a  b", 1, 1, 2},       {"x=(1)", 1, 1, 2},
    {"你好 x", 1, 0, 3},       {"me@host:22", 0, 0, 6}, {"a", 0, 0, 0},
};

static void
double_click_takes_a_word(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct row_text text = {0};
        int from = -1;
        int to = -1;
        read_text(&text, words[i].line, 0);
        row_text_word(&text, words[i].col, &from, &to);
        if (from != words[i].from || to != words[i].to)
            fail_msg("%s: %d to %d", words[i].line, from, to);
        row_text_finish(&text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(motions_end_where_vi_does),
        cmocka_unit_test(rows_that_come_late_make_no_difference),
        cmocka_unit_test(wide_characters_are_one),
        cmocka_unit_test(later_runs_cover_earlier_ones),
        cmocka_unit_test(hidden_text_is_blank),
        cmocka_unit_test(double_click_takes_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
