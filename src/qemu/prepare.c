#include "qemu/prepare.h"

#include "base/paths.h"
#include "base/xalloc.h"
#include "fleet/shellwords.h"
#include "qemu/argv.h"
#include "qemu/firmware.h"
#include "qemu/overlays.h"
#include "qemu/qcow2.h"
#include "qemu/seed.h"
#include "qemu/unix-sockets.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct prepare {
    uv_loop_t *loop;   /* borrowed */
    struct spec *spec; /* owned: a copy, which the thread reads */
    char *data_dir;
    char *home;
    const struct prepare_handlers *handlers;
    void *data; /* borrowed */
    uv_work_t work;
    bool is_working; /* in the thread */
    bool is_cancelled;
    struct error error; /* of the thread; code NONE: none */
    char *note;         /* of the thread; NULL: none */
    bool *is_missing;   /* of each disk: it has to be made */
    size_t next;        /* the disk after the one being made */
    struct firmware firmware;
    bool is_store_missing; /* the firmware's variable store is to be made */
    struct image_job *job;
};

/* Whether there is something to make, or to use that was made. */
static bool
makes_something(const struct spec *spec)
{
    for (size_t i = 0; i < spec->disk_count; i++) {
        if (spec_disk_is_made(&spec->disks[i]))
            return true;
    }
    return spec->cloud_init || spec->uefi || spec->flash_vars;
}

bool
prepare_is_needed(const struct spec *spec)
{
    return makes_something(spec) || overlays_concern(spec) ||
           unix_sockets_concern(spec);
}

struct image_plan
prepare_plan(const struct spec_disk *disk, const char *path)
{
    return (struct image_plan){
        .kind = IMAGE_KIND_MAKE,
        .label = disk->name,
        .path = path,
        .base = disk->base,
        .base_format = disk->format,
        .size_bytes = disk->size_bytes,
    };
}

static void
free_prepare(struct prepare *prepare)
{
    spec_free(prepare->spec);
    free(prepare->data_dir);
    free(prepare->home);
    free(prepare->note);
    free(prepare->is_missing);
    firmware_finish(&prepare->firmware);
    free(prepare);
}

/* In the thread ------------------------------------------------------------ */

bool
prepare_check_base(const char *data_home, const struct spec_disk *disk,
                   struct error *error)
{
    struct stat info;
    if (!disk->base)
        return true;
    if (stat(disk->base, &info) < 0)
        return error_set_errno(error, errno, "cannot make %s over %s",
                               disk->name, disk->base);
    if (overlays_have(data_home, disk->base))
        return error_set(error, ERROR_CODE_DENIED,
                         "cannot make %s over %s: that is the disk of a guest, "
                         "which changes when that guest runs; copy it first, "
                         "or use `guestmux clone --full`",
                         disk->name, disk->base);
    return true;
}

/* Whether two paths are one file. */
static bool
is_same_file(const char *a, const char *b)
{
    struct stat one;
    struct stat two;
    return !strcmp(a, b) ||
           (stat(a, &one) == 0 && stat(b, &two) == 0 &&
            one.st_dev == two.st_dev && one.st_ino == two.st_ino);
}

/* An image that is there must lie over what the definition says. */
static bool
check_backing(const struct spec_disk *disk, const char *path,
              const struct qcow2_header *header, const char *guest,
              struct error *error)
{
    char *backing = qcow2_backing_path(path, header);
    bool is_right = disk->base && backing ? is_same_file(disk->base, backing)
                                          : !disk->base && !header->backing;
    if (!is_right)
        error_set(error, ERROR_CODE_STATE,
                  "%s lies over %s, but the definition of %s says %s: give "
                  "the disk another \"name\" to have a new one made, or make "
                  "it anew with `guestmux disk reset %s %s` (what is in it is "
                  "lost then)",
                  path, header->backing ? header->backing : "nothing",
                  disk->name, disk->base ? disk->base : "nothing", guest,
                  disk->name);
    else if (disk->base && access(disk->base, R_OK) < 0)
        is_right = error_set_errno(error, errno, "the base of %s, %s, is gone",
                                   path, disk->base);
    free(backing);
    return is_right;
}

static void
note_size(struct prepare *prepare, const struct spec_disk *disk,
          const struct qcow2_header *header)
{
    char there[IMAGE_SIZE_BYTES];
    char wanted[IMAGE_SIZE_BYTES];
    if (!disk->size_bytes || disk->size_bytes == header->virtual_bytes ||
        prepare->note)
        return;
    image_size_text(header->virtual_bytes, there);
    image_size_text(disk->size_bytes, wanted);
    prepare->note = xasprintf(
        disk->size_bytes > header->virtual_bytes
            ? "%s has %s and stays so, though its definition says %s; "
              "`guestmux disk resize %s %s %s` makes it grow"
            : "%s has %s and stays so, though its definition says %s",
        disk->name, there, wanted, prepare->spec->name, disk->name, wanted);
}

/* Whether something has the path of what guestmux makes; it must be a file of
 * ours then. */
static bool
look_at_made(const char *path, bool *ret_is_there, struct error *error)
{
    struct stat info;
    *ret_is_there = lstat(path, &info) == 0;
    if (!*ret_is_there)
        return errno == ENOENT ||
               error_set_errno(error, errno, "cannot look at %s", path);
    if (S_ISREG(info.st_mode) && info.st_uid == geteuid())
        return true;
    return error_set(error, ERROR_CODE_DENIED,
                     "%s is not a file that guestmux made (it is %s); move it "
                     "away",
                     path,
                     S_ISLNK(info.st_mode)   ? "a symbolic link"
                     : S_ISREG(info.st_mode) ? "another user's"
                                             : "no plain file");
}

bool
prepare_look_at_made(const struct spec *spec, const struct spec_disk *disk,
                     const char *data_dir, struct qcow2_header *ret_header,
                     bool *ret_is_there, struct error *error)
{
    char *path = argv_disk_path(disk, data_dir);
    bool ok = look_at_made(path, ret_is_there, error);
    if (ok && *ret_is_there)
        ok = qcow2_read_header(path, ret_header, error) &&
             check_backing(disk, path, ret_header, spec->name, error);
    free(path);
    return ok;
}

/* Uses what is there, or finds that it is to be made. */
static bool
look_at_disk(struct prepare *prepare, size_t index, struct error *error)
{
    const struct spec_disk *disk = &prepare->spec->disks[index];
    struct qcow2_header header = {0};
    bool is_there = false;
    bool ok = prepare_look_at_made(prepare->spec, disk, prepare->data_dir,
                                   &header, &is_there, error);
    prepare->is_missing[index] = ok && !is_there;
    if (ok && !is_there)
        ok = prepare_check_base(prepare->home, disk, error);
    else if (ok)
        note_size(prepare, disk, &header);
    qcow2_header_finish(&header);
    return ok;
}

static bool
make_seed(const struct prepare *prepare, struct error *error)
{
    char *id = seed_instance_id(prepare->data_dir, prepare->spec->name, error);
    char *path = argv_seed_path(prepare->data_dir);
    bool ok = id && seed_make(prepare->spec, id, path, error);
    free(path);
    free(id);
    return ok;
}

/* The guest's own copy of the template that belongs to its firmware; a store
 * that the user names is the user's. */
static bool
look_at_store(struct prepare *prepare, struct error *error)
{
    struct firmware *firmware = &prepare->firmware;
    const struct spec *spec = prepare->spec;
    if ((!spec->uefi && !spec->flash_vars) || spec->flash_store)
        return true;
    if (!firmware_of_spec(spec, prepare->data_dir, firmware, error))
        return false;
    if (!firmware->vars || !firmware->store)
        return true;
    struct qcow2_header header = {0};
    bool is_there = false;
    bool ok = look_at_made(firmware->store, &is_there, error);
    prepare->is_store_missing = ok && !is_there;
    /* Some firmware hangs without a word when its store is broken. */
    if (ok && is_there) {
        ok = qcow2_read_header(firmware->store, &header, error);
        if (!ok)
            error_prefix(error, "the firmware's variables cannot be used, "
                                "move them away to begin anew");
        qcow2_header_finish(&header);
    }
    return ok;
}

static void
look(uv_work_t *work)
{
    struct prepare *prepare = work->data;
    struct error error = {0};
    const struct spec *spec = prepare->spec;
    bool ok = unix_sockets_check(spec, &error) &&
              overlays_check(spec, prepare->home, &error);
    if (ok && makes_something(spec)) {
        ok = paths_make_dir(prepare->data_dir, &error);
        if (ok)
            image_clean(prepare->data_dir);
    }
    for (size_t i = 0; ok && i < spec->disk_count; i++) {
        if (spec_disk_is_made(&spec->disks[i]))
            ok = look_at_disk(prepare, i, &error);
    }
    ok = ok && look_at_store(prepare, &error);
    if (ok && spec->cloud_init)
        ok = make_seed(prepare, &error);
    if (!ok)
        prepare->error = error;
}

/* On the loop -------------------------------------------------------------- */

static void
finish(struct prepare *prepare, const struct error *error, const json_t *words)
{
    prepare->handlers->on_done(prepare->data, error, words);
    free_prepare(prepare);
}

static void make_next(struct prepare *prepare);

static void
on_made(void *data, const struct error *error, const json_t *words)
{
    struct prepare *prepare = data;
    prepare->job = NULL;
    if (error)
        finish(prepare, error, words);
    else
        make_next(prepare);
}

static void
make_store(struct prepare *prepare)
{
    const struct firmware *firmware = &prepare->firmware;
    struct image_plan plan = {
        .kind = IMAGE_KIND_COPY,
        .label = "its firmware's variables",
        .path = firmware->store,
        .source = firmware->vars,
        .format = firmware->vars_format,
    };
    prepare->is_store_missing = false;
    prepare->handlers->on_step(prepare->data, "copying its firmware's "
                                              "variables");
    prepare->job = image_begin(prepare->loop, &plan, on_made, prepare);
}

static void
make_next(struct prepare *prepare)
{
    const struct spec *spec = prepare->spec;
    while (prepare->next < spec->disk_count &&
           !prepare->is_missing[prepare->next])
        prepare->next++;
    if (prepare->next >= spec->disk_count) {
        if (prepare->is_store_missing)
            make_store(prepare);
        else
            finish(prepare, NULL, NULL);
        return;
    }
    const struct spec_disk *disk = &spec->disks[prepare->next++];
    char *path = argv_disk_path(disk, prepare->data_dir);
    char *step = xasprintf("making %s", disk->name);
    struct image_plan plan = prepare_plan(disk, path);
    prepare->handlers->on_step(prepare->data, step);
    prepare->job = image_begin(prepare->loop, &plan, on_made, prepare);
    free(step);
    free(path);
}

static void
on_looked(uv_work_t *work, int status)
{
    struct prepare *prepare = work->data;
    (void)status;
    prepare->is_working = false;
    if (prepare->is_cancelled) {
        free_prepare(prepare);
        return;
    }
    if (prepare->note)
        prepare->handlers->on_note(prepare->data, prepare->note);
    if (prepare->error.code)
        finish(prepare, &prepare->error, NULL);
    else
        make_next(prepare);
}

struct prepare *
prepare_begin(uv_loop_t *loop, const struct spec *spec, const char *data_dir,
              const char *home, const struct prepare_handlers *handlers,
              void *data)
{
    struct prepare *prepare = xcalloc(1, sizeof(*prepare));
    prepare->loop = loop;
    prepare->spec = spec_copy(spec);
    prepare->data_dir = xstrdup(data_dir);
    prepare->home = xstrdup(home);
    prepare->handlers = handlers;
    prepare->data = data;
    prepare->is_missing =
        xcalloc(spec->disk_count + 1, sizeof(*prepare->is_missing));
    prepare->work.data = prepare;
    prepare->is_working =
        uv_queue_work(loop, &prepare->work, look, on_looked) == 0;
    handlers->on_step(data, spec->cloud_init ? "making its seed"
                                             : "looking for its disks");
    return prepare;
}

void
prepare_cancel(struct prepare *prepare)
{
    if (!prepare)
        return;
    image_cancel(prepare->job);
    prepare->job = NULL;
    prepare->is_cancelled = true;
    if (!prepare->is_working)
        free_prepare(prepare);
}
