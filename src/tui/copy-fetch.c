#include "base/xalloc.h"
#include "tui/copy-mode-internal.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"

#include <stdlib.h>
#include <string.h>

/* Rows asked for at a time: few at first, and more for a motion that goes on
 * and on. */
#define FETCH_MIN_ROWS 256
#define FETCH_MAX_ROWS 8192

void
copy_fetch_drop(struct copy_mode *copy)
{
    free(copy->fetched);
    free(copy->fetched_lines);
    copy->fetched = NULL;
    copy->fetched_lines = NULL;
    copy->fetched_count = 0;
    copy->is_fetching = false;
    copy->row_number = -1;
}

/* Cuts the text into the rows' lines. */
static void
take_text(struct copy_mode *copy, const char *text, int64_t first)
{
    copy_fetch_drop(copy);
    copy->fetched = xstrdup(text);
    size_t capacity = 1;
    for (const char *at = text; *at; at++)
        capacity += *at == '\n';
    copy->fetched_lines = xcalloc(capacity, sizeof(char *));
    copy->fetched_first = first;
    char *rest = copy->fetched;
    while (rest)
        copy->fetched_lines[copy->fetched_count++] = strsep(&rest, "\n");
}

static void
on_text(void *user, json_t *value, const struct error *error)
{
    struct pane *pane = user;
    struct copy_mode *copy = pane->copy;
    const char *text = json_string_value(json_object_get(value, "text"));
    pane->fetches_pending--;
    /* left meanwhile, or another one is the one that counts */
    if (!copy || !copy->is_fetching || pane->fetches_pending > 0)
        return;
    copy->is_fetching = false;
    if (!error && text)
        take_text(copy, text,
                  json_integer_value(json_object_get(value, "first")));
    /* it may have left the history meanwhile */
    if (copy_fetched_row(copy, copy->missing_row)) {
        copy_resume(copy);
    } else {
        copy->is_moving = false;
        copy->queued = 0;
    }
}

void
copy_fetch(struct copy_mode *copy, int64_t row)
{
    struct pane *pane = copy->pane;
    int64_t rows = FETCH_MIN_ROWS;
    for (unsigned i = 0; i < copy->misses && rows < FETCH_MAX_ROWS; i++)
        rows *= 2;
    copy->misses++;
    copy->missing_row = row;
    if (!pane->deck->connection)
        return; /* copy mode is about to end */
    bool is_upward = row < copy->cursor.row;
    int64_t first = is_upward ? row - rows + 1 : row;
    int64_t last = is_upward ? row : row + rows - 1;
    if (first < copy_first_row(copy))
        first = copy_first_row(copy);
    copy->is_fetching = true;
    pane->fetches_pending++;
    connection_execute(pane->deck->connection, "console-text",
                       json_pack("{s:s,s:I,s:I,s:b}", "guest", pane->target,
                                 "first", (json_int_t)first, "last",
                                 (json_int_t)last, "block", 1),
                       on_text, pane);
}

const struct row_text *
copy_fetched_row(struct copy_mode *copy, int64_t row)
{
    int64_t index = row - copy->fetched_first;
    if (index < 0 || index >= (int64_t)copy->fetched_count)
        return NULL;
    if (row != copy->row_number) {
        struct mirror_run run = {.text = copy->fetched_lines[index]};
        struct mirror_row line = {.runs = &run, .run_count = 1};
        row_text_read(&copy->row, &line, copy->pane->view.cols);
        copy->row_number = row;
    }
    return &copy->row;
}
