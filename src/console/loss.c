#include "console/loss.h"

#include "base/clock.h"
#include "console/console-internal.h"

#include <inttypes.h>

/* Attempts to find a moment in which the pty is empty and the log stands
 * still, while a guest prints. */
#define BALANCE_TRIES 64

static void on_still(void *data);
static void on_no_answer(void *data);

void
loss_init(struct console *console)
{
    uv_loop_t *loop = console->hub->loop;
    console->loss.check = loop_timer_new(loop, on_still, console);
    console->loss.answer = loop_timer_new(loop, on_no_answer, console);
}

void
loss_finish(struct console *console)
{
    loop_timer_free(console->loss.check);
    loop_timer_free(console->loss.answer);
    console->loss.check = console->loss.answer = NULL;
    buffer_finish(&console->loss.recent);
}

/* Watching ----------------------------------------------------------------- */

/* QEMU writes to the pty first. So when the pty is empty and the log does not
 * change around that look, pty and log stand at the same byte, but for what
 * the log lost. *ret_end: the log's size then. */
static bool
is_balanced(struct console *console, uint64_t *ret_end)
{
    struct loss *loss = &console->loss;
    bool is_done = false;
    if (loss->is_balancing)
        return false;
    loss->is_balancing = true;
    for (int i = 0; i < BALANCE_TRIES && !is_done && !console->is_dead; i++) {
        uint64_t end = content_end(console);
        is_done = keyboard_drain(console->keyboard) == 0 && !console->is_dead &&
                  content_end(console) == end;
        *ret_end = end;
    }
    loss->is_balancing = false;
    return is_done;
}

static void
count_from(struct console *console, uint64_t end)
{
    buffer_reset(&console->loss.recent);
    console->loss.base = end;
    console->loss.is_based = true;
    loop_timer_stop(console->loss.check);
}

static void
hold(struct console *console)
{
    if (console->loss.is_holding)
        return;
    console->loss.is_holding = true;
    keyboard_hold(console->keyboard);
}

static void
watch(struct console *console)
{
    struct loss *loss = &console->loss;
    if (loss->state != LOSS_STATE_OFF)
        return;
    loss->state = LOSS_STATE_WATCHING;
    loss->is_based = false;
    keyboard_set_mode(console->keyboard, KEYBOARD_MODE_DRAIN);
    if (is_balanced(console, &loss->base))
        count_from(console, loss->base);
}

static void
unwatch(struct console *console)
{
    struct loss *loss = &console->loss;
    if (loss->state == LOSS_STATE_OFF)
        return;
    loss->state = LOSS_STATE_OFF;
    loop_timer_stop(loss->check);
    buffer_finish(&loss->recent);
    keyboard_set_mode(console->keyboard, KEYBOARD_MODE_DISCARD);
    if (!loss->is_holding)
        return;
    loss->is_holding = false;
    keyboard_release(console->keyboard);
}

static void
tell_low(struct console *console, uint64_t free_bytes)
{
    struct error error = {0};
    error_set(&error, ERROR_CODE_LIMIT,
              "the disk of the console log %s has only %" PRIu64
              " KiB left: when it is full, nothing more is logged",
              console->log_path, free_bytes >> 10);
    console_tell_trouble(console, &error);
}

/* Looks at the disk, but not all the time. */
static void
check_space(struct console *console)
{
    struct loss *loss = &console->loss;
    uint64_t now = clock_monotonic_ms();
    if (!console->follower ||
        (loss->space_ms && now - loss->space_ms < LOSS_SPACE_PAUSE_MS))
        return;
    loss->space_ms = now;
    uint64_t free_bytes = follower_free_bytes(console->follower);
    if (!loss->is_low && free_bytes < LOSS_LOW_BYTES) {
        loss->is_low = true;
        watch(console);
        hold(console);
        if (!console->is_dead)
            tell_low(console, free_bytes);
    } else if (loss->is_low && free_bytes > LOSS_ENOUGH_BYTES) {
        loss->is_low = false;
        if (loss->state == LOSS_STATE_WATCHING)
            unwatch(console);
    }
}

void
loss_typed(struct console *console)
{
    struct loss *loss = &console->loss;
    if (loss->state != LOSS_STATE_OFF || !console->follower)
        return;
    uint64_t open_ms = keyboard_open_ms(console->keyboard);
    uint64_t opening_ms =
        open_ms < LOSS_OPENING_MS ? LOSS_OPENING_MS - open_ms : 0;
    loss->typed_end = content_end(console);
    loop_timer_start(loss->answer, opening_ms + LOSS_ANSWER_MS);
}

static void
on_no_answer(void *data)
{
    struct console *console = data;
    console_enter(console);
    /* It may well be a password: reading the pty for a while is no harm. */
    if (console->follower && content_end(console) == console->loss.typed_end)
        watch(console);
    console_leave(console);
}

/* The gap ------------------------------------------------------------------ */

static void
begin_gap(struct console *console, size_t missing)
{
    struct loss *loss = &console->loss;
    struct buffer recent = loss->recent;
    loss->recent = (struct buffer){0};
    loss->state = LOSS_STATE_GAP;
    loss->gap_bytes = missing;
    content_unlogged(console, recent.data + recent.len - missing, missing);
    buffer_finish(&recent);
    if (console->is_dead)
        return;
    hold(console);
    struct error error = {0};
    error_set(&error, ERROR_CODE_IO,
              "the console log %s cannot grow (is its disk full?); what is "
              "printed meanwhile is shown, but not logged",
              console->log_path);
    console_tell_trouble(console, &error);
}

/* end: the log's size; all that it has was shown. */
static void
end_gap(struct console *console, uint64_t end)
{
    struct loss *loss = &console->loss;
    struct error error = {0};
    uint64_t logged = end > console->offset ? end - console->offset : 0;
    uint64_t missing = loss->gap_bytes > logged ? loss->gap_bytes - logged : 0;
    loss->state = LOSS_STATE_WATCHING;
    loss->gap_bytes = 0;
    content_end_gap(console, missing, end);
    count_from(console, end);
    error_set(&error, ERROR_CODE_IO,
              "the console log %s grows again; %" PRIu64
              " bytes are missing in it",
              console->log_path, missing);
    console_tell_trouble(console, &error);
}

static void
try_end_gap(struct console *console)
{
    uint64_t end = content_end(console);
    if (end != console->offset && is_balanced(console, &end) &&
        end != console->offset)
        end_gap(console, end);
}

/* How many of the pty's bytes the log lacks when it has the size end. */
static size_t
count_missing(const struct loss *loss, uint64_t end)
{
    uint64_t grown = end > loss->base ? end - loss->base : 0;
    if (!loss->is_based || loss->recent.len <= grown)
        return 0;
    return loss->recent.len - (size_t)grown;
}

static void
check_later(struct console *console, uint64_t end)
{
    struct loss *loss = &console->loss;
    loss->still_end = end;
    loss->is_behind = count_missing(loss, end) > 0;
    loop_timer_start(loss->check, LOSS_STILL_MS);
}

/* The pty brought bytes a moment ago: does the log have them? */
static void
compare(struct console *console)
{
    struct loss *loss = &console->loss;
    uint64_t still_end = loss->still_end;
    bool was_behind = loss->is_behind;
    uint64_t end = 0;
    bool is_equal = is_balanced(console, &end);
    if (console->is_dead || loss->state != LOSS_STATE_WATCHING)
        return;
    size_t missing = count_missing(loss, end);
    if (is_equal && missing == 0) {
        bool has_answered = loss->is_based && end > loss->base;
        count_from(console, end);
        if (has_answered && !loss->is_low)
            unwatch(console);
    } else if (was_behind && missing > 0 && end == still_end &&
               end == console->offset) {
        begin_gap(console, missing);
    } else {
        check_later(console, end);
    }
}

static void
on_still(void *data)
{
    struct console *console = data;
    console_enter(console);
    if (console->loss.state == LOSS_STATE_WATCHING)
        compare(console);
    console_leave(console);
}

/* What comes --------------------------------------------------------------- */

void
loss_keyboard_changed(struct console *console)
{
    struct loss *loss = &console->loss;
    if (!loss->check) /* being freed */
        return;
    loss->is_based = false;
    if (keyboard_is_open(console->keyboard)) {
        uint64_t end = 0;
        if (loss->state == LOSS_STATE_WATCHING && is_balanced(console, &end))
            count_from(console, end);
        check_space(console);
        return;
    }
    loop_timer_stop(loss->answer);
    if (loss->state == LOSS_STATE_GAP)
        end_gap(console, content_end(console));
    if (!console->is_dead && !loss->is_low)
        unwatch(console);
}

bool
loss_log_grew(struct console *console)
{
    struct loss *loss = &console->loss;
    if (console->is_replaying)
        return true;
    if (loss->state == LOSS_STATE_GAP) {
        try_end_gap(console);
        return false;
    }
    if (keyboard_has_path(console->keyboard))
        check_space(console);
    return true;
}

static void
remember(struct console *console, const char *bytes, size_t len)
{
    struct loss *loss = &console->loss;
    if (loss->is_based)
        buffer_append(&loss->recent, bytes, len);
    if (loss->recent.len > LOSS_RECENT_BYTES) {
        /* Older ones are in the log, or it would have been noticed. */
        size_t cut = loss->recent.len - LOSS_RECENT_BYTES / 2;
        buffer_consume(&loss->recent, cut);
        loss->base += cut;
    }
    if (!loop_timer_is_armed(loss->check))
        check_later(console, content_end(console));
}

void
loss_drained(struct console *console, const char *bytes, size_t len)
{
    struct loss *loss = &console->loss;
    if (loss->state == LOSS_STATE_WATCHING) {
        remember(console, bytes, len);
    } else if (loss->state == LOSS_STATE_GAP) {
        loss->gap_bytes += len;
        content_unlogged(console, bytes, len);
        if (!console->is_dead)
            try_end_gap(console);
    }
}
