/* Images, and which guests open them to write or to read. */
#include "base/xalloc.h"
#include "qemu/image-lock.h"
#include "qemu/preflight-internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Where packages have what is everybody's, such as the templates of firmware's
 * variables. */
#define SYSTEM_FILES "/usr/share/"

void
preflight_check_use(const struct preflight_check *check, const char *path,
                    enum image_use kind, const char *field, int index)
{
    bool is_writer = kind != IMAGE_USE_READS;
    bool is_unlocked = kind == IMAGE_USE_UNLOCKED;
    struct preflight *preflight = check->preflight;
    struct error error = {0};
    struct stat info;
    if (!is_unlocked &&
        !image_lock_check(path, is_writer, check->spec->name, &error)) {
        preflight_add(check, PREFLIGHT_SEVERITY_ERROR, field, index, "%s",
                      error.text);
        return; /* who else wants it matters less */
    }
    if (stat(path, &info) < 0 || S_ISCHR(info.st_mode))
        return;
    if (is_writer && !strncmp(path, SYSTEM_FILES, strlen(SYSTEM_FILES)))
        preflight_add(check, PREFLIGHT_SEVERITY_WARNING, field, index,
                      "%s belongs to the system, and the guest would write to "
                      "it: let it write to a copy (of firmware's variables "
                      "it gets one with \"vars\" instead of \"store\")",
                      path);
    preflight->uses = xreallocarray(preflight->uses, preflight->use_count + 1,
                                    sizeof(*preflight->uses));
    preflight->uses[preflight->use_count] = (struct preflight_use){
        .device = info.st_dev,
        .inode = info.st_ino,
        .path = xstrdup(path),
        .spec = check->spec,
        .field = field,
        .index = index,
        .is_writer = is_writer,
        .is_unlocked = is_unlocked,
        .is_output = kind == IMAGE_USE_CREATES,
        .order = preflight->use_count,
    };
    preflight->use_count++;
}

static int
compare_uses(const void *a, const void *b)
{
    const struct preflight_use *left = a;
    const struct preflight_use *right = b;
    if (left->device != right->device)
        return left->device < right->device ? -1 : 1;
    if (left->inode != right->inode)
        return left->inode < right->inode ? -1 : 1;
    return left->order < right->order ? -1 : left->order > right->order;
}

/* Who has a file: the first that writes to it as an image, or else at all. */
static const struct preflight_use *
find_writer(const struct preflight_use *uses, size_t count)
{
    const struct preflight_use *writer = NULL;
    for (size_t i = 0; i < count; i++) {
        bool is_better = !writer || (writer->is_output && !uses[i].is_output);
        if (uses[i].is_writer && !uses[i].is_unlocked && is_better)
            writer = &uses[i];
    }
    return writer;
}

/* One image's uses against each other. */
static void
check_image(struct preflight *preflight, const struct preflight_use *uses,
            size_t count)
{
    const struct preflight_use *writer = find_writer(uses, count);
    for (size_t i = 0; writer && i < count; i++) {
        const struct preflight_use *use = &uses[i];
        struct preflight_check check = {preflight, use->spec};
        if (use == writer || use->is_unlocked ||
            (use->is_output && writer->is_output))
            continue; /* logs are theirs to mix */
        preflight_add(&check, PREFLIGHT_SEVERITY_ERROR, use->field, use->index,
                      use->is_output ? "%s is a disk of %s: QEMU would empty it"
                      : writer->is_output
                          ? "%s is what QEMU of %s prints to, and empties first"
                      : use->is_writer
                          ? "%s is a disk of %s already; QEMU lets only one "
                            "guest write to an image"
                          : "%s is a disk that %s writes to; QEMU lets nobody "
                            "else open it, even to read",
                      use->path, writer->spec->name);
    }
}

/* Images below others that a guest of the fleet writes to. */
static void
check_lowers(struct preflight *preflight)
{
    for (size_t i = 0; i < preflight->lower_count; i++) {
        const struct preflight_lower *lower = &preflight->lowers[i];
        struct preflight_check check = {preflight, lower->spec};
        for (size_t k = 0; k < preflight->use_count; k++) {
            const struct preflight_use *use = &preflight->uses[k];
            if (use->is_writer && use->device == lower->device &&
                use->inode == lower->inode)
                preflight_add(
                    &check, PREFLIGHT_SEVERITY_ERROR, "disks", lower->item,
                    use->is_output ? "the base %s is what QEMU of %s would "
                                     "print to: what lies over it would be "
                                     "garbage"
                                   : "the base %s is a disk that %s writes to: "
                                     "what lies over it would be garbage",
                    lower->path, use->spec->name);
        }
    }
}

void
preflight_check_uses(struct preflight *preflight)
{
    struct preflight_use *uses = preflight->uses;
    size_t count = preflight->use_count;
    if (count)
        qsort(uses, count, sizeof(*uses), compare_uses);
    for (size_t first = 0, i = 1; i <= count; i++) {
        if (i < count && uses[i].device == uses[first].device &&
            uses[i].inode == uses[first].inode)
            continue;
        check_image(preflight, uses + first, i - first);
        first = i;
    }
    check_lowers(preflight);
}
