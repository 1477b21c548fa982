#include "base/clock.h"
#include "console/bound.h"
#include "console/console-internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Answers ------------------------------------------------------------------ */

/* Whether one more answer to a guest's query is due: a guest that asks without
 * end, or hears its own answers, must not keep us busy. */
static bool
spend_reply(struct console *console)
{
    uint64_t now = clock_monotonic_ms();
    console->reply_credit +=
        (double)(now - console->reply_ms) * CONSOLE_REPLIES_PER_SECOND / 1000.0;
    console->reply_ms = now;
    if (console->reply_credit > CONSOLE_REPLY_BURST)
        console->reply_credit = CONSOLE_REPLY_BURST;
    if (console->reply_credit < 1.0)
        return false;
    console->reply_credit -= 1.0;
    return true;
}

static void
on_reply(void *data, const char *bytes, size_t len)
{
    struct console *console = data;
    if (console->is_dead || !spend_reply(console) ||
        console_input_pending(console) > CONSOLE_REPLY_MAX_PENDING)
        return;
    console_reply(console, bytes, len);
}

static void
on_bell(void *data)
{
    struct console *console = data;
    if (!console->is_dead && console->handlers->on_bell)
        console->handlers->on_bell(console->data);
}

static void
on_frame(void *data)
{
    struct console *console = data;
    if (!console->is_dead && console->handlers->on_frame)
        console->handlers->on_frame(console->data);
}

static void
on_title(void *data, const char *title)
{
    struct console *console = data;
    if (!console->is_dead && console->handlers->on_title)
        console->handlers->on_title(console->data, title);
}

const struct terminal_handlers content_terminal_handlers = {
    .on_reply = on_reply,
    .on_bell = on_bell,
    .on_frame = on_frame,
    .on_title = on_title,
};

/* Marks -------------------------------------------------------------------- */

/* A replay cannot show what was not logged, but it can say so. */
static void
show_gap(struct console *console, uint64_t bytes)
{
    char text[96];
    int len =
        snprintf(text, sizeof(text),
                 "\r\n[%" PRIu64 " bytes are missing in the log]\r\n", bytes);
    if (len > 0)
        terminal_write(console->terminal, text, (size_t)len,
                       TERMINAL_WRITE_REPLAY);
}

static void
apply_mark(struct console *console, const struct mark *mark)
{
    switch (mark->kind) {
    case MARKS_KIND_SIZE:
        terminal_resize(console->terminal, mark->rows, mark->cols);
        break;
    case MARKS_KIND_BOOT:
        /* not when it was found behind us: what stands there did it */
        if (mark->offset > 0 && mark->offset == console->offset)
            terminal_reset(console->terminal);
        break;
    case MARKS_KIND_GAP:
        /* not one of what was taken away */
        if (console->is_replaying && mark->offset == console->offset)
            show_gap(console, mark->bytes);
        break;
    case MARKS_KIND_COUNT:
        break;
    }
}

static void
apply_due_marks(struct console *console)
{
    const struct mark *mark;
    while ((mark = marks_peek(console->marks)) &&
           mark->offset <= console->offset) {
        apply_mark(console, mark);
        marks_pass(console->marks);
    }
}

static void
add_mark(struct console *console, const struct mark *mark)
{
    struct error error = {0};
    if (marks_add(console->marks, mark, &error)) {
        console->has_marks_trouble = false;
    } else if (!console->has_marks_trouble) {
        console->has_marks_trouble = true;
        console_tell_trouble(console, &error);
    }
}

void
content_mark(struct console *console, const struct mark *mark)
{
    add_mark(console, mark);
    if (console->is_dead || console->is_writing)
        return; /* what terminal_write stands in applies it after */
    apply_due_marks(console);
    if (!console->is_dead)
        loop_defer_request(console->change);
}

void
content_try_resize(struct console *console)
{
    struct mark size = {.kind = MARKS_KIND_SIZE, .offset = console->offset};
    /* In the middle of a replay the marks say which size there was; before a
     * boot that is noted already, no mark can be put in the log's order. */
    if (console->wanted_rows == 0 || console->is_replaying ||
        console->is_writing || marks_peek(console->marks))
        return;
    size.rows = console->wanted_rows;
    size.cols = console->wanted_cols;
    console->wanted_rows = console->wanted_cols = 0;
    if (size.rows == terminal_rows(console->terminal) &&
        size.cols == terminal_cols(console->terminal))
        return;
    if (console->fdsource)
        fdsource_resize(console->fdsource, size.rows, size.cols);
    content_mark(console, &size);
}

/* Interpreting ------------------------------------------------------------- */

/* The row of the cursor. */
static uint64_t
cursor_id(const struct terminal *terminal)
{
    return terminal_row_stamp(terminal, terminal_cursor(terminal).row).id;
}

/* Writes bytes to the terminal that lie in the log at the present offset, and
 * notes now and then which row the next line is. */
static void
write_noting(struct console *console, const char *bytes, size_t len,
             unsigned flags)
{
    uint64_t offset = console->offset;
    while (len > 0) {
        bool is_due = false;
        size_t part = stops_split(&console->stops, offset, bytes, len, &is_due);
        terminal_write(console->terminal, bytes, part, flags);
        offset += part;
        bytes += part;
        len -= part;
        if (is_due)
            stops_add(&console->stops, offset, cursor_id(console->terminal));
    }
}

/* Interprets bytes that lie in the log at the present offset (or nowhere, when
 * logged is less than len), up to the next mark. */
static void
interpret(struct console *console, const char *bytes, size_t len, size_t logged)
{
    unsigned flags =
        console->is_replaying ? TERMINAL_WRITE_REPLAY : TERMINAL_WRITE_LIVE;
    uint64_t offset = console->offset;
    console->is_writing = true;
    if (logged == len)
        write_noting(console, bytes, len, flags);
    else
        terminal_write(console->terminal, bytes, len, flags);
    console->is_writing = false;
    console->offset += logged;
    if (console->is_dead || console->is_replaying)
        return;
    console->last_output_ms = clock_wall_ms();
    if (console->handlers->on_output)
        console->handlers->on_output(console->data, bytes, len, offset);
}

static void
finish_replay(struct console *console)
{
    apply_due_marks(console);
    console->is_replaying = false;
    bound_trim(console->record.bound, console->offset);
    content_set_pace(console);
}

/* Takes bytes that lie in the log at the present offset. */
static void
take_logged(struct console *console, const char *bytes, size_t len)
{
    while (len > 0 && !console->is_dead) {
        size_t part = len;
        apply_due_marks(console);
        const struct mark *mark = marks_peek(console->marks);
        if (mark && mark->offset - console->offset < part)
            part = (size_t)(mark->offset - console->offset);
        if (console->is_replaying &&
            console->replay_end - console->offset < part)
            part = (size_t)(console->replay_end - console->offset);
        interpret(console, bytes, part, part);
        bytes += part;
        len -= part;
        if (console->is_replaying && console->offset >= console->replay_end)
            finish_replay(console);
    }
    if (console->is_dead)
        return;
    apply_due_marks(console);
    content_try_resize(console);
}

static void
note_gap(struct console *console, uint64_t bytes)
{
    struct mark gap = {
        .kind = MARKS_KIND_GAP, .offset = console->offset, .bytes = bytes};
    add_mark(console, &gap);
    if (!console->is_dead)
        marks_pass(console->marks);
}

void
content_unlogged(struct console *console, const char *bytes, size_t len)
{
    console_enter(console);
    interpret(console, bytes, len, 0);
    if (!console->is_dead) {
        content_try_resize(console);
        console_tell_change(console);
    }
    console_leave(console);
}

void
content_end_gap(struct console *console, uint64_t missing, uint64_t end)
{
    if (missing > 0)
        note_gap(console, missing);
    console->offset = end;
    if (!console->is_dead && console->follower)
        follower_seek(console->follower, end);
}

/* The log ------------------------------------------------------------------ */

static void
on_log_bytes(void *data, const char *bytes, size_t len)
{
    struct console *console = data;
    console_enter(console);
    if (loss_log_grew(console) && !console->is_dead) {
        take_logged(console, bytes, len);
        console_tell_change(console);
        if (!console->is_dead && !console->is_replaying)
            record_took(console);
    }
    console_leave(console);
}

/* The replay is over, and the content comes from a descriptor. */
static void
switch_to_fd(struct console *console)
{
    follower_free(console->follower);
    console->follower = NULL;
    console->offset = logwriter_end(console->logwriter);
    content_set_pace(console);
}

static void
on_log_caught_up(void *data)
{
    struct console *console = data;
    console_enter(console);
    if (console->is_replaying && console->offset < console->replay_end) {
        /* The log became shorter while it was read. */
        console->replay_end = console->offset;
        finish_replay(console);
        content_try_resize(console);
    }
    if (!console->is_dead && !console->is_replaying && console->fdsource)
        switch_to_fd(console);
    console_leave(console);
}

/* The log was cut or replaced: content goes on at offset. */
static void
go_back(struct console *console, uint64_t offset)
{
    struct mark size = {.kind = MARKS_KIND_SIZE,
                        .offset = offset,
                        .rows = terminal_rows(console->terminal),
                        .cols = terminal_cols(console->terminal)};
    console->offset = offset;
    /* A smaller offset voids the marks beyond it. */
    add_mark(console, &size);
    if (console->is_dead)
        return;
    console->log_number++;
    record_cut(console);
    stops_cut(&console->stops, offset);
    apply_due_marks(console);
}

static void
on_log_trouble(void *data, const struct error *error)
{
    struct console *console = data;
    console_enter(console);
    uint64_t offset = follower_offset(console->follower);
    if (offset < console->offset)
        go_back(console, offset);
    console_tell_trouble(console, error);
    console_leave(console);
}

static const struct follower_handlers follower_handlers = {
    .on_bytes = on_log_bytes,
    .on_caught_up = on_log_caught_up,
    .on_trouble = on_log_trouble,
};

/* Where the replay of a log of that size begins: at its beginning, unless it is
 * very long. The history holds no more lines than fit in what is read. */
static uint64_t
replay_start(const struct console *console, uint64_t size, size_t history_lines)
{
    uint64_t start = bound_start(console->record.bound);
    uint64_t max = CONSOLE_REPLAY_MAX_BYTES;
    if ((uint64_t)history_lines * 256 > max)
        max = (uint64_t)history_lines * 256;
    if (max > (512u << 20))
        max = 512u << 20;
    if (size - start <= max)
        return start;
    return follower_find_line(console->follower, size - max);
}

bool
content_start(struct console *console, size_t history_lines,
              struct error *error)
{
    console->follower = follower_new(console->hub->followers, console->log_path,
                                     0, &follower_handlers, console, error);
    if (!console->follower)
        return false;
    console->replay_end = follower_end(console->follower);
    console->offset = replay_start(console, console->replay_end, history_lines);
    follower_seek(console->follower, console->offset);
    if (!marks_has(console->marks, MARKS_KIND_SIZE)) {
        struct mark size = {.kind = MARKS_KIND_SIZE,
                            .rows = terminal_rows(console->terminal),
                            .cols = terminal_cols(console->terminal)};
        add_mark(console, &size);
    }
    console->is_replaying = console->offset < console->replay_end;
    if (console->replay_end > 0)
        console->last_output_ms = follower_changed_ms(console->follower);
    record_resume(console, console->replay_end);
    apply_due_marks(console);
    return true;
}

void
content_close_fd(struct console *console)
{
    if (console->logwriter && logwriter_gap(console->logwriter) > 0)
        note_gap(console, logwriter_gap(console->logwriter));
    fdsource_free(console->fdsource);
    console->fdsource = NULL;
    logwriter_close(console->logwriter);
    console->logwriter = NULL;
}

void
content_finish(struct console *console)
{
    follower_free(console->follower);
    console->follower = NULL;
    content_close_fd(console);
}

bool
content_follow(struct console *console, struct error *error)
{
    content_close_fd(console);
    if (console->follower && follower_is_current(console->follower))
        return true;
    bool is_new = console->follower != NULL;
    struct follower *follower = follower_new(
        console->hub->followers, console->log_path,
        is_new ? 0 : console->offset, &follower_handlers, console, error);
    if (!follower)
        return false;
    follower_free(console->follower);
    console->follower = follower;
    if (is_new) {
        console->replay_end = 0;
        console->is_replaying = false;
        go_back(console, 0);
    }
    content_set_pace(console);
    return true;
}

/* A descriptor ------------------------------------------------------------- */

static void
on_fd_bytes(void *data, const char *bytes, size_t len)
{
    struct console *console = data;
    console_enter(console);
    /* Logged first: what is shown must not be lost when we are killed. */
    struct logwriter_result result =
        logwriter_append(console->logwriter, bytes, len);
    if (result.gap > 0)
        note_gap(console, result.gap);
    if (result.errnum) {
        struct error error = {0};
        error_set_errno(&error, result.errnum,
                        "the console log %s cannot grow; what is printed "
                        "meanwhile is shown, but not logged",
                        console->log_path);
        console_tell_trouble(console, &error);
    }
    if (!console->is_dead)
        interpret(console, bytes, len, result.written);
    if (!console->is_dead) {
        apply_due_marks(console);
        content_try_resize(console);
        console_tell_change(console);
    }
    if (!console->is_dead && result.written > 0)
        record_took(console);
    console_leave(console);
}

static void
on_fd_end(void *data, int errnum)
{
    struct console *console = data;
    console_enter(console);
    if (console->handlers->on_end)
        console->handlers->on_end(console->data, errnum);
    console_leave(console);
}

static void
on_fd_taken(void *data)
{
    console_tell_taken(data);
}

static const struct fdsource_handlers fdsource_handlers = {
    .on_bytes = on_fd_bytes,
    .on_end = on_fd_end,
    .on_taken = on_fd_taken,
};

bool
content_set_fd(struct console *console, int fd, struct error *error)
{
    struct logwriter *writer = logwriter_open(console->log_path, error);
    if (!writer)
        return false;
    struct fdsource *source =
        fdsource_new(console->hub->loop, fd, &console->hub->fds,
                     &fdsource_handlers, console, error);
    if (!source) {
        logwriter_close(writer);
        return false;
    }
    content_close_fd(console);
    if (console->is_dead) {
        fdsource_free(source);
        logwriter_close(writer);
        return error_set(error, ERROR_CODE_STATE, "the console is gone");
    }
    console->fdsource = source;
    console->logwriter = writer;
    fdsource_resize(source, terminal_rows(console->terminal),
                    terminal_cols(console->terminal));
    /* While a replay goes on the descriptor waits; the follower switches. */
    if (!console->follower ||
        (!console->is_replaying && console->offset == logwriter_end(writer)))
        switch_to_fd(console);
    else
        content_set_pace(console);
    return true;
}

uint64_t
content_end(const struct console *console)
{
    return console->follower ? follower_end(console->follower)
                             : console->offset;
}

void
content_set_pace(struct console *console)
{
    bool is_hot = console->holds > 0 || keyboard_is_open(console->keyboard);
    if (console->follower)
        follower_set_pace(console->follower,
                          is_hot ? FOLLOWER_PACE_HOT : FOLLOWER_PACE_COLD);
    if (console->fdsource) {
        enum fdsource_pace pace =
            is_hot ? FDSOURCE_PACE_HOT : FDSOURCE_PACE_COLD;
        fdsource_set_pace(console->fdsource,
                          console->follower ? FDSOURCE_PACE_STOPPED : pace);
    }
}
