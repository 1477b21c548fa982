/* replay ROWS COLS OFFSET... <RECORDING: what our emulator makes of a recorded
 * session at these offsets, cell by cell; for comparison with others.
 * replay ROWS COLS answer: the other end of a recording that is being made:
 * reads a program's output, writes what a terminal answers.
 *
 * An offset within a sequence or a character counts from its end on. Output
 * for each, rows without blank ends:
 *
 *     @ OFFSET ROW COLUMN        the cursor
 *     ROW TAB SGR TAB COLUMN TAB TEXT
 *
 * TEXT is a run of cells in one style with a unit separator behind each; the
 * right half of a wide character is an empty one. */

#include "base/buffer.h"
#include "console/terminal-internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES 4096
#define SEPARATOR '\037'

static bool
read_all(struct buffer *bytes)
{
    char piece[READ_BYTES];
    ssize_t len;
    while ((len = read(STDIN_FILENO, piece, sizeof(piece))) > 0)
        buffer_append(bytes, piece, (size_t)len);
    return len == 0;
}

static void
print_row(const struct terminal *terminal, int number)
{
    const struct row *row = terminal->grid->row[number];
    int cols = row_content_cols(row);
    char text[CELL_MAX_BYTES];
    char sgr[STYLE_SGR_BYTES];
    for (int col = 0; col < cols;) {
        uint32_t style = row->cells[col].style;
        style_to_sgr(cell_style(&terminal->pool, style), sgr);
        printf("%d\t%s\t%d\t", number, sgr, col);
        for (; col < cols && row->cells[col].style == style; col++) {
            size_t len =
                cell_text(&terminal->pool, row->cells[col].symbol, text);
            (void)fwrite(text, 1, len, stdout);
            (void)putchar(SEPARATOR);
        }
        (void)putchar('\n');
    }
}

static void
print_screen(const struct terminal *terminal, size_t offset)
{
    struct terminal_cursor cursor = terminal_cursor(terminal);
    printf("@\t%zu\t%d\t%d\n", offset, cursor.row, cursor.col);
    for (int row = 0; row < terminal->rows; row++)
        print_row(terminal, row);
}

/* Byte by byte at the end, so that it stops where nothing is under way. */
static size_t
feed(struct terminal *terminal, const struct buffer *bytes, size_t from,
     size_t to)
{
    if (to > bytes->len)
        to = bytes->len;
    if (to > from)
        terminal_write(terminal, bytes->data + from, to - from, 0);
    else
        to = from;
    while (to < bytes->len && !parser_is_idle(&terminal->parser))
        terminal_write(terminal, bytes->data + to++, 1, 0);
    return to;
}

static void
on_reply(void *data, const char *bytes, size_t len)
{
    (void)data;
    (void)fwrite(bytes, 1, len, stdout);
    (void)fflush(stdout);
}

static const struct terminal_handlers handlers = {.on_reply = on_reply};

static int
answer(struct terminal *terminal)
{
    char piece[READ_BYTES];
    ssize_t len;
    while ((len = read(STDIN_FILENO, piece, sizeof(piece))) > 0)
        terminal_write(terminal, piece, (size_t)len, TERMINAL_WRITE_LIVE);
    return len == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: replay ROWS COLS OFFSET... | answer\n");
        return 2;
    }
    struct terminal_config config = {.rows = atoi(argv[1]),
                                     .cols = atoi(argv[2]),
                                     .history_lines = 1000,
                                     .handlers = &handlers};
    struct terminal *terminal = terminal_new(&config);
    int status = 1;
    struct buffer bytes = {0};
    if (strcmp(argv[3], "answer") == 0) {
        status = answer(terminal);
    } else if (read_all(&bytes)) {
        size_t at = 0;
        for (int i = 3; i < argc; i++) {
            at = feed(terminal, &bytes, at, strtoul(argv[i], NULL, 10));
            print_screen(terminal, at);
        }
        status = 0;
    }
    buffer_finish(&bytes);
    terminal_free(terminal);
    return status;
}
