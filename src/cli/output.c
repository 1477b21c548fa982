#include "cli/output.h"

#include "base/text.h"
#include "base/utf8.h"
#include "base/xalloc.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Blanks between two columns. */
#define COLUMN_GAP 2
/* The widest cell that is shown. */
#define CELL_MAX_COLS 200

void
output_json(const json_t *value)
{
    size_t flags = JSON_ENCODE_ANY;
    /* escaped, a guest's words cannot steer the terminal */
    flags |= isatty(STDOUT_FILENO) ? JSON_INDENT(2) | JSON_ENSURE_ASCII
                                   : JSON_COMPACT;
    (void)json_dumpf(value, stdout, flags);
    (void)putchar('\n');
}

void
output_line(const char *text)
{
    char *printable = text_printable(text, strlen(text), 0, TEXT_KEEP_LINES);
    (void)puts(printable);
    free(printable);
}

struct output_cell {
    char *text; /* owned; fit to show */
    enum output_style style;
};

struct output_table {
    size_t cols;
    size_t row_count;
    struct output_cell *cells; /* owned: row_count * cols, row-major */
};

struct output_table *
output_table_new(size_t cols)
{
    struct output_table *table = xcalloc(1, sizeof(*table));
    table->cols = cols;
    return table;
}

void
output_table_add(struct output_table *table, const char *const *cells)
{
    size_t used = table->row_count * table->cols;
    table->cells =
        xreallocarray(table->cells, used + table->cols, sizeof(*table->cells));
    for (size_t i = 0; i < table->cols; i++) {
        const char *cell = cells[i] ? cells[i] : "";
        table->cells[used + i] = (struct output_cell){
            .text = text_printable(cell, strlen(cell), CELL_MAX_COLS,
                                   TEXT_ONE_LINE),
            .style = table->row_count ? OUTPUT_PLAIN : OUTPUT_BOLD,
        };
    }
    table->row_count++;
}

void
output_table_style(struct output_table *table, size_t col,
                   enum output_style style)
{
    table->cells[(table->row_count - 1) * table->cols + col].style = style;
}

static size_t
cell_cols(const struct output_table *table, size_t row, size_t col)
{
    const char *cell = table->cells[row * table->cols + col].text;
    return utf8_text_cols(cell, strlen(cell));
}

static void
print_row(const struct output_table *table, size_t row, const size_t *widths)
{
    const struct output_cell *cells = &table->cells[row * table->cols];
    size_t last = table->cols;
    while (last > 0 && cells[last - 1].text[0] == '\0')
        last--;
    for (size_t col = 0; col < last; col++) {
        bool is_styled = cells[col].style != OUTPUT_PLAIN;
        (void)printf("%s%s%s", is_styled ? output_style(cells[col].style) : "",
                     cells[col].text,
                     is_styled ? output_style(OUTPUT_PLAIN) : "");
        if (col + 1 < last)
            (void)printf("%*s",
                         (int)(widths[col] - cell_cols(table, row, col)) +
                             COLUMN_GAP,
                         "");
    }
    (void)putchar('\n');
}

void
output_table_print(struct output_table *table)
{
    size_t *widths = xcalloc(table->cols, sizeof(*widths));
    for (size_t row = 0; row < table->row_count; row++) {
        for (size_t col = 0; col < table->cols; col++) {
            size_t cols = cell_cols(table, row, col);
            widths[col] = cols > widths[col] ? cols : widths[col];
        }
    }
    for (size_t row = 0; row < table->row_count; row++)
        print_row(table, row, widths);
    for (size_t i = 0; i < table->row_count * table->cols; i++)
        free(table->cells[i].text);
    free(table->cells);
    free(table);
    free(widths);
}

const char *
output_style(enum output_style style)
{
    static const char *const sequences[] = {
        [OUTPUT_PLAIN] = "\033[m",    [OUTPUT_BOLD] = "\033[1m",
        [OUTPUT_DIM] = "\033[2m",     [OUTPUT_GREEN] = "\033[32m",
        [OUTPUT_YELLOW] = "\033[33m", [OUTPUT_RED] = "\033[31m",
    };
    static_assert(sizeof(sequences) / sizeof(sequences[0]) ==
                      OUTPUT_STYLE_COUNT,
                  "every style has its sequence");
    const char *no_color = getenv("NO_COLOR"); /* no-color.org: if not empty */
    const char *term = getenv("TERM");
    if ((no_color && no_color[0]) || !term || strcmp(term, "dumb") == 0 ||
        !isatty(STDOUT_FILENO))
        return "";
    return sequences[style];
}

enum output_style
output_state_style(const char *state)
{
    static const struct {
        const char *state;
        enum output_style style;
    } table[] = {
        {"running", OUTPUT_GREEN},      {"starting", OUTPUT_YELLOW},
        {"paused", OUTPUT_YELLOW},      {"shutting-down", OUTPUT_YELLOW},
        {"crashed", OUTPUT_RED},        {"lost", OUTPUT_RED},
        {"io-error", OUTPUT_RED},       {"guest-panicked", OUTPUT_RED},
        {"internal-error", OUTPUT_RED}, {"defined", OUTPUT_DIM},
        {"stopped", OUTPUT_DIM},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(table[i].state, state) == 0)
            return table[i].style;
    }
    return OUTPUT_PLAIN;
}

bool
output_confirm(const char *question, bool is_default)
{
    if (!isatty(STDIN_FILENO))
        return is_default;
    /* where the operator sees it, whatever standard error is */
    FILE *terminal = fopen("/dev/tty", "r+e");
    if (!terminal)
        return is_default;
    char *printable =
        text_printable(question, strlen(question), 0, TEXT_KEEP_LINES);
    (void)fprintf(terminal, "%s [y/N] ", printable);
    (void)fflush(terminal);
    free(printable);
    char answer[64] = "";
    bool is_answered = fgets(answer, sizeof(answer), terminal) != NULL;
    (void)fclose(terminal);
    answer[strcspn(answer, "\n")] = '\0';
    return is_answered &&
           (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0);
}

bool
output_flush(void)
{
    return fflush(stdout) == 0 && !ferror(stdout);
}

bool
output_has_reader(void)
{
    struct pollfd pipe = {.fd = STDOUT_FILENO};
    return poll(&pipe, 1, 0) <= 0 || !(pipe.revents & POLLERR);
}
