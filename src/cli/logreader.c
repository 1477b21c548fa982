#include "cli/logreader.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cli/guests.h"
#include "cli/moment.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Bytes asked for at once. */
#define CHUNK_BYTES (256 << 10)
/* What is looked through at first for the last N lines; more when they turn out
 * longer. */
#define BYTES_PER_LINE 256

/* Fetching ----------------------------------------------------------------- */

static json_t *
log_arguments(const struct logreader *reader, int64_t offset, int64_t wait_ms)
{
    return json_pack("{s:o,s:I,s:I,s:I}", "guest",
                     json_from_text(reader->target), "offset",
                     (json_int_t)offset, "max-bytes", (json_int_t)CHUNK_BYTES,
                     "wait-ms", (json_int_t)wait_ms);
}

/* Steals answer. */
static bool
take_answer(struct logreader *reader, json_t *answer, struct error *error)
{
    const char *data = guests_text(answer, "data");
    json_decref(reader->answer);
    reader->answer = answer;
    buffer_reset(&reader->bytes);
    reader->at = reader->stamp = reader->mark = 0;
    reader->offset = guests_number(answer, "offset");
    reader->size = guests_number(answer, "size");
    return base64_decode(data, strlen(data), &reader->bytes)
               ? true
               : error_set(error, ERROR_CODE_PROTOCOL,
                           "the server's answer holds no base64");
}

static bool
fetch(struct logreader *reader, struct error *error)
{
    json_t *answer = NULL;
    bool ok;
    if (reader->call)
        ok = session_finish(reader->session, reader->call,
                            SESSION_REPLY_TIMEOUT_MS, &answer, error);
    else
        ok = session_call(reader->session, "console-log",
                          log_arguments(reader, reader->offset, 0),
                          SESSION_REPLY_TIMEOUT_MS, &answer, error);
    reader->call = NULL;
    return ok && take_answer(reader, answer, error);
}

void
logreader_wait(struct logreader *reader, int64_t wait_ms)
{
    if (!reader->call)
        reader->call =
            session_begin(reader->session, "console-log",
                          log_arguments(reader, reader->offset, wait_ms));
}

bool
logreader_has_waited(const struct logreader *reader)
{
    return reader->call && session_call_is_done(reader->call);
}

/* Pieces ------------------------------------------------------------------- */

static void
read_mark(const json_t *value, struct logreader_mark *mark)
{
    const char *kind = guests_text(value, "kind");
    *mark = (struct logreader_mark){
        .kind = !strcmp(kind, "boot")   ? LOGREADER_BOOT
                : !strcmp(kind, "size") ? LOGREADER_SIZE
                : !strcmp(kind, "gap")  ? LOGREADER_GAP
                                        : LOGREADER_NO_MARK,
        .offset = guests_number(value, "offset"),
        .ms = guests_number(value, "ms"),
        .bytes = guests_number(value, "bytes"),
        .rows = (int)guests_number(value, "rows"),
        .cols = (int)guests_number(value, "cols"),
    };
}

/* The next mark that is known; false: there is none. */
static bool
peek_mark(struct logreader *reader, struct logreader_mark *mark)
{
    const json_t *marks = json_object_get(reader->answer, "marks");
    for (; reader->mark < json_array_size(marks); reader->mark++) {
        read_mark(json_array_get(marks, reader->mark), mark);
        if (mark->kind != LOGREADER_NO_MARK)
            return true;
    }
    return false;
}

static int64_t
number_at(const json_t *array, size_t index)
{
    return json_integer_value(json_array_get(array, index));
}

/* Gives the piece its time, and cuts it where another one begins. */
static void
add_time(struct logreader *reader, struct logreader_piece *piece)
{
    const json_t *stamps = json_object_get(reader->answer, "times");
    size_t count = json_array_size(stamps);
    while (reader->stamp + 1 < count &&
           number_at(json_array_get(stamps, reader->stamp + 1), 0) <=
               piece->offset)
        reader->stamp++;
    const json_t *stamp = json_array_get(stamps, reader->stamp);
    if (!stamp || number_at(stamp, 0) > piece->offset)
        return;
    piece->from_ms = piece->to_ms = number_at(stamp, 1);
    if (json_array_size(stamp) > 2)
        piece->to_ms = number_at(stamp, 2);
    if (reader->stamp + 1 == count)
        return;
    int64_t end = number_at(json_array_get(stamps, reader->stamp + 1), 0);
    if (end - piece->offset < (int64_t)piece->len)
        piece->len = (size_t)(end - piece->offset);
}

/* What is left of the last answer. */
static void
take_piece(struct logreader *reader, struct logreader_piece *piece)
{
    struct logreader_mark mark;
    *piece = (struct logreader_piece){
        .bytes = reader->bytes.data + reader->at,
        .len = reader->bytes.len - reader->at,
        .offset = reader->offset,
    };
    if (reader->end - reader->offset < (int64_t)piece->len)
        piece->len = (size_t)(reader->end - reader->offset);
    add_time(reader, piece);
    if (!peek_mark(reader, &mark))
        return;
    if (mark.offset <= piece->offset) {
        piece->mark = mark;
        piece->len = 0;
        reader->mark++;
    } else if (mark.offset - piece->offset < (int64_t)piece->len) {
        piece->len = (size_t)(mark.offset - piece->offset);
    }
}

bool
logreader_next(struct logreader *reader, struct logreader_piece *ret_piece,
               struct error *error)
{
    *ret_piece = (struct logreader_piece){.offset = reader->offset};
    if (reader->offset >= reader->end)
        return true;
    if (reader->at >= reader->bytes.len && !fetch(reader, error))
        return false;
    if (reader->bytes.len == 0 || reader->offset >= reader->end)
        return true;
    take_piece(reader, ret_piece);
    reader->at += ret_piece->len;
    reader->offset += (int64_t)ret_piece->len;
    return true;
}

/* The last lines ----------------------------------------------------------- */

/* Where the last count lines begin within the bytes; false when they begin
 * before. */
static bool
find_last_lines(const struct buffer *bytes, int64_t count, size_t *ret_at)
{
    size_t at = bytes->len;
    if (at && bytes->data[at - 1] == '\n')
        at--;
    while (at > 0) {
        if (bytes->data[at - 1] == '\n' && --count == 0) {
            *ret_at = at;
            return true;
        }
        at--;
    }
    return false;
}

/* Reads from to to the range's end, or what is there of it. */
static bool
read_span(struct logreader *reader, int64_t from, struct buffer *bytes,
          int64_t *ret_from, struct error *error)
{
    bool is_first = true;
    reader->offset = from;
    for (;;) {
        if (!fetch(reader, error))
            return false;
        if (is_first)
            *ret_from = reader->offset;
        is_first = false;
        int64_t left = reader->end - reader->offset;
        size_t len = reader->bytes.len;
        if (left < (int64_t)len)
            len = left > 0 ? (size_t)left : 0;
        buffer_append(bytes, reader->bytes.data, len);
        reader->offset += (int64_t)len;
        if (len == 0 || reader->offset >= reader->end ||
            reader->offset >= reader->size)
            return true;
    }
}

/* What was fetched is of no use any more. */
static void
go_to(struct logreader *reader, int64_t offset)
{
    buffer_reset(&reader->bytes);
    reader->at = 0;
    reader->offset = offset;
}

bool
logreader_seek_lines(struct logreader *reader, int64_t count,
                     struct error *error)
{
    int64_t first = reader->offset;
    int64_t end = reader->end < reader->size ? reader->end : reader->size;
    if (count == 0) {
        if (end > first)
            go_to(reader, end);
        return true;
    }
    for (int64_t span = count * BYTES_PER_LINE;; span *= 4) {
        struct buffer bytes = {0};
        int64_t from = end - span > first ? end - span : first;
        size_t at = 0;
        bool ok = read_span(reader, from, &bytes, &from, error);
        bool is_found = ok && find_last_lines(&bytes, count, &at);
        buffer_finish(&bytes);
        if (!ok)
            return false;
        if (!is_found && from > first && end - span > first)
            continue;
        go_to(reader, from + (int64_t)at);
        return true;
    }
}

/* Opening ------------------------------------------------------------------ */

bool
logreader_read_range(struct logreader_range *range, const struct options *given,
                     int64_t now_ms, struct error *error)
{
    *range = (struct logreader_range){
        .has_since = options_has(given, "since"),
        .has_until = options_has(given, "until"),
        .has_boot = options_has(given, "boot"),
        .boot = options_number(given, "boot"),
    };
    return (!range->has_since || moment_of_option(given, "since", now_ms,
                                                  &range->since_ms, error)) &&
           (!range->has_until || moment_of_option(given, "until", now_ms,
                                                  &range->until_ms, error)) &&
           (!range->has_since || !range->has_until ||
            moment_check_range(range->since_ms, range->until_ms, error));
}

static bool
take_boot(struct logreader *reader, const json_t *record, int64_t boot,
          struct error *error)
{
    const json_t *boots = json_object_get(record, "boots");
    int64_t count = (int64_t)json_array_size(boots);
    int64_t index = count - 1 + boot;
    if (count == 0 && boot == 0)
        return true;
    if (index < 0 || index >= count)
        return error_set(error, ERROR_CODE_NOT_FOUND,
                         "%s: there is no boot %" PRId64
                         "; its record knows %" PRId64 " (0 is the last)",
                         reader->target, boot, count);
    int64_t start =
        guests_number(json_array_get(boots, (size_t)index), "offset");
    if (index + 1 < count)
        reader->end =
            guests_number(json_array_get(boots, (size_t)index + 1), "offset");
    if (reader->end < reader->offset)
        return error_set(error, ERROR_CODE_NOT_FOUND,
                         "%s: boot %" PRId64
                         " is not in the log any more, which is kept within "
                         "its bound (log.max)",
                         reader->target, boot);
    if (start > reader->offset)
        reader->offset = start;
    return true;
}

/* The size that the console has where reading begins. */
static void
take_first_size(struct logreader *reader, const json_t *record)
{
    const json_t *sizes = json_object_get(record, "sizes");
    size_t index = 0;
    json_t *value = NULL;
    reader->first_size = (struct logreader_mark){.rows = 24, .cols = 80};
    json_array_foreach(sizes, index, value)
    {
        if (index > 0 && guests_number(value, "offset") > reader->offset)
            break;
        read_mark(value, &reader->first_size);
    }
}

static bool
take_record(struct logreader *reader, const json_t *record,
            const struct logreader_range *range, struct error *error)
{
    reader->guest = xstrdup(guests_text(record, "guest"));
    reader->console = xstrdup(guests_text(record, "console"));
    reader->offset = guests_number(record, "start");
    reader->size = guests_number(record, "size");
    reader->end = INT64_MAX;
    if (range->has_boot && !take_boot(reader, record, range->boot, error))
        return false;
    int64_t since = guests_number(record, "since-offset");
    int64_t until = guests_number(record, "until-offset");
    if (range->has_since && since > reader->offset)
        reader->offset = since;
    if (range->has_until && until < reader->end)
        reader->end = until;
    take_first_size(reader, record);
    return true;
}

bool
logreader_open(struct logreader *reader, struct session *session,
               const char *target, const struct logreader_range *range,
               struct error *error)
{
    json_t *record = NULL;
    json_t *arguments = json_pack("{s:o}", "guest", json_from_text(target));
    *reader = (struct logreader){.session = session, .target = xstrdup(target)};
    if (range->has_since)
        json_object_set_new(arguments, "since-ms",
                            json_integer(range->since_ms));
    if (range->has_until)
        json_object_set_new(arguments, "until-ms",
                            json_integer(range->until_ms));
    bool ok = session_call(session, "console-record", arguments,
                           SESSION_REPLY_TIMEOUT_MS, &record, error) &&
              take_record(reader, record, range, error);
    json_decref(record);
    return ok;
}

void
logreader_finish(struct logreader *reader)
{
    free(reader->target);
    free(reader->guest);
    free(reader->console);
    buffer_finish(&reader->bytes);
    json_decref(reader->answer);
    *reader = (struct logreader){0};
}
