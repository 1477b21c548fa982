#include "server/timeline.h"

#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "console/console.h"
#include "console/pattern.h"
#include "console/plain.h"
#include "console/times.h"
#include "fleet/alert-rules.h"
#include "server/journal.h"
#include "server/peer.h"
#include "server/search-text.h"
#include "server/server-internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Samples of one index that are looked at: a flood has 20 a second. */
#define MAX_SPANS 200000
/* Bytes read at once. */
#define READ_BYTES 65536u
/* Rows that are kept before the oldest are dropped, in limits. */
#define KEPT_LIMITS 4

struct source {
    char *guest;    /* owned */
    char *name;     /* owned: of the console */
    char *target;   /* owned: as people call the console */
    char *log_path; /* owned */
    uint64_t start;
    uint64_t end;
    bool is_anchor;           /* it has the line that rows are wanted around */
    struct times_span *spans; /* owned */
    size_t span_count;
    size_t span_capacity;
};

/* A line of a console, or a record. */
struct row {
    int64_t at_ms;
    size_t order;                /* among those of one time */
    const struct source *source; /* borrowed; NULL: a record */
    json_t *record;              /* owned reference */
    char *text;                  /* owned; fit to show */
    uint64_t offset;
    bool is_approximate; /* no server saw when it came */
};

struct timeline {
    struct timeline_options options;
    struct pattern *pattern; /* owned; NULL: none */
    char *records;           /* owned: the journal's lines; NULL: none */
    size_t records_len;
    json_t *guests;         /* owned: whose records; NULL: all */
    struct source *sources; /* owned */
    size_t source_count;
    struct row *rows; /* owned */
    size_t row_count;
    size_t row_capacity;
    size_t next_order;
    bool is_cut;     /* rows were dropped, or logs not read whole */
    int64_t from_ms; /* all rows from then on are there; 0: from the first */
    int64_t to_ms;   /* … and up to then; 0: to the last */
    struct error error;
    uv_work_t work;
    struct server *server;   /* borrowed */
    struct request *request; /* owned: answered exactly once */
};

struct timeline *
timeline_new(const struct timeline_options *options, struct error *error)
{
    struct timeline *timeline = xcalloc(1, sizeof(*timeline));
    timeline->options = *options;
    if (options->pattern) {
        timeline->pattern =
            pattern_new(options->pattern, options->pattern_flags, error);
        if (!timeline->pattern) {
            free(timeline);
            return NULL;
        }
    }
    timeline->options.pattern = NULL;
    return timeline;
}

static void
free_row(struct row *row)
{
    json_decref(row->record);
    free(row->text);
}

void
timeline_free(struct timeline *timeline)
{
    if (!timeline)
        return;
    pattern_free(timeline->pattern);
    free(timeline->records);
    json_decref(timeline->guests);
    for (size_t i = 0; i < timeline->source_count; i++) {
        free(timeline->sources[i].guest);
        free(timeline->sources[i].name);
        free(timeline->sources[i].target);
        free(timeline->sources[i].log_path);
        free(timeline->sources[i].spans);
    }
    for (size_t i = 0; i < timeline->row_count; i++)
        free_row(&timeline->rows[i]);
    free(timeline->sources);
    free(timeline->rows);
    free(timeline);
}

/* Rows --------------------------------------------------------------------- */

static int
compare_rows(const void *a, const void *b)
{
    const struct row *one = a;
    const struct row *two = b;
    if (one->at_ms != two->at_ms)
        return one->at_ms < two->at_ms ? -1 : 1;
    return (one->order > two->order) - (one->order < two->order);
}

/* Rows before a moment are not all there. */
static void
note_cut_before(struct timeline *timeline, int64_t at_ms)
{
    timeline->is_cut = true;
    if (at_ms > timeline->from_ms)
        timeline->from_ms = at_ms;
}

/* Those behind it are not. */
static void
note_cut_behind(struct timeline *timeline, int64_t at_ms)
{
    timeline->is_cut = true;
    if (!timeline->to_ms || at_ms < timeline->to_ms)
        timeline->to_ms = at_ms;
}

/* Whether a row stands before the place that rows are wanted around. */
static bool
is_before(const struct timeline *timeline, const struct row *row)
{
    const struct timeline_options *options = &timeline->options;
    if (row->at_ms != options->around_ms || !options->around_guest)
        return row->at_ms < options->around_ms;
    if (!row->source)
        return false;
    if (row->source->is_anchor)
        return row->offset < options->around_offset;
    /* sources are read in their order, and so rows of one moment stand */
    for (const struct source *other = row->source + 1;
         other < timeline->sources + timeline->source_count; other++) {
        if (other->is_anchor)
            return true;
    }
    return false;
}

/* Which rows stay: the first of so many. */
static size_t
first_wanted(const struct timeline *timeline)
{
    size_t extra = timeline->row_count - timeline->options.limit;
    size_t before = 0;
    if (timeline->options.wants_oldest)
        return 0;
    if (!timeline->options.around_ms)
        return extra;
    while (before < timeline->row_count &&
           is_before(timeline, &timeline->rows[before]))
        before++;
    size_t half = timeline->options.limit / 2;
    size_t first = before > half ? before - half : 0;
    return first < extra ? first : extra;
}

/* Sorts the rows and drops those beyond the limit. */
static void
settle(struct timeline *timeline)
{
    size_t limit = timeline->options.limit;
    struct row *rows = timeline->rows;
    if (timeline->row_count > 1)
        qsort(rows, timeline->row_count, sizeof(*rows), compare_rows);
    if (timeline->row_count <= limit)
        return;
    size_t first = first_wanted(timeline);
    if (first > 0)
        note_cut_before(timeline, rows[first].at_ms);
    if (first + limit < timeline->row_count)
        note_cut_behind(timeline, rows[first + limit - 1].at_ms);
    for (size_t i = 0; i < timeline->row_count; i++) {
        if (i < first || i >= first + limit)
            free_row(&rows[i]);
    }
    memmove(rows, rows + first, limit * sizeof(*rows));
    timeline->row_count = limit;
}

static void
add_row(struct timeline *timeline, const struct row *row)
{
    if (timeline->row_count == KEPT_LIMITS * timeline->options.limit)
        settle(timeline);
    if (timeline->row_count == timeline->row_capacity) {
        timeline->row_capacity = timeline->row_capacity * 2 + 256;
        timeline->rows = xreallocarray(timeline->rows, timeline->row_capacity,
                                       sizeof(*timeline->rows));
    }
    timeline->rows[timeline->row_count] = *row;
    timeline->rows[timeline->row_count++].order = timeline->next_order++;
}

void
timeline_add_journal(struct timeline *timeline, const struct journal *journal,
                     json_t *guests)
{
    timeline->records =
        journal_copy(journal, timeline->options.since_ms,
                     timeline->options.until_ms, &timeline->records_len);
    timeline->guests = guests;
}

/* Whether a text is wanted. */
static bool
passes(struct timeline *timeline, const char *text, size_t len)
{
    struct pattern_match match;
    return !timeline->pattern ||
           pattern_find(timeline->pattern, text, len, 0, &match);
}

/* Whether all is wanted that has this name. */
static bool
passes_by_name(struct timeline *timeline, const char *name)
{
    return timeline->options.has_names && timeline->pattern &&
           passes(timeline, name, strlen(name));
}

/* Whether the pattern takes too long. */
static bool
has_overrun(struct timeline *timeline)
{
    return timeline->pattern &&
           pattern_has_overrun(timeline->pattern, &timeline->error);
}

/* Sources ------------------------------------------------------------------ */

static bool
add_span(void *data, const struct times_span *span)
{
    struct source *source = data;
    if (source->span_count == source->span_capacity) {
        source->span_capacity = source->span_capacity * 2 + 64;
        source->spans = xreallocarray(source->spans, source->span_capacity,
                                      sizeof(*source->spans));
    }
    source->spans[source->span_count++] = *span;
    return span->end < source->end && source->span_count < MAX_SPANS;
}

/* The part of a log that is looked at. */
struct cut {
    uint64_t start;
    uint64_t end;
};

/* Leaves so much of a part that is too long as is around an offset. */
static void
cut_around(struct cut *cut, uint64_t offset)
{
    uint64_t half = TIMELINE_LOG_BYTES / 2;
    if (offset > cut->start + half)
        cut->start = offset - half < cut->end ? offset - half : cut->end;
    if (cut->end > half && offset < cut->end - half)
        cut->end = offset + half > cut->start ? offset + half : cut->start;
}

void
timeline_add_console(struct timeline *timeline, struct guest *guest,
                     size_t index)
{
    const struct console *console = guest_console(guest, index);
    const char *name = guest_console_name(guest, index);
    struct times *times = console_times(console);
    const struct timeline_options *options = &timeline->options;
    uint64_t start = console_log_start(console);
    uint64_t end = console_offset(console);
    if (!times)
        return;
    if (options->since_ms) {
        uint64_t since = times_find(times, options->since_ms);
        start = since > start ? since : start;
    }
    if (options->until_ms && options->until_ms < times_last_ms(times))
        end = times_find(times, options->until_ms + 1);
    if (end <= start)
        return;
    bool is_anchor =
        options->around_guest == guest && options->around_console == index;
    struct cut cut = {.start = start, .end = end};
    if (options->around_ms)
        cut_around(&cut, is_anchor ? options->around_offset
                                   : times_find(times, options->around_ms));
    else if (options->wants_oldest && end - start > TIMELINE_LOG_BYTES)
        cut.end = start + TIMELINE_LOG_BYTES;
    else if (end - start > TIMELINE_LOG_BYTES)
        cut.start = end - TIMELINE_LOG_BYTES;
    timeline->sources =
        xreallocarray(timeline->sources, timeline->source_count + 1,
                      sizeof(*timeline->sources));
    struct source *source = &timeline->sources[timeline->source_count++];
    *source = (struct source){
        .guest = xstrdup(guest_name(guest)),
        .name = xstrdup(name),
        .target = index ? xasprintf("%s:%s", guest_name(guest), name)
                        : xstrdup(guest_name(guest)),
        .log_path = xstrdup(console_log_path(console)),
        .start = cut.start,
        .end = cut.end,
        .is_anchor = is_anchor,
    };
    times_walk(times, cut.start, add_span, source);
    if (cut.start > start && source->span_count)
        note_cut_before(timeline, source->spans[0].to_ms);
    if (cut.end < end && source->span_count)
        note_cut_behind(timeline, source->spans[source->span_count - 1].to_ms);
}

/* In the thread ------------------------------------------------------------ */

/* One log being cut into lines. */
struct cutter {
    struct timeline *timeline;
    const struct source *source;
    struct plain plain; /* owned */
    uint64_t line;      /* where the line under way begins */
    size_t span;        /* the one that holds it */
    bool takes_all;     /* its name is what is looked for */
};

static void
take_line(struct cutter *cutter)
{
    struct timeline *timeline = cutter->timeline;
    const struct source *source = cutter->source;
    const struct buffer *line = &cutter->plain.line;
    /* firmware's sequences before it may be much older than the text */
    uint64_t text = cutter->line + cutter->plain.text_at;
    while (cutter->span < source->span_count &&
           source->spans[cutter->span].end <= text)
        cutter->span++;
    if (!line->len || cutter->span == source->span_count)
        return;
    const struct times_span *span = &source->spans[cutter->span];
    if (span->start > text || span->to_ms < timeline->options.since_ms ||
        (!cutter->takes_all && !passes(timeline, line->data, line->len)))
        return;
    struct row row = {
        .at_ms = span->to_ms,
        .source = source,
        .text = text_printable(line->data, line->len, TIMELINE_LINE_COLS,
                               TEXT_ONE_LINE),
        .offset = cutter->line,
        .is_approximate = span->from_ms != span->to_ms,
    };
    add_row(timeline, &row);
}

static void
cut_bytes(struct cutter *cutter, const char *bytes, size_t len, uint64_t offset)
{
    size_t at = 0;
    while (at < len) {
        bool is_done = false;
        at += plain_feed(&cutter->plain, bytes + at, len - at, &is_done);
        if (!is_done)
            continue;
        take_line(cutter);
        plain_next_line(&cutter->plain);
        cutter->line = offset + at;
    }
}

static void
read_source(struct timeline *timeline, const struct source *source)
{
    struct cutter cutter = {
        .timeline = timeline,
        .source = source,
        .line = source->start,
        .takes_all = passes_by_name(timeline, source->target),
    };
    int fd =
        open(source->log_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return; /* it was removed with its guest */
    char *bytes = xmalloc(READ_BYTES);
    uint64_t offset = source->start;
    while (offset < source->end && !has_overrun(timeline)) {
        size_t want = source->end - offset < READ_BYTES
                          ? (size_t)(source->end - offset)
                          : READ_BYTES;
        ssize_t got = pread(fd, bytes, want, (off_t)offset);
        if (got <= 0)
            break;
        cut_bytes(&cutter, bytes, (size_t)got, offset);
        offset += (uint64_t)got;
    }
    take_line(&cutter); /* one that has no end yet: a prompt */
    plain_finish(&cutter.plain);
    free(bytes);
    (void)close(fd);
}

static bool
passes_in(struct timeline *timeline, const json_t *record, const char *member)
{
    const char *text = json_string_value(json_object_get(record, member));
    return text && passes(timeline, text, strlen(text));
}

/* What people call the console that a record is about, or its guest. */
static const char *
target_of(const struct timeline *timeline, const json_t *record)
{
    const char *guest = json_string_value(json_object_get(record, "guest"));
    const char *name = json_string_value(json_object_get(record, "console"));
    for (size_t i = 0; guest && name && i < timeline->source_count; i++) {
        const struct source *source = &timeline->sources[i];
        if (!strcmp(source->guest, guest) && !strcmp(source->name, name))
            return source->target;
    }
    return guest ? guest : "";
}

/* Takes one record of the journal; stolen. */
static void
take_record(struct timeline *timeline, json_t *record)
{
    struct journal_query query = {
        .guests = timeline->guests,
        .severity = ALERT_UNSET,
    };
    struct row row = {
        .at_ms = json_integer_value(json_object_get(record, "at-ms")),
        .record = record,
    };
    if (json_is_object(record) && journal_fits(&query, record) &&
        (!timeline->pattern || passes_in(timeline, record, "text") ||
         passes_in(timeline, record, "line") ||
         passes_by_name(timeline, target_of(timeline, record))))
        add_row(timeline, &row);
    else
        json_decref(record);
}

static void
read_records(struct timeline *timeline)
{
    const char *at = timeline->records;
    const char *end = at ? at + timeline->records_len : NULL;
    while (at < end && !has_overrun(timeline)) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        take_record(timeline, json_loadb(at, (size_t)(stop - at),
                                         JSON_REJECT_DUPLICATES, NULL));
        at = stop + 1;
    }
}

static void
run_in_thread(uv_work_t *work)
{
    struct timeline *timeline = work->data;
    for (size_t i = 0; i < timeline->source_count && !timeline->error.code; i++)
        read_source(timeline, &timeline->sources[i]);
    /* after the lines of the same moment, which they may be about */
    read_records(timeline);
    settle(timeline);
}

/* The answer --------------------------------------------------------------- */

static json_t *
row_to_json(const struct row *row)
{
    if (row->record)
        return json_incref(row->record);
    json_t *object = json_pack(
        "{s:I,s:s,s:s,s:s,s:I,s:o}", "at-ms", (json_int_t)row->at_ms, "kind",
        "line", "guest", row->source->guest, "console", row->source->name,
        "offset", (json_int_t)row->offset, "text", json_from_text(row->text));
    if (row->is_approximate)
        json_object_set_new(object, "approximate", json_true());
    return object;
}

static void
on_done(uv_work_t *work, int status)
{
    struct timeline *timeline = work->data;
    timeline->server->timeline_count--;
    if (status != 0)
        error_set(&timeline->error, ERROR_CODE_STATE, "the server ends");
    if (timeline->error.code) {
        request_fail(timeline->request, &timeline->error);
        timeline_free(timeline);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < timeline->row_count; i++)
        json_array_append_new(rows, row_to_json(&timeline->rows[i]));
    json_t *value = json_pack(
        "{s:o,s:b,s:I,s:I}", "rows", rows, "cut", timeline->is_cut, "from-ms",
        (json_int_t)timeline->from_ms, "to-ms", (json_int_t)timeline->to_ms);
    if (timeline->pattern)
        search_tell_skipped(timeline->pattern, value);
    request_return(timeline->request, value);
    timeline_free(timeline);
}

void
timeline_start(struct timeline *timeline, struct server *server,
               struct request *request)
{
    struct error error = {0};
    timeline->server = server;
    timeline->request = request;
    timeline->work.data = timeline;
    if (server->timeline_count >= TIMELINE_MAX_RUNNING)
        error_set(&error, ERROR_CODE_LIMIT,
                  "%d timelines are being made already; try again",
                  TIMELINE_MAX_RUNNING);
    else if (uv_queue_work(&server->loop, &timeline->work, run_in_thread,
                           on_done) != 0)
        error_set(&error, ERROR_CODE_IO, "no thread can be had");
    if (!error.code) {
        server->timeline_count++;
        return;
    }
    request_fail(request, &error);
    timeline_free(timeline);
}
