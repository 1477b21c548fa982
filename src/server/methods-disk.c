#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/size.h"
#include "guest/disks.h"
#include "server/api.h"
#include "server/disk-listing.h"
#include "server/server-internal.h"

#include <stdlib.h>
#include <string.h>

#define ARGUMENT_DISK                                                          \
    {                                                                          \
        "disk", ARGUMENT_STRING, 0, 0, 0,                                      \
            "The disk's name; needless when there is one"                      \
    }

/* Listing ------------------------------------------------------------------ */

static void
on_listed(void *data, json_t *disks, const char *users)
{
    (void)users;
    request_return(data, json_pack("{s:O}", "disks", disks));
}

static bool
run_list(struct request *request, const json_t *arguments, struct error *error)
{
    struct server *server = request_server(request);
    struct disk_query query = {.guest = argument_string(arguments, "guest")};
    if (query.guest && !registry_find(server, query.guest, error))
        return false;
    disk_listing_begin(server, &query, on_listed, request);
    return true;
}

/* Changing ----------------------------------------------------------------- */

/* The guest and the number of the disk that the arguments name. */
static struct guest *
find_disk(struct request *request, const json_t *arguments, size_t *ret_index,
          struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    int index =
        guest
            ? guest_find_disk(guest, argument_string(arguments, "disk"), error)
            : -1;
    *ret_index = index < 0 ? 0 : (size_t)index;
    return index < 0 ? NULL : guest;
}

static bool
run_resize(struct request *request, const json_t *arguments,
           struct error *error)
{
    size_t index = 0;
    struct guest *guest = find_disk(request, arguments, &index, error);
    const char *text = argument_string(arguments, "size");
    uint64_t bytes = 0;
    if (!guest)
        return false;
    if (!size_parse(text, &bytes) || bytes > INT64_MAX / 2) {
        char suggestion[16];
        size_suggest(text, suggestion);
        char *shown = text_printable(text, strlen(text), 60, TEXT_ONE_LINE);
        error_set(error, ERROR_CODE_INVALID, "\"%s\" is not a size (try %s)",
                  shown, suggestion);
        free(shown);
        return false;
    }
    return guest_resize_disk(guest, index, bytes, request_done, request, error);
}

/* A disk that is to be begun anew, once it is known that nobody else needs it.
 */
struct reset {
    struct request *request; /* owned */
    char *guest;
    char *disk;
};

static bool
reset_disk(struct reset *reset, const char *users, struct error *error)
{
    struct guest *guest =
        registry_find(request_server(reset->request), reset->guest, error);
    int index = guest ? guest_find_disk(guest, reset->disk, error) : -1;
    if (index < 0)
        return false;
    if (users)
        return error_set(error, ERROR_CODE_STATE,
                         "cannot reset %s of %s: what others have would be "
                         "garbage without it:\n%s",
                         reset->disk, reset->guest, users);
    return guest_reset_disk(guest, (size_t)index, request_done, reset->request,
                            error);
}

static void
on_users(void *data, json_t *disks, const char *users)
{
    struct reset *reset = data;
    struct error error = {0};
    (void)disks;
    if (!reset_disk(reset, users, &error))
        request_fail(reset->request, &error);
    free(reset->guest);
    free(reset->disk);
    free(reset);
}

static bool
run_reset(struct request *request, const json_t *arguments, struct error *error)
{
    size_t index = 0;
    struct guest *guest = find_disk(request, arguments, &index, error);
    if (!guest)
        return false;
    const struct spec *spec = guest_spec(guest);
    struct reset *reset = xcalloc(1, sizeof(*reset));
    reset->request = request;
    reset->guest = xstrdup(spec->name);
    reset->disk = xstrdup(spec->disks[index].name);
    struct disk_query query = {
        .guest = reset->guest, .disk = reset->disk, .is_users = true};
    disk_listing_begin(request_server(request), &query, on_users, reset);
    return true;
}

/* Cloning ------------------------------------------------------------------ */

static void
on_cloned(void *data, struct spec *spec, const json_t *told,
          const struct error *error)
{
    struct request *request = data;
    struct server *server = request_server(request);
    struct error why = {0};
    if (error) {
        request_fail(request, error);
        return;
    }
    /* Somebody may have taken the name meanwhile. */
    struct guest *guest = guest_new(&server->context, spec, &why);
    if (!guest) {
        request_fail(request, &why);
        return;
    }
    registry_add(server, guest);
    json_t *value =
        json_pack("{s:o}", "guest", registry_describe(server, guest));
    json_object_update(value, (json_t *)told);
    request_return(request, value);
}

static bool
run_clone(struct request *request, const json_t *arguments, struct error *error)
{
    struct server *server = request_server(request);
    const char *name = argument_string(arguments, "name");
    struct guest *guest = argument_guest(request, arguments, error);
    if (!guest)
        return false;
    if (registry_find(server, name, NULL))
        return error_set(error, ERROR_CODE_EXISTS,
                         "there is a guest '%.64s' already; take another name, "
                         "or remove it first",
                         name);
    const struct spec **others =
        xcalloc(server->member_count + 1, sizeof(*others));
    for (size_t i = 0; i < server->member_count; i++)
        others[i] = guest_spec(server->members[i]->guest);
    struct guest_clone_plan plan = {
        .name = name,
        .flags = argument_boolean(arguments, "full") ? GUEST_CLONE_FULL : 0,
        .others = others,
        .other_count = server->member_count,
    };
    bool ok = guest_clone(guest, &plan, on_cloned, request, error);
    free(others);
    return ok;
}

static bool
run_renew(struct request *request, const json_t *arguments, struct error *error)
{
    struct guest *guest = argument_guest(request, arguments, error);
    char *id = guest ? guest_renew_instance(guest, error) : NULL;
    if (!id)
        return false;
    request_return(request, json_pack("{s:s}", "instance-id", id));
    free(id);
    return true;
}

static const struct method methods[] = {
    {
        .name = "disk-list",
        .summary = "Guests' disks: images, chains, sizes",
        .flags = METHOD_READS,
        .arguments = {{"guest", ARGUMENT_STRING, 0, 0, 0, "Only this guest's"}},
        .run = run_list,
    },
    {
        .name = "disk-resize",
        .summary = "Makes a disk larger, running or not",
        .deed = "resized a disk",
        .flags = METHOD_MONITOR,
        .arguments = {ARGUMENT_GUEST,
                      {"size", ARGUMENT_STRING, ARGUMENT_REQUIRED, 0, 0,
                       "Its new size, such as \"40G\""},
                      ARGUMENT_DISK},
        .run = run_resize,
    },
    {
        .name = "disk-reset",
        .summary = "Puts a fresh image in the place of one that guestmux made",
        .deed = "reset a disk",
        .arguments = {ARGUMENT_GUEST, ARGUMENT_DISK},
        .run = run_reset,
    },
    {
        .name = "cloud-init-renew",
        .summary = "Gives a guest a new instance-id for its next boot",
        .deed = "gave it a new instance-id",
        .arguments = {ARGUMENT_GUEST},
        .run = run_renew,
    },
    {
        .name = "guest-clone",
        .summary = "Defines another guest like one that is off",
        .deed = "cloned it",
        .arguments = {ARGUMENT_GUEST,
                      {"name", ARGUMENT_STRING, ARGUMENT_REQUIRED, 0, 0,
                       "The new guest's name"},
                      {"full", ARGUMENT_BOOLEAN, 0, 0, 0,
                       "Copy what is on its disks"}},
        .run = run_clone,
    },
};

const struct method_table methods_disk = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
