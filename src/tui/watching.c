#include "tui/watching.h"

#include "base/xalloc.h"
#include "tui/deck-internal.h"
#include "tui/menu.h"
#include "tui/pane.h"
#include "tui/records.h"

#include <stdlib.h>
#include <string.h>

struct watching {
    struct mirror_alerts alerts;
    int bell;   /* from this severity on; enum mirror_severity */
    int notify; /* the same */
    bool is_notify_777;
};

const struct mirror_alerts *
watching_alerts(const struct deck *deck)
{
    static const struct mirror_alerts none = {0};
    return deck->watching ? &deck->watching->alerts : &none;
}

/* All that shows marks. */
static void
redraw(struct deck *deck)
{
    for (size_t i = 0; i < deck->pane_count; i++)
        pane_title_changed(deck->panes[i]);
    sidebar_changed(deck);
    records_changed(deck);
}

static void
on_alerts(void *user, json_t *value, const struct error *error)
{
    struct deck *deck = user;
    if (error || !deck->watching)
        return; /* an older server has none */
    mirror_alerts_load(&deck->watching->alerts,
                       json_object_get(value, "alerts"));
    redraw(deck);
}

static void
on_rules(void *user, json_t *value, const struct error *error)
{
    struct deck *deck = user;
    if (error || !deck->watching)
        return;
    const char *with = json_string_value(json_object_get(value, "notify-with"));
    deck->watching->bell =
        mirror_severity(json_string_value(json_object_get(value, "bell")));
    deck->watching->notify =
        mirror_severity(json_string_value(json_object_get(value, "notify")));
    deck->watching->is_notify_777 = with && strcmp(with, "osc777") == 0;
}

void
watching_ask(struct deck *deck)
{
    if (!deck->watching) {
        deck->watching = xcalloc(1, sizeof(*deck->watching));
        deck->watching->bell = MIRROR_SEVERITY_NONE;
        deck->watching->notify = MIRROR_SEVERITY_NONE;
    }
    connection_execute(deck->connection, "alert-list", NULL, on_alerts, deck);
    connection_execute(deck->connection, "alert-rules", NULL, on_rules, deck);
}

void
watching_finish(struct deck *deck)
{
    if (deck->watching)
        mirror_alerts_finish(&deck->watching->alerts);
    free(deck->watching);
    deck->watching = NULL;
}

/* Alerts ------------------------------------------------------------------- */

/* A notification's text is of ours alone: a guest must not speak there. */
static void
notify(struct deck *deck, const struct mirror_alert *alert)
{
    const char *rule =
        json_string_value(json_object_get(alert->object, "rule"));
    static const char *const words[] = {"info", "warning", "critical"};
    char *text =
        xasprintf("%s: %s (%s)", alert->guest ? alert->guest : "server",
                  words[alert->severity], rule ? rule : "alert");
    term_notify(deck->term, text, deck->watching->is_notify_777);
    free(text);
}

/* A new alert: its message, bell and notification. */
static void
announce(struct deck *deck, const struct mirror_alert *alert)
{
    const struct watching *watching = deck->watching;
    if (watching->bell != MIRROR_SEVERITY_NONE &&
        alert->severity >= watching->bell)
        term_bell(deck->term);
    if (watching->notify != MIRROR_SEVERITY_NONE &&
        alert->severity >= watching->notify)
        notify(deck, alert);
    /* the mark is enough for what is only good to know */
    if (alert->severity == MIRROR_INFO)
        return;
    const char *guest = alert->guest ? alert->guest : "";
    status_message(
        deck, alert->severity == MIRROR_CRITICAL ? DECK_ERROR : DECK_WARNING,
        "%s%s%s%s%s", guest, guest[0] ? ": " : "", alert->text,
        alert->line ? ": " : "", alert->line ? alert->line : "");
}

void
watching_event(struct deck *deck, const char *name, const json_t *data)
{
    if (!deck->watching)
        return;
    if (strcmp(name, "ALERT_RULES_CHANGED") == 0) {
        connection_execute(deck->connection, "alert-rules", NULL, on_rules,
                           deck);
        return;
    }
    if (strcmp(name, "GUEST_LIST") == 0) {
        watching_ask(deck); /* alerts may have been lost too */
        return;
    }
    if (!mirror_alerts_event(&deck->watching->alerts, name, data))
        return;
    const struct mirror_alert *alert =
        mirror_alerts_find(&deck->watching->alerts,
                           json_integer_value(json_object_get(data, "id")));
    if (alert && alert->count == 1 && !alert->is_seen)
        announce(deck, alert);
    redraw(deck);
}

const char *
watching_mark(const struct deck *deck, int severity)
{
    if (!deck->has_unicode)
        return severity == MIRROR_INFO ? "i" : "A";
    return severity == MIRROR_INFO ? "△" : "▲";
}

int
watching_role(int severity)
{
    static const int roles[] = {
        [MIRROR_INFO] = THEME_ALERT_INFO,
        [MIRROR_WARNING] = THEME_ALERT_WARNING,
        [MIRROR_CRITICAL] = THEME_ALERT_CRITICAL,
    };
    return severity >= 0 && severity <= MIRROR_CRITICAL ? roles[severity]
                                                        : THEME_TEXT;
}

static void
see(struct deck *deck, const char *guest)
{
    if (!deck->connection || deck->options->is_read_only)
        return;
    json_t *arguments =
        guest ? json_pack("{s:s}", "guest", guest) : json_object();
    connection_execute(deck->connection, "alert-seen", arguments, NULL, NULL);
}

void
watching_touch(struct deck *deck, const struct pane *pane)
{
    if (pane && deck->watching &&
        mirror_alerts_worst(&deck->watching->alerts, pane->guest, NULL))
        see(deck, pane->guest);
}

void
watching_see_all(struct deck *deck)
{
    const struct mirror_alerts *alerts = watching_alerts(deck);
    for (size_t i = 0; i < alerts->count; i++) {
        if (!alerts->items[i].is_seen) {
            see(deck, NULL);
            return;
        }
    }
}

/* Silence ------------------------------------------------------------------ */

static const json_t *
find_console(const struct mirror_guest *guest, const char *name)
{
    const json_t *consoles = json_object_get(guest->object, "consoles");
    for (size_t i = 0; i < json_array_size(consoles); i++) {
        const json_t *console = json_array_get(consoles, i);
        const char *known = json_string_value(json_object_get(console, "name"));
        if (known && strcmp(known, name) == 0)
            return console;
    }
    return NULL;
}

bool
watching_is_silent(const struct deck *deck, const char *guest,
                   const char *console)
{
    const struct mirror_guest *known =
        mirror_fleet_find((struct mirror_fleet *)&deck->fleet, guest);
    if (!known)
        return false;
    if (console)
        return json_is_true(
            json_object_get(find_console(known, console), "silent"));
    const json_t *consoles = json_object_get(known->object, "consoles");
    for (size_t i = 0; i < json_array_size(consoles); i++) {
        if (json_is_true(
                json_object_get(json_array_get(consoles, i), "silent")))
            return true;
    }
    return false;
}

/* What is chosen from: each by its key. */
static const struct watch_choice {
    const char *key;
    const char *text;
    int silence_s; /* -1: this is about output */
} choices[] = {
    {"1", "silence of 30 s", 30},    {"2", "silence of 2 min", 120},
    {"3", "silence of 10 min", 600}, {"0", "no silence", 0},
    {"o", "its next output", -1},
};
#define CHOICES_COUNT (sizeof(choices) / sizeof(*choices))

static void
on_choose(struct deck *deck, size_t index, void *data)
{
    const char *target = data;
    const struct watch_choice *choice = &choices[index];
    if (choice->silence_s < 0)
        link_command(deck, "activity-set",
                     json_pack("{s:s,s:b}", "guest", target, "on", 1));
    else
        link_command(deck, "silence-set",
                     json_pack("{s:s,s:i}", "guest", target, "silence-s",
                               choice->silence_s));
    if (choice->silence_s == 0)
        status_message(deck, DECK_INFO, "%s: silence is not watched for",
                       target);
    else if (choice->silence_s < 0)
        status_message(deck, DECK_INFO, "%s: an alert when it prints something",
                       target);
    else
        status_message(deck, DECK_INFO, "%s: an alert after %d s of silence",
                       target, choice->silence_s);
}

void
watching_menu(struct deck *deck)
{
    struct pane *pane = deck->focus;
    const struct mirror_guest *guest = pane ? pane_guest(pane) : NULL;
    const json_t *console = guest ? find_console(guest, pane->console) : NULL;
    struct menu_entry entries[CHOICES_COUNT];
    if (!console || !link_may_change(deck))
        return;
    json_int_t now = json_integer_value(json_object_get(console, "silence-s"));
    bool has_activity = json_is_true(json_object_get(console, "activity"));
    for (size_t i = 0; i < CHOICES_COUNT; i++) {
        bool is_on = choices[i].silence_s < 0 ? has_activity
                                              : choices[i].silence_s == now;
        entries[i] = (struct menu_entry){
            .key = choices[i].key,
            .text = choices[i].text,
            .note = is_on ? "as it is" : NULL,
        };
    }
    char *title = xasprintf("watch %s for", pane->target);
    struct menu_request request = {
        .title = title,
        .entries = entries,
        .count = CHOICES_COUNT,
        .on_choose = on_choose,
        .on_end = free,
        .data = xstrdup(pane->target),
    };
    menu_open(deck, &request);
    free(title);
}
