/* A terminal with hostile bytes: written in pieces, resized in between, every
 * row read, everything checked. FF in the input is followed by what to do:
 * bytes that mean something would make the input hard to change at random. */

#include "base/buffer.h"
#include "console/freezer.h"
#include "console/render.h"
#include "console/terminal-internal.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Sizes are kept small, so that edges are near. */
#define MOST_ROWS 12
#define MOST_COLS 40
#define HISTORY_LINES 60

static void
expect(bool is_true, const char *what)
{
    if (is_true)
        return;
    (void)fprintf(stderr, "%s\n", what);
    abort();
}

/* No answer may be a question: a guest that echoes would loop. */
static void
on_reply(void *data, const char *bytes, size_t len)
{
    size_t *replied = data;
    expect(len >= 3 && bytes[0] == '\033', "an odd answer");
    *replied += len;
}

static void
on_title(void *data, const char *title)
{
    (void)data;
    expect(strlen(title) <= 256, "a long title");
    for (; *title; title++)
        expect((unsigned char)*title >= 0x20 && *title != 0x7F,
               "a control in a title");
}

static const struct terminal_handlers handlers = {.on_reply = on_reply,
                                                  .on_title = on_title};

/* What rows were seen: a stamp that comes again must stand for the same. */
#define SEEN_COUNT 4096u
struct seen {
    struct terminal_row_stamp stamp;
    uint64_t content;
};

static uint64_t
hash(uint64_t value, const void *bytes, size_t len)
{
    const unsigned char *in = bytes;
    for (size_t i = 0; i < len; i++)
        value = (value ^ in[i]) * 0x100000001B3u;
    return value;
}

static void
see_row(struct terminal *terminal, struct seen *seen, int row)
{
    struct terminal_run runs[MOST_COLS];
    unsigned flags = 0;
    size_t count = terminal_read_row(terminal, row, runs, MOST_COLS, &flags);
    uint64_t content = hash(0xCBF29CE484222325u, &flags, sizeof(flags));
    for (size_t i = 0; i < count; i++) {
        content = hash(content, &runs[i].col, sizeof(runs[i].col));
        content = hash(content, &runs[i].cols, sizeof(runs[i].cols));
        content = hash(content, runs[i].text, runs[i].bytes);
        content = hash(content, &runs[i].style, sizeof(runs[i].style));
    }
    struct terminal_row_stamp stamp = terminal_row_stamp(terminal, row);
    struct seen *entry =
        &seen[hash(hash(0, &stamp.id, 8), &stamp.version, 8) % SEEN_COUNT];
    if (entry->stamp.id == stamp.id && entry->stamp.version == stamp.version)
        expect(entry->content == content, "a row changed, its stamp did not");
    *entry = (struct seen){.stamp = stamp, .content = content};
}

static void
see_rows(struct terminal *terminal, struct seen *seen)
{
    int rows = terminal_rows(terminal);
    for (int row = -(int)terminal_history_rows(terminal); row < rows; row++)
        see_row(terminal, seen, row);
}

static void
check_run(const struct terminal_run *run, int *col, int cols)
{
    expect(run->col >= *col, "runs out of order");
    expect(run->cols > 0 && run->bytes > 0, "an empty run");
    expect(run->style.reserved == 0, "a style with more than it has");
    *col = run->col + run->cols;
    expect(*col <= cols, "a run over the edge");
    for (size_t i = 0; i < run->bytes; i++)
        expect((unsigned char)run->text[i] >= 0x20 && run->text[i] != 0x7F,
               "a control in a row");
}

static void
read_rows(struct terminal *terminal)
{
    const char *fault = terminal_check(terminal);
    expect(!fault, fault);
    struct terminal_run runs[TERMINAL_MAX_COLS];
    int cols = terminal_cols(terminal);
    int rows = terminal_rows(terminal);
    for (int row = -(int)terminal_history_rows(terminal); row < rows; row++) {
        unsigned flags = 0;
        size_t count =
            terminal_read_row(terminal, row, runs, (size_t)cols, &flags);
        expect(count <= (size_t)cols, "more runs than columns");
        int col = 0;
        for (size_t i = 0; i < count; i++)
            check_run(&runs[i], &col, cols);
        struct terminal_row_stamp stamp = terminal_row_stamp(terminal, row);
        expect(stamp.id != 0, "a row without identity");
    }
    struct buffer out = {0};
    render_rows(terminal, -1000, 1000, RENDER_ANSI | RENDER_JOIN_WRAPPED, &out);
    buffer_finish(&out);
}

/* Compresses all of the history that can be. */
static void
freeze(struct freezer *freezer)
{
    freezer_tick(freezer);
    freezer_tick(freezer);
    while (freezer_work(freezer))
        ;
}

static void
do_something(struct terminal *terminal, struct freezer *freezer, uint8_t what,
             uint8_t rows, uint8_t cols)
{
    if (what & 0x40)
        freeze(freezer);
    switch (what % 4) {
    case 0:
    case 1:
        terminal_resize(terminal, rows % MOST_ROWS, cols % MOST_COLS);
        break;
    case 2:
        read_rows(terminal);
        break;
    default:
        terminal_reset(terminal);
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t replied = 0;
    struct terminal_config config = {.rows = data[0] % MOST_ROWS,
                                     .cols = data[1] % MOST_COLS,
                                     .history_lines = HISTORY_LINES,
                                     .handlers = &handlers,
                                     .data = &replied,
                                     .freezer = freezer_new()};
    struct terminal *terminal = terminal_new(&config);
    static struct seen seen[SEEN_COUNT];
    memset(seen, 0, sizeof(seen));
    for (size_t at = 2; at < size;) {
        if (data[at] == 0xFF && at + 4 <= size) {
            see_rows(terminal, seen);
            do_something(terminal, config.freezer, data[at + 1], data[at + 2],
                         data[at + 3]);
            see_rows(terminal, seen);
            at += 4;
            continue;
        }
        const uint8_t *stop = memchr(data + at + 1, 0xFF, size - at - 1);
        size_t len = stop ? (size_t)(stop - data) - at : size - at;
        /* in pieces: what is seen half-way counts too */
        for (size_t end = at + len; at < end;) {
            size_t piece = 1 + data[at] % 8u;
            piece = end - at < piece ? end - at : piece;
            terminal_write(terminal, (const char *)data + at, piece,
                           TERMINAL_WRITE_LIVE);
            at += piece;
            if (at % 4 == 0)
                see_rows(terminal, seen);
        }
    }
    read_rows(terminal);
    expect(replied <= TERMINAL_REPLY_BURST_BYTES + size, "too many answers");
    terminal_free(terminal);
    freezer_free(config.freezer);
    return 0;
}
