#include "tui/selection.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COLS 10
#define NO -1

/* Which columns of rows 0 to 4 are selected: {from, to}, NO for none. */
static const struct {
    struct selection selection;
    int cols[5][2];
} rows[] = {
    {{SELECTION_NONE, {1, 2}, {3, 4}},
     {{NO, NO}, {NO, NO}, {NO, NO}, {NO, NO}, {NO, NO}}},
    {{SELECTION_CHARS, {1, 2}, {3, 4}},
     {{NO, NO}, {2, 9}, {0, 9}, {0, 4}, {NO, NO}}},
    {{SELECTION_CHARS, {3, 4}, {1, 2}},
     {{NO, NO}, {2, 9}, {0, 9}, {0, 4}, {NO, NO}}},
    {{SELECTION_CHARS, {1, 7}, {1, 3}},
     {{NO, NO}, {3, 7}, {NO, NO}, {NO, NO}, {NO, NO}}},
    {{SELECTION_CHARS, {1, 3}, {1, 3}},
     {{NO, NO}, {3, 3}, {NO, NO}, {NO, NO}, {NO, NO}}},
    {{SELECTION_LINES, {1, 7}, {2, 3}},
     {{NO, NO}, {0, 9}, {0, 9}, {NO, NO}, {NO, NO}}},
    {{SELECTION_LINES, {2, 1}, {1, 3}},
     {{NO, NO}, {0, 9}, {0, 9}, {NO, NO}, {NO, NO}}},
    {{SELECTION_BLOCK, {1, 7}, {3, 3}},
     {{NO, NO}, {3, 7}, {3, 7}, {3, 7}, {NO, NO}}},
    {{SELECTION_BLOCK, {3, 3}, {1, 7}},
     {{NO, NO}, {3, 7}, {3, 7}, {3, 7}, {NO, NO}}},
    {{SELECTION_BLOCK, {1, 3}, {2, 99}},
     {{NO, NO}, {3, 9}, {3, 9}, {NO, NO}, {NO, NO}}},
    /* beyond the row */
    {{SELECTION_CHARS, {1, 20}, {2, 1}},
     {{NO, NO}, {NO, NO}, {0, 1}, {NO, NO}, {NO, NO}}},
};

static void
columns_of_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int row = 0; row < 5; row++) {
            int from = NO;
            int to = NO;
            if (!selection_cols(&rows[i].selection, row, COLS, &from, &to))
                from = to = NO;
            if (from != rows[i].cols[row][0] || to != rows[i].cols[row][1])
                fail_msg("selection %zu, row %d: %d to %d", i, row, from, to);
        }
    }
}

static void
extent_is_in_reading_order(void **state)
{
    (void)state;
    struct selection selection = {SELECTION_CHARS, {9, 4}, {7, 6}};
    struct selection_extent extent = selection_extent(&selection);
    assert_int_equal(extent.first, 7);
    assert_int_equal(extent.first_col, 6);
    assert_int_equal(extent.last, 9);
    assert_int_equal(extent.last_col, 4);
    assert_false(extent.is_block);
    selection.kind = SELECTION_BLOCK;
    extent = selection_extent(&selection);
    assert_int_equal(extent.first_col, 4);
    assert_int_equal(extent.last_col, 6);
    assert_true(extent.is_block);
    selection.kind = SELECTION_LINES;
    extent = selection_extent(&selection);
    assert_int_equal(extent.first_col, 0);
    assert_int_equal(extent.last_col, INT_MAX);
}

/* When the history's oldest rows go, what is left stays selected. */
static void
rows_that_are_dropped_are_no_longer_selected(void **state)
{
    (void)state;
    struct selection selection = {SELECTION_CHARS, {9, 4}, {7, 6}};
    assert_true(selection_drop_before(&selection, 7));
    assert_int_equal(selection.head.row, 7);
    assert_int_equal(selection.head.col, 6);
    assert_true(selection_drop_before(&selection, 8));
    assert_int_equal(selection.head.row, 8);
    assert_int_equal(selection.head.col, 0);
    assert_int_equal(selection.anchor.row, 9);
    assert_true(selection_drop_before(&selection, 9));
    assert_false(selection_drop_before(&selection, 10));
    struct selection block = {SELECTION_BLOCK, {1, 4}, {7, 6}};
    assert_true(selection_drop_before(&block, 3));
    assert_int_equal(block.anchor.row, 3);
    assert_int_equal(block.anchor.col, 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_of_rows),
        cmocka_unit_test(extent_is_in_reading_order),
        cmocka_unit_test(rows_that_are_dropped_are_no_longer_selected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
