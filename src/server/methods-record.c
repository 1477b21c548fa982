#include "base/base64.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "console/marks.h"
#include "console/times.h"
#include "server/api.h"
#include "server/server-internal.h"
#include "server/waiter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of a log in one answer. */
#define LOG_DEFAULT_BYTES 65536
#define LOG_MAX_BYTES (1 << 20)
/* Times in one answer. */
#define LOG_MAX_STAMPS 65536u
/* Marks of one kind in an answer: the newest. */
#define MARKS_MAX 4096u
/* Where a line's beginning is looked for. */
#define LINE_BYTES 65536u

/* A part of a log that was read. */
struct log_part {
    const char *bytes; /* borrowed */
    size_t len;
    uint64_t offset;
    uint64_t size; /* of the whole log */
};

static uint64_t
log_size(const struct console *console)
{
    struct stat info;
    if (stat(console_log_path(console), &info) < 0)
        return 0;
    return (uint64_t)info.st_size;
}

/* Marks -------------------------------------------------------------------- */

static json_t *
mark_json(const struct mark *mark)
{
    static const char *const kinds[] = {
        [MARKS_KIND_SIZE] = "size",
        [MARKS_KIND_BOOT] = "boot",
        [MARKS_KIND_GAP] = "gap",
    };
    json_t *value =
        json_pack("{s:s,s:I,s:I}", "kind", kinds[mark->kind], "offset",
                  (json_int_t)mark->offset, "ms", (json_int_t)mark->wall_ms);
    if (mark->kind == MARKS_KIND_SIZE) {
        json_object_set_new(value, "rows", json_integer(mark->rows));
        json_object_set_new(value, "cols", json_integer(mark->cols));
    } else if (mark->kind == MARKS_KIND_GAP) {
        json_object_set_new(value, "bytes",
                            json_integer((json_int_t)mark->bytes));
    }
    return value;
}

/* The marks of a kind, oldest first; when they are too many, the newest. */
static json_t *
list_marks(const struct marks *marks, enum marks_kind kind)
{
    const struct mark *items = NULL;
    json_t *list = json_array();
    size_t count = marks_list(marks, &items);
    size_t first = count;
    for (size_t kept = 0; first > 0 && kept < MARKS_MAX; first--)
        kept += items[first - 1].kind == kind;
    for (size_t i = first; i < count; i++) {
        if (items[i].kind == kind)
            json_array_append_new(list, mark_json(&items[i]));
    }
    return list;
}

/* The log ------------------------------------------------------------------ */

/* The times of what is answered, on their way. */
struct stamps {
    json_t *list; /* owned */
    uint64_t start;
    uint64_t end; /* what is behind has to wait for the next answer */
};

static bool
add_stamp(void *data, const struct times_span *span)
{
    struct stamps *stamps = data;
    uint64_t from = span->start > stamps->start ? span->start : stamps->start;
    if (from >= stamps->end)
        return false;
    if (json_array_size(stamps->list) == LOG_MAX_STAMPS) {
        stamps->end = from;
        return false;
    }
    json_t *stamp =
        json_pack("[I,I]", (json_int_t)from, (json_int_t)span->from_ms);
    if (span->to_ms != span->from_ms)
        json_array_append_new(stamp, json_integer(span->to_ms));
    json_array_append_new(stamps->list, stamp);
    return span->end < stamps->end;
}

/* The marks that lie among the bytes of an answer. */
static json_t *
list_marks_within(const struct marks *marks, uint64_t start, uint64_t end)
{
    const struct mark *items = NULL;
    json_t *list = json_array();
    size_t count = marks_list(marks, &items);
    size_t first = count;
    while (first > 0 && items[first - 1].offset >= start)
        first--;
    for (size_t i = first; i < count && items[i].offset < end; i++)
        json_array_append_new(list, mark_json(&items[i]));
    return list;
}

static void
return_log(struct request *request, const struct console *console,
           const struct log_part *part)
{
    struct buffer encoded = {0};
    struct stamps stamps = {
        .list = json_array(),
        .start = part->offset,
        .end = part->offset + part->len,
    };
    if (console_times(console) && part->len > 0)
        times_walk(console_times(console), part->offset, add_stamp, &stamps);
    base64_encode(part->bytes, (size_t)(stamps.end - stamps.start), &encoded);
    json_t *marks =
        list_marks_within(console_marks(console), stamps.start, stamps.end);
    request_return(request,
                   json_pack("{s:s,s:I,s:I,s:I,s:I,s:o,s:o}", "data",
                             encoded.data ? encoded.data : "", "offset",
                             (json_int_t)stamps.start, "next-offset",
                             (json_int_t)stamps.end, "start",
                             (json_int_t)console_log_start(console), "size",
                             (json_int_t)part->size, "times", stamps.list,
                             "marks", marks));
    buffer_finish(&encoded);
}

/* Reads a part of the log; answers the request. */
static void
answer_log(struct request *request, struct guest *guest, size_t index,
           uint64_t offset, int64_t max_bytes)
{
    struct error error = {0};
    const struct console *console = guest_console(guest, index);
    const char *path = console_log_path(console);
    uint64_t start = console_log_start(console);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0) {
        error_set_errno(&error, errno, "%s: cannot open the log %s",
                        guest_name(guest), path);
        if (fd >= 0)
            (void)close(fd);
        request_fail(request, &error);
        return;
    }
    char *bytes = xmalloc((size_t)max_bytes);
    struct log_part part = {
        .bytes = bytes,
        /* what was taken away reads as zeros */
        .offset = offset < start ? start : offset,
        .size = (uint64_t)info.st_size,
    };
    ssize_t got = 0;
    if (part.offset < part.size)
        got = pread(fd, bytes, (size_t)max_bytes, (off_t)part.offset);
    int errnum = errno;
    (void)close(fd);
    part.len = got > 0 ? (size_t)got : 0;
    if (got < 0) {
        error_set_errno(&error, errnum, "%s: cannot read the log %s",
                        guest_name(guest), path);
        request_fail(request, &error);
    } else {
        return_log(request, console, &part);
    }
    free(bytes);
}

static bool
run_log(struct request *request, const json_t *arguments, struct error *error)
{
    size_t index = 0;
    struct guest *guest = argument_console(request, arguments, &index, error);
    if (!guest)
        return false;
    int64_t offset = argument_integer(arguments, "offset", 0);
    int64_t max_bytes =
        argument_integer(arguments, "max-bytes", LOG_DEFAULT_BYTES);
    int64_t wait_ms = argument_integer(arguments, "wait-ms", 0);
    uint64_t size = log_size(guest_console(guest, index));
    uint64_t start = (uint64_t)offset;
    if (offset < 0)
        start = (uint64_t)-offset < size ? size - (uint64_t)-offset : 0;
    if (wait_ms && start >= size && guest_is_active(guest))
        waiter_add_log(request_server(request), request, guest, index, start,
                       max_bytes, wait_ms, answer_log);
    else
        answer_log(request, guest, index, start, max_bytes);
    return true;
}

/* Moments ------------------------------------------------------------------ */

/* The first line that begins at or behind offset. */
static uint64_t
line_at(const struct console *console, uint64_t offset)
{
    uint64_t start = console_log_start(console);
    if (offset <= start)
        return start;
    int fd = open(console_log_path(console),
                  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return offset;
    char *bytes = xmalloc(LINE_BYTES);
    ssize_t len = pread(fd, bytes, LINE_BYTES, (off_t)offset - 1);
    const char *end = len > 0 ? memchr(bytes, '\n', (size_t)len) : NULL;
    uint64_t line = end ? offset + (uint64_t)(end - bytes) : offset;
    free(bytes);
    (void)close(fd);
    return line;
}

static bool
take_span(void *data, const struct times_span *span)
{
    *(struct times_span *)data = *span;
    return false;
}

/* When the kept part begins and ends, and where it stood at the moments that
 * were asked for. */
static void
add_times(const struct console *console, const json_t *arguments, json_t *value)
{
    struct times *times = console_times(console);
    struct times_span first = {0};
    uint64_t start = console_log_start(console);
    int64_t since = argument_integer(arguments, "since-ms", -1);
    int64_t until = argument_integer(arguments, "until-ms", -1);
    if (times)
        times_walk(times, start, take_span, &first);
    int64_t first_ms = first.from_ms ? first.from_ms : first.to_ms;
    json_object_set_new(value, "first-ms", json_integer(first_ms));
    json_object_set_new(value, "last-ms",
                        json_integer(times ? times_last_ms(times) : 0));
    if (since >= 0) {
        uint64_t place = times ? times_find(times, since) : 0;
        json_object_set_new(value, "since-offset",
                            json_integer((json_int_t)line_at(console, place)));
    }
    if (until >= 0) {
        uint64_t place = times ? times_find(times, until + 1) : 0;
        json_object_set_new(
            value, "until-offset",
            json_integer((json_int_t)(place > start ? place : start)));
    }
}

static bool
run_record(struct request *request, const json_t *arguments,
           struct error *error)
{
    size_t index = 0;
    struct guest *guest = argument_console(request, arguments, &index, error);
    if (!guest)
        return false;
    const struct console *console = guest_console(guest, index);
    const struct marks *marks = console_marks(console);
    json_t *value =
        json_pack("{s:s,s:s,s:I,s:I,s:o,s:o,s:o}", "guest", guest_name(guest),
                  "console", guest_console_name(guest, index), "start",
                  (json_int_t)console_log_start(console), "size",
                  (json_int_t)log_size(console), "boots",
                  list_marks(marks, MARKS_KIND_BOOT), "sizes",
                  list_marks(marks, MARKS_KIND_SIZE), "gaps",
                  list_marks(marks, MARKS_KIND_GAP));
    add_times(console, arguments, value);
    request_return(request, value);
    return true;
}

static const struct method methods[] = {
    {
        .name = "console-log",
        .summary = "A part of a console's log",
        .flags = METHOD_READS,
        .arguments =
            {
                ARGUMENT_CONSOLE,
                {"offset", ARGUMENT_INTEGER, 0, -INT64_MAX, INT64_MAX,
                 "Where to begin, bytes; negative: from the end"},
                {"max-bytes", ARGUMENT_INTEGER, 0, 1, LOG_MAX_BYTES,
                 "65536 by default"},
                {"wait-ms", ARGUMENT_INTEGER, 0, 0, WAITER_MAX_TIMEOUT_MS,
                 "When there is nothing yet, wait so long for something"},
            },
        .run = run_log,
    },
    {
        .name = "console-record",
        .summary = "What is kept of a console: its boots, sizes, gaps, times",
        .flags = METHOD_READS,
        .arguments =
            {
                ARGUMENT_CONSOLE,
                {"since-ms", ARGUMENT_INTEGER, 0, 0, INT64_MAX / 2,
                 "Tell where the first line begins that was printed then or "
                 "later"},
                {"until-ms", ARGUMENT_INTEGER, 0, 0, INT64_MAX / 2,
                 "Tell where the log ended then"},
            },
        .run = run_record,
    },
};

const struct method_table methods_record = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
