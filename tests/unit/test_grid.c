#include "console/grid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ROWS 6

static void
begin(struct grid *grid)
{
    grid_init(grid, ROWS, 10);
    for (uint64_t i = 0; i < ROWS; i++)
        grid->row[i]->id = i;
}

static void
expect_ids(const struct grid *grid, const uint64_t ids[ROWS])
{
    for (int i = 0; i < ROWS; i++)
        assert_int_equal(grid->row[i]->id, ids[i]);
}

static void
rows_start_empty(void **state)
{
    (void)state;
    struct grid grid;
    grid_init(&grid, 1, 2);
    assert_int_equal(grid.row[0]->used, 0);
    assert_int_equal(grid.row[0]->flags, 0);
    grid_finish(&grid);
    grid_finish(&grid);
}

static void
a_scroll_rotates_the_region_only(void **state)
{
    (void)state;
    static const struct {
        int top;
        int bottom;
        int count;
        uint64_t up[ROWS];
        uint64_t down[ROWS];
    } rows[] = {
        {0, 5, 1, {1, 2, 3, 4, 5, 0}, {5, 0, 1, 2, 3, 4}},
        {0, 5, 2, {2, 3, 4, 5, 0, 1}, {4, 5, 0, 1, 2, 3}},
        {0, 5, 6, {0, 1, 2, 3, 4, 5}, {0, 1, 2, 3, 4, 5}},
        {1, 3, 1, {0, 2, 3, 1, 4, 5}, {0, 3, 1, 2, 4, 5}},
        {1, 4, 3, {0, 4, 1, 2, 3, 5}, {0, 2, 3, 4, 1, 5}},
        {5, 5, 1, {0, 1, 2, 3, 4, 5}, {0, 1, 2, 3, 4, 5}},
        {0, 4, 1, {1, 2, 3, 4, 0, 5}, {4, 0, 1, 2, 3, 5}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct grid grid;
        begin(&grid);
        grid_rotate_up(&grid, rows[i].top, rows[i].bottom, rows[i].count);
        expect_ids(&grid, rows[i].up);
        grid_finish(&grid);
        begin(&grid);
        grid_rotate_down(&grid, rows[i].top, rows[i].bottom, rows[i].count);
        expect_ids(&grid, rows[i].down);
        grid_finish(&grid);
    }
}

static void
a_screen_scrolls_for_ever(void **state)
{
    (void)state;
    struct grid grid;
    begin(&grid);
    for (uint64_t i = 0; i < 10000; i++) {
        for (uint64_t row = 0; row < ROWS; row++)
            assert_int_equal(grid.row[row]->id, (i + row) % ROWS);
        grid_rotate_up(&grid, 0, ROWS - 1, 1);
        if (i % 7 == 0) {
            grid_rotate_down(&grid, 0, ROWS - 1, 1);
            grid_rotate_up(&grid, 0, ROWS - 1, 1);
        }
    }
    grid_finish(&grid);
}

static void
interned_values_have_one_number(void **state)
{
    (void)state;
    struct intern intern;
    intern_init(&intern, sizeof(uint64_t), 100);
    uint64_t value = 0;
    assert_int_equal(intern_add(&intern, &value), 0);
    uint32_t numbers[1000];
    for (value = 1; value < 1000; value++)
        numbers[value] = intern_add(&intern, &value);
    for (value = 1; value < 1000; value++) {
        assert_int_equal(intern_add(&intern, &value), numbers[value]);
        assert_memory_equal(intern_value(&intern, numbers[value]), &value,
                            sizeof(value));
    }
    intern_finish(&intern);
}

static void
a_sweep_keeps_what_is_marked(void **state)
{
    (void)state;
    struct intern intern;
    intern_init(&intern, sizeof(uint64_t), 100);
    for (uint64_t round = 0; round < 50; round++) {
        uint64_t kept = 7;
        uint32_t number = intern_add(&intern, &kept);
        for (uint64_t i = 0; i < 100; i++) {
            uint64_t value = 1000 + round * 100 + i;
            intern_add(&intern, &value);
        }
        assert_true(intern_is_due(&intern));
        intern_begin_sweep(&intern);
        intern_mark(&intern, number);
        intern_end_sweep(&intern);
        assert_false(intern_is_due(&intern));
        assert_int_equal(intern.live, 2);
        assert_memory_equal(intern_value(&intern, number), &kept, sizeof(kept));
        assert_int_equal(intern_add(&intern, &kept), number);
    }
    assert_true(intern.capacity <= 256);
    intern_finish(&intern);
}

static void
a_sweep_of_what_all_lives_comes_later_next_time(void **state)
{
    (void)state;
    struct intern intern;
    intern_init(&intern, sizeof(uint64_t), 100);
    for (uint64_t value = 1; value < 100; value++)
        intern_add(&intern, &value);
    assert_true(intern_is_due(&intern));
    intern_begin_sweep(&intern);
    for (uint32_t number = 0; number < intern.used; number++)
        intern_mark(&intern, number);
    intern_end_sweep(&intern);
    assert_false(intern_is_due(&intern));
    intern_finish(&intern);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_start_empty),
        cmocka_unit_test(a_scroll_rotates_the_region_only),
        cmocka_unit_test(a_screen_scrolls_for_ever),
        cmocka_unit_test(interned_values_have_one_number),
        cmocka_unit_test(a_sweep_keeps_what_is_marked),
        cmocka_unit_test(a_sweep_of_what_all_lives_comes_later_next_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
