#include "base/utf8.h"
#include "base/xalloc.h"
#include "client/mirror.h"
#include "console/terminal.h"
#include "server/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A terminal, what the server knows of a client, and that client's mirror. */
struct fixture {
    struct terminal *terminal;
    struct frame_state state;
    struct mirror_view mirror;
    json_t *last; /* owned: the last frame's data, or NULL */
    int64_t frame;
};

static void
open_world(struct fixture *f, int rows, int cols, int view_rows, int view_cols)
{
    struct terminal_config config = {
        .rows = rows, .cols = cols, .history_lines = 200};
    *f = (struct fixture){.terminal = terminal_new(&config)};
    frame_state_init(&f->state, view_rows, view_cols);
    mirror_view_init(&f->mirror, view_rows, view_cols);
}

static void
close_world(struct fixture *f)
{
    terminal_free(f->terminal);
    frame_state_finish(&f->state);
    mirror_view_finish(&f->mirror);
    json_decref(f->last);
}

static void
print(struct fixture *f, const char *text)
{
    terminal_write(f->terminal, text, strlen(text), TERMINAL_WRITE_REPLAY);
}

/* The frame as its reader sees it; NULL when nothing changed. */
static json_t *
build_frame(struct frame_state *state, struct terminal *terminal)
{
    struct buffer text = {0};
    struct json_writer out = json_writer_begin(&text);
    json_writer_open_object(&out, NULL);
    bool has_changed = frame_write(state, terminal, &out);
    json_writer_close_object(&out);
    json_t *data =
        json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(data);
    buffer_finish(&text);
    if (has_changed)
        return data;
    json_decref(data);
    return NULL;
}

/* Builds a frame and applies it to the mirror, as bytes on the wire; false:
 * there was nothing to send. */
static bool
send_frame(struct fixture *f)
{
    json_decref(f->last);
    f->last = build_frame(&f->state, f->terminal);
    if (!f->last)
        return false;
    json_object_set_new(f->last, "frame", json_integer(++f->frame));
    char *text = json_dumps(f->last, JSON_COMPACT);
    assert_non_null(text);
    json_t *received = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(received);
    struct error error = {0};
    if (!mirror_view_apply(&f->mirror, received, &error))
        fail_msg("%s: %s", error.text, text);
    json_decref(received);
    free(text);
    return true;
}

/* How many rows the last frame had. */
static size_t
sent_rows(const struct fixture *f)
{
    return json_array_size(json_object_get(f->last, "rows"));
}

static int64_t
sent_shift(const struct fixture *f)
{
    return json_integer_value(json_object_get(f->last, "shift"));
}

/* --- comparing cell by cell ----------------------------------------------- */

struct cell {
    char text[48]; /* "" is a blank */
    uint32_t foreground;
    uint32_t background;
    uint32_t attributes;
    uint32_t underline_colour;
};

/* A wide character's second cell: no text that a cell can have. */
#define HALF "\001"

/* Puts a run's characters into cells, a wide one's second cell marked as HALF,
 * marks with their base; what a mirror does not keep is left out. */
static void
put_cells(struct cell *cells, int cols, int col, const char *text, size_t len,
          const struct cell *style)
{
    struct cell *base = NULL;
    int marks = 0;
    for (size_t at = 0; at < len;) {
        uint32_t codepoint = 0;
        size_t bytes = utf8_decode(text + at, len - at, &codepoint);
        assert_true(bytes > 0);
        int width = utf8_width(codepoint);
        if (width <= 0) {
            if (base && utf8_is_combining(codepoint) && marks++ < 7)
                strncat(base->text, text + at, bytes);
            at += bytes;
            continue;
        }
        if (col + width > cols)
            return;
        base = &cells[col];
        marks = 0;
        *base = *style;
        memcpy(base->text, text + at, bytes);
        base->text[bytes] = '\0';
        if (width == 2) {
            cells[col + 1] = *style;
            strcpy(cells[col + 1].text, HALF);
        }
        col += width;
        at += bytes;
    }
}

static void
blank_cells(struct cell *cells, int cols)
{
    memset(cells, 0, (size_t)cols * sizeof(*cells));
}

/* A blank without a style is as good as nothing. */
static void
normalise(struct cell *cells, int cols)
{
    for (int i = 0; i < cols; i++) {
        if (!strcmp(cells[i].text, " "))
            cells[i].text[0] = '\0';
    }
}

/* The columns of the terminal's row that the view shows; half a character at
 * its left edge is none. */
static void
take_columns(struct fixture *f, const struct cell *whole, int cols,
             struct cell *cells)
{
    int first = f->state.first_col;
    blank_cells(cells, f->state.cols);
    for (int i = 0; i < f->state.cols && first + i < cols; i++)
        cells[i] = whole[first + i];
    if (first > 0 && !strcmp(cells[0].text, HALF))
        cells[0] = (struct cell){0};
    int last = f->state.cols - 1;
    bool is_cut =
        first + last + 1 < cols && !strcmp(whole[first + last + 1].text, HALF);
    if (is_cut)
        cells[last] = (struct cell){0};
    normalise(cells, f->state.cols);
}

/* The row of the terminal, as wide as the view. */
static void
read_terminal(struct fixture *f, int row, struct cell *cells)
{
    int cols = terminal_cols(f->terminal);
    struct terminal_run *runs = xcalloc((size_t)cols, sizeof(*runs));
    struct cell *whole = xcalloc((size_t)cols + 1, sizeof(*whole));
    if (row < terminal_rows(f->terminal)) {
        size_t count =
            terminal_read_row(f->terminal, row, runs, (size_t)cols, NULL);
        for (size_t i = 0; i < count; i++) {
            const struct style *style = &runs[i].style;
            struct cell cell = {
                .foreground = style->foreground,
                .background = style->background,
                .attributes = style->attributes,
                .underline_colour = style->underline_colour,
            };
            put_cells(whole, cols, runs[i].col, runs[i].text, runs[i].bytes,
                      &cell);
        }
    }
    take_columns(f, whole, cols, cells);
    free(whole);
    free(runs);
}

static void
read_mirror(const struct fixture *f, int row, struct cell *cells)
{
    const struct mirror_row *line = &f->mirror.lines[row];
    blank_cells(cells, f->state.cols);
    for (size_t i = 0; i < line->run_count; i++) {
        const struct mirror_run *run = &line->runs[i];
        struct cell cell = {
            .foreground = run->foreground,
            .background = run->background,
            .attributes = run->attributes,
            .underline_colour = run->underline_colour,
        };
        put_cells(cells, f->state.cols, run->col, run->text, strlen(run->text),
                  &cell);
    }
    normalise(cells, f->state.cols);
}

/* The terminal's row on top of the view. */
static int
first_row(const struct fixture *f)
{
    return f->state.scroll ? (int)-f->state.scroll : f->state.first_row;
}

static bool
is_same_cell(const struct cell *a, const struct cell *b)
{
    return !strcmp(a->text, b->text) && a->foreground == b->foreground &&
           a->background == b->background && a->attributes == b->attributes &&
           a->underline_colour == b->underline_colour;
}

/* The client knows which rows go on in the next one. */
static void
assert_same_wraps(struct fixture *f, int first, const char *when)
{
    size_t cols = (size_t)terminal_cols(f->terminal);
    struct terminal_run *runs = xcalloc(cols, sizeof(*runs));
    for (int row = 0; row < f->state.rows; row++) {
        unsigned flags = 0;
        if (first + row < terminal_rows(f->terminal))
            terminal_read_row(f->terminal, first + row, runs, cols, &flags);
        bool is_wrapped = flags & TERMINAL_ROW_WRAPPED;
        if (f->mirror.lines[row].is_wrapped != is_wrapped)
            fail_msg("%s: row %d is %swrapped for the client", when, row,
                     is_wrapped ? "not " : "");
    }
    free(runs);
}

/* The client shows what the terminal has. */
static void
assert_same(struct fixture *f, const char *when)
{
    int cols = f->state.cols;
    struct cell *want = xcalloc((size_t)cols, sizeof(*want));
    struct cell *have = xcalloc((size_t)cols, sizeof(*have));
    int first = first_row(f);
    for (int row = 0; row < f->state.rows; row++) {
        read_terminal(f, first + row, want);
        read_mirror(f, row, have);
        for (int col = 0; col < cols; col++) {
            if (!is_same_cell(&want[col], &have[col]))
                fail_msg("%s: row %d, column %d: \"%s\" %x %x %x, not \"%s\" "
                         "%x %x %x",
                         when, row, col, have[col].text, have[col].foreground,
                         have[col].background, have[col].attributes,
                         want[col].text, want[col].foreground,
                         want[col].background, want[col].attributes);
        }
    }
    free(want);
    free(have);
    assert_same_wraps(f, first, when);
    struct terminal_cursor cursor = terminal_cursor(f->terminal);
    int row = cursor.row - first;
    cursor.col -= f->state.first_col;
    bool is_inside =
        row >= 0 && row < f->state.rows && cursor.col >= 0 && cursor.col < cols;
    assert_int_equal(f->mirror.cursor_row, is_inside ? row : -1);
    if (is_inside) {
        assert_int_equal(f->mirror.cursor_col, cursor.col);
        assert_int_equal(f->mirror.is_cursor_visible, cursor.is_visible);
    }
    assert_int_equal(f->mirror.console_rows, terminal_rows(f->terminal));
    assert_int_equal(f->mirror.console_cols, terminal_cols(f->terminal));
    assert_int_equal(f->mirror.scroll, f->state.scroll);
    assert_int_equal(f->mirror.origin_row, f->state.first_row);
    assert_int_equal(f->mirror.origin_col, f->state.first_col);
    unsigned modes = terminal_modes(f->terminal);
    assert_int_equal(!!(f->mirror.modes & MIRROR_MODE_ALTERNATE_SCREEN),
                     !!(modes & TERMINAL_MODE_ALTERNATE_SCREEN));
    assert_int_equal(!!(f->mirror.modes & MIRROR_MODE_BRACKETED_PASTE),
                     !!(modes & TERMINAL_MODE_BRACKETED_PASTE));
}

static void
assert_row(struct fixture *f, int row, const char *text)
{
    struct cell cells[256];
    char line[1024] = "";
    read_mirror(f, row, cells);
    for (int col = 0; col < f->state.cols; col++) {
        if (strcmp(cells[col].text, HALF) != 0)
            strcat(line, cells[col].text[0] ? cells[col].text : " ");
    }
    size_t len = strlen(line);
    while (len && line[len - 1] == ' ')
        line[--len] = '\0';
    assert_string_equal(line, text);
}

/* --- what is sent --------------------------------------------------------- */

static void
first_frame_is_whole_and_the_next_one_is_none(void **state)
{
    (void)state;
    struct fixture f;
    open_world(&f, 5, 20, 5, 20);
    print(&f, "one\r\n\033[1;31mtwo\033[0m three");
    assert_true(send_frame(&f));
    assert_int_equal(sent_rows(&f), 5);
    assert_non_null(json_object_get(f.last, "size"));
    assert_non_null(json_object_get(f.last, "modes"));
    assert_non_null(json_object_get(f.last, "history"));
    assert_non_null(json_object_get(f.last, "scroll"));
    assert_non_null(json_object_get(f.last, "cursor"));
    assert_same(&f, "first");
    assert_row(&f, 0, "one");
    assert_row(&f, 1, "two three");
    assert_false(send_frame(&f));
    close_world(&f);
}

static void
only_changed_rows_are_sent(void **state)
{
    (void)state;
    struct fixture f;
    open_world(&f, 5, 20, 5, 20);
    print(&f, "one\r\ntwo\r\nthree");
    send_frame(&f);
    print(&f, "!");
    assert_true(send_frame(&f));
    assert_int_equal(sent_rows(&f), 1);
    assert_null(json_object_get(f.last, "size"));
    assert_null(json_object_get(f.last, "modes"));
    assert_null(json_object_get(f.last, "scroll"));
    assert_same(&f, "a character");
    print(&f, "\033[1;1H");
    assert_true(send_frame(&f));
    assert_int_equal(sent_rows(&f), 0);
    assert_same(&f, "cursor");
    print(&f, "\033[?2004h");
    assert_true(send_frame(&f));
    assert_int_equal(sent_rows(&f), 0);
    assert_same(&f, "mode");
    print(&f, "\033[?25l");
    assert_true(send_frame(&f));
    assert_same(&f, "hidden cursor");
    close_world(&f);
}

static void
scrolling_is_a_shift(void **state)
{
    (void)state;
    struct fixture f;
    open_world(&f, 5, 20, 5, 20);
    print(&f, "1\r\n2\r\n3\r\n4\r\n5");
    send_frame(&f);
    print(&f, "\r\n6\r\n7");
    assert_true(send_frame(&f));
    assert_int_equal(sent_shift(&f), 2);
    assert_int_equal(sent_rows(&f), 2);
    assert_same(&f, "two lines");
    assert_row(&f, 0, "3");
    assert_row(&f, 4, "7");
    print(&f, "\r\n8\033[2;1Hchanged\033[5;2H");
    assert_true(send_frame(&f));
    assert_int_equal(sent_shift(&f), 1);
    assert_int_equal(sent_rows(&f), 2);
    assert_same(&f, "a line, and a change");
    print(&f, "\r\na\r\nb\r\nc\r\nd\r\ne\r\nf");
    assert_true(send_frame(&f));
    assert_same(&f, "more lines than there are");
    close_world(&f);
}

static void
scrolled_back_view_stays_while_output_comes(void **state)
{
    (void)state;
    struct fixture f;
    open_world(&f, 5, 20, 5, 20);
    for (int i = 1; i <= 30; i++) {
        char line[16];
        (void)snprintf(line, sizeof(line), "\r\n%d", i);
        print(&f, line);
    }
    send_frame(&f);
    assert_row(&f, 4, "30");
    frame_state_scroll(&f.state, f.terminal, 10);
    assert_true(send_frame(&f));
    assert_same(&f, "scrolled back");
    assert_row(&f, 0, "16");
    assert_row(&f, 4, "20");
    assert_int_equal(f.mirror.cursor_row, -1);
    for (int i = 31; i <= 150; i++) {
        char line[16];
        (void)snprintf(line, sizeof(line), "\r\n%d", i);
        print(&f, line);
        assert_true(send_frame(&f));
        assert_int_equal(sent_rows(&f), 0);
        assert_row(&f, 0, "16");
        assert_int_equal(f.mirror.scroll, 10 + i - 30);
    }
    /* at last its rows are dropped at the far end: the oldest are shown */
    for (int i = 151; i <= 400; i++) {
        char line[16];
        (void)snprintf(line, sizeof(line), "\r\n%d", i);
        print(&f, line);
    }
    assert_true(send_frame(&f));
    assert_same(&f, "dropped");
    assert_int_equal(f.mirror.scroll, f.mirror.history);
    frame_state_scroll(&f.state, f.terminal, 0);
    assert_true(send_frame(&f));
    assert_row(&f, 4, "400");
    assert_same(&f, "live again");
    /* beyond the oldest, and before the newest */
    frame_state_scroll(&f.state, f.terminal, INT64_MAX);
    assert_true(send_frame(&f));
    assert_int_equal(f.mirror.scroll, f.mirror.history);
    assert_same(&f, "oldest");
    frame_state_scroll(&f.state, f.terminal, INT64_MIN);
    assert_true(send_frame(&f));
    assert_int_equal(f.mirror.scroll, 0);
    assert_same(&f, "newest");
    close_world(&f);
}

/* A pinned view stays with its rows while they move up into the history. */
static void
pinned_view_stays_with_its_rows(void **state)
{
    (void)state;
    struct fixture f;
    open_world(&f, 5, 20, 5, 20);
    print(&f, "1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7");
    send_frame(&f);
    assert_int_equal(f.mirror.top, 2);
    assert_int_equal(f.mirror.dropped, 0);
    frame_state_pin(&f.state, 2);
    send_frame(&f);
    assert_row(&f, 0, "3");
    assert_int_equal(f.mirror.scroll, 0);
    print(&f, "\r\n8\r\n9");
    assert_true(send_frame(&f));
    assert_int_equal(sent_rows(&f), 0);
    assert_row(&f, 0, "3");
    assert_int_equal(f.mirror.scroll, 2);
    assert_int_equal(f.mirror.top, 2);
    assert_same(&f, "pinned");
    /* to the newest rows, and beyond: it goes no further, and stays pinned */
    frame_state_pin(&f.state, INT64_MAX);
    assert_true(send_frame(&f));
    assert_row(&f, 4, "9");
    assert_int_equal(f.mirror.top, 4);
    print(&f, "\r\n10");
    assert_true(send_frame(&f));
    assert_int_equal(f.mirror.top, 4);
    assert_int_equal(f.mirror.scroll, 1);
    assert_same(&f, "pinned to the newest");
    /* and what is live again is live */
    frame_state_scroll(&f.state, f.terminal, 0);
    assert_true(send_frame(&f));
    assert_row(&f, 4, "10");
    assert_same(&f, "live");
    /* dropped: the oldest ones are shown, and their numbers told */
    frame_state_pin(&f.state, 0);
    for (int i = 0; i < 300; i++)
        print(&f, "\r\nmore");
    assert_true(send_frame(&f));
    assert_int_equal(f.mirror.top, f.mirror.dropped);
    assert_int_equal(f.mirror.dropped + f.mirror.history, 306 - 1);
    assert_same(&f, "dropped");
    close_world(&f);
}

/* A console with more rows than the view can be pinned within its screen. */
static void
pinned_view_of_a_taller_console_stays_within_it(void **state)
{
    (void)state;
    struct fixture f;
    open_world(&f, 9, 20, 4, 20);
    print(&f, "1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n9");
    send_frame(&f);
    assert_int_equal(f.mirror.top, 5);
    frame_state_pin(&f.state, 3);
    assert_true(send_frame(&f));
    assert_row(&f, 0, "4");
    assert_same(&f, "in between");
    frame_state_pin(&f.state, 8);
    assert_true(send_frame(&f));
    assert_int_equal(f.mirror.top, 5);
    assert_same(&f, "at the end");
    close_world(&f);
}

static void
history_that_goes_takes_a_scrolled_view_to_live(void **state)
{
    (void)state;
    struct fixture f;
    open_world(&f, 3, 20, 3, 20);
    print(&f, "1\r\n2\r\n3\r\n4\r\n5\r\n6");
    frame_state_scroll(&f.state, f.terminal, 2);
    send_frame(&f);
    assert_row(&f, 0, "2");
    print(&f, "\033[3J\033[2J\033[Hnew");
    assert_true(send_frame(&f));
    assert_same(&f, "erased");
    close_world(&f);
}

/* --- sizes ---------------------------------------------------------------- */

static void
small_view_follows_the_cursor_no_further_than_it_has_to(void **state)
{
    (void)state;
    struct fixture f;
    open_world(&f, 24, 80, 5, 20);
    print(&f, "first\r\nsecond");
    send_frame(&f);
    assert_row(&f, 0, "first");
    assert_row(&f, 1, "second");
    assert_int_equal(f.mirror.cursor_row, 1);
    for (int i = 3; i <= 24; i++) {
        char line[16];
        (void)snprintf(line, sizeof(line), "\r\n%d", i);
        print(&f, line);
    }
    send_frame(&f);
    assert_row(&f, 0, "20");
    assert_row(&f, 4, "24");
    assert_same(&f, "bottom");
    print(&f, "\033[A");
    assert_true(send_frame(&f));
    assert_row(&f, 0, "20");
    assert_int_equal(f.mirror.cursor_row, 3);
    print(&f, "\033[10;1H");
    assert_true(send_frame(&f));
    assert_row(&f, 0, "10");
    assert_int_equal(f.mirror.cursor_row, 0);
    assert_same(&f, "up");
    print(&f, "\033[24;1H\r\n25");
    assert_true(send_frame(&f));
    assert_row(&f, 4, "25");
    assert_same(&f, "down");
    close_world(&f);
}

static void
large_view_is_blank_beyond_the_console(void **state)
{
    (void)state;
    struct fixture f;
    open_world(&f, 4, 10, 8, 30);
    print(&f, "1\r\n2\r\n3\r\n4");
    send_frame(&f);
    assert_int_equal(sent_rows(&f), 8);
    assert_row(&f, 3, "4");
    assert_row(&f, 4, "");
    assert_same(&f, "larger");
    print(&f, "\r\n5\r\n6");
    assert_true(send_frame(&f));
    assert_int_equal(sent_shift(&f), 2);
    assert_same(&f, "scrolled");
    assert_row(&f, 3, "6");
    assert_row(&f, 4, "");
    frame_state_scroll(&f.state, f.terminal, 2);
    assert_true(send_frame(&f));
    assert_row(&f, 0, "1");
    assert_row(&f, 5, "6");
    assert_row(&f, 6, "");
    assert_int_equal(f.mirror.cursor_row, 5);
    assert_same(&f, "scrolled back");
    close_world(&f);
}

static void
wide_character_across_the_edge_is_left_out(void **state)
{
    (void)state;
    for (int cols = 1; cols <= 12; cols++) {
        struct fixture f;
        open_world(&f, 3, 12, 3, cols);
        print(&f,
              "a漢字漢字漢\r\n\033[7m漢\033[0m字e\xCC\x81x漢\r\n字字字字字字");
        send_frame(&f);
        assert_same(&f, "clipped");
        for (int row = 0; row < 3; row++) {
            const struct mirror_row *line = &f.mirror.lines[row];
            for (size_t i = 0; i < line->run_count; i++)
                assert_true(line->runs[i].col + line->runs[i].cols <= cols);
        }
        close_world(&f);
    }
}

static void
narrow_view_follows_the_cursor_and_comes_back(void **state)
{
    (void)state;
    struct fixture f;
    open_world(&f, 5, 40, 5, 10);
    print(&f, "0123456789abcdefghij\033[2;10H");
    send_frame(&f);
    assert_int_equal(f.mirror.cursor_row, 1);
    assert_int_equal(f.mirror.cursor_col, 9);
    assert_row(&f, 0, "0123456789");
    print(&f, "\033[2;11H");
    assert_true(send_frame(&f));
    assert_int_equal(f.mirror.origin_col, 5);
    assert_int_equal(f.mirror.cursor_col, 5);
    assert_row(&f, 0, "56789abcde");
    assert_same(&f, "to the right");
    print(&f, "\033[2;15H");
    assert_true(send_frame(&f));
    assert_int_equal(f.mirror.origin_col, 5);
    print(&f, "\033[2;40H");
    assert_true(send_frame(&f));
    assert_int_equal(f.mirror.origin_col, 30);
    assert_int_equal(f.mirror.cursor_col, 9);
    assert_same(&f, "the right edge");
    print(&f, "\r");
    assert_true(send_frame(&f));
    assert_int_equal(f.mirror.origin_col, 0);
    assert_row(&f, 0, "0123456789");
    assert_same(&f, "back");
    close_world(&f);
}

static void
panned_view_stays_until_it_follows_again(void **state)
{
    (void)state;
    struct fixture f;
    open_world(&f, 24, 80, 5, 20);
    for (int i = 1; i <= 24; i++) {
        char line[64];
        (void)snprintf(line, sizeof(line), "%s%02d-------10--------20---",
                       i > 1 ? "\r\n" : "", i);
        print(&f, line);
    }
    print(&f, "\r");
    send_frame(&f);
    assert_int_equal(f.mirror.origin_row, 19);
    frame_state_pan(&f.state, f.terminal, 2, 10);
    assert_true(send_frame(&f));
    assert_row(&f, 0, "0--------20---");
    assert_int_equal(f.mirror.cursor_row, -1);
    assert_same(&f, "panned");
    print(&f, "\033[3;11Hx\033[24;1H");
    assert_true(send_frame(&f));
    assert_row(&f, 0, "x--------20---");
    frame_state_pan(&f.state, f.terminal, 999, 999);
    assert_true(send_frame(&f));
    assert_int_equal(f.mirror.origin_row, 19);
    assert_int_equal(f.mirror.origin_col, 60);
    assert_same(&f, "as far as it goes");
    frame_state_pan(&f.state, f.terminal, 3, -1);
    assert_true(send_frame(&f));
    assert_int_equal(f.mirror.origin_col, 60);
    assert_true(frame_state_follow(&f.state));
    assert_false(frame_state_follow(&f.state));
    assert_true(send_frame(&f));
    assert_int_equal(f.mirror.origin_row, 19);
    assert_int_equal(f.mirror.origin_col, 0);
    assert_same(&f, "following");
    /* panned to where the cursor is anyway: it follows */
    frame_state_pan(&f.state, f.terminal, 1, 0);
    send_frame(&f);
    frame_state_pan(&f.state, f.terminal, 19, 0);
    send_frame(&f);
    print(&f, "\033[H");
    assert_true(send_frame(&f));
    assert_int_equal(f.mirror.origin_row, 0);
    /* one that shows all of the console has nowhere to go */
    frame_state_resize(&f.state, 30, 90);
    mirror_view_resize(&f.mirror, 30, 90);
    frame_state_pan(&f.state, f.terminal, 5, 5);
    assert_true(send_frame(&f));
    assert_int_equal(f.mirror.origin_row, 0);
    assert_int_equal(f.mirror.origin_col, 0);
    assert_same(&f, "larger");
    close_world(&f);
}

static void
wide_character_across_the_left_edge_is_left_out(void **state)
{
    (void)state;
    for (int col = 0; col <= 12; col++) {
        struct fixture f;
        open_world(&f, 3, 24, 3, 12);
        print(&f, "a漢字漢字漢字漢字漢字漢\r\n\033[7m漢\033[0m字e\xCC\x81x漢"
                  "e\xCC\x81\xCC\x81\r\n字字字字字字\033[41m字字");
        frame_state_pan(&f.state, f.terminal, 0, col);
        send_frame(&f);
        assert_int_equal(f.mirror.origin_col, f.state.first_col);
        assert_same(&f, "clipped");
        close_world(&f);
    }
}

static void
view_of_another_size_gets_everything_anew(void **state)
{
    (void)state;
    struct fixture f;
    open_world(&f, 5, 20, 5, 20);
    print(&f, "one\r\ntwo 6789012345678\r\nthree");
    send_frame(&f);
    static const int sizes[][2] = {{5, 10}, {2, 20}, {1, 1}, {9, 40}, {5, 20}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        frame_state_resize(&f.state, sizes[i][0], sizes[i][1]);
        mirror_view_resize(&f.mirror, sizes[i][0], sizes[i][1]);
        assert_true(send_frame(&f));
        assert_int_equal(sent_rows(&f), sizes[i][0]);
        assert_same(&f, "another size");
    }
    close_world(&f);
}

static void
console_of_another_size_is_told(void **state)
{
    (void)state;
    struct fixture f;
    open_world(&f, 5, 20, 5, 20);
    print(&f, "one\r\ntwo 6789012345678\r\nthree");
    send_frame(&f);
    static const int sizes[][2] = {{5, 10}, {2, 20}, {1, 2}, {9, 40}, {5, 20}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        terminal_resize(f.terminal, sizes[i][0], sizes[i][1]);
        assert_true(send_frame(&f));
        assert_non_null(json_object_get(f.last, "size"));
        assert_same(&f, "another size");
    }
    close_world(&f);
}

/* The text from a row that was told as moved on, up to len bytes. */
static void
assert_moved(const struct fixture *f, size_t index, const char *text)
{
    struct terminal_run runs[80];
    const json_t *moved =
        json_array_get(json_object_get(f->last, "moved"), index);
    assert_int_equal(json_array_size(moved), 2);
    int64_t col = json_integer_value(json_array_get(moved, 1));
    int64_t row = json_integer_value(json_array_get(moved, 0)) -
                  (int64_t)terminal_history_dropped(f->terminal) -
                  (int64_t)terminal_history_rows(f->terminal);
    assert_true(terminal_read_row(f->terminal, (int)row, runs, 80, NULL) > 0);
    assert_true((size_t)col + strlen(text) <= runs[0].bytes);
    assert_memory_equal(runs[0].text + col, text, strlen(text));
}

/* Rows of a scrolled view are found again at every width, in the history and on
 * the screen, also when the view itself got another size. */
static void
scrolled_view_stays_with_its_rows_at_another_width(void **state)
{
    (void)state;
    struct fixture f;
    open_world(&f, 6, 10, 6, 10);
    for (int i = 0; i < 40; i++) {
        char line[64];
        (void)snprintf(line, sizeof(line), "%02d-345678AB-DEFGHIJabcde\r\n", i);
        print(&f, line);
    }
    send_frame(&f);
    frame_state_pin(&f.state, 3 * 35 + 1); /* the second row of line 35 */
    assert_true(send_frame(&f));
    assert_row(&f, 0, "B-DEFGHIJa");
    assert_null(json_object_get(f.last, "moved"));
    static const int widths[] = {24, 7, 40, 10, 3, 10};
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
        int cols = widths[i];
        terminal_resize(f.terminal, 6, cols);
        if (i % 2) {
            frame_state_resize(&f.state, 6, cols);
            mirror_view_resize(&f.mirror, 6, cols);
        }
        assert_true(send_frame(&f));
        assert_int_equal(f.state.anchor, f.mirror.top);
        assert_int_equal(json_array_size(json_object_get(f.last, "moved")), 6);
        print_message("# %d columns\n", cols);
        if (i == 0) {
            assert_row(&f, 0, "35-345678A");
            assert_moved(&f, 0, "B-DEFGHIJabcde");
            assert_moved(&f, 1, "bcde");
            assert_moved(&f, 2, "36-345678A");
            assert_moved(&f, 5, "37-345678A");
        }
        assert_same(&f, "another width");
    }
    /* a view that is live has nothing to stay with */
    frame_state_scroll(&f.state, f.terminal, 0);
    send_frame(&f);
    terminal_resize(f.terminal, 6, 20);
    assert_true(send_frame(&f));
    assert_null(json_object_get(f.last, "moved"));
    close_world(&f);
}

/* --- any output ----------------------------------------------------------- */

static uint32_t
next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static int
between(uint32_t *seed, int low, int high)
{
    return low + (int)(next(seed) % (uint32_t)(high - low + 1));
}

static const char *const pieces[] = {
    "plain text",
    "\r\n",
    "\n",
    "\r",
    "\b",
    "\t",
    "漢字",
    "é",
    "e\xCC\x81",
    "😀",
    "\033[31m",
    "\033[0m",
    "\033[48;5;9m",
    "\033[38;2;1;2;3m",
    "\033[4:3m",
    "\033[58;5;3m",
    "\033[7m",
    "\033[J",
    "\033[1J",
    "\033[2J",
    "\033[3J",
    "\033[K",
    "\033[1K",
    "\033[2K",
    "\033[L",
    "\033[M",
    "\033[2P",
    "\033[3@",
    "\033[4X",
    "\033[S",
    "\033[2T",
    "\033M",
    "\033D",
    "\033E",
    "\033[A",
    "\033[B",
    "\033[C",
    "\033[D",
    "\033[H",
    "\033[3;5H",
    "\033[99;99H",
    "\033[2;4r",
    "\033[r",
    "\033[?1049h",
    "\033[?1049l",
    "\033[?7l",
    "\033[?7h",
    "\033[4h",
    "\033[4l",
    "\033[?25l",
    "\033[?25h",
    "\033[?2004h",
    "\033[?2004l",
    "\033[?5h",
    "\033[?5l",
    "\0337",
    "\0338",
    "\033c",
    "\033[9b",
    "\033#8",
    "\033(0lqk\033(B",
    "\033[?6h",
    "\033[?6l",
    "\033[6 q",
    "12345678901234567890123456789012345678901234567890",
};

static void
print_something(struct fixture *f, uint32_t *seed)
{
    int count = between(seed, 1, 12);
    for (int i = 0; i < count; i++) {
        size_t which = next(seed) % (sizeof(pieces) / sizeof(pieces[0]));
        print(f, pieces[which]);
    }
    if (between(seed, 0, 9) == 0) {
        char bytes[64];
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (char)next(seed);
        terminal_write(f->terminal, bytes, sizeof(bytes), 0);
    }
}

static void
change_something(struct fixture *f, uint32_t *seed)
{
    int rows = between(seed, 1, 14);
    int cols = between(seed, 2, 40);
    switch (between(seed, 0, 19)) {
    case 0:
        terminal_resize(f->terminal, rows, cols);
        break;
    case 1:
        frame_state_resize(&f->state, rows, cols);
        mirror_view_resize(&f->mirror, rows, cols);
        break;
    case 2:
    case 3:
        frame_state_scroll(&f->state, f->terminal, between(seed, 0, 40));
        break;
    case 4:
        frame_state_scroll(&f->state, f->terminal, 0);
        break;
    case 6:
        frame_state_pin(&f->state, (uint64_t)between(seed, 0, 300));
        break;
    case 5:
        terminal_reset(f->terminal);
        break;
    default:
        print_something(f, seed);
        break;
    }
}

static void
client_shows_what_the_terminal_has_whatever_happens(void **state)
{
    (void)state;
    for (uint32_t first = 1; first <= 400; first++) {
        uint32_t seed = first * 2654435761u;
        struct fixture f;
        open_world(&f, between(&seed, 1, 12), between(&seed, 2, 30),
                   between(&seed, 1, 12), between(&seed, 1, 30));
        for (int step = 0; step < 120; step++) {
            for (int i = between(&seed, 1, 4); i > 0; i--)
                change_something(&f, &seed);
            bool was_sent = send_frame(&f);
            char when[64];
            (void)snprintf(when, sizeof(when), "seed %u, step %d%s", first,
                           step, was_sent ? "" : ", nothing sent");
            assert_same(&f, when);
            assert_false(send_frame(&f));
        }
        close_world(&f);
    }
}

static void
rows_that_go_on_in_the_next_one_are_told(void **state)
{
    (void)state;
    struct fixture f;
    open_world(&f, 4, 10, 4, 10);
    print(&f, "0123456789ab\r\nshort");
    send_frame(&f);
    assert_true(f.mirror.lines[0].is_wrapped);
    assert_false(f.mirror.lines[1].is_wrapped);
    assert_false(f.mirror.lines[2].is_wrapped);
    /* the flag moves with its row, and goes with it */
    print(&f, "\r\n1\r\n2\r\n3");
    send_frame(&f);
    assert_same(&f, "scrolled");
    for (int row = 0; row < 4; row++)
        assert_false(f.mirror.lines[row].is_wrapped);
    frame_state_scroll(&f.state, f.terminal, 2);
    send_frame(&f);
    assert_true(f.mirror.lines[0].is_wrapped);
    close_world(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_frame_is_whole_and_the_next_one_is_none),
        cmocka_unit_test(only_changed_rows_are_sent),
        cmocka_unit_test(scrolling_is_a_shift),
        cmocka_unit_test(scrolled_back_view_stays_while_output_comes),
        cmocka_unit_test(pinned_view_stays_with_its_rows),
        cmocka_unit_test(pinned_view_of_a_taller_console_stays_within_it),
        cmocka_unit_test(history_that_goes_takes_a_scrolled_view_to_live),
        cmocka_unit_test(
            small_view_follows_the_cursor_no_further_than_it_has_to),
        cmocka_unit_test(large_view_is_blank_beyond_the_console),
        cmocka_unit_test(wide_character_across_the_edge_is_left_out),
        cmocka_unit_test(narrow_view_follows_the_cursor_and_comes_back),
        cmocka_unit_test(panned_view_stays_until_it_follows_again),
        cmocka_unit_test(wide_character_across_the_left_edge_is_left_out),
        cmocka_unit_test(view_of_another_size_gets_everything_anew),
        cmocka_unit_test(console_of_another_size_is_told),
        cmocka_unit_test(scrolled_view_stays_with_its_rows_at_another_width),
        cmocka_unit_test(rows_that_go_on_in_the_next_one_are_told),
        cmocka_unit_test(client_shows_what_the_terminal_has_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
