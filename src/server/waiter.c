#include "server/waiter.h"

#include "base/nearest.h"
#include "base/xalloc.h"
#include "server/expect.h"
#include "server/peer.h"
#include "server/server-internal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes of the log read per step when a wait begins in the past; the loop turns
 * between two steps. */
#define CATCH_UP_BYTES 65536u
/* Turns of the loop in which that is still read which came in time. */
#define LATE_TURNS 3u

enum waiter_kind {
    WAITER_PATTERN,
    WAITER_STATE,
    WAITER_STAGE,
    WAITER_LOG,
};

struct waiter {
    struct waiter *next;
    enum waiter_kind kind;
    struct server *server;   /* borrowed */
    struct request *request; /* owned: answered exactly once */
    struct guest *guest;     /* borrowed: told when it goes */
    size_t console;
    struct loop_timer *timer; /* owned; NULL: no time limit */
    int64_t timeout_ms;
    struct loop_defer *over; /* owned; NULL: there is time left */
    unsigned over_turns;
    uint64_t over_end; /* where the console's output was then */

    /* WAITER_PATTERN */
    struct expect *expect; /* owned */
    char *pattern;         /* owned; for messages */
    uint64_t start;        /* where in the log the text begins to count */
    uint64_t offset;       /* WAITER_LOG's too: of the next byte to look at */
    bool is_catching_up;   /* live output is not reached yet */
    struct loop_defer *catch_up; /* owned */

    json_t *states;       /* WAITER_STATE; owned */
    enum stage stage;     /* WAITER_STAGE */
    waiter_log_fn answer; /* WAITER_LOG */
    int64_t max_bytes;
};

/* Takes the waiter off the list and frees it; hands its request over. */
static struct request *
waiter_take(struct waiter *waiter)
{
    struct waiter **link = &waiter->server->waiters;
    while (*link != waiter)
        link = &(*link)->next;
    *link = waiter->next;
    struct request *request = waiter->request;
    request_on_cancel(request, NULL, NULL);
    loop_timer_free(waiter->timer);
    loop_defer_free(waiter->over);
    loop_defer_free(waiter->catch_up);
    expect_free(waiter->expect);
    json_decref(waiter->states);
    free(waiter->pattern);
    free(waiter);
    return request;
}

static void
waiter_fail(struct waiter *waiter, const struct error *error)
{
    request_fail(waiter_take(waiter), error);
}

static void
on_cancel(void *data)
{
    struct error error = {0};
    error_set(&error, ERROR_CODE_IO, "the client went away");
    waiter_fail(data, &error);
}

static void
answer_log(struct waiter *waiter)
{
    waiter_log_fn answer = waiter->answer;
    struct guest *guest = waiter->guest;
    size_t console = waiter->console;
    uint64_t offset = waiter->offset;
    int64_t max_bytes = waiter->max_bytes;
    answer(waiter_take(waiter), guest, console, offset, max_bytes);
}

/* Says what did not come in time. */
static void
give_up(struct waiter *waiter)
{
    struct error error = {0};
    if (waiter->kind == WAITER_PATTERN)
        error_set(&error, ERROR_CODE_TIMEOUT,
                  "%s: \"%s\" did not appear on %s within %" PRId64 " ms%s",
                  guest_name(waiter->guest), waiter->pattern,
                  guest_console_name(waiter->guest, waiter->console),
                  waiter->timeout_ms,
                  expect_skipped(waiter->expect)
                      ? ", as far as that is known: it takes too long to match "
                        "some lines; use a simpler one"
                      : "");
    else if (waiter->kind == WAITER_STAGE)
        error_set(&error, ERROR_CODE_TIMEOUT,
                  "%s: has not reached %s within %" PRId64
                  " ms: its stage is %s",
                  guest_name(waiter->guest), stage_name(waiter->stage),
                  waiter->timeout_ms, stage_name(guest_stage(waiter->guest)));
    else
        error_set(&error, ERROR_CODE_TIMEOUT,
                  "%s: still %s after %" PRId64 " ms",
                  guest_name(waiter->guest), guest_state_name(waiter->guest),
                  waiter->timeout_ms);
    waiter_fail(waiter, &error);
}

/* Timers come before all else in a turn of the loop. When the server is late,
 * what came in time is still to be read then: it is looked at first. */
static void
on_over(void *data)
{
    struct waiter *waiter = data;
    const struct console *console =
        waiter->is_catching_up ? guest_console(waiter->guest, waiter->console)
                               : NULL;
    bool is_behind = console && !console_is_replaying(console) &&
                     waiter->offset < waiter->over_end;
    if (is_behind || ++waiter->over_turns < LATE_TURNS)
        loop_defer_request(waiter->over);
    else
        give_up(waiter);
}

static void
on_timeout(void *data)
{
    struct waiter *waiter = data;
    if (waiter->kind == WAITER_LOG) {
        answer_log(waiter);
        return;
    }
    const struct console *console =
        guest_console(waiter->guest, waiter->console);
    waiter->over_end = console ? console_offset(console) : 0;
    waiter->over = loop_defer_new(&waiter->server->loop, on_over, waiter);
    loop_defer_request(waiter->over);
}

static struct waiter *
waiter_new(struct server *server, enum waiter_kind kind,
           struct request *request, struct guest *guest, size_t console,
           int64_t timeout_ms)
{
    struct waiter *waiter = xcalloc(1, sizeof(*waiter));
    waiter->kind = kind;
    waiter->server = server;
    waiter->request = request;
    waiter->guest = guest;
    waiter->console = console;
    waiter->timeout_ms = timeout_ms;
    waiter->next = server->waiters;
    server->waiters = waiter;
    request_on_cancel(request, on_cancel, waiter);
    if (timeout_ms != WAITER_NO_TIMEOUT) {
        waiter->timer = loop_timer_new(&server->loop, on_timeout, waiter);
        loop_timer_start(waiter->timer, (uint64_t)timeout_ms);
    }
    return waiter;
}

/* Patterns ----------------------------------------------------------------- */

/* Looks at bytes; answers and frees the waiter when they match, or when the
 * pattern costs too much to match them. */
static bool
look_at(struct waiter *waiter, const char *bytes, size_t len, uint64_t offset)
{
    const struct expect_match *match =
        expect_feed(waiter->expect, bytes, len, offset);
    waiter->offset = offset + len;
    struct error error = {0};
    if (!match && expect_has_given_up(waiter->expect, &error)) {
        error_prefix(&error, "%s: \"%s\"", guest_name(waiter->guest),
                     waiter->pattern);
        waiter_fail(waiter, &error);
        return true;
    }
    if (!match)
        return false;
    struct console *console = guest_console(waiter->guest, waiter->console);
    uint64_t end = match->offset;
    if (console && console_offset(console) < end)
        end = console_offset(console); /* it was not logged */
    json_t *value = json_pack("{s:s,s:s,s:I}", "line", match->line, "match",
                              match->text, "offset", (json_int_t)end);
    request_return(waiter_take(waiter), value);
    return true;
}

/* A guest that ended prints nothing more. */
static bool
fail_if_ended(struct waiter *waiter)
{
    if (guest_is_active(waiter->guest))
        return false;
    struct error error = {0};
    const char *name = guest_console_name(waiter->guest, waiter->console);
    error_set(&error, ERROR_CODE_STATE,
              "%s: the guest is %s, and \"%s\" did not appear on %s",
              guest_name(waiter->guest), guest_state_name(waiter->guest),
              waiter->pattern, name ? name : "its console");
    waiter_fail(waiter, &error);
    return true;
}

/* Reads a piece of the log. It is opened each time: waits without end must not
 * use up the descriptors. Returns 0 when there is nothing or no log. */
static size_t
read_log(const struct console *console, char *bytes, size_t len,
         uint64_t offset)
{
    int fd = open(console_log_path(console),
                  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return 0;
    ssize_t got = pread(fd, bytes, len, (off_t)offset);
    (void)close(fd);
    return got > 0 ? (size_t)got : 0;
}

/* Reads the log up to where live output has come to, a step a loop turn. What
 * is replayed meanwhile never is live output: it is read here too. */
static void
on_catch_up(void *data)
{
    struct waiter *waiter = data;
    struct console *console = guest_console(waiter->guest, waiter->console);
    uint64_t end = console ? console_offset(console) : 0;
    if (waiter->offset < end) {
        char bytes[CATCH_UP_BYTES];
        size_t want = sizeof(bytes);
        if (end - waiter->offset < want)
            want = (size_t)(end - waiter->offset);
        size_t got = read_log(console, bytes, want, waiter->offset);
        if (got && look_at(waiter, bytes, got, waiter->offset))
            return;
        /* what the log does not have cannot be looked at */
        if (!got)
            waiter->offset = end;
        loop_defer_request(waiter->catch_up);
        return;
    }
    if (console && console_is_replaying(console))
        return; /* waiter_on_screen goes on */
    waiter->is_catching_up = false;
    (void)fail_if_ended(waiter);
}

bool
waiter_add_pattern(struct server *server, struct request *request,
                   struct guest *guest, size_t console,
                   const struct waiter_pattern_options *options,
                   struct error *error)
{
    struct expect *expect =
        expect_new(options->pattern, options->is_literal ? EXPECT_LITERAL : 0,
                   options->offset, error);
    if (!expect)
        return false;
    struct waiter *waiter = waiter_new(server, WAITER_PATTERN, request, guest,
                                       console, options->timeout_ms);
    waiter->expect = expect;
    waiter->pattern = xstrdup(options->pattern);
    uint64_t start = console_log_start(guest_console(guest, console));
    waiter->start = waiter->offset =
        options->offset < start ? start : options->offset;
    waiter->is_catching_up = true;
    waiter->catch_up = loop_defer_new(&server->loop, on_catch_up, waiter);
    loop_defer_request(waiter->catch_up);
    return true;
}

/* States ------------------------------------------------------------------- */

static bool
is_in_state(const struct waiter *waiter)
{
    const char *state = guest_state_name(waiter->guest);
    for (size_t i = 0; i < json_array_size(waiter->states); i++) {
        const json_t *wanted = json_array_get(waiter->states, i);
        if (!strcmp(json_string_value(wanted), state))
            return true;
    }
    return false;
}

/* Every state that a guest can be in: ours, and QEMU's further run states. */
static const char *const state_names[] = {
    "defined",       "starting",       "running",   "paused",
    "shutting-down", "stopped",        "crashed",   "lost",
    "io-error",      "guest-panicked", "watchdog",  "prelaunch",
    "inmigrate",     "postmigrate",    "suspended", "finish-migrate",
    "save-vm",       "restore-vm",     "debug",     "internal-error",
    "colo",          "shutdown",
};
#define STATE_NAMES_COUNT (sizeof(state_names) / sizeof(state_names[0]))

/* A wait for a state that no guest is ever in would never end. */
static bool
check_states(const json_t *states, struct error *error)
{
    for (size_t i = 0; i < json_array_size(states); i++) {
        const char *state = json_string_value(json_array_get(states, i));
        size_t at = 0;
        while (at < STATE_NAMES_COUNT && strcmp(state, state_names[at]) != 0)
            at++;
        if (at < STATE_NAMES_COUNT)
            continue;
        const char *near = nearest_name(state, state_names, STATE_NAMES_COUNT);
        return error_set(error, ERROR_CODE_INVALID,
                         "argument 'states': no guest is ever \"%.64s\"%s%s%s",
                         state, near ? "; did you mean \"" : "",
                         near ? near : "", near ? "\"?" : "");
    }
    return true;
}

bool
waiter_add_state(struct server *server, struct request *request,
                 struct guest *guest, const json_t *states, int64_t timeout_ms,
                 struct error *error)
{
    if (!json_array_size(states))
        return error_set(error, ERROR_CODE_INVALID,
                         "argument 'states' is empty: name a state to wait "
                         "for, such as \"running\"");
    if (!check_states(states, error))
        return false;
    struct waiter *waiter =
        waiter_new(server, WAITER_STATE, request, guest, 0, timeout_ms);
    waiter->states = json_deep_copy(states);
    if (is_in_state(waiter))
        request_return(waiter_take(waiter), registry_describe(server, guest));
    return true;
}

/* Stages ------------------------------------------------------------------- */

/* Answers, and frees the waiter, when the stage was reached or the guest ended
 * before. */
static bool
look_at_stage(struct waiter *waiter)
{
    struct guest *guest = waiter->guest;
    struct server *server = waiter->server;
    struct error error = {0};
    if (guest_has_reached(guest, waiter->stage)) {
        request_return(waiter_take(waiter), registry_describe(server, guest));
        return true;
    }
    const struct member *member = registry_member(server, guest);
    if (guest_is_active(guest) || order_text(member) || restart_is_due(member))
        return false;
    error_set(&error, ERROR_CODE_STATE,
              "%s: the guest is %s, and did not reach %s", guest_name(guest),
              guest_state_name(guest), stage_name(waiter->stage));
    waiter_fail(waiter, &error);
    return true;
}

bool
waiter_add_stage(struct server *server, struct request *request,
                 struct guest *guest, const char *name, int64_t timeout_ms,
                 struct error *error)
{
    enum stage stage = STAGE_OFF;
    const char *near = NULL;
    if (!strcmp(name, "running")) { /* as a fleet file's "until" has it */
        json_t *states = json_pack("[s]", name);
        bool ok =
            waiter_add_state(server, request, guest, states, timeout_ms, error);
        json_decref(states);
        return ok;
    }
    if (!stage_parse(name, &stage, &near))
        return error_set(error, ERROR_CODE_INVALID,
                         "argument 'until': \"%.64s\" is no stage%s%s%s", name,
                         near ? "; did you mean \"" : "", near ? near : "",
                         near ? "\"?" : "");
    struct waiter *waiter =
        waiter_new(server, WAITER_STAGE, request, guest, 0, timeout_ms);
    waiter->stage = stage;
    (void)look_at_stage(waiter);
    return true;
}

/* Logs --------------------------------------------------------------------- */

void
waiter_add_log(struct server *server, struct request *request,
               struct guest *guest, size_t console, uint64_t offset,
               int64_t max_bytes, int64_t timeout_ms, waiter_log_fn answer)
{
    struct waiter *waiter =
        waiter_new(server, WAITER_LOG, request, guest, console, timeout_ms);
    waiter->offset = offset;
    waiter->max_bytes = max_bytes;
    waiter->answer = answer;
}

/* What happens ------------------------------------------------------------- */

/* Where live output stands for the pattern. What is printed while the log
 * cannot grow stands where the last output did, and is new all the same. */
static uint64_t
live_place(const struct waiter *waiter, uint64_t offset)
{
    bool is_behind = offset >= waiter->start && offset < waiter->offset;
    return is_behind ? waiter->offset : offset;
}

void
waiter_on_output(struct server *server, struct guest *guest, size_t console,
                 const char *bytes, size_t len, uint64_t offset)
{
    struct waiter *next = NULL;
    for (struct waiter *waiter = server->waiters; waiter; waiter = next) {
        next = waiter->next;
        if (waiter->guest != guest || waiter->console != console)
            continue;
        if (waiter->kind == WAITER_LOG)
            answer_log(waiter);
        else if (waiter->kind == WAITER_PATTERN && !waiter->is_catching_up)
            look_at(waiter, bytes, len, live_place(waiter, offset));
    }
}

void
waiter_on_screen(struct server *server, const struct guest *guest,
                 size_t console)
{
    for (struct waiter *waiter = server->waiters; waiter;
         waiter = waiter->next) {
        if (waiter->guest == guest && waiter->console == console &&
            waiter->is_catching_up)
            loop_defer_request(waiter->catch_up);
    }
}

void
waiter_on_guest_change(struct server *server, struct guest *guest)
{
    struct waiter *next = NULL;
    for (struct waiter *waiter = server->waiters; waiter; waiter = next) {
        next = waiter->next;
        if (waiter->guest != guest)
            continue;
        if (waiter->kind == WAITER_STAGE) {
            (void)look_at_stage(waiter);
        } else if (waiter->kind == WAITER_STATE) {
            if (is_in_state(waiter))
                request_return(waiter_take(waiter),
                               registry_describe(server, guest));
        } else if (!guest_is_active(guest)) {
            if (waiter->kind == WAITER_LOG)
                answer_log(waiter);
            else if (!waiter->is_catching_up)
                (void)fail_if_ended(waiter);
        }
    }
}

void
waiter_forget_guest(struct server *server, struct guest *guest)
{
    struct error error = {0};
    error_set(&error, ERROR_CODE_NOT_FOUND, "guest '%s' was removed",
              guest_name(guest));
    struct waiter *next = NULL;
    for (struct waiter *waiter = server->waiters; waiter; waiter = next) {
        next = waiter->next;
        if (waiter->guest == guest)
            waiter_fail(waiter, &error);
    }
}
