#include "qemu/overlays.h"

#include "base/xalloc.h"
#include "qemu/image-header.h"
#include "qemu/image-lock.h"
#include "qemu/image-words.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* As deep as the directories of servers and guests lie in each other. */
#define LEVELS 2
/* Deeper chains are not followed: a circle would be one. */
#define MAX_CHAIN 64
#define SUFFIX ".qcow2"

/* A file that a guest writes to. */
struct written {
    char *path; /* owned */
    dev_t device;
    ino_t inode;
    bool is_output; /* QEMU empties it, whoever has it open */
};

struct written_list {
    struct written *items; /* owned */
    size_t count;
};

/* What a guest writes to --------------------------------------------------- */

static void
add_written(struct written_list *list, const char *path, bool is_output)
{
    struct stat info;
    if (stat(path, &info) < 0 || S_ISCHR(info.st_mode))
        return;
    list->items =
        xreallocarray(list->items, list->count + 1, sizeof(*list->items));
    list->items[list->count++] =
        (struct written){xstrdup(path), info.st_dev, info.st_ino, is_output};
}

static bool
is_written(enum image_use use)
{
    return use == IMAGE_USE_WRITES || use == IMAGE_USE_UNLOCKED ||
           use == IMAGE_USE_CREATES;
}

static void
on_word(void *data, const char *path, enum image_use use)
{
    if (is_written(use))
        add_written(data, path, use == IMAGE_USE_CREATES);
}

static void
on_word_count(void *data, const char *path, enum image_use use)
{
    bool *writes = data;
    (void)path;
    *writes = *writes || is_written(use);
}

static bool
is_own(const struct spec_disk *disk)
{
    return !spec_disk_is_made(disk) && !disk->is_readonly;
}

bool
overlays_concern(const struct spec *spec)
{
    bool writes = spec->flash_store != NULL;
    for (size_t i = 0; i < spec->disk_count; i++)
        writes = writes || is_own(&spec->disks[i]);
    image_words_of_spec(spec, on_word_count, &writes);
    return writes;
}

/* What lies over it -------------------------------------------------------- */

static const struct written *
find_written(const struct written_list *list, const char *path)
{
    struct stat info;
    if (stat(path, &info) < 0)
        return NULL;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].device == info.st_dev &&
            list->items[i].inode == info.st_ino)
            return &list->items[i];
    }
    return NULL;
}

/* What of the list lies below an image, or NULL. */
static const struct written *
find_below(const struct written_list *list, const char *top)
{
    const struct written *found = NULL;
    char *path = xstrdup(top);
    for (int depth = 0; path && !found && depth < MAX_CHAIN; depth++) {
        struct image_header header = {0};
        char *next = NULL;
        /* the one at the top is qcow2: so guestmux made it */
        if (image_header_read(path, depth ? NULL : "qcow2", &header))
            next = image_header_backing_path(path, &header);
        image_header_finish(&header);
        found = next ? find_written(list, next) : NULL;
        free(path);
        path = next;
    }
    free(path);
    return found;
}

static bool
is_image(const char *name)
{
    size_t len = strlen(name);
    size_t tail = strlen(SUFFIX);
    return name[0] != '.' && len > tail && !strcmp(name + len - tail, SUFFIX);
}

/* Looks through a directory of directories of images; false at the first image
 * that lies over something of the list. */
static bool
check_directory(const struct written_list *list, const char *directory,
                int levels, struct error *error)
{
    DIR *open = opendir(directory);
    bool ok = true;
    const struct dirent *entry = NULL;
    while (open && ok && (entry = readdir(open))) {
        if (entry->d_name[0] == '.')
            continue;
        char *path = xasprintf("%s/%s", directory, entry->d_name);
        const struct written *found =
            !levels && is_image(entry->d_name) ? find_below(list, path) : NULL;
        if (levels)
            ok = check_directory(list, path, levels - 1, error);
        else if (found)
            ok = error_set(error, ERROR_CODE_DENIED,
                           "it writes to %s, but %s lies over that and would "
                           "be garbage: give it an overlay, too (\"base\" "
                           "instead of \"file\"), or remove that image if "
                           "nobody needs it any more",
                           found->path, path);
        free(path);
    }
    if (open)
        closedir(open);
    return ok;
}

/* Whether the guest has a file as a disk as well. */
static bool
is_disk_too(const struct written_list *list, const struct written *output)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct written *item = &list->items[i];
        if (!item->is_output && item->device == output->device &&
            item->inode == output->inode)
            return true;
    }
    return false;
}

/* Refuses what would be printed into what guestmux made, into a disk of the
 * guest's own, or into anybody's who runs; servers: the directory of all
 * servers' directories. */
static bool
check_outputs(const struct written_list *list, const char *servers,
              const char *guest, struct error *error)
{
    char home[PATH_MAX];
    char real[PATH_MAX];
    size_t len = realpath(servers, home) ? strlen(home) : 0;
    bool ok = true;
    for (size_t i = 0; ok && i < list->count; i++) {
        const struct written *item = &list->items[i];
        const char *what = NULL;
        if (!item->is_output)
            continue;
        if (len && realpath(item->path, real) && !strncmp(real, home, len) &&
            real[len] == '/')
            what = "guestmux made for a guest";
        else if (is_disk_too(list, item))
            what = "is a disk of its own";
        if (what)
            ok = error_set(error, ERROR_CODE_DENIED,
                           "its QEMU would write over %s to print there, "
                           "which %s",
                           item->path, what);
        else if (!image_lock_check(item->path, true, guest, error))
            ok = error_prefix(error, "its QEMU cannot print there");
    }
    return ok;
}

/* The directory of all servers' directories. The caller frees it. */
static char *
servers_of(const char *home)
{
    const char *slash = strrchr(home, '/');
    return slash && slash > home ? xstrndup(home, (size_t)(slash - home))
                                 : xstrdup(home);
}

/* Whether a directory of directories of images has a file. */
static bool
directory_has(const char *directory, int levels, const struct stat *file)
{
    DIR *open = opendir(directory);
    bool found = false;
    const struct dirent *entry = NULL;
    while (open && !found && (entry = readdir(open))) {
        struct stat info;
        if (entry->d_name[0] == '.')
            continue;
        char *path = xasprintf("%s/%s", directory, entry->d_name);
        if (levels)
            found = directory_has(path, levels - 1, file);
        else if (is_image(entry->d_name) && lstat(path, &info) == 0)
            found = info.st_dev == file->st_dev && info.st_ino == file->st_ino;
        free(path);
    }
    if (open)
        closedir(open);
    return found;
}

bool
overlays_have(const char *home, const char *path)
{
    struct stat info;
    char *servers = servers_of(home);
    bool found =
        stat(path, &info) == 0 && directory_has(servers, LEVELS, &info);
    free(servers);
    return found;
}

bool
overlays_check(const struct spec *spec, const char *home, struct error *error)
{
    struct written_list list = {0};
    if (spec->flash_store)
        add_written(&list, spec->flash_store, false);
    for (size_t i = 0; i < spec->disk_count; i++) {
        if (is_own(&spec->disks[i]))
            add_written(&list, spec->disks[i].file, false);
    }
    image_words_of_spec(spec, on_word, &list);
    char *servers = servers_of(home);
    bool ok =
        !list.count || (check_outputs(&list, servers, spec->name, error) &&
                        check_directory(&list, servers, LEVELS, error));
    free(servers);
    for (size_t i = 0; i < list.count; i++)
        free(list.items[i].path);
    free(list.items);
    return ok;
}
