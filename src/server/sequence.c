#include "server/sequence.h"

#include "base/xalloc.h"
#include "fleet/fleet.h"
#include "server/server-internal.h"

#include <stdlib.h>
#include <string.h>

/* Members in an order that is being made. */
struct sequence {
    struct member **members; /* owned; the members are the server's */
    size_t count;
};

static bool
has(const struct sequence *sequence, const struct member *member)
{
    for (size_t i = 0; i < sequence->count; i++) {
        if (sequence->members[i] == member)
            return true;
    }
    return false;
}

static struct member **
new_members(const struct server *server)
{
    return xcalloc(server->member_count + 1, sizeof(struct member *));
}

/* The fleet's guests that are defined, in its order. */
static struct sequence
collect(struct server *server, const struct fleet *fleet)
{
    struct sequence own = {.members = new_members(server)};
    for (size_t i = 0; i < fleet->guest_count; i++) {
        struct guest *guest =
            registry_find(server, fleet->guests[i]->name, NULL);
        if (guest)
            own.members[own.count++] = registry_member(server, guest);
    }
    return own;
}

/* All members, with the fleet's own in one row where the first of them was. */
static struct sequence
arrange(struct server *server, const struct sequence *own)
{
    struct sequence all = {.members = new_members(server)};
    bool is_done = false;
    for (size_t i = 0; i < server->member_count; i++) {
        struct member *member = server->members[i];
        bool is_own = has(own, member);
        if (is_own && !is_done) {
            memcpy(all.members + all.count, own->members,
                   own->count * sizeof(struct member *));
            all.count += own->count;
            is_done = true;
        } else if (!is_own) {
            all.members[all.count++] = member;
        }
    }
    return all;
}

/* The least order of those from index on. */
static int64_t *
find_least(const struct sequence *all)
{
    int64_t *least = xcalloc(all->count + 1, sizeof(*least));
    least[all->count] = INT64_MAX;
    for (size_t i = all->count; i-- > 0;) {
        int64_t order = guest_order(all->members[i]->guest);
        least[i] = order < least[i + 1] ? order : least[i + 1];
    }
    return least;
}

/* Gives those that moved a number between their neighbours', for the next
 * server. */
static void
number(struct server *server, const struct sequence *all)
{
    int64_t *least = find_least(all);
    int64_t before = 0;
    for (size_t i = 0; i < all->count; i++) {
        struct guest *guest = all->members[i]->guest;
        int64_t order = guest_order(guest);
        int64_t after = least[i + 1];
        struct error error = {0};
        if (order <= before || order > after) {
            order = after != INT64_MAX && after - before >= 2
                        ? before + (after - before) / 2
                        : before + 1;
            if (!guest_set_order(guest, order, &error))
                server_notice(server, "warning", guest_name(guest), error.text);
        }
        before = order;
    }
    free(least);
}

void
sequence_follow(struct server *server, const struct fleet *fleet)
{
    struct sequence own = collect(server, fleet);
    struct sequence all = arrange(server, &own);
    size_t bytes = all.count * sizeof(struct member *);
    free(own.members);
    if (!bytes || memcmp(all.members, server->members, bytes) == 0) {
        free(all.members);
        return;
    }
    number(server, &all);
    memcpy(server->members, all.members, bytes);
    free(all.members);
    server_emit(server, "GUEST_LIST",
                json_pack("{s:o}", "guests", registry_list(server)));
}
