#include "tui/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct layout
compute(int rows, int cols, size_t panes, size_t focus, unsigned flags)
{
    struct layout_request request = {
        .rows = rows,
        .cols = cols,
        .pane_count = panes,
        .focus = focus,
        .sidebar_cols = 28,
        .flags = flags,
    };
    struct layout layout;
    layout_compute(&layout, &request);
    return layout;
}

/* Every cell of the screen belongs to one thing at most, and all lie inside. */
static void
assert_disjoint(const struct layout *layout, int rows, int cols)
{
    char *cells = calloc((size_t)rows, (size_t)cols);
    assert_non_null(cells);
    for (size_t i = 0; i < layout->count + 2; i++) {
        const struct layout_rect *rect = &layout->sidebar;
        if (i == 1)
            rect = &layout->status;
        if (i > 1)
            rect = &layout->panes[i - 2];
        assert_true(rect->row >= 0 && rect->row + rect->rows <= rows);
        assert_true(rect->col >= 0 && rect->col + rect->cols <= cols);
        for (int row = rect->row; row < rect->row + rect->rows; row++) {
            for (int col = rect->col; col < rect->col + rect->cols; col++) {
                assert_int_equal(cells[row * cols + col], 0);
                cells[row * cols + col] = 1;
            }
        }
    }
    free(cells);
}

static void
a_screen_below_the_least_size_is_too_small(void **state)
{
    (void)state;
    assert_true(compute(9, 80, 1, 0, 0).is_too_small);
    assert_true(compute(24, 39, 1, 0, 0).is_too_small);
    assert_false(compute(10, 40, 1, 0, 0).is_too_small);
    assert_int_equal(compute(9, 80, 1, 0, 0).count, 0);
}

static void
three_guests_fit_80x24_beside_the_sidebar(void **state)
{
    (void)state;
    struct layout layout = compute(24, 80, 3, 0, LAYOUT_SIDEBAR);
    assert_int_equal(layout.count, 3);
    assert_int_equal(layout.page_count, 1);
    assert_int_equal(layout.sidebar.cols, 20);
    assert_int_equal(layout.sidebar.rows, 23);
    assert_int_equal(layout.status.row, 23);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(layout.panes[i].cols, 59);
        assert_true(layout.panes[i].rows >= LAYOUT_PANE_ROWS_MIN);
    }
}

static void
sixteen_guests_tile_200x50_four_by_four(void **state)
{
    (void)state;
    struct layout layout = compute(50, 200, 16, 5, LAYOUT_SIDEBAR);
    assert_int_equal(layout.count, 16);
    assert_int_equal(layout.panes[5].row, layout.panes[4].row);
    assert_int_equal(layout.panes[4].col, layout.panes[0].col);
    assert_true(layout.panes[4].row > layout.panes[0].row);
}

static void
what_does_not_fit_is_on_pages_and_the_focused_one_shows(void **state)
{
    (void)state;
    struct layout layout = compute(24, 80, 16, 0, LAYOUT_SIDEBAR);
    assert_int_equal(layout.count, 3);
    assert_int_equal(layout.page_count, 6);
    layout = compute(24, 80, 16, 7, LAYOUT_SIDEBAR);
    assert_int_equal(layout.page, 2);
    assert_int_equal(layout.first, 6);
    layout = compute(24, 80, 16, 15, LAYOUT_SIDEBAR);
    assert_int_equal(layout.first, 15);
    assert_int_equal(layout.count, 1);
    assert_int_equal(layout.panes[0].rows, 23);
}

static void
the_last_row_of_panes_shares_the_whole_width(void **state)
{
    (void)state;
    struct layout layout = compute(50, 200, 3, 0, 0);
    assert_int_equal(layout.count, 3);
    assert_int_equal(layout.panes[2].cols, 200);
    assert_int_equal(layout.panes[0].cols + 1 + layout.panes[1].cols, 200);
}

static void
a_zoomed_pane_has_the_whole_screen_but_the_status_line(void **state)
{
    (void)state;
    struct layout layout =
        compute(24, 80, 3, 1, LAYOUT_SIDEBAR | LAYOUT_ZOOMED);
    assert_int_equal(layout.count, 1);
    assert_int_equal(layout.first, 1);
    assert_int_equal(layout.sidebar.rows, 0);
    assert_int_equal(layout.panes[0].cols, 80);
    assert_int_equal(layout.panes[0].rows, 23);
}

static void
a_bare_console_has_every_cell(void **state)
{
    (void)state;
    struct layout layout = compute(24, 80, 3, 2, LAYOUT_BARE | LAYOUT_SIDEBAR);
    assert_int_equal(layout.count, 1);
    assert_int_equal(layout.first, 2);
    assert_int_equal(layout.panes[0].rows, 24);
    assert_int_equal(layout.status.rows, 0);
}

static void
a_narrow_screen_shows_the_sidebar_only_while_it_has_the_keyboard(void **state)
{
    (void)state;
    assert_int_equal(compute(24, 60, 3, 0, LAYOUT_SIDEBAR).sidebar.rows, 0);
    struct layout layout =
        compute(24, 60, 3, 0, LAYOUT_SIDEBAR | LAYOUT_SIDEBAR_FOCUS);
    assert_int_equal(layout.sidebar.cols, 60);
    assert_int_equal(layout.count, 0);
    layout = compute(24, 66, 3, 0, LAYOUT_SIDEBAR_FOCUS);
    assert_int_equal(layout.sidebar.cols, 20);
    assert_int_equal(layout.panes[0].cols, 45);
}

static void
no_size_and_no_number_of_guests_makes_things_overlap(void **state)
{
    (void)state;
    for (int rows = 1; rows <= 70; rows += 3) {
        for (int cols = 1; cols <= 260; cols += 7) {
            for (size_t panes = 0; panes <= 70; panes += 5) {
                unsigned flags = (unsigned)(rows + cols) % 16;
                struct layout layout =
                    compute(rows, cols, panes, panes / 2, flags);
                assert_disjoint(&layout, rows, cols);
                assert_true(layout.first + layout.count <= panes);
            }
        }
    }
}

static void
a_focus_beyond_the_panes_is_the_first(void **state)
{
    (void)state;
    assert_int_equal(compute(24, 80, 2, 99, 0).first, 0);
    assert_int_equal(compute(24, 80, 2, 99, LAYOUT_ZOOMED).first, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_screen_below_the_least_size_is_too_small),
        cmocka_unit_test(three_guests_fit_80x24_beside_the_sidebar),
        cmocka_unit_test(sixteen_guests_tile_200x50_four_by_four),
        cmocka_unit_test(
            what_does_not_fit_is_on_pages_and_the_focused_one_shows),
        cmocka_unit_test(the_last_row_of_panes_shares_the_whole_width),
        cmocka_unit_test(
            a_zoomed_pane_has_the_whole_screen_but_the_status_line),
        cmocka_unit_test(a_bare_console_has_every_cell),
        cmocka_unit_test(
            a_narrow_screen_shows_the_sidebar_only_while_it_has_the_keyboard),
        cmocka_unit_test(no_size_and_no_number_of_guests_makes_things_overlap),
        cmocka_unit_test(a_focus_beyond_the_panes_is_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
