#include "cli/takedown.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cli/act.h"
#include "cli/cli.h"
#include "cli/guests.h"
#include "cli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* ms; how often the time left is shown anew. */
#define SHOW_MS 1000u
/* Names that the line with the time left has. */
#define MAX_NAMES_SHOWN 4

enum item_state {
    ITEM_WAITS, /* for those that come after it */
    ITEM_BEGUN,
    ITEM_ENDED,
    ITEM_FAILED, /* it goes on running */
};

struct item {
    const char *name;
    const json_t *after; /* borrowed: the names of those it comes after */
    enum item_state state;
    struct session_call *call;
    json_t *value;      /* owned: the answer */
    struct error error; /* or this one */
    json_t *shutdown;   /* owned: what the server said last of how far it is */
};

struct takedown {
    struct cli *cli;
    struct session *session;
    const struct takedown_options *options;
    struct item *items; /* owned */
    size_t count;
    struct termios before; /* the terminal's modes */
    bool is_shown;         /* on a terminal, whose keys stop it */
    bool is_stopped;       /* by a key */
    bool has_line;         /* a line with the time left stands there */
};

/* The terminal ------------------------------------------------------------- */

/* Keys come one by one, Ctrl-C among them. */
static void
take_terminal(struct takedown *takedown)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) ||
        tcgetattr(STDIN_FILENO, &takedown->before) < 0)
        return;
    struct termios modes = takedown->before;
    modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    modes.c_cc[VMIN] = 0;
    modes.c_cc[VTIME] = 0;
    takedown->is_shown = tcsetattr(STDIN_FILENO, TCSAFLUSH, &modes) == 0;
}

static void
erase_line(struct takedown *takedown)
{
    if (takedown->has_line)
        (void)fprintf(stderr, "\r\033[K");
    takedown->has_line = false;
}

static void
give_terminal_back(struct takedown *takedown)
{
    if (!takedown->is_shown)
        return;
    erase_line(takedown);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &takedown->before);
}

/* What comes when the step's time is over. */
static const char *
next_text(const json_t *shutdown)
{
    if (strcmp(guests_text(shutdown, "next"), "agent") == 0)
        return "the agent is asked";
    return json_is_true(json_object_get(shutdown, "forced")) ? "forced off"
                                                             : "given up";
}

/* "n1, n2: shutting down, forced off in 42 s (any key stops that)" */
static void
show(struct takedown *takedown)
{
    struct buffer text = {0};
    json_int_t until_ms = 0;
    const char *next = "";
    size_t named = 0;
    size_t begun = 0;
    for (size_t i = 0; i < takedown->count; i++) {
        const struct item *item = &takedown->items[i];
        if (item->state != ITEM_BEGUN)
            continue;
        if (begun++ >= MAX_NAMES_SHOWN)
            continue;
        buffer_printf(&text, "%s%s", named++ ? ", " : "", item->name);
        json_int_t until = guests_number(item->shutdown, "until-ms");
        if (!until_ms || (until && until < until_ms)) {
            until_ms = until;
            next = next_text(item->shutdown);
        }
    }
    if (begun > named)
        buffer_printf(&text, " and %zu more", begun - named);
    json_int_t left_ms = until_ms - clock_wall_ms();
    if (begun && until_ms)
        (void)fprintf(
            stderr,
            "\r\033[K%s: shutting down, %s in %lld s (any key stops that)",
            text.data, next,
            (long long)(left_ms > 0 ? (left_ms + 999) / 1000 : 0));
    takedown->has_line = begun && until_ms;
    buffer_finish(&text);
}

/* Guests ------------------------------------------------------------------- */

static bool
comes_after(const struct item *item, const char *name)
{
    for (size_t i = 0; i < json_array_size(item->after); i++) {
        const char *one = json_string_value(json_array_get(item->after, i));
        if (one && strcmp(one, name) == 0)
            return true;
    }
    return false;
}

static void
begin(struct takedown *takedown, struct item *item)
{
    const struct takedown_options *options = takedown->options;
    json_t *arguments = json_pack("{s:o,s:b}", "guest",
                                  json_from_text(item->name), "wait", true);
    if (!options->is_killed)
        json_object_set_new(arguments, "force",
                            json_boolean(options->is_forced));
    if (!options->is_killed && options->timeout_ms)
        json_object_set_new(arguments, "timeout-ms",
                            json_integer((json_int_t)options->timeout_ms));
    item->call = session_begin(
        takedown->session, options->is_killed ? "guest-kill" : "guest-shutdown",
        arguments);
    item->state = ITEM_BEGUN;
}

static void
leave(struct item *item, const char *why, const char *other)
{
    item->state = ITEM_FAILED;
    error_set(&item->error, ERROR_CODE_STATE, "%s is left running: %s%s",
              item->name, other ? other : "", why);
}

/* Begins those whose turn has come; whether any is under way. */
static bool
begin_due(struct takedown *takedown)
{
    bool is_under_way = false;
    for (size_t i = 0; i < takedown->count; i++) {
        struct item *item = &takedown->items[i];
        const struct item *other = NULL;
        for (size_t j = 0; j < takedown->count && !other; j++) {
            const struct item *one = &takedown->items[j];
            if (one != item && one->state != ITEM_ENDED &&
                comes_after(one, item->name))
                other = one;
        }
        if (item->state == ITEM_WAITS && takedown->is_stopped)
            leave(item, "it was not its turn yet", NULL);
        else if (item->state == ITEM_WAITS && !other)
            begin(takedown, item);
        else if (item->state == ITEM_WAITS && other->state == ITEM_FAILED)
            leave(item, ", which comes after it, does", other->name);
        is_under_way = is_under_way || item->state == ITEM_BEGUN ||
                       item->state == ITEM_WAITS;
    }
    return is_under_way;
}

static void
take_replies(struct takedown *takedown)
{
    for (size_t i = 0; i < takedown->count; i++) {
        struct item *item = &takedown->items[i];
        if (item->state != ITEM_BEGUN || !session_call_is_done(item->call))
            continue;
        bool ok = session_finish(takedown->session, item->call,
                                 SESSION_REPLY_TIMEOUT_MS, &item->value,
                                 &item->error);
        item->state = ok ? ITEM_ENDED : ITEM_FAILED;
    }
}

static void
on_event(void *user, const char *name, json_t *data)
{
    struct takedown *takedown = user;
    if (strcmp(name, "GUEST_CHANGED") != 0)
        return;
    for (size_t i = 0; i < takedown->count; i++) {
        struct item *item = &takedown->items[i];
        if (strcmp(item->name, guests_text(data, "name")) != 0)
            continue;
        json_decref(item->shutdown);
        item->shutdown = json_incref(json_object_get(data, "shutdown"));
    }
}

/* A key: nothing more is forced, and nothing more begun. What comes of it is
 * the answers'. */
static void
stop(struct takedown *takedown)
{
    char keys[64];
    while (read(STDIN_FILENO, keys, sizeof(keys)) > 0)
        continue;
    if (takedown->is_stopped)
        return;
    takedown->is_stopped = true;
    for (size_t i = 0; i < takedown->count; i++) {
        if (takedown->items[i].state == ITEM_BEGUN)
            (void)session_begin(
                takedown->session, "guest-shutdown-stop",
                json_pack("{s:o}", "guest",
                          json_from_text(takedown->items[i].name)));
    }
}

static bool
wait_all(struct takedown *takedown)
{
    while (begin_due(takedown)) {
        if (takedown->is_shown)
            show(takedown);
        enum session_news news = session_wait_news(
            takedown->session, takedown->is_shown ? STDIN_FILENO : -1,
            takedown->is_shown ? SHOW_MS : SESSION_NO_TIMEOUT);
        if (news == SESSION_NEWS_END)
            return false;
        if (news == SESSION_NEWS_INPUT)
            stop(takedown);
        take_replies(takedown);
    }
    return true;
}

static int
report_all(struct takedown *takedown)
{
    bool *ret_ended = takedown->options->ret_ended;
    bool is_json = options_has(&takedown->cli->options, "json");
    json_t *answers = !is_json    ? NULL
                      : ret_ended ? json_incref(takedown->options->answers)
                                  : json_array();
    struct act act = {.method = "guest-shutdown"};
    int status = COMMAND_DONE;
    for (size_t i = 0; i < takedown->count; i++) {
        struct item *item = &takedown->items[i];
        bool ok = item->state == ITEM_ENDED;
        if (ret_ended)
            ret_ended[i] = ok;
        if (ret_ended && ok)
            continue;
        int one = act_report(item->name, &act, item->value,
                             ok ? NULL : &item->error, answers);
        if (one != COMMAND_DONE && status != COMMAND_FAILED)
            status = one;
    }
    if (answers && !ret_ended)
        output_json(answers);
    json_decref(answers);
    return status;
}

static const json_t *
find_after(const json_t *guests, const char *name)
{
    for (size_t i = 0; i < json_array_size(guests); i++) {
        const json_t *guest = json_array_get(guests, i);
        if (strcmp(guests_text(guest, "name"), name) == 0)
            return json_object_get(guest, "after");
    }
    return NULL;
}

int
takedown_run(struct cli *cli, struct session *session, const char *const *names,
             size_t count, const json_t *guests,
             const struct takedown_options *options)
{
    struct takedown takedown = {
        .cli = cli,
        .session = session,
        .options = options,
        .items = xcalloc(count + 1, sizeof(struct item)),
        .count = count,
    };
    for (size_t i = 0; i < count; i++) {
        takedown.items[i].name = names[i];
        takedown.items[i].after = find_after(guests, names[i]);
    }
    session_set_on_event(session, on_event, &takedown);
    (void)session_begin(session, "events-subscribe", NULL);
    take_terminal(&takedown);
    bool ok = wait_all(&takedown);
    give_terminal_back(&takedown);
    session_set_on_event(session, NULL, NULL);
    struct error lost = {0};
    int status = ok ? report_all(&takedown) : COMMAND_FAILED;
    if (!ok && !session_is_interrupted(session))
        error_set(&lost, ERROR_CODE_IO,
                  "the server is gone; the next one goes on with what was "
                  "begun");
    if (!ok)
        status = session_fail(session, &lost);
    for (size_t i = 0; i < count; i++) {
        json_decref(takedown.items[i].value);
        json_decref(takedown.items[i].shutdown);
    }
    free(takedown.items);
    return status;
}
