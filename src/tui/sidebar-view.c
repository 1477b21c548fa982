#include "base/clock.h"
#include "base/xalloc.h"
#include "tui/broadcast.h"
#include "tui/deck-internal.h"
#include "tui/life.h"
#include "tui/pane.h"
#include "tui/pasting.h"
#include "tui/sidebar.h"
#include "tui/state.h"
#include "tui/watching.h"

#include <stdlib.h>
#include <string.h>

/* The sidebar's rows out of the fleet and the panes. */

static unsigned
row_flags(const struct deck *deck, const struct mirror_guest *guest)
{
    static const unsigned alert_flags[] = {
        [MIRROR_INFO] = SIDEBAR_ALERT_INFO,
        [MIRROR_WARNING] = SIDEBAR_ALERT_WARNING,
        [MIRROR_CRITICAL] = SIDEBAR_ALERT_CRITICAL,
    };
    unsigned flags = 0;
    const struct mirror_alert *alert =
        mirror_alerts_worst(watching_alerts(deck), guest->name, NULL);
    if (alert)
        flags |= alert_flags[alert->severity];
    if (watching_is_silent(deck, guest->name, NULL))
        flags |= SIDEBAR_SILENT;
    if (broadcast_is_marked(deck, guest->name))
        flags |= SIDEBAR_MARKED;
    if (broadcast_reaches(deck, guest->name))
        flags |= SIDEBAR_REACHED;
    for (size_t i = 0; i < deck->pane_count; i++) {
        const struct pane *pane = deck->panes[i];
        if (strcmp(pane->guest, guest->name) != 0)
            continue;
        if (pane == deck->focus)
            flags |= SIDEBAR_CURRENT;
        if (pane->has_bell)
            flags |= SIDEBAR_BELL;
        if (company_presence(pane) == COMPANY_TYPES)
            flags |= SIDEBAR_TYPED;
        else if (company_presence(pane) == COMPANY_WATCHES)
            flags |= SIDEBAR_WATCHED;
        if (pane->state == PANE_HIDDEN && guest->activity_ms > pane->seen_ms)
            flags |= SIDEBAR_ACTIVITY;
    }
    return flags;
}

static struct sidebar_row *
make_rows(const struct deck *deck)
{
    struct sidebar_row *rows = xcalloc(deck->fleet.count + 1, sizeof(*rows));
    for (size_t i = 0; i < deck->fleet.count; i++) {
        const struct mirror_guest *guest = &deck->fleet.guests[i];
        rows[i] = (struct sidebar_row){
            .name = guest->name,
            .state = guest->state,
            .started_ms = guest->started_ms,
            .flags = row_flags(deck, guest),
            .pasted = pasting_percent(deck, guest->name, NULL) + 1,
        };
        rows[i].label = life_label(guest, clock_wall_ms(), rows[i].label_text,
                                   sizeof(rows[i].label_text));
    }
    return rows;
}

/* What the sidebar's keys do to a guest, in few words. */
static const struct {
    const char *action;
    const char *text;
} key_words[] = {
    {"start", "start"},   {"shutdown", "shut down"}, {"kill", "force off"},
    {"pause", "pause"},   {"reset", "reset"},        {"restart", "restart"},
    {"remove", "remove"}, {"report", "report"},
};
#define KEY_WORDS_COUNT (sizeof(key_words) / sizeof(*key_words))

/* Facts: heading, process, stage, console, log. */
#define FACTS_MAX 5

/* The notes' own texts. */
struct notes {
    struct sidebar_note keys[KEY_WORDS_COUNT + 1];
    struct sidebar_note facts[FACTS_MAX];
    char *texts[FACTS_MAX]; /* owned */
    char *heading;          /* owned */
    size_t key_count;
    size_t fact_count;
};

static void
make_keys(const struct deck *deck, struct notes *notes)
{
    const char *sidebar = keymap_key_of(deck->keymap, KEYMAP_PREFIX, "sidebar");
    notes->heading =
        deck->is_sidebar_focused || !sidebar
            ? xstrdup("keys")
            : xasprintf("after %s %s", keymap_prefix(deck->keymap), sidebar);
    notes->keys[notes->key_count++].key = notes->heading;
    for (size_t i = 0; i < KEY_WORDS_COUNT; i++) {
        const char *key =
            keymap_key_of(deck->keymap, KEYMAP_SIDEBAR, key_words[i].action);
        if (key)
            notes->keys[notes->key_count++] = (struct sidebar_note){
                key, status_word(deck, key_words[i].action, key_words[i].text)};
    }
}

static void
add_fact(struct notes *notes, char *text)
{
    notes->texts[notes->fact_count] = text;
    notes->facts[notes->fact_count++].text = text;
}

/* "ttyS0, 12 KiB log" */
static char *
log_text(const char *console, int64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    size_t unit = 0;
    while (bytes >= 10000 && unit + 1 < sizeof(units) / sizeof(*units)) {
        bytes /= 1024;
        unit++;
    }
    return xasprintf("%s, %lld %s log", console, (long long)bytes, units[unit]);
}

static void
make_facts(const struct deck *deck, struct notes *notes)
{
    size_t index = deck->selected;
    if (index >= deck->fleet.count)
        return;
    const struct mirror_guest *guest = &deck->fleet.guests[index];
    notes->facts[notes->fact_count++].key = guest->name;
    const json_t *pid = json_object_get(guest->object, "pid");
    if (json_is_integer(pid))
        add_fact(notes, xasprintf("%s, pid %lld%s", guest->kind,
                                  (long long)json_integer_value(pid),
                                  json_is_true(
                                      json_object_get(guest->object, "adopted"))
                                      ? ", adopted"
                                      : ""));
    else
        add_fact(notes, xasprintf("%s, %s", guest->kind, guest->state));
    char fact[64];
    life_fact(guest, fact, sizeof(fact));
    if (fact[0])
        add_fact(notes, xstrdup(fact));
    const json_t *console =
        json_array_get(json_object_get(guest->object, "consoles"), 0);
    const char *name = json_string_value(json_object_get(console, "name"));
    if (name)
        add_fact(notes, log_text(name, json_integer_value(json_object_get(
                                           console, "offset"))));
}

static void
finish_notes(struct notes *notes)
{
    free(notes->heading);
    for (size_t i = 0; i < FACTS_MAX; i++)
        free(notes->texts[i]);
}

void
sidebar_view_expose(struct deck *deck, TickitRenderBuffer *rb, int rows,
                    int cols)
{
    struct sidebar_row *list = make_rows(deck);
    const char *server = deck->options->paths->server;
    bool is_default = !server || strcmp(server, "default") == 0;
    char *heading =
        is_default ? xstrdup("guestmux") : xasprintf("guestmux %s", server);
    deck->sidebar_top =
        sidebar_scroll(deck->sidebar_top, deck->selected, deck->fleet.count,
                       sidebar_capacity(rows));
    struct notes notes = {0};
    make_keys(deck, &notes);
    make_facts(deck, &notes);
    struct sidebar_model model = {
        .facts = notes.facts,
        .fact_count = notes.fact_count,
        .keys = notes.keys,
        .key_count = notes.key_count,
        .heading = heading,
        .rows = list,
        .count = deck->fleet.count,
        .selected = deck->selected,
        .top = deck->sidebar_top,
        .now_ms = clock_wall_ms(),
        .flags = (deck->is_sidebar_focused ? SIDEBAR_FOCUS : 0u) |
                 (deck->has_unicode ? SIDEBAR_UNICODE : 0u),
    };
    sidebar_draw(rb, deck->theme, &model, rows, cols);
    finish_notes(&notes);
    free(heading);
    free(list);
}

void
sidebar_changed(struct deck *deck)
{
    if (deck->layout.sidebar.rows > 0) {
        tickit_window_expose(deck->sidebar_win, NULL);
        frame_request(deck);
    }
}

bool
sidebar_row_at(const struct deck *deck, int row, size_t *ret_index)
{
    if (row < 1 || deck->sidebar_top + (size_t)(row - 1) >= deck->fleet.count)
        return false;
    *ret_index = deck->sidebar_top + (size_t)(row - 1);
    return true;
}

int
sidebar_view_cols(const struct deck *deck)
{
    struct sidebar_row *rows = make_rows(deck);
    int cols = sidebar_wanted_cols(rows, deck->fleet.count);
    free(rows);
    return cols;
}

int64_t
sidebar_view_lasts_ms(const struct deck *deck)
{
    int64_t now = clock_wall_ms();
    int64_t lasts = -1;
    size_t capacity = sidebar_capacity(deck->layout.sidebar.rows);
    for (size_t i = 0;
         i < capacity && deck->sidebar_top + i < deck->fleet.count; i++) {
        const struct mirror_guest *guest =
            &deck->fleet.guests[deck->sidebar_top + i];
        int64_t life = life_lasts_ms(guest, now);
        if (life > 0 && (lasts < 0 || life < lasts))
            lasts = life;
        if (guest->started_ms <= 0 || state_info(guest->state)->has_ended)
            continue;
        int64_t next = sidebar_uptime_lasts_ms(now - guest->started_ms);
        if (lasts < 0 || next < lasts)
            lasts = next;
    }
    /* sixteen guests that started in one second change in one drawing */
    return lasts < 0 ? lasts : sidebar_round_up_ms(now + lasts) - now;
}
