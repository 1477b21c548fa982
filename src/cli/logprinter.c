#include "cli/logprinter.h"

#include "base/json.h"
#include "base/text.h"
#include "cli/moment.h"
#include "cli/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What begins a line ------------------------------------------------------- */

/* Padded, so that columns stay columns: "2026-03-01 14:05:30.250  ", and with
 * "~" when it is not known so well. */
static void
print_time(int64_t from_ms, int64_t to_ms)
{
    char text[MOMENT_MAX_BYTES] = "";
    int64_t ms = from_ms ? from_ms : to_ms;
    if (ms)
        moment_format(ms, MOMENT_FULL, text);
    (void)printf("%-23s%c ", text, !ms || from_ms != to_ms ? '~' : ' ');
}

static void
print_name(const struct logprinter *printer)
{
    const char *name = printer->reader->target;
    (void)printf("%-*s | ", printer->name_cols, name);
}

static void
begin_line(struct logprinter *printer)
{
    if (printer->flags & LOGPRINTER_NAMES)
        print_name(printer);
    if (printer->flags & LOGPRINTER_TIMES)
        print_time(printer->first.from_ms, printer->first.to_ms);
}

/* JSON --------------------------------------------------------------------- */

static json_t *
new_object(const struct logprinter *printer, int64_t offset)
{
    json_t *value = json_object();
    json_object_set_new(value, "guest", json_from_text(printer->reader->guest));
    json_object_set_new(value, "console",
                        json_from_text(printer->reader->console));
    json_object_set_new(value, "offset", json_integer(offset));
    return value;
}

/* Steals value. One a line, on a terminal too. */
static void
print_object(json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (text)
        (void)puts(text);
    free(text);
    json_decref(value);
}

static void
print_json_line(struct logprinter *printer)
{
    const struct logreader_piece *first = &printer->first;
    json_t *value = new_object(printer, first->offset);
    int64_t ms = first->from_ms ? first->from_ms : first->to_ms;
    json_object_set_new(value, "time-ms", ms ? json_integer(ms) : json_null());
    if (first->from_ms != first->to_ms)
        json_object_set_new(value, "until-ms", json_integer(first->to_ms));
    json_object_set_new(
        value, "line",
        json_from_bytes(printer->line.data ? printer->line.data : "",
                        printer->line.len));
    print_object(value);
    buffer_reset(&printer->line);
}

/* Lines -------------------------------------------------------------------- */

void
logprinter_end_line(struct logprinter *printer)
{
    if (printer->is_in_line && printer->flags & LOGPRINTER_JSON)
        print_json_line(printer);
    else if (printer->is_in_line)
        (void)putchar('\n');
    printer->is_in_line = false;
    printer->has_start = false;
}

/* A piece in which at most one line ends, and perhaps the one before it, of
 * which the end was a \r that waited for what follows. */
static void
print_part(struct logprinter *printer, const struct logreader_piece *piece)
{
    if (!printer->has_start)
        printer->start = piece->offset;
    printer->has_start = true;
    buffer_reset(&printer->out);
    strip_feed(&printer->strip, piece->bytes, piece->len, &printer->out);
    const char *text = printer->out.data ? printer->out.data : "";
    size_t left = printer->out.len;
    while (left > 0) {
        const char *end = memchr(text, '\n', left);
        size_t len = end ? (size_t)(end - text) : left;
        if (!printer->is_in_line) {
            printer->is_in_line = true;
            printer->first = *piece;
            printer->first.offset = printer->start;
            if (!(printer->flags & LOGPRINTER_JSON))
                begin_line(printer);
        }
        if (printer->flags & LOGPRINTER_JSON)
            buffer_append(&printer->line, text, len);
        else
            (void)fwrite(text, 1, len, stdout);
        if (!end)
            return;
        logprinter_end_line(printer);
        text += len + 1;
        left -= len + 1;
        printer->has_start = left > 0;
        printer->start = piece->offset;
    }
}

static bool
is_line_end(char byte)
{
    return byte == '\n' || byte == '\r';
}

/* Part by part, so that each line's offset is known. */
static void
print_text(struct logprinter *printer, const struct logreader_piece *piece)
{
    struct logreader_piece part = *piece;
    for (size_t at = 0; at < piece->len; at += part.len) {
        size_t end = at;
        while (end < piece->len && !is_line_end(piece->bytes[end]))
            end++;
        part.bytes = piece->bytes + at;
        part.offset = piece->offset + (int64_t)at;
        part.len = (end < piece->len ? end + 1 : end) - at;
        print_part(printer, &part);
    }
}

/* Marks -------------------------------------------------------------------- */

static void
print_mark_text(struct logprinter *printer, const struct logreader_mark *mark)
{
    char when[MOMENT_MAX_BYTES];
    if (mark->kind == LOGREADER_BOOT)
        moment_format(mark->ms, MOMENT_DATE, when);
    if (printer->flags & LOGPRINTER_NAMES)
        print_name(printer);
    if (mark->kind == LOGREADER_BOOT)
        (void)printf("-- boot %s --\n", when);
    else
        (void)printf("-- %" PRId64 " bytes are missing: the log could not "
                     "grow --\n",
                     mark->bytes);
}

static void
print_mark_json(struct logprinter *printer, const struct logreader_mark *mark)
{
    json_t *value = new_object(printer, mark->offset);
    json_object_set_new(value, "time-ms", json_integer(mark->ms));
    if (mark->kind == LOGREADER_BOOT)
        json_object_set_new(value, "boot", json_true());
    else
        json_object_set_new(value, "missing", json_integer(mark->bytes));
    print_object(value);
}

static void
print_mark(struct logprinter *printer, const struct logreader_mark *mark)
{
    bool is_json = printer->flags & LOGPRINTER_JSON;
    bool is_shown =
        mark->kind == LOGREADER_GAP ||
        (mark->kind == LOGREADER_BOOT && (printer->has_printed || is_json));
    if (!is_shown || printer->flags & LOGPRINTER_RAW)
        return;
    logprinter_end_line(printer);
    if (is_json)
        print_mark_json(printer, mark);
    else
        print_mark_text(printer, mark);
}

void
logprinter_print(struct logprinter *printer,
                 const struct logreader_piece *piece)
{
    if (piece->mark.kind != LOGREADER_NO_MARK) {
        print_mark(printer, &piece->mark);
        return;
    }
    if (printer->flags & LOGPRINTER_RAW)
        (void)fwrite(piece->bytes, 1, piece->len, stdout);
    else
        print_text(printer, piece);
    printer->has_printed = true;
}

void
logprinter_finish(struct logprinter *printer)
{
    strip_finish(&printer->strip);
    buffer_finish(&printer->out);
    buffer_finish(&printer->line);
}
