/* The images that lie below an image. */
#include "base/xalloc.h"
#include "qemu/image-lock.h"
#include "qemu/preflight-internal.h"
#include "qemu/qcow2.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Deeper chains of images are not followed. */
#define MAX_CHAIN 200

/* A chain on the way down. */
struct chain {
    const struct preflight_check *check;
    int item; /* of "disks" */
    struct stat seen[MAX_CHAIN];
    size_t depth;
};

/* Remembers a file that the guest only reads and others must leave alone. */
static void
note_lower(const struct chain *chain, const char *path, const struct stat *info)
{
    struct preflight *preflight = chain->check->preflight;
    preflight->lowers =
        xreallocarray(preflight->lowers, preflight->lower_count + 1,
                      sizeof(*preflight->lowers));
    preflight->lowers[preflight->lower_count++] = (struct preflight_lower){
        .device = info->st_dev,
        .inode = info->st_ino,
        .path = xstrdup(path),
        .spec = chain->check->spec,
        .item = chain->item,
    };
}

static void __attribute__((format(printf, 3, 4)))
tell(const struct chain *chain, enum preflight_severity severity,
     const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    preflight_add(chain->check, severity, "disks", chain->item, "%s", text);
    free(text);
}

static bool
is_seen(const struct chain *chain, const struct stat *info)
{
    for (size_t i = 0; i < chain->depth; i++) {
        if (chain->seen[i].st_dev == info->st_dev &&
            chain->seen[i].st_ino == info->st_ino)
            return true;
    }
    return false;
}

/* Whether an image is new in its chain, and the chain not too long. */
static bool
step_on(struct chain *chain, const char *path)
{
    struct stat info;
    if (stat(path, &info) < 0)
        return false;
    if (is_seen(chain, &info)) {
        tell(chain, PREFLIGHT_SEVERITY_ERROR,
             "the chain of images comes back to %s: it lies over itself", path);
        return false;
    }
    if (chain->depth == MAX_CHAIN) {
        tell(chain, PREFLIGHT_SEVERITY_ERROR,
             "more than %d images lie over each other", MAX_CHAIN);
        return false;
    }
    chain->seen[chain->depth++] = info;
    return true;
}

/* Whether the image below is there, free, and what the one above says. */
static bool
check_lower(const struct chain *chain, const char *path, const char *backing,
            const char *format)
{
    struct error error = {0};
    struct stat info;
    if (stat(backing, &info) < 0 || access(backing, R_OK) < 0) {
        tell(chain, PREFLIGHT_SEVERITY_ERROR,
             "%s lies over %s, which cannot be read: %s", path, backing,
             strerror(errno));
        return false;
    }
    if (!image_lock_check(backing, false, NULL, &error))
        tell(chain, PREFLIGHT_SEVERITY_ERROR, "%s lies over another: %s", path,
             error.text);
    bool is_qcow2 = qcow2_is_one(backing);
    if (format && !strcmp(format, "qcow2") && !is_qcow2) {
        tell(chain, PREFLIGHT_SEVERITY_ERROR,
             "%s says that %s below it is a qcow2 image, but it is not", path,
             backing);
        return false;
    }
    if (format && !strcmp(format, "raw") && is_qcow2)
        tell(chain, PREFLIGHT_SEVERITY_WARNING,
             "%s says that %s below it is raw, but it is a qcow2 image", path,
             backing);
    if (!is_seen(chain, &info))
        note_lower(chain, backing, &info);
    return true;
}

/* What lies below an image, or NULL: nothing that can be followed. */
static char *
go_down(const struct chain *chain, const char *path)
{
    struct qcow2_header header = {0};
    struct error error = {0};
    if (!qcow2_is_one(path))
        return NULL;
    if (!qcow2_read_header(path, &header, &error)) {
        tell(chain, PREFLIGHT_SEVERITY_ERROR, "%s", error.text);
        return NULL;
    }
    char *backing = qcow2_backing_path(path, &header);
    /* Below what is said to be raw nothing is looked for by QEMU. */
    bool is_raw =
        header.backing_format && !strcmp(header.backing_format, "raw");
    if (backing &&
        (!check_lower(chain, path, backing, header.backing_format) || is_raw)) {
        free(backing);
        backing = NULL;
    }
    qcow2_header_finish(&header);
    return backing;
}

void
preflight_check_chain(const struct preflight_check *check, const char *top,
                      int item)
{
    struct chain *chain = xcalloc(1, sizeof(*chain));
    chain->check = check;
    chain->item = item;
    char *path = xstrdup(top);
    while (path && step_on(chain, path)) {
        char *below = go_down(chain, path);
        free(path);
        path = below;
    }
    free(path);
    free(chain);
}

void
preflight_note_base(const struct preflight_check *check, const char *base,
                    int item)
{
    struct stat info;
    struct error error = {0};
    struct chain chain = {.check = check, .item = item};
    if (stat(base, &info) < 0)
        return;
    if (!image_lock_check(base, false, NULL, &error))
        tell(&chain, PREFLIGHT_SEVERITY_ERROR, "%s", error.text);
    note_lower(&chain, base, &info);
}
