#include "console-world.h"
#include "console/past.h"

#define ROWS 24
#define COLS 80
#define RUNS_MAX ((size_t)COLS * 2)

/* A moment that is asked for. */
struct look {
    bool is_ready;
};

static void
on_ready(void *data)
{
    struct look *look = data;
    look->is_ready = true;
}

static bool
is_ready(void *data)
{
    struct look *look = data;
    return look->is_ready;
}

static struct past *
open_past(struct world *world, struct look *look)
{
    struct error error = {0};
    struct past *past =
        past_new(&world->loop, world->console, 1000, on_ready, look, &error);
    if (!past)
        fail_msg("%s", error.text);
    return past;
}

/* Returns how many bytes had to be replayed. */
static uint64_t
go(struct world *world, struct past *past, struct look *look, uint64_t offset)
{
    uint64_t before = past_replayed_bytes(past);
    look->is_ready = false;
    past_seek(past, offset);
    assert_true(run_until(&world->loop, is_ready, look));
    assert_int_equal(past_offset(past), offset);
    return past_replayed_bytes(past) - before;
}

static void
compare_rows(struct terminal *a, struct terminal *b, int row)
{
    struct terminal_run runs[2][RUNS_MAX];
    unsigned flags[2];
    size_t count = terminal_read_row(a, row, runs[0], RUNS_MAX, &flags[0]);
    assert_int_equal(count,
                     terminal_read_row(b, row, runs[1], RUNS_MAX, &flags[1]));
    assert_int_equal(flags[0], flags[1]);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(runs[0][i].col, runs[1][i].col);
        assert_int_equal(runs[0][i].cols, runs[1][i].cols);
        assert_int_equal(runs[0][i].bytes, runs[1][i].bytes);
        assert_memory_equal(runs[0][i].text, runs[1][i].text, runs[0][i].bytes);
        assert_true(style_is_equal(&runs[0][i].style, &runs[1][i].style));
    }
}

/* Every cell of the screen and of the scrollback, the cursor, the modes. */
static void
compare(struct terminal *a, struct terminal *b)
{
    assert_int_equal(terminal_rows(a), terminal_rows(b));
    assert_int_equal(terminal_cols(a), terminal_cols(b));
    assert_int_equal(terminal_history_rows(a), terminal_history_rows(b));
    assert_int_equal(terminal_history_dropped(a), terminal_history_dropped(b));
    assert_int_equal(terminal_modes(a), terminal_modes(b));
    struct terminal_cursor one = terminal_cursor(a);
    struct terminal_cursor two = terminal_cursor(b);
    assert_int_equal(one.row, two.row);
    assert_int_equal(one.col, two.col);
    assert_int_equal(one.is_visible, two.is_visible);
    for (int row = -(int)terminal_history_rows(a); row < terminal_rows(a);
         row++)
        compare_rows(a, b, row);
}

/* The moment reached by keyframes is that of a replay from the first byte. */
static void
check(struct world *world, struct past *past, uint64_t offset)
{
    struct look look = {0};
    struct past *whole = open_past(world, &look);
    assert_int_equal(go(world, whole, &look, offset), offset);
    compare(past_terminal(past), past_terminal(whole));
    past_free(whole);
}

/* Part of a boot: lines in colours, long ones, combining and wide characters, a
 * region that scrolls, a full-screen program, a screen that is cleared. */
static void
print_part(struct buffer *text, unsigned number, size_t lines)
{
    char line[512];
    for (size_t i = 0; i < lines; i++) {
        int len = snprintf(line, sizeof(line),
                           "\x1b[3%zum[%u.%06zu]\x1b[m e\xcc\x81 "
                           "\xe6\xbc\xa2\xe5\xad\x97 %0*d\r\n",
                           i % 8, number, i, (int)(i * 7 % 150), 0);
        buffer_append(text, line, (size_t)len);
        if (i % 97 == 50)
            buffer_append_text(text, "\x1b[5;15r\x1b[15;1Hin\r\nit\r\n\x1b[r"
                                     "\x1b[24;1H");
        if (i % 211 == 100)
            buffer_append_text(text,
                               "\x1b[?1049h\x1b[2J\x1b[7mfull\x1b[m screen");
        if (i % 211 == 160)
            buffer_append_text(text, "\x1b[?1049l");
        if (i % 301 == 300)
            buffer_append_text(text, "\x1b[2J\x1b[H\x1b[48;5;20mclear\x1b[m");
    }
}

static void
append(struct world *world, const struct buffer *text, uint64_t *size)
{
    assert_int_equal(write(world->log, text->data, text->len), text->len);
    *size += text->len;
    world_wait_for_offset(world, *size);
}

static void
a_moment_by_keyframes_is_the_one_of_a_whole_replay(void **state)
{
    (void)state;
    struct world *world = world_new("/tmp");
    struct look look = {0};
    uint64_t size = 0;
    world->console = world_open_console(world, ROWS, COLS);
    for (unsigned i = 0; i < 6; i++) {
        struct buffer text = {0};
        print_part(&text, i, 5000);
        append(world, &text, &size);
        buffer_finish(&text);
        if (i == 2)
            console_mark_boot(world->console);
        if (i % 2)
            console_resize(world->console, ROWS + (int)i, COLS - 9 * (int)i);
    }
    assert_true(size > 4 * PAST_KEYFRAME_BYTES);
    struct past *past = open_past(world, &look);
    assert_int_equal(go(world, past, &look, size), size);
    check(world, past, size);
    /* anywhere, and one step back and forth from there */
    uint32_t seed = 3;
    for (int i = 0; i < 8; i++) {
        seed = seed * 1664525 + 1013904223;
        uint64_t offset = seed % size;
        assert_true(go(world, past, &look, offset) <=
                    PAST_KEYFRAME_BYTES + PAST_SLICE_BYTES);
        check(world, past, offset);
        if (offset < 1000)
            continue;
        assert_true(go(world, past, &look, offset - 1000) <=
                    PAST_KEYFRAME_BYTES + PAST_SLICE_BYTES);
        check(world, past, offset - 1000);
        assert_int_equal(go(world, past, &look, offset - 900), 100);
        check(world, past, offset - 900);
    }
    past_free(past);
    assert_true(world_free(world));
}

static void
sizes_that_come_at_the_end_are_shown(void **state)
{
    (void)state;
    struct world *world = world_new("/tmp");
    struct look look = {0};
    uint64_t size = 5;
    world->console = world_open_console(world, ROWS, COLS);
    world_print(world, "hello");
    world_wait_for_offset(world, size);
    struct past *past = open_past(world, &look);
    go(world, past, &look, size);
    assert_int_equal(terminal_cols(past_terminal(past)), COLS);
    console_resize(world->console, 10, 50);
    go(world, past, &look, size);
    assert_int_equal(terminal_cols(past_terminal(past)), 50);
    console_resize(world->console, 10, 40);
    console_resize(world->console, 10, 60);
    go(world, past, &look, size);
    assert_int_equal(terminal_cols(past_terminal(past)), 60);
    check(world, past, size);
    past_free(past);
    assert_true(world_free(world));
}

static void
steps_back_in_a_long_record_are_short(void **state)
{
    (void)state;
    struct world *world = world_new("/tmp");
    struct look look = {0};
    uint64_t size = 0;
    world->console = world_open_console(world, ROWS, COLS);
    struct buffer text = {0};
    char line[80];
    for (int i = 0; text.len < (20u << 20); i++) {
        (void)snprintf(line, sizeof(line), "%070d\r\n", i);
        buffer_append_text(&text, line);
    }
    append(world, &text, &size);
    struct past *past = open_past(world, &look);
    assert_true(go(world, past, &look, size) <= PAST_MAX_BYTES);
    int replays = 0;
    for (uint64_t back = 1; back <= 18; back++)
        replays += go(world, past, &look, size - (back << 20)) >
                   PAST_KEYFRAME_BYTES + PAST_SLICE_BYTES;
    /* once more where the record's beginning comes within reach */
    assert_int_equal(replays, 1);
    check(world, past, size - (18 << 20));
    assert_true(go(world, past, &look, 15u << 20) <=
                PAST_KEYFRAME_BYTES + PAST_SLICE_BYTES);
    check(world, past, 15u << 20);
    past_free(past);
    buffer_finish(&text);
    assert_true(world_free(world));
}

static bool
has_trouble(void *data)
{
    return ((const struct world *)data)->troubles > 0;
}

static void
another_log_has_another_past(void **state)
{
    (void)state;
    struct world *world = world_new("/tmp");
    struct look look = {0};
    uint64_t size = 0;
    world->console = world_open_console(world, ROWS, COLS);
    struct buffer text = {0};
    print_part(&text, 1, 12000);
    append(world, &text, &size);
    struct past *past = open_past(world, &look);
    go(world, past, &look, size);
    assert_int_equal(ftruncate(world->log, 0), 0);
    assert_true(run_until(&world->loop, has_trouble, world));
    world_print(world, "a new one\r\n");
    world_wait_for(world, "a new one");
    go(world, past, &look, console_offset(world->console));
    struct buffer shown = {0};
    render_rows(past_terminal(past), 0, ROWS - 1, RENDER_PLAIN, &shown);
    assert_non_null(strstr(shown.data, "a new one"));
    assert_null(strstr(shown.data, "[1.0"));
    buffer_finish(&shown);
    past_free(past);
    buffer_finish(&text);
    assert_true(world_free(world));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moment_by_keyframes_is_the_one_of_a_whole_replay),
        cmocka_unit_test(sizes_that_come_at_the_end_are_shown),
        cmocka_unit_test(steps_back_in_a_long_record_are_short),
        cmocka_unit_test(another_log_has_another_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
