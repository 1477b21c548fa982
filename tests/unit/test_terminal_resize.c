#include "terminal-world.h"

/* A screen of 4 rows and 10 columns, written to, then resized: history and
 * screen after, and the cursor. */
static const struct {
    const char *name;
    const char *bytes;
    int rows;
    int cols;
    const char *history;
    const char *screen;
    int row;
    int col;
} rows[] = {
    {"wider joins", "0123456789ab", 4, 20, "", "0123456789ab", 0, 12},
    {"narrower wraps", "0123456789", 4, 5, "", "01234|56789", 1, 4},
    {"line ends stay", "01234\r\n56", 4, 20, "", "01234|56", 1, 2},
    {"narrower pushes", "1\r\n2\r\n3\r\nabcdef", 4, 3, "1", "2|3|abc|def", 3,
     2},
    {"wider pulls back", "1\r\n2\r\n3\r\n0123456789ab", 4, 20, "",
     "1|2|3|0123456789ab", 3, 12},
    {"a line from the history is joined",
     "x\r\n0123456789abcdefghijABCDEFGHIJ\r\n2\r\n3", 4, 40, "",
     "x|0123456789abcdefghijABCDEFGHIJ|2|3", 3, 1},
    {"lower pushes", "1\r\n2\r\n3\r\n4", 2, 10, "1|2", "3|4", 1, 1},
    {"lower takes blank rows first", "1\r\n2", 3, 10, "", "1|2", 1, 1},
    {"lower keeps the cursor in sight", "1\r\n2\r\n3\r\n4\033[H", 2, 10, "",
     "1|2", 0, 0},
    {"higher pulls back", "1\r\n2\r\n3\r\n4\r\n5\r\n6", 5, 10, "1", "2|3|4|5|6",
     4, 1},
    {"higher has no more", "1\r\n2", 6, 10, "", "1|2", 1, 1},
    {"blank rows stay blank", "1\r\n2\r\n3\r\n4\r\n5\033[2;1H\033[J", 6, 10, "",
     "1|2", 2, 0},
    {"the prompt keeps its blank", "$ ", 4, 5, "", "$", 0, 2},
    {"the cursor in the middle of a line", "0123456789abc\033[1;8H", 4, 5, "",
     "01234|56789|abc", 1, 2},
    {"the cursor behind the text", "ab\033[1;8H", 4, 5, "", "ab", 0, 4},
    {"the cursor below the text", "ab\033[3;3H", 2, 10, "ab", "", 1, 2},
    {"a wide one that does not fit", "abcd你ef", 4, 5, "", "abcd|你ef", 1, 4},
    {"a wide one fits again", "012345678你x", 4, 12, "", "012345678你x", 0, 11},
    {"a gap before a wide one that wraps", "\033[10G你x", 4, 20, "",
     "         你x", 0, 12},
    {"a blank at the wrap is kept", "012345678 ab", 4, 20, "", "012345678 ab",
     0, 12},
    {"blanks at the end are not wrapped", "ab        \r\n", 4, 5, "", "ab", 1,
     0},
    {"a gap is kept", "\033[9Gxyz", 4, 5, "", "|   xy|z", 2, 1},
    {"an erased wrap is a line end", "0123456789ab\033[1;5H\033[K", 4, 20, "",
     "0123|ab", 0, 4},
    {"RI between ends the line", "0123456789ab\033[1;1H\033M", 4, 20, "",
     "|0123456789ab", 0, 0},
    {"IL between ends the line", "0123456789ab\033[2;1H\033[L", 4, 20, "",
     "0123456789||ab", 1, 0},
    {"the smallest", "abc\r\ndef", 1, 2, "ab|c|de", "f", 0, 1},
};

static void
lines_are_wrapped_anew(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world world;
        world_init(&world, 4, 10, 20);
        world_write(&world, rows[i].bytes);
        print_message("# %s\n", rows[i].name);
        terminal_resize(world.terminal, rows[i].rows, rows[i].cols);
        world_expect_history(&world, rows[i].history);
        world_expect(&world, rows[i].screen);
        world_expect_cursor(&world, rows[i].row, rows[i].col);
        world_finish(&world);
    }
}

/* What is typed after a resize goes on where the line ended. */
static void
typing_goes_on_after_a_resize(void **state)
{
    (void)state;
    for (int cols = 2; cols < 40; cols++) {
        struct world world;
        world_init(&world, 4, 10, 200);
        world_write(&world, "0123456789");
        terminal_resize(world.terminal, 4, cols);
        world_write(&world, "abcdefghij");
        terminal_resize(world.terminal, 4, 40);
        world_write(&world, "K");
        world_expect(&world, "0123456789abcdefghijK");
        world_finish(&world);
    }
}

static void
the_alternate_screen_is_cut_and_padded(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 4, 10, 20);
    world_write(&world, "0123456789main\033[?1049h\033[H");
    world_write(&world, "abcdefg你j\r\n2\r\n3\r\n4");
    terminal_resize(world.terminal, 3, 8);
    world_expect(&world, "abcdefg|2|3");
    world_expect_cursor(&world, 2, 1);
    terminal_resize(world.terminal, 5, 20);
    world_expect(&world, "abcdefg|2|3");
    world_write(&world, "\033[?1049l");
    world_expect(&world, "0123456789main");
    world_expect_cursor(&world, 0, 14);
    world_finish(&world);
}

static void
a_resize_frees_the_scroll_region(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 4, 10, 20);
    world_write(&world, "\033[2;3r");
    terminal_resize(world.terminal, 6, 10);
    world_write(&world, "\033[6;1Hx\ny");
    world_expect(&world, "||||x| y");
    world_finish(&world);
}

/* Text of the history and the screen with wrapped rows joined. */
static void
expect_joined(struct world *world, const char *text)
{
    struct buffer out = {0};
    render_rows(world->terminal, -100000, 100000, RENDER_JOIN_WRAPPED, &out);
    while (out.len && out.data[out.len - 1] == '\n')
        out.data[--out.len] = '\0';
    assert_string_equal(out.data, text);
    buffer_finish(&out);
}

static void
no_width_changes_the_text(void **state)
{
    (void)state;
    struct world world;
    struct buffer text = {0};
    world_init(&world, 6, 20, 2000);
    for (int line = 0; line < 60; line++) {
        for (int word = 0; word <= line % 13; word++)
            buffer_printf(&text, "%s%d你e\314\201", word % 3 ? "" : "\302\273",
                          line * word);
        buffer_append_text(&text, "\n");
    }
    for (size_t i = 0; i < text.len; i++)
        world_write_bytes(&world, text.data[i] == '\n' ? "\r\n" : &text.data[i],
                          text.data[i] == '\n' ? 2 : 1);
    text.data[--text.len] = '\0';
    expect_joined(&world, text.data);
    static const int sizes[][2] = {{6, 7},  {6, 2},   {3, 33}, {24, 80}, {1, 3},
                                   {50, 9}, {6, 100}, {2, 2},  {6, 20}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        terminal_resize(world.terminal, sizes[i][0], sizes[i][1]);
        const char *fault = terminal_check(world.terminal);
        assert_null(fault);
        if (sizes[i][1] > 2) /* a cell of one column at the edge stays unused */
            expect_joined(&world, text.data);
    }
    buffer_finish(&text);
    world_finish(&world);
}

static void
one_endless_line_survives_resizes(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 5, 40, 1000);
    struct buffer text = {0};
    for (int i = 0; i < 3000; i++)
        buffer_printf(&text, "%05d ", i);
    buffer_append_text(&text, "end");
    world_write(&world, text.data);
    expect_joined(&world, text.data);
    terminal_resize(world.terminal, 5, 33);
    expect_joined(&world, text.data);
    terminal_resize(world.terminal, 7, 80);
    expect_joined(&world, text.data);
    world_write(&world, "less");
    buffer_append_text(&text, "less");
    terminal_resize(world.terminal, 7, 41);
    expect_joined(&world, text.data);
    buffer_finish(&text);
    world_finish(&world);
}

static void
stamps_of_wrapped_rows_differ_and_stay(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 2, 40, 100);
    for (int i = 0; i < 20; i++)
        world_write(&world, "0123456789012345678901234567890123456789ab\r\n");
    terminal_resize(world.terminal, 2, 7);
    struct terminal_row_stamp stamps[300];
    int count = (int)terminal_history_rows(world.terminal);
    assert_in_range(count, 100, 300);
    for (int i = 0; i < count; i++) {
        stamps[i] = terminal_row_stamp(world.terminal, -1 - i);
        for (int k = 0; k < i; k++)
            assert_true(stamps[k].id != stamps[i].id);
    }
    for (int i = count - 1; i >= 0; i--) {
        struct terminal_row_stamp again =
            terminal_row_stamp(world.terminal, -1 - i);
        assert_memory_equal(&again, &stamps[i], sizeof(again));
    }
    world_finish(&world);
}

/* 200 random rounds crashed libvterm. */
static void
random_resizes_in_scroll_regions_do_no_harm(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, 24, 80, 100);
    uint32_t seed = 1;
    for (int i = 0; i < 2000; i++) {
        seed = seed * 1664525u + 1013904223u;
        char text[200];
        (void)snprintf(text, sizeof(text),
                       "\033[%u;%ur\033[%u;%uHsome 你好 text\033[%uL\033[%uM\n"
                       "\033[?%uh\033[%u@",
                       seed >> 8 & 31, seed >> 13 & 31, seed >> 3 & 31,
                       seed >> 18 & 127, seed >> 20 & 7, seed >> 23 & 7,
                       seed & 1 ? 1049u : 7u, seed >> 25 & 15);
        world_write(&world, text);
        terminal_resize(world.terminal, (int)(seed >> 9 & 31),
                        (int)(seed >> 14 & 127));
        const char *fault = terminal_check(world.terminal);
        if (fault)
            fail_msg("round %d: %s", i, fault);
        if (seed & 0x40)
            world_write(&world, "\033[?1049l");
    }
    world_finish(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_wrapped_anew),
        cmocka_unit_test(typing_goes_on_after_a_resize),
        cmocka_unit_test(the_alternate_screen_is_cut_and_padded),
        cmocka_unit_test(a_resize_frees_the_scroll_region),
        cmocka_unit_test(no_width_changes_the_text),
        cmocka_unit_test(one_endless_line_survives_resizes),
        cmocka_unit_test(stamps_of_wrapped_rows_differ_and_stay),
        cmocka_unit_test(random_resizes_in_scroll_regions_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
