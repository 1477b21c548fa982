/* What was heard of guests' addresses survives the server: it is said once, at
 * the boot, and the next server would wait for it for ever. */
#include "base/json.h"
#include "base/xalloc.h"
#include "server/addresses.h"
#include "server/lan.h"
#include "server/server-internal.h"

#include <stdlib.h>
#include <string.h>

/* In the guest's state directory: an array of the API's addresses. */
#define FILE_NAME "addresses.json"
/* Of it; an address takes some 150. */
#define FILE_BYTES (64u << 10)
/* ms until what was heard is written: a guest can claim addresses as fast as it
 * likes. */
#define SAVE_AFTER_MS 500
/* Addresses heard on networks, of all servers: the last ones. */
#define HEARD_MAX 32

static char *
kept_path(const struct server *server, const struct member *member)
{
    char *directory =
        paths_guest_state_dir(server->paths, guest_name(member->guest));
    char *path = xasprintf("%s/" FILE_NAME, directory);
    free(directory);
    return path;
}

void
addresses_drop(json_t *rows, const char *address)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *text = json_string_value(
            json_object_get(json_array_get(rows, i), "address"));
        if (strcmp(text, address) != 0)
            continue;
        json_array_remove(rows, i);
        return;
    }
}

json_t *
addresses_heard(const struct server *server, const struct member *member)
{
    json_t *rows = json_copy(member->kept_addresses);
    json_t *heard = json_array();
    size_t index;
    json_t *row;
    if (server->lans)
        lans_append_addresses(server->lans, member->guest, heard);
    json_array_foreach(heard, index, row)
    {
        addresses_drop(rows,
                       json_string_value(json_object_get(row, "address")));
        json_array_append(rows, row);
    }
    json_decref(heard);
    while (json_array_size(rows) > HEARD_MAX)
        json_array_remove(rows, 0);
    return rows;
}

static bool
is_source(const json_t *row, const char *source)
{
    const char *text = json_string_value(json_object_get(row, "source"));
    return text && !strcmp(text, source);
}

/* A row as it was written, not as somebody changed it. */
static bool
is_whole(const json_t *row)
{
    return json_is_string(json_object_get(row, "address")) &&
           json_is_integer(json_object_get(row, "seen-ms"));
}

void
addresses_load(struct server *server, struct member *member)
{
    char *path = kept_path(server, member);
    json_t *rows = json_read_file(path, FILE_BYTES, NULL);
    free(path);
    member->console_addresses = json_array();
    member->kept_addresses = json_array();
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        if (is_whole(row) && is_source(row, "console"))
            json_array_append(member->console_addresses, row);
        else if (is_whole(row) && is_source(row, "lan"))
            json_array_append(member->kept_addresses, row);
    }
    json_decref(rows);
}

void
addresses_forget(struct member *member)
{
    json_decref(member->console_addresses);
    json_decref(member->kept_addresses);
    member->console_addresses = NULL;
    member->kept_addresses = NULL;
}

static void
save_member(struct server *server, struct member *member)
{
    struct error error = {0};
    char *path = kept_path(server, member);
    json_t *rows = json_copy(member->console_addresses);
    json_t *heard = addresses_heard(server, member);
    json_array_extend(rows, heard);
    json_decref(heard);
    if (!json_write_file_volatile(rows, path, &error))
        server_notice(server, "warning", guest_name(member->guest), error.text);
    json_decref(rows);
    free(path);
    member->is_save_due = false;
}

void
addresses_save(void *data)
{
    struct server *server = data;
    for (size_t i = 0; i < server->member_count; i++) {
        if (server->members[i]->is_save_due)
            save_member(server, server->members[i]);
    }
}

void
addresses_changed(struct server *server, struct member *member)
{
    member->is_save_due = true;
    if (!loop_timer_is_armed(server->addresses_timer))
        loop_timer_start(server->addresses_timer, SAVE_AFTER_MS);
    registry_note_change(server, member);
}
