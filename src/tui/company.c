#include "tui/company.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "client/identity.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/viewer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Columns of a name in a title and in a message. */
#define NAME_MAX_COLS 32u
/* Consoles of one client that the list shows. */
#define LISTED_MAX 6

static const char *
member_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* A client's name, fit to show: the server may be of another version. */
static void
take_name(const json_t *client, char name[COMPANY_NAME_BYTES])
{
    const char *text = member_text(client, "name");
    char *shown =
        text_printable(text, strlen(text), NAME_MAX_COLS, TEXT_ONE_LINE);
    (void)snprintf(name, COMPANY_NAME_BYTES, "%s", shown);
    free(shown);
}

static bool
is_self(const struct deck *deck, const json_t *client)
{
    return json_integer_value(json_object_get(client, "client")) ==
           deck->client_id;
}

static void
on_introduced(void *user, json_t *value, const struct error *error)
{
    struct deck *deck = user;
    if (error)
        status_message(deck, DECK_WARNING, "%s", error->text);
    else
        deck->client_id = json_integer_value(json_object_get(value, "client"));
}

void
company_introduce(struct deck *deck)
{
    deck->client_id = 0;
    connection_execute(
        deck->connection, "client-set",
        identity_arguments(deck->options->is_single ? "console" : "deck",
                           deck->options->is_read_only),
        on_introduced, deck);
}

/* What the server tells ---------------------------------------------------- */

static struct pane *
find_pane(const struct deck *deck, const json_t *data)
{
    for (size_t i = 0; i < deck->pane_count; i++) {
        struct pane *pane = deck->panes[i];
        if (strcmp(pane->guest, member_text(data, "guest")) == 0 &&
            strcmp(pane->console, member_text(data, "console")) == 0)
            return pane;
    }
    return NULL;
}

static void
read_company(const struct deck *deck, const json_t *data,
             struct company *company)
{
    const json_t *clients = json_object_get(data, "clients");
    const json_t *typist = json_object_get(data, "typist");
    const json_t *holder = json_object_get(data, "holder");
    *company = (struct company){
        .watchers = json_integer_value(json_object_get(data, "watchers"))};
    for (size_t i = 0; i < json_array_size(clients); i++) {
        const json_t *client = json_array_get(clients, i);
        if (is_self(deck, client))
            company->is_watching = true;
        else if (!company->watcher[0])
            take_name(client, company->watcher);
    }
    if (json_is_object(typist) && !is_self(deck, typist))
        take_name(typist, company->typist);
    if (json_is_object(holder) && is_self(deck, holder))
        company->holds_keyboard = true;
    else if (json_is_object(holder))
        take_name(holder, company->holder);
}

void
company_event(struct deck *deck, const json_t *data)
{
    struct pane *pane = find_pane(deck, data);
    if (!pane)
        return;
    bool held = pane->company.holds_keyboard;
    read_company(deck, data, &pane->company);
    const char *key = keymap_key_of(deck->keymap, KEYMAP_PREFIX, "keyboard");
    if (held && pane->company.holder[0])
        status_message(deck, DECK_WARNING,
                       "%s took the keyboard of %s; %s %s takes it back",
                       pane->company.holder, pane->target,
                       keymap_prefix(deck->keymap), key ? key : "");
    pane_title_changed(pane);
    sidebar_changed(deck);
    status_changed(deck);
}

enum company_presence
company_presence(const struct pane *pane)
{
    const struct company *company = &pane->company;
    if (company->holder[0] || company->typist[0])
        return COMPANY_TYPES;
    return company->watchers > (company->is_watching ? 1 : 0) ? COMPANY_WATCHES
                                                              : COMPANY_NOBODY;
}

bool
company_title(const struct pane *pane, char *text, int size, bool *ret_is_loud)
{
    const struct company *company = &pane->company;
    int64_t others = company->watchers - (company->is_watching ? 1 : 0);
    *ret_is_loud = true;
    if (company->holder[0]) {
        (void)snprintf(text, (size_t)size, "%s has the keyboard",
                       company->holder);
        return true;
    }
    if (company->typist[0]) {
        (void)snprintf(text, (size_t)size, "%s types", company->typist);
        return true;
    }
    if (company->holds_keyboard) {
        (void)snprintf(text, (size_t)size, "keyboard taken");
        return true;
    }
    *ret_is_loud = false;
    if (others == 1 && company->watcher[0])
        (void)snprintf(text, (size_t)size, "%s watches", company->watcher);
    else if (others > 0)
        (void)snprintf(text, (size_t)size, "%lld watch", (long long)others);
    return others > 0;
}

/* Who may type ------------------------------------------------------------- */

static bool
is_readonly(const struct pane *pane)
{
    const struct mirror_guest *guest = pane_guest(pane);
    return guest && json_is_true(json_object_get(guest->object, "read-only"));
}

bool
company_is_mute(const struct pane *pane)
{
    return is_readonly(pane) || pane->company.holder[0];
}

bool
company_may_type(struct deck *deck, const struct pane *pane)
{
    const char *key = keymap_key_of(deck->keymap, KEYMAP_PREFIX, "keyboard");
    if (is_readonly(pane)) {
        status_message(deck, DECK_WARNING,
                       "%s is read-only: its fleet file says that nobody types",
                       pane->guest);
        return false;
    }
    if (!pane->company.holder[0])
        return true;
    status_message(deck, DECK_WARNING,
                   "not sent: %s has the keyboard of %s; %s %s takes it",
                   pane->company.holder, pane->target,
                   keymap_prefix(deck->keymap), key ? key : "");
    return false;
}

void
company_toggle_keyboard(struct deck *deck)
{
    const struct pane *pane = deck->focus;
    if (!pane || !pane->console[0] || !link_may_change(deck))
        return;
    bool holds = pane->company.holds_keyboard;
    link_command(deck, holds ? "keyboard-release" : "keyboard-take",
                 json_pack("{s:s}", "guest", pane->target));
    if (holds)
        status_message(deck, DECK_INFO, "everybody can type to %s again",
                       pane->target);
    else
        status_message(deck, DECK_INFO,
                       "only you can type to %s until you give it back",
                       pane->target);
}

/* The list ----------------------------------------------------------------- */

/* "n1:ttyS0, n2:ttyS0, …" of names, or of views. */
static void
append_consoles(struct buffer *text, const char *what, const json_t *list)
{
    size_t count = json_array_size(list);
    if (count == 0)
        return;
    buffer_printf(text, "\t%s ", what);
    for (size_t i = 0; i < count && i < LISTED_MAX; i++) {
        const json_t *item = json_array_get(list, i);
        const char *comma = i ? ", " : "";
        if (json_is_string(item))
            buffer_printf(text, "%s%s", comma, json_string_value(item));
        else
            buffer_printf(text, "%s%s:%s", comma, member_text(item, "guest"),
                          member_text(item, "console"));
    }
    if (count > LISTED_MAX)
        buffer_printf(text, ", %zu more", count - LISTED_MAX);
    buffer_append_text(text, "\n");
}

static void
append_client(struct buffer *text, const json_t *client)
{
    char since[32] = "";
    char age[32];
    struct tm local;
    int64_t since_ms = json_integer_value(json_object_get(client, "since-ms"));
    time_t seconds = (time_t)(since_ms / 1000);
    int64_t age_s = (clock_wall_ms() - since_ms) / 1000;
    if (localtime_r(&seconds, &local))
        (void)strftime(since, sizeof(since), "%H:%M", &local);
    clock_format_duration(age_s > 0 ? age_s : 0, age, sizeof(age));
    buffer_printf(text, "# %s%s\n", member_text(client, "name"),
                  json_is_true(json_object_get(client, "self")) ? " (this one)"
                                                                : "");
    buffer_printf(text, "%s\tsince %s, %s%s\n", member_text(client, "program"),
                  since, age,
                  json_is_true(json_object_get(client, "read-only"))
                      ? ", read-only"
                      : "");
    append_consoles(text, "looks at", json_object_get(client, "views"));
    append_consoles(text, "types to", json_object_get(client, "types"));
    append_consoles(text, "has the keyboard of",
                    json_object_get(client, "holds"));
}

static void
on_clients(void *user, json_t *value, const struct error *error)
{
    struct deck *deck = user;
    if (error) {
        status_message(deck, DECK_ERROR, "%s", error->text);
        return;
    }
    struct buffer text = {0};
    for (size_t i = 0; i < json_array_size(value); i++)
        append_client(&text, json_array_get(value, i));
    if (text.len)
        viewer_open(deck, "clients", text.data);
    buffer_finish(&text);
}

void
company_show(struct deck *deck)
{
    if (deck->connection)
        connection_execute(deck->connection, "query-clients", NULL, on_clients,
                           deck);
    else
        status_message(deck, DECK_ERROR, "there is no server at present");
}
