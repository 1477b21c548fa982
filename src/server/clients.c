#include "server/clients.h"

#include "base/clock.h"
#include "base/xalloc.h"
#include "server/paste.h"
#include "server/peer.h"
#include "server/server-internal.h"
#include "server/view.h"
#include "wire/codec.h"

#include <stdlib.h>

static struct member_console *
find_console(struct server *server, const struct guest *guest, size_t console)
{
    struct member *member = registry_member(server, guest);
    if (!member || console >= member->console_count)
        return NULL;
    return &member->consoles[console];
}

static struct peer *
find_peer(const struct server *server, int64_t id)
{
    for (struct peer *peer = server->peers; peer; peer = peer_next(peer)) {
        if (peer_id(peer) == id)
            return peer;
    }
    return NULL;
}

/* When to tell ------------------------------------------------------------- */

/* Milliseconds until something about the console is to be told; -1: never. */
static int64_t
wait_ms(const struct member_console *console, uint64_t now)
{
    uint64_t due = 0;
    if (console->is_clients_due)
        due = console->told_ms ? console->told_ms + CLIENTS_INTERVAL_MS : now;
    else if (console->is_typing_settled)
        due = console->typed_ms + CLIENTS_TYPING_MS;
    else
        return -1;
    return due > now ? (int64_t)(due - now) : 0;
}

static void
arm_timer(struct server *server, uint64_t due_ms, uint64_t now)
{
    if (server->clients_due_ms && server->clients_due_ms <= due_ms)
        return;
    server->clients_due_ms = due_ms;
    loop_timer_start(server->clients_timer, due_ms - now);
}

static void
note_change(struct server *server, struct member_console *console)
{
    uint64_t now = clock_monotonic_ms();
    console->is_clients_due = true;
    int64_t wait = wait_ms(console, now);
    arm_timer(server,
              now +
                  (uint64_t)(wait > CLIENTS_DELAY_MS ? wait : CLIENTS_DELAY_MS),
              now);
}

void
clients_changed(struct server *server, const struct guest *guest,
                size_t console)
{
    struct member_console *found = find_console(server, guest, console);
    if (found)
        note_change(server, found);
}

void
clients_renamed(struct server *server, const struct peer *peer)
{
    for (size_t i = 0; i < server->member_count; i++) {
        struct member *member = server->members[i];
        for (size_t j = 0; j < member->console_count; j++) {
            struct member_console *console = &member->consoles[j];
            if (console->holder == peer_id(peer) ||
                console->typist == peer_id(peer) ||
                view_is_open(server, peer, member->guest, j))
                note_change(server, console);
        }
    }
}

void
clients_typed(struct server *server, const struct peer *peer,
              const struct guest *guest, size_t console)
{
    struct member_console *found = find_console(server, guest, console);
    if (!found || !peer)
        return;
    bool is_new = found->typist != peer_id(peer) || !found->is_typing_settled;
    found->typist = peer_id(peer);
    found->typed_ms = clock_monotonic_ms();
    if (is_new && !found->is_clients_due)
        note_change(server, found);
}

void
clients_forget(struct server *server, const struct peer *peer)
{
    for (size_t i = 0; i < server->member_count; i++) {
        struct member *member = server->members[i];
        for (size_t j = 0; j < member->console_count; j++) {
            struct member_console *console = &member->consoles[j];
            if (console->holder == peer_id(peer)) {
                console->holder = 0;
                note_change(server, console);
            }
        }
    }
}

/* Who may type ------------------------------------------------------------- */

static bool
check_guest(const struct guest *guest, struct error *error)
{
    if (!guest_spec(guest)->is_readonly)
        return true;
    return error_set(error, ERROR_CODE_DENIED,
                     "%s is read-only: its fleet file says that nobody types",
                     guest_name(guest));
}

bool
clients_may_type(struct server *server, const struct peer *peer,
                 const struct guest *guest, size_t console, struct error *error)
{
    const struct member_console *found = find_console(server, guest, console);
    if (!check_guest(guest, error))
        return false;
    if (peer && peer_is_readonly(peer))
        return error_set(error, ERROR_CODE_DENIED,
                         "this client is read-only, it may look but not type");
    if (!found || !found->holder || (peer && found->holder == peer_id(peer)))
        return true;
    const struct peer *holder = find_peer(server, found->holder);
    return error_set(
        error, ERROR_CODE_DENIED, "%s has taken the keyboard of %s for itself",
        holder ? peer_name(holder) : "another client", guest_name(guest));
}

bool
clients_take(struct server *server, const struct peer *peer,
             const struct guest *guest, size_t console, struct error *error)
{
    struct member_console *found = find_console(server, guest, console);
    if (!check_guest(guest, error))
        return false;
    if (found) {
        found->holder = peer_id(peer);
        note_change(server, found);
        paste_on_keyboard_taken(server, guest, console, peer);
    }
    return true;
}

bool
clients_release(struct server *server, const struct peer *peer,
                const struct guest *guest, size_t console, struct error *error)
{
    struct member_console *found = find_console(server, guest, console);
    if (!found || found->holder != peer_id(peer))
        return error_set(error, ERROR_CODE_STATE,
                         "you have not taken the keyboard of %s",
                         guest_name(guest));
    found->holder = 0;
    note_change(server, found);
    return true;
}

/* Telling ------------------------------------------------------------------ */

static json_t *
peer_to_json(const struct peer *peer)
{
    if (!peer)
        return json_null();
    return json_pack("{s:I,s:s}", "client", (json_int_t)peer_id(peer), "name",
                     peer_name(peer));
}

/* The one that types now, or NULL. */
static struct peer *
find_typist(const struct server *server, const struct member_console *console,
            uint64_t now)
{
    if (!console->typist || now - console->typed_ms >= CLIENTS_TYPING_MS)
        return NULL;
    return find_peer(server, console->typist);
}

/* Whether anybody has to do with the console but one subscriber. others: who
 * types and who holds the keyboard, or NULL. */
static bool
is_shared(const struct server *server, const struct peer *const *watchers,
          size_t count, const struct peer *const *others)
{
    const struct peer *sole = NULL;
    for (struct peer *peer = server->peers; peer; peer = peer_next(peer)) {
        if (!peer_is_subscribed(peer))
            continue;
        if (sole)
            return true;
        sole = peer;
    }
    return count > 1 || (count == 1 && watchers[0] != sole) ||
           (others[0] && others[0] != sole) || (others[1] && others[1] != sole);
}

/* CONSOLE_CLIENTS' data; notes what it says as told. */
static json_t *
describe(struct server *server, struct member *member, size_t index,
         bool *ret_shared)
{
    struct member_console *console = &member->consoles[index];
    uint64_t now = clock_monotonic_ms();
    const struct peer *watchers[CLIENTS_MAX_NAMES] = {0};
    size_t count = view_watchers(server, member->guest, index, watchers,
                                 CLIENTS_MAX_NAMES);
    const struct peer *typist = find_typist(server, console, now);
    const struct peer *holder =
        console->holder ? find_peer(server, console->holder) : NULL;
    const struct peer *const others[] = {typist, holder};
    /* that it holds the keyboard is news to one that is alone, too */
    *ret_shared = holder || is_shared(server, watchers, count, others);
    json_t *names = json_array();
    for (size_t i = 0; i < count && i < CLIENTS_MAX_NAMES; i++)
        json_array_append_new(names, peer_to_json(watchers[i]));
    return json_pack("{s:s,s:s,s:I,s:o,s:o,s:o}", "guest",
                     guest_name(member->guest), "console",
                     guest_console_name(member->guest, index), "watchers",
                     (json_int_t)count, "clients", names, "typist",
                     peer_to_json(typist), "holder", peer_to_json(holder));
}

static void
tell(struct server *server, struct member *member, size_t index)
{
    struct member_console *console = &member->consoles[index];
    bool shared = false;
    uint64_t now = clock_monotonic_ms();
    console->is_clients_due = false;
    console->told_ms = now;
    console->is_typing_settled = find_typist(server, console, now) != NULL;
    if (!guest_console(member->guest, index))
        return;
    json_t *data = describe(server, member, index, &shared);
    bool is_news = shared || console->was_shared;
    console->was_shared = shared;
    /* a client that is alone knows it all */
    if (is_news)
        server_emit(server, "CONSOLE_CLIENTS", data);
    else
        json_decref(data);
}

void
clients_send_due(void *data)
{
    struct server *server = data;
    uint64_t now = clock_monotonic_ms();
    int64_t next = -1;
    server->clients_due_ms = 0;
    for (size_t i = 0; i < server->member_count; i++) {
        struct member *member = server->members[i];
        for (size_t j = 0; j < member->console_count; j++) {
            int64_t wait = wait_ms(&member->consoles[j], now);
            if (wait == 0) {
                tell(server, member, j);
                wait = wait_ms(&member->consoles[j], now);
            }
            if (wait >= 0 && (next < 0 || wait < next))
                next = wait;
        }
    }
    if (next >= 0)
        arm_timer(server, now + (uint64_t)next + 1, now);
}

void
clients_tell_all(struct server *server, struct peer *peer)
{
    for (size_t i = 0; i < server->member_count; i++) {
        struct member *member = server->members[i];
        for (size_t j = 0; j < member->console_count; j++) {
            const struct peer *watcher = NULL;
            if (!guest_console(member->guest, j) ||
                (!view_watchers(server, member->guest, j, &watcher, 1) &&
                 !member->consoles[j].holder))
                continue;
            bool shared = false;
            json_t *event = codec_event("CONSOLE_CLIENTS",
                                        describe(server, member, j, &shared));
            peer_send(peer, event);
            json_decref(event);
        }
    }
}

/* All clients -------------------------------------------------------------- */

/* The consoles of which the client is what: "n1:ttyS0". */
static json_t *
list_consoles(const struct server *server, const struct peer *peer,
              bool (*is_what)(const struct member_console *, int64_t))
{
    json_t *list = json_array();
    for (size_t i = 0; i < server->member_count; i++) {
        const struct member *member = server->members[i];
        for (size_t j = 0; j < member->console_count; j++) {
            if (is_what(&member->consoles[j], peer_id(peer)))
                json_array_append_new(
                    list, json_sprintf("%s:%s", guest_name(member->guest),
                                       guest_console_name(member->guest, j)));
        }
    }
    return list;
}

static bool
is_held(const struct member_console *console, int64_t id)
{
    return console->holder == id;
}

static bool
is_typed(const struct member_console *console, int64_t id)
{
    return console->typist == id &&
           clock_monotonic_ms() - console->typed_ms < CLIENTS_TYPING_MS;
}

json_t *
clients_list(struct server *server, const struct peer *self)
{
    json_t *list = json_array();
    for (const struct peer *peer = server->peers; peer;
         peer = peer_next(peer)) {
        if (!peer_is_open(peer))
            continue;
        json_array_insert_new(
            list, 0,
            json_pack("{s:I,s:s,s:s,s:I,s:b,s:b,s:o,s:o,s:o}", "client",
                      (json_int_t)peer_id(peer), "name", peer_name(peer),
                      "program", peer_program(peer), "since-ms",
                      (json_int_t)peer_since_ms(peer), "read-only",
                      peer_is_readonly(peer), "self", peer == self, "views",
                      view_list_of_peer(server, peer), "types",
                      list_consoles(server, peer, is_typed), "holds",
                      list_consoles(server, peer, is_held)));
    }
    return list;
}
