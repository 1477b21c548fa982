#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/xalloc.h"
#include "console/excerpt.h"
#include "server/api.h"
#include "server/buffers.h"
#include "server/server-internal.h"

#include <stdlib.h>
#include <string.h>

/* Most rows of one console-text. */
#define TEXT_MAX_ROWS 200000
/* What it takes of one loop turn, and the rows between two looks at the clock.
 */
#define TEXT_SLICE_NS UINT64_C(3000000)
#define TEXT_STEP_ROWS 64

/* An absolute row as terminal_read_row numbers it; what is far outside is put
 * right outside. */
static int
to_terminal_row(const struct terminal *terminal, int64_t row)
{
    int64_t screen = (int64_t)terminal_screen_top(terminal);
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
    if (argument_boolean(arguments, "whole-lines") && !excerpt->is_block)
        excerpt_take_lines(terminal, excerpt);
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

/* A text that is read in slices of a loop turn. */
struct text_job {
    struct server *server;
    struct request *request;       /* owned: answered exactly once */
    json_t *arguments;             /* owned reference */
    char *guest;                   /* owned: its name */
    size_t console;                /* its index */
    struct excerpt_reader reader;  /* owned */
    const struct terminal *source; /* only compared */
    struct buffer text;            /* owned */
    int64_t first;                 /* the absolute rows that were there */
    int64_t last;
    struct loop_defer *step; /* owned */
};

static void
job_free(struct text_job *job)
{
    excerpt_finish(&job->reader);
    buffer_finish(&job->text);
    loop_defer_free(job->step);
    json_decref(job->arguments);
    free(job->guest);
    free(job);
}

static void
job_fail(struct text_job *job, const struct error *error)
{
    request_fail(job->request, error);
    job_free(job);
}

static void
on_cancel(void *data)
{
    struct error error = {0};
    error_set(&error, ERROR_CODE_IO, "the client went away");
    job_fail(data, &error);
}

static void
job_answer(struct text_job *job)
{
    int64_t number = 0;
    struct error error = {0};
    const struct buffer *text = &job->text;
    if (!keep_text(job->request, job->arguments, text, &number, &error)) {
        job_fail(job, &error);
        return;
    }
    json_t *answer =
        json_pack("{s:o,s:I,s:I,s:I}", "text",
                  json_from_bytes(text->data ? text->data : "", text->len),
                  "lines", (json_int_t)job->reader.lines, "first",
                  (json_int_t)job->first, "last", (json_int_t)job->last);
    if (number)
        json_object_set_new(answer, "buffer", json_integer(number));
    request_return(job->request, answer);
    job_free(job);
}

/* Whether the console is there as it was when the job began. */
static bool
is_current(const struct text_job *job, struct error *error)
{
    struct guest *guest = registry_find(job->server, job->guest, error);
    if (!guest)
        return false;
    struct console *console = guest_console(guest, job->console);
    if (console && console_terminal(console) == job->source &&
        !excerpt_is_stale(&job->reader))
        return true;
    return error_set(error, ERROR_CODE_STATE,
                     "the console's size changed while it was read: choose the "
                     "rows again");
}

/* Reads one slice, and answers when that was all. */
static void
run_slice(struct text_job *job)
{
    struct error error = {0};
    uint64_t start_ns = clock_monotonic_ns();
    bool is_done = false;
    do
        is_done = excerpt_step(&job->reader, TEXT_STEP_ROWS);
    while (!is_done && job->text.len <= BUFFERS_TEXT_MAX_BYTES &&
           clock_monotonic_ns() - start_ns < TEXT_SLICE_NS);
    if (job->text.len > BUFFERS_TEXT_MAX_BYTES) {
        error_set(&error, ERROR_CODE_LIMIT,
                  "these rows have more than %zu MiB of text; take fewer at a "
                  "time",
                  BUFFERS_TEXT_MAX_BYTES >> 20);
        job_fail(job, &error);
    } else if (is_done) {
        job_answer(job);
    } else {
        loop_defer_request(job->step);
    }
}

static void
on_step(void *data)
{
    struct text_job *job = data;
    struct error error = {0};
    if (is_current(job, &error))
        run_slice(job);
    else
        job_fail(job, &error);
}

static bool
run_text(struct request *request, const json_t *arguments, struct error *error)
{
    size_t index = 0;
    struct excerpt excerpt;
    struct server *server = request_server(request);
    struct guest *guest = argument_console(request, arguments, &index, error);
    if (!guest)
        return false;
    struct terminal *terminal = console_terminal(guest_console(guest, index));
    if (!read_excerpt(terminal, arguments, &excerpt, error))
        return false;
    int64_t screen = (int64_t)terminal_screen_top(terminal);
    struct text_job *job = xcalloc(1, sizeof(*job));
    job->server = server;
    job->request = request;
    job->arguments = json_deep_copy(arguments);
    job->guest = xstrdup(guest_name(guest));
    job->console = index;
    job->source = terminal;
    job->first = screen + excerpt.first;
    job->last = screen + excerpt.last;
    job->step = loop_defer_new(&server->loop, on_step, job);
    excerpt_begin(&job->reader, terminal, &excerpt, &job->text);
    request_on_cancel(request, on_cancel, job);
    run_slice(job);
    return true;
}

static const struct method methods[] = {
    {
        .name = "console-text",
        .summary = "The text between two places of a console's rows, as a "
                   "selection copies it",
        .flags = METHOD_READS,
        .arguments =
            {
                ARGUMENT_CONSOLE,
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
                {"whole-lines", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "From where the first row's line begins to where the last "
                 "one's ends"},
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
