#include "console/line.h"
#include "console/place.h"
#include "console/times.h"
#include "server/api.h"
#include "server/peer.h"
#include "server/server-internal.h"

/* Where a line of a console's log stands on the console, and back. */

static bool
take_span(void *data, const struct times_span *span)
{
    *(struct times_span *)data = *span;
    return false;
}

/* When the line at an offset was printed; 0: not known. */
static int64_t
printed_ms(const struct console *console, uint64_t offset)
{
    struct times_span span = {0};
    uint64_t text = place_text_offset(console, offset);
    if (console_times(console))
        times_walk(console_times(console), text, take_span, &span);
    return span.start <= text ? span.to_ms : 0;
}

/* The absolute row of the line of a number. */
static bool
find_line(struct terminal *terminal, uint64_t number, int64_t *ret_row)
{
    int row = 0;
    if (!line_find(terminal, number, &row))
        return false;
    *ret_row = (int64_t)terminal_screen_top(terminal) + row;
    return true;
}

static bool
run_place(struct request *request, const json_t *arguments, struct error *error)
{
    size_t index = 0;
    struct guest *guest = argument_console(request, arguments, &index, error);
    if (!guest)
        return false;
    int64_t given = argument_integer(arguments, "offset", -1);
    int64_t row = argument_integer(arguments, "row", -1);
    int64_t number = argument_integer(arguments, "line", -1);
    if ((given >= 0) + (row >= 0) + (number >= 0) != 1)
        return error_set(error, ERROR_CODE_INVALID,
                         "give 'offset', 'row' or 'line', one of them");
    struct console *console = guest_console(guest, index);
    struct terminal *terminal = console_terminal(console);
    if (number >= 0 && !find_line(terminal, (uint64_t)number, &row))
        return error_set(error, ERROR_CODE_NOT_FOUND,
                         "%s: the line is not in the scrollback any more",
                         guest_name(guest));
    uint64_t offset = (uint64_t)given;
    bool has_offset =
        given >= 0 || place_find_offset(console, (uint64_t)row, &offset);
    struct place_line line;
    json_t *value =
        json_pack("{s:I,s:I,s:i,s:i}", "dropped",
                  (json_int_t)terminal_history_dropped(terminal), "history",
                  (json_int_t)terminal_history_rows(terminal), "rows",
                  terminal_rows(terminal), "cols", terminal_cols(terminal));
    if (has_offset) {
        json_object_set_new(value, "offset", json_integer((json_int_t)offset));
        json_object_set_new(value, "at-ms",
                            json_integer(printed_ms(console, offset)));
    }
    if (has_offset && place_find_row(console, offset, &line))
        json_object_set_new(value, "line",
                            json_pack("{s:I,s:i,s:I}", "row",
                                      (json_int_t)line.row, "rows", line.rows,
                                      "line", (json_int_t)line.id));
    request_return(request, value);
    return true;
}

static const struct method methods[] = {
    {
        .name = "console-place",
        .summary = "Where a line of the log stands on the console, or in the "
                   "log one of the console's",
        .flags = METHOD_READS,
        .arguments =
            {
                ARGUMENT_CONSOLE,
                {"offset", ARGUMENT_INTEGER, 0, 0, INT64_MAX,
                 "Where the line begins in the log"},
                {"row", ARGUMENT_INTEGER, 0, 0, INT64_MAX,
                 "A row of the line: its absolute number"},
                {"line", ARGUMENT_INTEGER, 0, 0, INT64_MAX,
                 "The line's number, from console-search"},
            },
        .run = run_place,
    },
};

const struct method_table methods_place = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
