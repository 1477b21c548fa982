#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/size.h"
#include "guest/disks.h"
#include "qemu/disk-facts.h"
#include "server/api.h"
#include "server/server-internal.h"

#include <stdlib.h>
#include <string.h>

#define ARGUMENT_DISK                                                          \
    {                                                                          \
        "disk", ARGUMENT_STRING, 0, 0, 0,                                      \
            "The disk's name; needless when there is one"                      \
    }

/* Listing ------------------------------------------------------------------ */

/* Guests whose disks a thread looks at. */
struct listing {
    struct request *request; /* owned */
    uv_work_t work;
    struct spec **specs; /* owned copies */
    char **directories;  /* owned */
    size_t count;
    json_t *disks; /* owned: the thread's */
};

static void
look(uv_work_t *work)
{
    struct listing *listing = work->data;
    for (size_t i = 0; i < listing->count; i++) {
        json_t *disks = disk_facts(listing->specs[i], listing->directories[i]);
        size_t index;
        json_t *disk;
        json_array_foreach(disks, index, disk)
        {
            json_object_set_new(disk, "guest",
                                json_string(listing->specs[i]->name));
            json_array_append(listing->disks, disk);
        }
        json_decref(disks);
    }
}

static void
on_looked(uv_work_t *work, int status)
{
    struct listing *listing = work->data;
    (void)status;
    request_return(listing->request,
                   json_pack("{s:O}", "disks", listing->disks));
    for (size_t i = 0; i < listing->count; i++) {
        spec_free(listing->specs[i]);
        free(listing->directories[i]);
    }
    json_decref(listing->disks);
    free(listing->specs);
    free(listing->directories);
    free(listing);
}

static bool
run_list(struct request *request, const json_t *arguments, struct error *error)
{
    struct server *server = request_server(request);
    const char *name = argument_string(arguments, "guest");
    if (name && !registry_find(server, name, error))
        return false;
    struct listing *listing = xcalloc(1, sizeof(*listing));
    listing->request = request;
    listing->specs = xcalloc(server->member_count + 1, sizeof(struct spec *));
    listing->directories = xcalloc(server->member_count + 1, sizeof(char *));
    listing->disks = json_array();
    for (size_t i = 0; i < server->member_count; i++) {
        const struct spec *spec = guest_spec(server->members[i]->guest);
        if (spec->disk_count == 0 || (name && strcmp(name, spec->name) != 0))
            continue;
        listing->specs[listing->count] = spec_copy(spec);
        listing->directories[listing->count] =
            paths_guest_data_dir(server->paths, spec->name);
        listing->count++;
    }
    listing->work.data = listing;
    (void)uv_queue_work(&server->loop, &listing->work, look, on_looked);
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

static bool
run_reset(struct request *request, const json_t *arguments, struct error *error)
{
    size_t index = 0;
    struct guest *guest = find_disk(request, arguments, &index, error);
    return guest &&
           guest_reset_disk(guest, index, request_done, request, error);
}

/* Cloning ------------------------------------------------------------------ */

static void
on_cloned(void *data, struct spec *spec, const json_t *warnings,
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
    json_t *object = registry_describe(server, guest);
    json_t *copy = json_deep_copy(warnings);
    request_return(request,
                   json_pack("{s:o,s:o}", "guest", object, "warnings", copy));
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
    unsigned flags = argument_boolean(arguments, "full") ? GUEST_CLONE_FULL : 0;
    return guest_clone(guest, name, flags, on_cloned, request, error);
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
