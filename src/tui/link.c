#include "base/clock.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "tui/broadcast.h"
#include "tui/company.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/pasting.h"
#include "tui/viewer.h"
#include "tui/watching.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long a new server is tried for before the deck gives up, ms. */
#define RECONNECT_LIMIT_MS 20000

/* From one attempt to the next, ms. */
#define RECONNECT_PAUSE_MS 500

static void
on_fleet(void *user, json_t *value, const struct error *error)
{
    struct deck *deck = user;
    struct error problem = {0};
    if (error) {
        status_message(deck, DECK_ERROR, "%s", error->text);
        return;
    }
    if (!mirror_fleet_load(&deck->fleet, json_object_get(value, "guests"),
                           &problem)) {
        status_message(deck, DECK_ERROR, "%s", problem.text);
        return;
    }
    deck->has_fleet = true;
    arrange_fleet(deck);
    frame_expose_all(deck);
    frame_update_clock(deck);
    viewer_refresh(deck, NULL);
    /* who is where was told before there were panes: to be told again */
    connection_execute(deck->connection, "events-subscribe", NULL, NULL, NULL);
}

static void
on_server(void *user, json_t *value, const struct error *error)
{
    struct deck *deck = user;
    const char *warning =
        error ? NULL : json_string_value(json_object_get(value, "warning"));
    if (warning)
        status_message(deck, DECK_WARNING, "%s", warning);
}

static void
on_sysrqs(void *user, json_t *value, const struct error *error)
{
    struct deck *deck = user;
    if (error)
        return; /* a server that has none */
    json_decref(deck->sysrqs);
    deck->sysrqs = json_incref(value);
}

static void
on_pastes(void *user, json_t *value, const struct error *error)
{
    if (!error)
        pasting_load(user, value);
}

static void
on_notice(struct deck *deck, const json_t *data)
{
    const char *level = json_string_value(json_object_get(data, "level"));
    const char *guest = json_string_value(json_object_get(data, "guest"));
    const char *text = json_string_value(json_object_get(data, "text"));
    /* all others come as alerts too */
    if (!level || strcmp(level, "info") != 0)
        return;
    status_message(deck, DECK_INFO, "%s%s%s", guest ? guest : "",
                   guest ? ": " : "", text ? text : "");
}

static void
on_bell(struct deck *deck, const json_t *data)
{
    const char *guest = json_string_value(json_object_get(data, "guest"));
    const char *console = json_string_value(json_object_get(data, "console"));
    for (size_t i = 0; guest && console && i < deck->pane_count; i++) {
        struct pane *pane = deck->panes[i];
        if (strcmp(pane->guest, guest) != 0 ||
            strcmp(pane->console, console) != 0)
            continue;
        /* one in view is heard, the others are marked until looked at */
        if (pane->state == PANE_HIDDEN)
            pane->has_bell = true;
        term_bell(deck->term);
    }
    sidebar_changed(deck);
}

/* A guest's state or consoles changed; name NULL: anything may have. */
static void
on_guest(struct deck *deck, const char *name)
{
    arrange_fleet(deck);
    for (size_t i = 0; i < deck->pane_count; i++) {
        if (!name || strcmp(deck->panes[i]->guest, name) == 0)
            pane_changed(deck->panes[i]);
    }
    if (name)
        status_guest_changed(deck, name);
    viewer_refresh(deck, name);
    sidebar_changed(deck);
    status_changed(deck);
    frame_update_clock(deck);
}

static void
on_event(void *user, const char *name, json_t *data)
{
    struct deck *deck = user;
    if (strcmp(name, "SCREEN") != 0)
        watching_event(deck, name, data);
    if (strcmp(name, "SCREEN") == 0) {
        struct pane *pane = arrange_find_view(
            deck, json_integer_value(json_object_get(data, "view")));
        if (pane)
            pane_screen(pane, data);
    } else if (strcmp(name, "GUEST_ACTIVITY") == 0) {
        if (mirror_fleet_event(&deck->fleet, name, data)) {
            sidebar_changed(deck);
            viewer_refresh(deck,
                           json_string_value(json_object_get(data, "guest")));
        }
    } else if (strcmp(name, "CONSOLE_CLIENTS") == 0) {
        company_event(deck, data);
    } else if (strcmp(name, "CONSOLE_BELL") == 0) {
        on_bell(deck, data);
    } else if (strcmp(name, "NOTICE") == 0) {
        on_notice(deck, data);
    } else if (strcmp(name, "PASTE") == 0) {
        pasting_event(deck, data);
    } else if (strcmp(name, "COMMAND_FAILED") == 0) {
        const char *text = json_string_value(json_object_get(data, "desc"));
        status_message(deck, DECK_ERROR, "%s", text ? text : "it failed");
    } else if (strcmp(name, "SERVER_STOPPING") == 0) {
        deck->is_server_stopping = true;
    } else if (deck->has_fleet &&
               mirror_fleet_event(&deck->fleet, name, data)) {
        on_guest(deck, json_string_value(json_object_get(data, "name")));
    }
}

static void reconnect(void *data);

static void
on_close(void *user, const struct error *error)
{
    struct deck *deck = user;
    connection_free(deck->connection);
    deck->connection = NULL;
    deck->has_lost_place = false;
    for (size_t i = 0; i < deck->pane_count; i++) {
        deck->has_lost_place |= deck->panes[i]->copy || deck->panes[i]->scrub;
        pane_forget_view(deck->panes[i]);
    }
    pasting_forget(deck);
    broadcast_end(deck);
    if (deck->is_server_stopping) {
        char *text =
            xasprintf("The server was stopped; the guests go on. "
                      "`guestmux%s%s` starts it again and shows them.",
                      deck_server_option(deck), deck_server_name(deck));
        deck_leave(deck, DECK_END_SERVER_GONE, text);
        free(text);
        return;
    }
    status_message(deck, DECK_ERROR,
                   "the server is gone (%s); the guests go on. Connecting "
                   "again…",
                   error->text);
    arrange_cursor(deck);
    deck->lost_at_ms = clock_monotonic_ms();
    reconnect(deck);
}

static const struct connection_handlers handlers = {
    .on_event = on_event,
    .on_close = on_close,
};

void
link_start(struct deck *deck, int fd)
{
    deck->servers++;
    deck->connection = connection_new(&deck->loop, fd, &handlers, deck);
    company_introduce(deck);
    connection_execute(deck->connection, "events-subscribe", NULL, NULL, NULL);
    /* Answers come in this order: what the menus of a guest need is there
     * before the guests are. */
    connection_execute(deck->connection, "query-server", NULL, on_server, deck);
    connection_execute(deck->connection, "query-sysrq", NULL, on_sysrqs, deck);
    connection_execute(deck->connection, "guest-list", NULL, on_fleet, deck);
    connection_execute(deck->connection, "query-pastes", NULL, on_pastes, deck);
    watching_ask(deck);
}

/* In a thread of its own: starting a server takes a moment. */
static void
reconnect_in_thread(uv_work_t *work)
{
    struct deck *deck = work->data;
    char executable[PATH_MAX];
    ssize_t len =
        readlink("/proc/self/exe", executable, sizeof(executable) - 1);
    if (len <= 0) {
        deck->reconnect_fd = -1;
        error_set(&deck->reconnect_error, ERROR_CODE_IO,
                  "this program's own path is unknown");
        return;
    }
    executable[len] = '\0';
    deck->reconnect_fd =
        connection_open(deck->options->paths, CONNECTION_START_SERVER,
                        executable, &deck->reconnect_error);
}

static void
on_reconnected(uv_work_t *work, int status)
{
    struct deck *deck = work->data;
    deck->is_reconnecting = false;
    if (deck->is_ending || status != 0) {
        if (status == 0 && deck->reconnect_fd >= 0)
            close(deck->reconnect_fd);
        return;
    }
    if (deck->reconnect_fd >= 0) {
        link_start(deck, deck->reconnect_fd);
        status_message(deck, DECK_INFO,
                       deck->has_lost_place
                           ? "connected to a new server; back in the present"
                           : "connected to a new server");
        return;
    }
    if (clock_monotonic_ms() - deck->lost_at_ms < RECONNECT_LIMIT_MS) {
        loop_timer_start(deck->reconnect_timer, RECONNECT_PAUSE_MS);
        return;
    }
    char *text = xasprintf("The server is gone and no new one starts: %s\n"
                           "The guests go on; `guestmux%s%s` comes back to "
                           "them.",
                           deck->reconnect_error.text, deck_server_option(deck),
                           deck_server_name(deck));
    deck_leave(deck, DECK_END_SERVER_GONE, text);
    free(text);
}

static void
reconnect(void *data)
{
    struct deck *deck = data;
    if (!deck->reconnect_timer)
        deck->reconnect_timer = loop_timer_new(&deck->loop, reconnect, deck);
    deck->reconnect_work.data = deck;
    deck->reconnect_fd = -1;
    deck->reconnect_error = (struct error){0};
    deck->is_reconnecting =
        uv_queue_work(&deck->loop, &deck->reconnect_work, reconnect_in_thread,
                      on_reconnected) == 0;
}

void
link_stop(struct deck *deck)
{
    if (deck->is_reconnecting)
        uv_cancel((uv_req_t *)&deck->reconnect_work);
    loop_timer_free(deck->reconnect_timer);
    deck->reconnect_timer = NULL;
    connection_free(deck->connection);
    deck->connection = NULL;
}

static void
on_command(void *user, json_t *value, const struct error *error)
{
    (void)value;
    if (error)
        status_message(user, DECK_ERROR, "%s", error->text);
}

bool
link_may_change(struct deck *deck)
{
    if (deck->options->is_read_only)
        status_message(deck, DECK_WARNING,
                       "read-only: this deck changes nothing");
    return !deck->options->is_read_only;
}

void
link_command(struct deck *deck, const char *method, json_t *arguments)
{
    if (!deck->connection) {
        json_decref(arguments);
        status_message(deck, DECK_ERROR, "there is no server at present");
        return;
    }
    connection_execute(deck->connection, method, arguments, on_command, deck);
}
