#include "cli/cast.h"

#include "base/json.h"
#include "base/utf8.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* Digits of a number of seconds: ms over 30 years. */
#define SECONDS_DIGITS 15

/* Steals value. */
static void
write_line(struct cast *cast, json_t *value)
{
    (void)json_dumpf(value, cast->file,
                     JSON_COMPACT | JSON_REAL_PRECISION(SECONDS_DIGITS));
    (void)fputc('\n', cast->file);
    json_decref(value);
}

void
cast_begin(struct cast *cast, FILE *file, const struct cast_header *header)
{
    *cast = (struct cast){
        .file = file,
        .start_ms = header->start_ms,
        .last_ms = header->start_ms,
        .cols = header->cols,
        .rows = header->rows,
    };
    json_t *value = json_pack(
        "{s:i,s:i,s:i,s:I,s:o,s:{s:s}}", "version", 2, "width", header->cols,
        "height", header->rows, "timestamp",
        (json_int_t)(header->start_ms / 1000), "title",
        json_from_text(header->title), "env", "TERM", "xterm-256color");
    if (header->idle_ms)
        json_object_set_new(value, "idle_time_limit",
                            json_real((double)header->idle_ms / 1000.0));
    write_line(cast, value);
}

/* data: stolen. */
static void
write_event(struct cast *cast, int64_t ms, const char *code, json_t *data)
{
    /* A clock that was set back is no reason to go back. */
    if (ms > cast->last_ms)
        cast->last_ms = ms;
    write_line(cast,
               json_pack("[f,s,o]",
                         (double)(cast->last_ms - cast->start_ms) / 1000.0,
                         code, data));
}

/* Valid UTF-8 from what is pending; the rest of a character stays. */
static void
take_text(struct buffer *pending, struct buffer *text)
{
    char encoded[4];
    size_t at = 0;
    while (at < pending->len) {
        uint32_t codepoint = 0;
        size_t taken =
            utf8_decode(pending->data + at, pending->len - at, &codepoint);
        if (taken == 0)
            break;
        buffer_append(text, encoded, utf8_encode(codepoint, encoded));
        at += taken;
    }
    buffer_consume(pending, at);
}

void
cast_output(struct cast *cast, int64_t ms, const char *bytes, size_t len)
{
    struct buffer text = {0};
    buffer_append(&cast->pending, bytes, len);
    take_text(&cast->pending, &text);
    if (text.len > 0)
        write_event(cast, ms, "o", json_stringn_nocheck(text.data, text.len));
    buffer_finish(&text);
}

void
cast_resize(struct cast *cast, int64_t ms, int cols, int rows)
{
    if (cols == cast->cols && rows == cast->rows)
        return;
    cast->cols = cols;
    cast->rows = rows;
    char *size = xasprintf("%dx%d", cols, rows);
    write_event(cast, ms, "r", json_string(size));
    free(size);
}

void
cast_marker(struct cast *cast, int64_t ms, const char *label)
{
    write_event(cast, ms, "m", json_from_text(label));
}

bool
cast_finish(struct cast *cast)
{
    if (cast->pending.len > 0)
        write_event(cast, 0, "o", json_string("\xEF\xBF\xBD"));
    buffer_finish(&cast->pending);
    return fflush(cast->file) == 0 && !ferror(cast->file);
}
