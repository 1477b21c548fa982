#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "console/excerpt.h"
#include "server/api.h"
#include "server/buffers.h"
#include "server/server-internal.h"

#include <string.h>

/* Most rows of one console-text: reading them takes some ms. */
#define TEXT_MAX_ROWS 200000

/* An absolute row as terminal_read_row numbers it; what is far outside is put
 * right outside. */
static int
to_terminal_row(const struct terminal *terminal, int64_t row)
{
    int64_t screen = (int64_t)(terminal_history_dropped(terminal) +
                               terminal_history_rows(terminal));
    int64_t oldest = -(int64_t)terminal_history_rows(terminal);
    int64_t number = row - screen;
    if (number < oldest)
        number = oldest - 1;
    if (number > terminal_rows(terminal))
        number = terminal_rows(terminal);
    return (int)number;
}

/* What of the console is meant; false: too much, or nothing that exists. */
static bool
read_excerpt(struct terminal *terminal, const json_t *arguments,
             struct excerpt *excerpt, struct error *error)
{
    int64_t first = argument_integer(arguments, "first", 0);
    int64_t last = argument_integer(arguments, "last", 0);
    int newest = terminal_rows(terminal) - 1;
    int oldest = -(int)terminal_history_rows(terminal);
    *excerpt = (struct excerpt){
        .first = to_terminal_row(terminal, first),
        .last = to_terminal_row(terminal, last),
        .first_col = (int)argument_integer(arguments, "first-col", 0),
        .last_col =
            (int)argument_integer(arguments, "last-col", TERMINAL_MAX_COLS - 1),
        .is_block = argument_boolean(arguments, "block"),
    };
    if (last < first || excerpt->last < oldest || excerpt->first > newest)
        return error_set(error, ERROR_CODE_NOT_FOUND,
                         "the console has none of the rows from %lld to %lld",
                         (long long)first, (long long)last);
    /* rows that went take their part of the first one's columns along */
    if (excerpt->first < oldest && !excerpt->is_block)
        excerpt->first_col = 0;
    if (excerpt->first < oldest)
        excerpt->first = oldest;
    if (excerpt->last > newest && !excerpt->is_block)
        excerpt->last_col = TERMINAL_MAX_COLS - 1;
    if (excerpt->last > newest)
        excerpt->last = newest;
    if (excerpt->last - excerpt->first >= TEXT_MAX_ROWS)
        return error_set(error, ERROR_CODE_LIMIT,
                         "these are more than %d rows; take fewer at a time",
                         TEXT_MAX_ROWS);
    return true;
}

/* Keeps the text as argument "buffer" says; *ret_number: 0 for not at all. */
static bool
keep_text(struct request *request, const json_t *arguments,
          const struct buffer *text, int64_t *ret_number, struct error *error)
{
    const char *how = argument_string(arguments, "buffer");
    struct buffers *buffers = request_server(request)->buffers;
    struct buffers_origin origin = {
        .from = argument_string(arguments, "guest"),
        .now_ms = clock_wall_ms(),
    };
    const char *bytes = text->data ? text->data : "";
    *ret_number = 0;
    if (!how)
        return true;
    if (strcmp(how, "new") == 0)
        *ret_number = buffers_add(buffers, bytes, text->len, &origin, error);
    else if (strcmp(how, "append") == 0)
        *ret_number = buffers_append(buffers, bytes, text->len, &origin, error);
    else
        error_set(error, ERROR_CODE_INVALID,
                  "argument 'buffer' is neither \"new\" nor \"append\"");
    return *ret_number != 0;
}

static bool
run_text(struct request *request, const json_t *arguments, struct error *error)
{
    size_t index = 0;
    struct guest *guest = registry_find_console(
        request_server(request), argument_string(arguments, "guest"), &index,
        error);
    if (!guest)
        return false;
    struct terminal *terminal = console_terminal(guest_console(guest, index));
    struct excerpt excerpt;
    if (!read_excerpt(terminal, arguments, &excerpt, error))
        return false;
    struct buffer text = {0};
    size_t lines = 0;
    int64_t number = 0;
    bool ok = excerpt_render(terminal, &excerpt, BUFFERS_TEXT_MAX_BYTES, &text,
                             &lines);
    if (!ok)
        error_set(error, ERROR_CODE_LIMIT,
                  "these rows have more than %zu MiB of text; take fewer at a "
                  "time",
                  BUFFERS_TEXT_MAX_BYTES >> 20);
    ok = ok && keep_text(request, arguments, &text, &number, error);
    if (ok) {
        json_int_t screen = (json_int_t)terminal_history_dropped(terminal);
        screen += (json_int_t)terminal_history_rows(terminal);
        json_int_t first = screen + (json_int_t)excerpt.first;
        json_int_t last = screen + (json_int_t)excerpt.last;
        json_t *answer =
            json_pack("{s:o,s:I,s:I,s:I}", "text",
                      json_from_bytes(text.data ? text.data : "", text.len),
                      "lines", (json_int_t)lines, "first", first, "last", last);
        if (number)
            json_object_set_new(answer, "buffer", json_integer(number));
        request_return(request, answer);
    }
    buffer_finish(&text);
    return ok;
}

static const struct method methods[] = {
    {
        .name = "console-text",
        .summary = "The text between two places of a console's rows, as a "
                   "selection copies it",
        .flags = METHOD_READS,
        .arguments =
            {
                {"guest", ARGUMENT_STRING, ARGUMENT_REQUIRED, 0, 0,
                 "The console: GUEST (its first one) or GUEST:CONSOLE"},
                {"first", ARGUMENT_INTEGER, ARGUMENT_REQUIRED, 0, INT64_MAX / 8,
                 "The first row, absolute"},
                {"last", ARGUMENT_INTEGER, ARGUMENT_REQUIRED, 0, INT64_MAX / 8,
                 "The last row, absolute"},
                {"first-col", ARGUMENT_INTEGER, 0, 0, TERMINAL_MAX_COLS,
                 "Where it begins in the first row; 0 by default"},
                {"last-col", ARGUMENT_INTEGER, 0, 0, TERMINAL_MAX_COLS,
                 "The last column of the last row; to its end by default"},
                {"block", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "The same columns of every row, and no rows are joined"},
                {"buffer", ARGUMENT_STRING, 0, 0, 0,
                 "Keep it too: as a \"new\" buffer, or \"append\" to the "
                 "newest"},
            },
        .run = run_text,
    },
};

const struct method_table methods_text = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
