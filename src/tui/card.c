#include "tui/card.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "tui/draw.h"
#include "tui/life.h"
#include "tui/state.h"

#include <stdlib.h>
#include <string.h>

/* Wider cards are hard to read. */
#define CARD_COLS_MAX 100

/* Rows that the last words of QEMU may take. */
#define CARD_STDERR_ROWS_MAX 8

static void
add_line(struct card *card, enum theme_role role, const char *text)
{
    if (card->count == CARD_LINES_MAX)
        return;
    card->lines[card->count].text = xstrdup(text);
    card->lines[card->count].role = role;
    card->count++;
}

/* Adds text on as many lines as it needs, at most rows; returns how many. */
static int
add_wrapped(struct card *card, enum theme_role role, const char *text, int rows)
{
    char *fit = text_printable(text, strlen(text), 0, TEXT_ONE_LINE);
    const char *rest = fit;
    int used = 0;
    while (*rest && used < rows) {
        size_t len = draw_wrap_point(rest, card->cols - 2);
        /* the last line allowed is cut by whoever draws it */
        char *line = used + 1 == rows ? xstrdup(rest) : xstrndup(rest, len);
        add_line(card, role, line);
        free(line);
        rest += len;
        used++;
    }
    free(fit);
    return used;
}

static const char *
exit_text(const json_t *exit, const char *name)
{
    return json_string_value(json_object_get(exit, name));
}

static char *
title_text(const struct mirror_guest *guest, const json_t *exit)
{
    const char *summary = exit_text(exit, "summary");
    const char *problem =
        json_string_value(json_object_get(guest->object, "problem"));
    if (strcmp(guest->state, "defined") == 0)
        return xasprintf("%s is defined, and was not started yet", guest->name);
    if (!summary)
        summary = problem;
    return xasprintf("%s %s%s%s", guest->name, guest->state,
                     summary ? ": " : "", summary ? summary : "");
}

/* "reason guest-shutdown · ran 4m12s" */
static char *
facts_text(const json_t *exit)
{
    struct buffer text = {0};
    const char *reason = exit_text(exit, "reason");
    const char *signal = exit_text(exit, "signal");
    const json_t *code = json_object_get(exit, "code");
    const json_t *uptime = json_object_get(exit, "uptime-ms");
    if (json_is_integer(code))
        buffer_printf(&text, "exit status %d", (int)json_integer_value(code));
    if (signal)
        buffer_printf(&text, "%s%s", text.len ? " · " : "", signal);
    if (reason)
        buffer_printf(&text, "%sreason %s", text.len ? " · " : "", reason);
    if (json_is_integer(uptime)) {
        char duration[32];
        clock_format_duration(json_integer_value(uptime) / 1000, duration,
                              sizeof(duration));
        buffer_printf(&text, "%sran %s", text.len ? " · " : "", duration);
    }
    return buffer_steal(&text);
}

static char *
keys_text(const struct mirror_guest *guest, const struct keymap *keymap)
{
    static const struct {
        const char *action;
        const char *text;
    } offers[] = {
        {"start", "start"},
        {"report", "report"},
        {"remove", "remove"},
        {"shutdown", "call off"},
    };
    bool was_started = strcmp(guest->state, "defined") != 0;
    struct buffer text = {0};
    for (size_t i = 0; i < sizeof(offers) / sizeof(*offers); i++) {
        const char *key = keymap_key_of(keymap, KEYMAP_DEAD, offers[i].action);
        bool is_fit =
            strcmp(offers[i].action, "shutdown") != 0 || life_is_pending(guest);
        if (key && is_fit)
            buffer_printf(&text, "%s%s %s", text.len ? "   " : "", key,
                          i == 0 && was_started ? "restart" : offers[i].text);
    }
    return buffer_steal(&text);
}

/* The newest lines of QEMU's stderr, at most rows of them. */
static int
add_stderr(struct card *card, const json_t *exit, int rows)
{
    const json_t *lines = json_object_get(exit, "stderr");
    size_t count = json_array_size(lines);
    int used = 0;
    if (rows > CARD_STDERR_ROWS_MAX)
        rows = CARD_STDERR_ROWS_MAX;
    /* few long lines are shown whole, many lines one row each */
    size_t first = count > (size_t)rows ? count - (size_t)rows : 0;
    for (size_t i = first; i < count && used < rows; i++) {
        const char *line = json_string_value(json_array_get(lines, i));
        int left = rows - used - (int)(count - i - 1);
        if (line && line[0])
            used += add_wrapped(card, THEME_CARD, line, left > 0 ? left : 1);
    }
    return used;
}

void
card_init(struct card *card, const struct mirror_guest *guest,
          const struct keymap *keymap, int rows, int cols)
{
    /* where hardly anything would stay visible beside it, nothing does */
    *card = (struct card){
        .cols = cols > CARD_COLS_MAX + 4 ? CARD_COLS_MAX : cols,
    };
    const json_t *exit = json_object_get(guest->object, "exit");
    bool is_crash = strcmp(guest->state, "crashed") == 0;
    /* some of the last screen stays visible around it */
    int room = rows > 12 ? rows - 4 : rows - 1;
    if (room > CARD_LINES_MAX)
        room = CARD_LINES_MAX;

    char *title = title_text(guest, exit);
    room -= 1; /* the keys */
    room -= add_wrapped(card, is_crash ? THEME_CARD_TITLE : THEME_STATUS, title,
                        room > 6 ? 3 : 1);
    free(title);

    char plan[128];
    life_plan(guest, clock_wall_ms(), plan, sizeof(plan));
    if (plan[0] && room > 0)
        room -= add_wrapped(card, THEME_CARD_KEY, plan, 1);

    const char *advice = exit_text(exit, "advice");
    const char *command = exit_text(exit, "command");
    /* of what is left, first the advice, then the last words */
    int advice_rows = room > 8 ? 3 : room > 3 ? 2 : 1;
    int reserve = (advice ? advice_rows : 0) + (room > 7 ? 1 : 0);
    if (room > 0)
        room -= add_stderr(card, exit, room - reserve > 1 ? room - reserve : 1);
    if (advice && room > 0)
        room -= add_wrapped(card, THEME_CARD_KEY, advice, room < 3 ? room : 3);
    char *facts = facts_text(exit);
    if (facts[0] && room > 0)
        room -= add_wrapped(card, THEME_CARD, facts, 1);
    free(facts);
    if (command && is_crash && room > 1)
        add_wrapped(card, THEME_CARD, command, room > 4 ? 3 : 1);

    char *keys = keys_text(guest, keymap);
    add_line(card, THEME_CARD_KEY, keys);
    free(keys);
}

void
card_finish(struct card *card)
{
    for (size_t i = 0; i < card->count; i++)
        free(card->lines[i].text);
    card->count = 0;
}

static void
report_value(struct buffer *text, const char *label, const char *value)
{
    if (value)
        buffer_printf(text, "%-10s %s\n", label, value);
}

/* The last boot's stages, each with the time it took from the boot's beginning.
 */
static void
report_stages(struct buffer *text, const json_t *stages)
{
    for (size_t i = 0; i < json_array_size(stages); i++) {
        const json_t *one = json_array_get(stages, i);
        buffer_printf(
            text, "%-10s %-12s after %.1f s\n", i == 0 ? "stages" : "",
            exit_text(one, "stage"),
            (double)json_integer_value(json_object_get(one, "after-ms")) /
                1000.0);
    }
}

/* Whom the guest can be reached at, and who said so when. */
static void
report_addresses(struct buffer *text, const json_t *object)
{
    const json_t *forwards = json_object_get(object, "forwards");
    const json_t *addresses = json_object_get(object, "addresses");
    for (size_t i = 0; i < json_array_size(forwards); i++) {
        const json_t *row = json_array_get(forwards, i);
        buffer_printf(
            text, "%-10s %s port %lld of %s to its port %lld\n", "forward",
            exit_text(row, "protocol"),
            (long long)json_integer_value(json_object_get(row, "host-port")),
            exit_text(row, "host"),
            (long long)json_integer_value(json_object_get(row, "guest-port")));
    }
    for (size_t i = 0; i < json_array_size(addresses); i++) {
        const json_t *row = json_array_get(addresses, i);
        const char *network = exit_text(row, "network");
        char age[32];
        int64_t seen_ms = json_integer_value(json_object_get(row, "seen-ms"));
        int64_t age_ms = clock_wall_ms() - seen_ms;
        clock_format_duration(age_ms > 0 ? age_ms / 1000 : 0, age, sizeof(age));
        buffer_printf(text, "%-10s %s (%s%s%s, %s ago)\n", "address",
                      exit_text(row, "address"), exit_text(row, "source"),
                      network ? " " : "", network ? network : "", age);
    }
}

/* Cards whose cable is out. */
static void
report_cables(struct buffer *text, const json_t *cards)
{
    for (size_t i = 0; i < json_array_size(cards); i++) {
        const char *link = exit_text(json_array_get(cards, i), "link");
        if (link && strcmp(link, "down") == 0)
            buffer_printf(text, "%-10s of network card %zu is out\n", "cable",
                          i);
    }
}

static void
report_exit(struct buffer *text, const json_t *exit)
{
    if (!json_is_object(exit))
        return;
    char *facts = facts_text(exit);
    buffer_append_text(text, "\n# The end\n");
    report_value(text, "why", exit_text(exit, "summary"));
    report_value(text, "facts", facts);
    report_value(text, "advice", exit_text(exit, "advice"));
    free(facts);
    const json_t *lines = json_object_get(exit, "stderr");
    if (json_array_size(lines) > 0)
        buffer_append_text(text, "\n# Last words on standard error\n");
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const char *line = json_string_value(json_array_get(lines, i));
        buffer_printf(text, "%s\n", line ? line : "");
    }
    if (exit_text(exit, "command"))
        buffer_printf(text, "\n# Command line\n%s\n",
                      exit_text(exit, "command"));
}

char *
card_report(const struct mirror_guest *guest)
{
    struct buffer text = {0};
    const json_t *object = guest->object;
    buffer_printf(&text, "# %s\n", guest->name);
    report_value(&text, "kind", guest->kind);
    report_value(&text, "state", guest->state);
    report_value(&text, "QEMU says",
                 json_string_value(json_object_get(object, "run-state")));
    if (json_is_integer(json_object_get(object, "pid")))
        buffer_printf(
            &text, "%-10s %lld%s\n", "process",
            (long long)json_integer_value(json_object_get(object, "pid")),
            json_is_true(json_object_get(object, "adopted")) ? " (adopted)"
                                                             : "");
    report_value(&text, "problem",
                 json_string_value(json_object_get(object, "problem")));
    const json_t *consoles = json_object_get(object, "consoles");
    for (size_t i = 0; i < json_array_size(consoles); i++) {
        const json_t *console = json_array_get(consoles, i);
        const char *name = json_string_value(json_object_get(console, "name"));
        buffer_printf(
            &text, "%-10s %s, %lldx%lld, %lld bytes of log\n", "console",
            name ? name : "?",
            (long long)json_integer_value(json_object_get(console, "cols")),
            (long long)json_integer_value(json_object_get(console, "rows")),
            (long long)json_integer_value(json_object_get(console, "offset")));
    }
    report_stages(&text, json_object_get(object, "stages"));
    report_addresses(&text, object);
    report_cables(&text, json_object_get(object, "nics"));
    report_exit(&text, json_object_get(object, "exit"));
    return buffer_steal(&text);
}
