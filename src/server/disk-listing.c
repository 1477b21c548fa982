#include "server/disk-listing.h"

#include "base/buffer.h"
#include "base/xalloc.h"
#include "qemu/argv.h"
#include "qemu/disk-facts.h"
#include "server/server-internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Guests whose disks a thread looks at. */
struct listing {
    uv_work_t work;
    struct spec **specs; /* owned copies */
    char **directories;  /* owned */
    size_t count;
    char *guest; /* owned: the query's */
    char *disk;
    bool is_users;
    json_t *disks;       /* owned: the thread's */
    struct buffer users; /* the thread's */
    disk_listing_fn on_done;
    void *data;
};

/* Listing ------------------------------------------------------------------ */

static void
list_disks(struct listing *listing)
{
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

/* Users -------------------------------------------------------------------- */

/* Where an image is in a disk's chain: 0 is the disk itself; -1: nowhere. */
static int
find_in_chain(const json_t *disk, const struct stat *image)
{
    const json_t *chain = json_object_get(disk, "chain");
    for (size_t i = 0; i < json_array_size(chain); i++) {
        const char *file = json_string_value(
            json_object_get(json_array_get(chain, i), "file"));
        struct stat info;
        if (file && stat(file, &info) == 0 && info.st_dev == image->st_dev &&
            info.st_ino == image->st_ino)
            return (int)i;
    }
    return -1;
}

/* Tells the disks that are, or lie over, an image of another guest or disk. */
static void
tell_users(struct listing *listing, const struct spec *owner, const char *own,
           const char *path)
{
    struct stat image;
    size_t index;
    const json_t *disk;
    /* A link that somebody put there is all that would go. */
    if (lstat(path, &image) < 0)
        return;
    json_array_foreach(listing->disks, index, disk)
    {
        const char *guest = json_string_value(json_object_get(disk, "guest"));
        const char *name = json_string_value(json_object_get(disk, "name"));
        if (!strcmp(guest, owner->name) && !strcmp(name, own))
            continue;
        int depth = find_in_chain(disk, &image);
        if (depth >= 0)
            buffer_printf(&listing->users, "%s%s of %s %s %s",
                          listing->users.len ? "\n" : "", name, guest,
                          depth ? "lies over" : "is", path);
    }
}

static void
find_users(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++) {
        const struct spec *spec = listing->specs[i];
        if (strcmp(spec->name, listing->guest) != 0)
            continue;
        for (size_t k = 0; k < spec->disk_count; k++) {
            const struct spec_disk *disk = &spec->disks[k];
            if (!spec_disk_is_made(disk) ||
                (listing->disk && strcmp(listing->disk, disk->name) != 0))
                continue;
            char *path = argv_disk_path(disk, listing->directories[i]);
            tell_users(listing, spec, disk->name, path);
            free(path);
        }
    }
}

/* The thread --------------------------------------------------------------- */

static void
look(uv_work_t *work)
{
    struct listing *listing = work->data;
    list_disks(listing);
    if (listing->is_users)
        find_users(listing);
}

static void
on_looked(uv_work_t *work, int status)
{
    struct listing *listing = work->data;
    (void)status;
    listing->on_done(listing->data, listing->disks,
                     listing->users.len ? listing->users.data : NULL);
    for (size_t i = 0; i < listing->count; i++) {
        spec_free(listing->specs[i]);
        free(listing->directories[i]);
    }
    buffer_finish(&listing->users);
    json_decref(listing->disks);
    free(listing->specs);
    free(listing->directories);
    free(listing->guest);
    free(listing->disk);
    free(listing);
}

void
disk_listing_begin(struct server *server, const struct disk_query *query,
                   disk_listing_fn on_done, void *data)
{
    struct listing *listing = xcalloc(1, sizeof(*listing));
    listing->on_done = on_done;
    listing->data = data;
    listing->guest = xstrdup(query->guest);
    listing->disk = xstrdup(query->disk);
    listing->is_users = query->is_users;
    listing->specs = xcalloc(server->member_count + 1, sizeof(struct spec *));
    listing->directories = xcalloc(server->member_count + 1, sizeof(char *));
    listing->disks = json_array();
    const char *only = query->is_users ? NULL : query->guest;
    for (size_t i = 0; i < server->member_count; i++) {
        const struct spec *spec = guest_spec(server->members[i]->guest);
        if (spec->disk_count == 0 || (only && strcmp(only, spec->name) != 0))
            continue;
        listing->specs[listing->count] = spec_copy(spec);
        listing->directories[listing->count] =
            paths_guest_data_dir(server->paths, spec->name);
        listing->count++;
    }
    listing->work.data = listing;
    (void)uv_queue_work(&server->loop, &listing->work, look, on_looked);
}
