#include "console-world.h"
#include "console/line.h"
#include "console/place.h"

/* What was printed, line by line. */
#define LINES_MAX 4000
#define ROWS 10
#define COLS 40

struct printed {
    uint64_t offset;
    uint64_t row; /* its first one */
    int rows;
};

struct paper {
    struct buffer bytes; /* owned */
    struct printed lines[LINES_MAX];
    size_t count;
    uint64_t rows;
};

/* Adds a line of text and says where it is to stand. */
static void
put(struct paper *paper, const char *text, const char *end)
{
    size_t cols = strlen(text);
    struct printed *line = &paper->lines[paper->count++];
    assert_true(paper->count <= LINES_MAX);
    *line = (struct printed){
        .offset = paper->bytes.len,
        .row = paper->rows,
        .rows = cols ? (int)((cols + COLS - 1) / COLS) : 1,
    };
    paper->rows += (uint64_t)line->rows;
    buffer_append_text(&paper->bytes, text);
    buffer_append_text(&paper->bytes, end);
}

/* Many lines that read the same, some that are wrapped, some empty ones. */
static void
fill(struct paper *paper, size_t count)
{
    static const char *const same[] = {"the same", "", "#", "the same again"};
    uint32_t seed = 7;
    for (size_t i = 0; i < count; i++) {
        char text[200];
        seed = seed * 1664525 + 1013904223;
        unsigned kind = seed >> 24;
        if (kind < 160) {
            put(paper, same[kind % 4], "\r\n");
        } else if (kind < 200) {
            memset(text, 'a' + (int)(kind % 3), sizeof(text) - 1);
            text[kind % 100 + 50] = '\0';
            put(paper, text, "\r\n");
        } else {
            (void)snprintf(text, sizeof(text), "line %zu", i);
            put(paper, text, "\r\n");
        }
    }
}

static void
print(struct world *world, const struct paper *paper, size_t from)
{
    size_t len = paper->bytes.len - from;
    assert_int_equal(write(world->log, paper->bytes.data + from, len), len);
    world_wait_for_offset(world, paper->bytes.len);
}

/* Each line that is there is found where it is, from either side; those that
 * are not are not found. Returns how many are there. */
static size_t
check(struct world *world, const struct paper *paper, size_t first)
{
    struct terminal *terminal = console_terminal(world->console);
    size_t there = 0;
    for (size_t i = first; i < paper->count; i++) {
        const struct printed *line = &paper->lines[i];
        bool is_blank = strchr("\r\n", paper->bytes.data[line->offset]);
        struct place_line found = {0};
        uint64_t offset = 0;
        bool is_there = place_find_row(world->console, line->offset, &found);
        bool is_known = place_find_offset(world->console, line->row, &offset);
        if (is_blank || line->row < terminal_history_dropped(terminal)) {
            assert_false(is_there);
            assert_false(is_known);
            continue;
        }
        there++;
        if (!is_there || found.row != line->row || found.rows != line->rows)
            fail_msg("line %zu: row %llu, found %d at %llu (%d rows)", i,
                     (unsigned long long)line->row, is_there,
                     (unsigned long long)found.row, found.rows);
        if (!is_known || offset != line->offset)
            fail_msg("line %zu: offset %llu, found %d at %llu", i,
                     (unsigned long long)line->offset, is_known,
                     (unsigned long long)offset);
    }
    return there;
}

static void
lines_that_read_the_same_are_told_apart(void **state)
{
    (void)state;
    struct world *world = world_new("/tmp");
    struct paper paper = {0};
    world->console = world_open_console(world, ROWS, COLS);
    size_t shown = 0;
    for (int step = 0; step < 6; step++) {
        fill(&paper, 200);
        print(world, &paper, shown);
        shown = paper.bytes.len;
    }
    assert_true(check(world, &paper, 0) > 400);
    /* a later server, which replays it in large pieces */
    console_free(world->console);
    world->console = world_open_console(world, ROWS, COLS);
    world_wait_for_offset(world, paper.bytes.len);
    assert_true(check(world, &paper, 0) > 400);
    buffer_finish(&paper.bytes);
    assert_true(world_free(world));
}

static void
more_lines_than_stops_are_still_found(void **state)
{
    (void)state;
    struct world *world = world_new("/tmp");
    struct paper paper = {0};
    world->console = world_open_console(world, ROWS, COLS);
    /* so many bytes that the stops are thinned out more than once */
    struct buffer much = {0};
    char text[64];
    for (int i = 0; i < 600000; i++) {
        (void)snprintf(text, sizeof(text), "much more %d and more\r\n", i);
        buffer_append_text(&much, text);
    }
    assert_int_equal(write(world->log, much.data, much.len), much.len);
    world_wait_for_offset(world, much.len);
    buffer_append(&paper.bytes, much.data, much.len);
    paper.rows = 600000;
    fill(&paper, 800);
    print(world, &paper, much.len);
    assert_true(check(world, &paper, 0) > 400);
    buffer_finish(&much);
    buffer_finish(&paper.bytes);
    assert_true(world_free(world));
}

static void
a_line_whose_end_was_erased_is_found(void **state)
{
    (void)state;
    struct world *world = world_new("/tmp");
    world->console = world_open_console(world, ROWS, COLS);
    static const char text[] =
        "boot\r\n"
        "[ *** ] a job runs for ever\r\x1b[K[ OK ] it\r\n"
        "[ *** ] a job runs for ever\r\x1b[K[ OK ] it\r\n"
        "\x1b[31mred\x1b[m\r\n"
        "prompt # ";
    world_print(world, text);
    world_wait_for_offset(world, sizeof(text) - 1);
    struct place_line found = {0};
    static const char *const starts[] = {"boot", "[ ***", NULL, "\x1b[31m",
                                         "prompt"};
    uint64_t offset = 0;
    for (size_t i = 0; i < 5; i++) {
        const char *at =
            starts[i] ? strstr(text, starts[i]) : strstr(text + 10, "[ ***");
        uint64_t wanted = (uint64_t)(at - text);
        assert_true(place_find_row(world->console, wanted, &found));
        assert_int_equal(found.row, i);
        assert_true(place_find_offset(world->console, i, &offset));
        assert_int_equal(offset, wanted);
    }
    assert_false(place_find_row(world->console, sizeof(text) + 9, &found));
    assert_false(place_find_offset(world->console, 5, &offset));
    assert_false(place_find_offset(world->console, 500, &offset));
    assert_true(world_free(world));
}

static void
a_cleared_screen_and_another_width_do_not_mislead(void **state)
{
    (void)state;
    struct world *world = world_new("/tmp");
    world->console = world_open_console(world, ROWS, COLS);
    static const char text[] = "same\r\none\r\nsame\r\n\x1b[2J\x1b[Hsame\r\n"
                               "four\r\nsame";
    world_print(world, text);
    world_wait_for_offset(world, sizeof(text) - 1);
    console_resize(world->console, ROWS, 3);
    struct place_line found = {0};
    /* "same" takes two rows now */
    static const struct {
        size_t offset;
        uint64_t row;
    } wanted[] = {{0, 0}, {6, 2}, {11, 3}};
    for (size_t i = 0; i < 3; i++) {
        assert_true(place_find_row(world->console, wanted[i].offset, &found));
        assert_int_equal(found.row, wanted[i].row);
    }
    assert_true(place_find_row(world->console,
                               (uint64_t)(strrchr(text, 's') - text), &found));
    struct line_reader reader = {.terminal = console_terminal(world->console)};
    struct line line;
    uint64_t top = terminal_history_dropped(reader.terminal) +
                   terminal_history_rows(reader.terminal);
    line_read(&reader, (int)(int64_t)(found.row - top), &line);
    assert_int_equal(line.bytes, 4);
    assert_int_equal(line.row + line.rows - 1,
                     terminal_cursor(reader.terminal).row);
    line_reader_finish(&reader);
    assert_true(world_free(world));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_read_the_same_are_told_apart),
        cmocka_unit_test(more_lines_than_stops_are_still_found),
        cmocka_unit_test(a_line_whose_end_was_erased_is_found),
        cmocka_unit_test(a_cleared_screen_and_another_width_do_not_mislead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
