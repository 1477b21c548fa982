#include "server/log-search.h"

#include "base/xalloc.h"
#include "console/pattern.h"
#include "console/plain.h"
#include "server/peer.h"
#include "server/search-text.h"
#include "server/server-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One read of the log. */
#define READ_BYTES ((size_t)64 << 10)
/* Where the lines before the first one are looked for. */
#define LEAD_BYTES ((uint64_t)32 << 10)

/* A line that may be told as one before another. */
struct kept_line {
    int64_t number;
    char *text; /* owned */
    size_t bytes;
};

struct log_search {
    uv_work_t work;
    struct server *server;   /* borrowed; the loop's thread */
    struct request *request; /* owned; NULL: cancelled */
    atomic_bool is_cancelled;
    char *path;              /* owned */
    struct pattern *pattern; /* owned; the worker's meanwhile */
    struct log_search_options options;
    struct error error;

    /* the worker's */
    struct plain plain;                        /* owned */
    json_t *lines;                             /* owned */
    struct kept_line kept[SEARCH_MAX_CONTEXT]; /* owned: a ring */
    uint64_t kept_count;                       /* ever */
    json_t *after;       /* borrowed: of the last match, while it lacks lines */
    uint64_t line_start; /* offset of the present line */
    uint64_t next;       /* where to go on */
    int64_t counted;     /* the line there */
    uint64_t start;      /* of what the log still has */
    uint64_t size;       /* of the log */
    int64_t number;      /* of the present line; 0 begins at the offset */
    size_t bytes;        /* of the answer so far */
    bool is_enough;      /* only lines behind the last match are wanted */
};

/* The worker's thread ------------------------------------------------------ */

static void
keep_line(struct log_search *search, const char *text, size_t bytes)
{
    size_t max = search->options.context_before;
    if (!max)
        return;
    struct kept_line *kept = &search->kept[search->kept_count++ % max];
    free(kept->text);
    *kept = (struct kept_line){
        .number = search->number,
        .text = xstrndup(text, bytes),
        .bytes = bytes,
    };
}

static json_t *
context_line(struct log_search *search, int64_t number, const char *text,
             size_t bytes)
{
    struct search_text shown;
    search_text_begin(&shown, text, bytes, 0);
    search->bytes += bytes;
    return json_pack("[I,o]", (json_int_t)number, search_text_end(&shown));
}

static json_t *
lines_before(struct log_search *search)
{
    json_t *array = json_array();
    size_t max = search->options.context_before;
    uint64_t count = search->kept_count < max ? search->kept_count : max;
    for (uint64_t i = search->kept_count - count; i < search->kept_count; i++) {
        const struct kept_line *kept = &search->kept[i % max];
        json_array_append_new(
            array, context_line(search, kept->number, kept->text, kept->bytes));
    }
    return array;
}

static void
tell_line(struct log_search *search, const char *text, size_t bytes,
          struct pattern_match match)
{
    struct search_text shown;
    json_t *matches = json_array();
    search_text_begin(&shown, text, bytes, match.start);
    do {
        json_t *at = search_text_match(&shown, &match);
        if (at)
            json_array_append_new(matches, json_pack("{s:o}", "at", at));
    } while (match.end > match.start &&
             json_array_size(matches) < SEARCH_MAX_MATCHES &&
             pattern_find(search->pattern, text, bytes, match.end, &match) &&
             match.end > match.start);
    json_t *line =
        json_pack("{s:I,s:I,s:o,s:o}", "number", (json_int_t)search->number,
                  "offset", (json_int_t)search->line_start, "text",
                  search_text_end(&shown), "matches", matches);
    search->bytes += bytes + 100;
    if (search->options.context_before)
        json_object_set_new(line, "before", lines_before(search));
    search->after = NULL;
    if (search->options.context_after) {
        search->after = json_array();
        json_object_set_new(line, "after", search->after);
    }
    json_array_append_new(search->lines, line);
}

/* Looks at a whole line; whether to go on. */
static bool
look_at_line(struct log_search *search, uint64_t end)
{
    const char *text = search->plain.line.data ? search->plain.line.data : "";
    size_t bytes = search->plain.line.len;
    struct pattern_match match;
    bool is_within = search->number >= 0 && !search->is_enough;
    bool is_found =
        is_within && pattern_find(search->pattern, text, bytes, 0, &match);
    if (search->after && !is_found) {
        json_array_append_new(
            search->after, context_line(search, search->number, text, bytes));
        if (json_array_size(search->after) == search->options.context_after)
            search->after = NULL;
    }
    if (is_found)
        tell_line(search, text, bytes, match);
    if (search->number < 0 || is_within)
        keep_line(search, text, bytes);
    if (is_within) {
        search->next = end;
        search->counted = search->number + 1;
        search->is_enough =
            json_array_size(search->lines) >= search->options.max_lines ||
            search->bytes >= SEARCH_MAX_BYTES ||
            end - search->options.offset >= LOG_SEARCH_MAX_BYTES ||
            pattern_has_overrun(search->pattern, NULL);
        search->number++;
        return !search->is_enough || search->after;
    }
    search->number++;
    return search->number <= 0 || !search->is_enough || search->after;
}

/* Reads lines from an offset up to a limit, numbered from `number` on; false
 * when nothing more is wanted. */
static bool
read_lines(struct log_search *search, int fd, uint64_t offset, uint64_t limit)
{
    char *bytes = xmalloc(READ_BYTES);
    bool goes_on = true;
    search->line_start = offset;
    while (goes_on && offset < limit && !atomic_load(&search->is_cancelled)) {
        size_t want = READ_BYTES;
        if (limit - offset < want)
            want = (size_t)(limit - offset);
        ssize_t got = pread(fd, bytes, want, (off_t)offset);
        if (got <= 0)
            break;
        for (size_t at = 0; goes_on && at < (size_t)got;) {
            bool is_done = false;
            at += plain_feed(&search->plain, bytes + at, (size_t)got - at,
                             &is_done);
            if (!is_done)
                continue;
            goes_on = look_at_line(search, offset + at);
            plain_next_line(&search->plain);
            search->line_start = offset + at;
        }
        offset += (uint64_t)got;
    }
    free(bytes);
    return goes_on;
}

/* Counts the lines of the part before the offset, to number them. */
static void
read_lead(struct log_search *search, int fd, uint64_t from)
{
    uint64_t offset = search->options.offset;
    if (from >= offset || !search->options.context_before)
        return;
    /* all of them are kept, then numbered from the end */
    search->number = INT64_MIN / 2;
    int64_t first = search->number;
    (void)read_lines(search, fd, from, offset);
    int64_t count = search->number - first;
    for (size_t i = 0; i < search->options.context_before; i++) {
        if (search->kept[i].text)
            search->kept[i].number += -first - count;
    }
    search->number = 0;
    buffer_reset(&search->plain.line);
    search->plain.at = 0;
}

static void
on_work(uv_work_t *work)
{
    struct log_search *search = work->data;
    int fd = open(search->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0) {
        error_set_errno(&search->error, errno, "cannot open the log %s",
                        search->path);
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    search->size = (uint64_t)info.st_size;
    uint64_t offset = search->options.offset;
    uint64_t lead = offset > LEAD_BYTES ? offset - LEAD_BYTES : 0;
    search->next = offset;
    read_lead(search, fd, lead > search->start ? lead : search->start);
    /* what comes meanwhile is another request's */
    if (read_lines(search, fd, offset, search->size)) {
        if (search->plain.line.len)
            (void)look_at_line(search, search->size);
        search->next = search->size;
    }
    (void)close(fd);
}

/* The loop's thread -------------------------------------------------------- */

static void
log_search_free(struct log_search *search)
{
    for (size_t i = 0; i < SEARCH_MAX_CONTEXT; i++)
        free(search->kept[i].text);
    pattern_free(search->pattern);
    plain_finish(&search->plain);
    json_decref(search->lines);
    free(search->path);
    free(search);
}

static void
on_cancel(void *data)
{
    struct log_search *search = data;
    struct error error = {0};
    struct request *request = search->request;
    search->request = NULL;
    atomic_store(&search->is_cancelled, true);
    error_set(&error, ERROR_CODE_IO, "the client went away");
    request_fail(request, &error);
}

static void
answer(struct log_search *search, struct request *request)
{
    json_t *value =
        json_pack("{s:O,s:I,s:I,s:I}", "lines", search->lines, "next-offset",
                  (json_int_t)search->next, "size", (json_int_t)search->size,
                  "next-number", (json_int_t)search->counted);
    search_tell_skipped(search->pattern, value);
    request_return(request, value);
}

static void
on_worked(uv_work_t *work, int status)
{
    struct log_search *search = work->data;
    struct request *request = search->request;
    search->server->log_search_count--;
    if (request) {
        request_on_cancel(request, NULL, NULL);
        if (status == 0 && !search->error.code)
            (void)pattern_has_overrun(search->pattern, &search->error);
        if (status == UV_ECANCELED)
            error_set(&search->error, ERROR_CODE_STATE,
                      "the server is stopping");
        if (search->error.code)
            request_fail(request, &search->error);
        else
            answer(search, request);
    }
    log_search_free(search);
}

bool
log_search_start(struct server *server, struct request *request,
                 const struct console *console,
                 const struct log_search_options *options, struct error *error)
{
    if (server->log_search_count >= LOG_SEARCH_MAX_RUNNING)
        return error_set(error, ERROR_CODE_LIMIT,
                         "%u logs are searched already; try again later",
                         LOG_SEARCH_MAX_RUNNING);
    struct pattern *pattern =
        pattern_new(options->pattern, options->pattern_flags, error);
    if (!pattern)
        return false;
    struct log_search *search = xcalloc(1, sizeof(*search));
    search->work.data = search;
    search->server = server;
    search->request = request;
    search->path = xstrdup(console_log_path(console));
    search->pattern = pattern;
    search->options = *options;
    search->options.pattern = NULL; /* the request's */
    search->start = console_log_start(console);
    if (search->options.offset < search->start)
        search->options.offset = search->start;
    search->lines = json_array();
    if (uv_queue_work(&server->loop, &search->work, on_work, on_worked) != 0) {
        log_search_free(search);
        return error_set(error, ERROR_CODE_INTERNAL, "no thread to search in");
    }
    server->log_search_count++;
    request_on_cancel(request, on_cancel, search);
    return true;
}
