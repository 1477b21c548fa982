#include "qemu/disk-facts.h"

#include "base/json.h"
#include "base/xalloc.h"
#include "qemu/argv.h"
#include "qemu/image-header.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Deeper chains are not followed: nobody makes them, but a circle would be
 * one. */
#define MAX_CHAIN 64

static json_t *
bytes_or_null(uint64_t bytes)
{
    return bytes ? json_integer((json_int_t)bytes) : json_null();
}

uint64_t
disk_virtual_bytes(const char *path, const char *format)
{
    struct image_header header = {0};
    if (!image_header_read(path, format, &header))
        return 0;
    uint64_t bytes = header.virtual_bytes;
    image_header_finish(&header);
    return bytes;
}

/* Why nothing can be told of an image, or NULL. The caller frees it. */
static char *
find_problem(const char *path, const char *format, bool is_read)
{
    if (access(path, R_OK) < 0)
        return xstrdup(strerror(errno));
    return is_read ? NULL
                   : xasprintf("it is no %s image", format ? format : "disk");
}

/* One image of a chain; *ret_next: what it lies over, or NULL. */
static json_t *
image_facts(const char *path, const char *format, char **ret_next,
            char **ret_next_format)
{
    struct image_header header = {0};
    struct stat info;
    bool is_there = stat(path, &info) == 0;
    bool is_read = image_header_read(path, format, &header);
    char *problem = find_problem(path, format, is_read);
    json_t *image = json_object();
    json_object_set_new(image, "file", json_from_text(path));
    json_object_set_new(image, "format",
                        is_read  ? json_string(header.format)
                        : format ? json_from_text(format)
                                 : json_null());
    json_object_set_new(image, "virtual-bytes",
                        bytes_or_null(header.virtual_bytes));
    json_object_set_new(image, "actual-bytes",
                        is_there
                            ? json_integer((json_int_t)info.st_blocks * 512)
                            : json_null());
    json_object_set_new(image, "problem",
                        problem ? json_from_text(problem) : json_null());
    *ret_next = image_header_backing_path(path, &header);
    *ret_next_format = xstrdup(header.backing_format);
    image_header_finish(&header);
    free(problem);
    return image;
}

static json_t *
chain_facts(const char *top, const char *top_format)
{
    json_t *chain = json_array();
    char *path = xstrdup(top);
    char *format = xstrdup(top_format);
    for (int depth = 0; path && depth < MAX_CHAIN; depth++) {
        char *next = NULL;
        char *next_format = NULL;
        json_array_append_new(chain,
                              image_facts(path, format, &next, &next_format));
        free(path);
        free(format);
        path = next;
        format = next_format;
    }
    free(path);
    free(format);
    return chain;
}

/* What is free where the image lies. */
static json_t *
free_bytes(const char *path)
{
    struct statvfs info;
    const char *slash = strrchr(path, '/');
    char *directory = xstrndup(
        path, slash && slash > path ? (size_t)(slash - path) : strlen(path));
    bool ok = statvfs(path, &info) == 0 || statvfs(directory, &info) == 0;
    free(directory);
    return ok ? json_integer((json_int_t)info.f_bavail *
                             (json_int_t)info.f_frsize)
              : json_null();
}

static json_t *
one_disk(const struct spec_disk *disk, size_t index, const char *data_dir)
{
    bool is_made = spec_disk_is_made(disk);
    char *path = argv_disk_path(disk, data_dir);
    bool is_there = access(path, F_OK) == 0;
    json_t *object = json_object();
    json_object_set_new(object, "name", json_string(disk->name));
    json_object_set_new(object, "index", json_integer((json_int_t)index));
    json_object_set_new(object, "file", json_from_text(path));
    json_object_set_new(object, "made", json_boolean(is_made));
    json_object_set_new(object, "exists", json_boolean(is_there));
    json_object_set_new(object, "interface", json_string(disk->interface));
    json_object_set_new(object, "read-only", json_boolean(disk->is_readonly));
    json_object_set_new(object, "base",
                        disk->base ? json_from_text(disk->base) : json_null());
    json_object_set_new(object, "wanted-bytes",
                        bytes_or_null(disk->size_bytes));
    json_object_set_new(object, "free-bytes", free_bytes(path));
    json_object_set_new(
        object, "chain",
        is_made && !is_there
            ? json_array()
            : chain_facts(path, is_made ? "qcow2" : disk->format));
    free(path);
    return object;
}

json_t *
disk_facts(const struct spec *spec, const char *data_dir)
{
    json_t *disks = json_array();
    for (size_t i = 0; i < spec->disk_count; i++)
        json_array_append_new(disks, one_disk(&spec->disks[i], i, data_dir));
    return disks;
}
