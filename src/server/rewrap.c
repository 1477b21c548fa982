#include "server/rewrap.h"

#include "base/xalloc.h"
#include "console/line.h"

#include <stdlib.h>

void
rewrap_finish(struct rewrap *rewrap)
{
    free(rewrap->places);
    *rewrap = (struct rewrap){0};
}

static int64_t
oldest_row(const struct terminal *terminal)
{
    return -(int64_t)terminal_history_rows(terminal);
}

static uint64_t
absolute_row(const struct terminal *terminal, int row)
{
    return terminal_screen_top(terminal) + (uint64_t)(int64_t)row;
}

void
rewrap_note(struct rewrap *rewrap, struct terminal *terminal, int first_row,
            int rows)
{
    struct line_reader reader = {.terminal = terminal};
    struct line line = {0};
    rewrap->places =
        xreallocarray(rewrap->places, (size_t)rows, sizeof(*rewrap->places));
    rewrap->count = rows;
    rewrap->cols = terminal_cols(terminal);
    rewrap->top = absolute_row(terminal, first_row);
    for (int i = 0; i < rows; i++) {
        int row = first_row + i;
        rewrap->places[i] = (struct rewrap_place){0};
        if (row < oldest_row(terminal) || row >= terminal_rows(terminal))
            continue;
        if (!line.rows || row >= line.row + line.rows)
            line_read(&reader, row, &line);
        rewrap->places[i] = (struct rewrap_place){
            .line = line.id,
            .col = (int64_t)(row - line.row) * rewrap->cols,
        };
    }
    line_reader_finish(&reader);
}

bool
rewrap_is_due(const struct rewrap *rewrap, const struct terminal *terminal)
{
    return rewrap->count > 0 && rewrap->cols != terminal_cols(terminal);
}

/* Goes to the line of an id: the one that was read last, the next one, or
 * wherever it is. */
static bool
go_to_line(struct line_reader *reader, struct line *line, uint64_t id)
{
    if (!id)
        return false;
    if (line->rows && line->id == id)
        return true;
    int row = line->row + line->rows;
    if (line->rows && row < terminal_rows(reader->terminal)) {
        struct line next;
        line_read(reader, row, &next);
        if (next.id == id) {
            *line = next;
            return true;
        }
    }
    if (!line_find(reader->terminal, id, &row))
        return false;
    line_read(reader, row, line);
    return true;
}

bool
rewrap_find(const struct rewrap *rewrap, struct terminal *terminal,
            struct rewrap_row *ret_rows)
{
    struct line_reader reader = {.terminal = terminal};
    struct line line = {0};
    int cols = terminal_cols(terminal);
    bool is_there = false;
    for (int i = 0; i < rewrap->count; i++) {
        const struct rewrap_place *place = &rewrap->places[i];
        if (!go_to_line(&reader, &line, place->line)) {
            if (i == 0)
                break;
            ret_rows[i] = ret_rows[i - 1];
            continue;
        }
        is_there = true;
        int64_t row = place->col / cols;
        bool is_beyond = row >= line.rows; /* blanks at its end are gone */
        ret_rows[i] = (struct rewrap_row){
            .row = absolute_row(
                terminal, line.row + (is_beyond ? line.rows - 1 : (int)row)),
            .col = is_beyond ? 0 : (int)(place->col % cols),
        };
    }
    line_reader_finish(&reader);
    return is_there;
}
