/* Another guest like one that is off: its definition, copies of its disks. */
#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/shellwords.h"
#include "guest/clone-internal.h"
#include "guest/disks.h"
#include "guest/guest-internal.h"
#include "qemu/argv.h"
#include "qemu/disk-facts.h"
#include "qemu/firmware.h"
#include "qemu/image.h"
#include "qemu/qcow2.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct clone {
    struct op *op; /* borrowed: of the guest that is copied */
    char *name;
    unsigned flags;
    char *data_dir;    /* the new guest's */
    char *from_dir;    /* the copied one's */
    struct spec *spec; /* owned: the new definition */
    json_t *told;      /* owned: {"changes", "warnings"} */
    size_t next;       /* the disk after the one being copied */
    char *making;      /* owned: the file being made, or NULL */
    char **made;       /* owned, NULL-terminated: files that were */
    size_t made_count;
    guest_cloned_fn on_done;
    void *data;
};

/* Definition --------------------------------------------------------------- */

/* Whether a disk has content of its own that the other guest is to have. */
static bool
wants_copy(const struct clone *clone, const struct spec_disk *disk)
{
    char *path = argv_disk_path(disk, clone->from_dir);
    bool wants = clone->flags & GUEST_CLONE_FULL && !disk->is_readonly &&
                 access(path, F_OK) == 0;
    free(path);
    return wants;
}

/* A disk of the user's that is copied becomes one that guestmux made. */
static void
change_copied_disk(json_t *entry, const struct spec_disk *disk, size_t index)
{
    json_t *disks = json_object_get(entry, "disks");
    char *size = xasprintf("%lluB", (unsigned long long)disk_virtual_bytes(
                                        disk->file, disk->format));
    json_t *item = json_array_get(disks, index);
    json_t *object =
        json_is_object(item) ? json_deep_copy(item) : json_object();
    json_object_del(object, "file");
    json_object_del(object, "format");
    json_object_set_new(object, "size", json_string(size));
    json_object_set_new(object, "name", json_string(disk->name));
    json_array_set_new(disks, index, object);
    free(size);
}

/* The new guest's definition; it tells what is other than in the copied one. */
static struct spec *
make_spec(struct clone *clone, const struct guest *guest,
          const struct guest_clone_plan *plan, struct error *error)
{
    struct clone_entry entry = {
        .entry = json_deep_copy(guest->spec->source),
        .spec = guest->spec,
        .name = clone->name,
        .ports = guest->context->ports,
        .others = plan->others,
        .other_count = plan->other_count,
        .changes = json_object_get(clone->told, "changes"),
        .warnings = json_object_get(clone->told, "warnings"),
    };
    bool ok = clone_change_entry(&entry, error);
    for (size_t i = 0; i < guest->spec->disk_count; i++) {
        const struct spec_disk *disk = &guest->spec->disks[i];
        if (!spec_disk_is_made(disk) && wants_copy(clone, disk))
            change_copied_disk(entry.entry, disk, i);
    }
    struct spec *spec = ok ? spec_from_json(clone->name, entry.entry,
                                            guest->spec->directory, error)
                           : NULL;
    json_decref(entry.entry);
    buffer_finish(&entry.vain);
    return spec;
}

/* Copies ------------------------------------------------------------------- */

static void
free_clone(struct clone *clone)
{
    free(clone->name);
    free(clone->data_dir);
    free(clone->from_dir);
    free(clone->making);
    spec_free(clone->spec);
    json_decref(clone->told);
    shellwords_free(clone->made);
    free(clone);
}

static char *
copy_path(const struct clone *clone, const struct spec_disk *disk)
{
    return xasprintf("%s/%s.qcow2", clone->data_dir, disk->name);
}

/* The op is done: what came of the clone is told. */
static void
on_op_done(void *data, const struct error *error)
{
    struct clone *clone = data;
    struct spec *spec = error ? NULL : clone->spec;
    clone->spec = error ? clone->spec : NULL;
    for (size_t i = 0; error && i < clone->made_count; i++)
        (void)unlink(clone->made[i]); /* our own copies, of a moment ago */
    clone->on_done(clone->data, spec, clone->told, error);
    free_clone(clone);
}

static void copy_next(struct clone *clone);

static void
on_copied(void *data, const struct error *error, const json_t *words)
{
    struct clone *clone = data;
    struct guest *guest = clone->op->guest;
    guest->image = NULL;
    if (!error) {
        clone->made[clone->made_count++] = clone->making;
        clone->making = NULL;
        copy_next(clone);
        return;
    }
    struct error why = *error;
    const char *first = json_string_value(json_array_get(words, 0));
    if (first)
        error_set(&why, error->code, "%s: %s", error->text, first);
    op_finish(clone->op, NULL, &why);
}

static void
begin_copy(struct clone *clone, const struct image_plan *plan)
{
    struct guest *guest = clone->op->guest;
    clone->making = xstrdup(plan->path);
    guest->image = image_begin(guest->context->loop, plan, on_copied, clone);
}

static void
copy_disk(struct clone *clone, const struct spec_disk *disk)
{
    bool is_made = spec_disk_is_made(disk);
    char *source = argv_disk_path(disk, clone->from_dir);
    char *path = copy_path(clone, disk);
    struct qcow2_header header = {0};
    if (is_made)
        (void)qcow2_read_header(source, &header, NULL);
    struct image_plan plan = {
        .kind = IMAGE_KIND_COPY,
        .label = disk->name,
        .path = path,
        .source = source,
        .format = is_made ? "qcow2" : disk->format,
        /* What is below an overlay stays shared. */
        .base = header.backing_format ? header.backing : NULL,
        .base_format = header.backing_format,
    };
    begin_copy(clone, &plan);
    qcow2_header_finish(&header);
    free(path);
    free(source);
}

/* The firmware's variables: boot entries, keys. False: there are none. */
static bool
copy_store(struct clone *clone)
{
    const struct spec *spec = clone->op->guest->spec;
    struct firmware from = {0};
    struct firmware to = {0};
    bool is_full = clone->flags & GUEST_CLONE_FULL;
    bool begins = is_full &&
                  firmware_of_spec(spec, clone->from_dir, &from, NULL) &&
                  firmware_of_spec(clone->spec, clone->data_dir, &to, NULL) &&
                  from.store && to.store && access(from.store, F_OK) == 0;
    struct image_plan plan = {
        .kind = IMAGE_KIND_COPY,
        .label = "its firmware's variables",
        .path = to.store,
        .source = from.store,
        .format = from.store_format,
    };
    if (begins)
        begin_copy(clone, &plan);
    firmware_finish(&from);
    firmware_finish(&to);
    return begins;
}

static void
copy_next(struct clone *clone)
{
    const struct spec *spec = clone->op->guest->spec;
    while (clone->next < spec->disk_count) {
        const struct spec_disk *disk = &spec->disks[clone->next++];
        if (!wants_copy(clone, disk))
            continue;
        copy_disk(clone, disk);
        return;
    }
    if (clone->next++ > spec->disk_count || !copy_store(clone))
        op_finish(clone->op, NULL, NULL);
}

/* Checks ------------------------------------------------------------------- */

/* Whether the copy would share what two guests cannot, or overwrite. */
static bool
check_disks(const struct clone *clone, const struct guest *guest,
            struct error *error)
{
    const struct spec *spec = guest->spec;
    for (size_t i = 0; i < spec->disk_count; i++) {
        const struct spec_disk *disk = &spec->disks[i];
        char *path = copy_path(clone, disk);
        bool is_there = access(path, F_OK) == 0;
        if (is_there)
            error_set(error, ERROR_CODE_EXISTS,
                      "%s is there already, from an earlier %s; move it away, "
                      "or take another name",
                      path, clone->name);
        free(path);
        if (is_there)
            return false;
        bool is_full = clone->flags & GUEST_CLONE_FULL;
        if (!is_full && !spec_disk_is_made(disk) && !disk->is_readonly)
            return error_set(error, ERROR_CODE_STATE,
                             "%s of %s is your own image %s, to which only one "
                             "guest can write: clone it with what is on it "
                             "(--full)",
                             disk->name, spec->name, disk->file);
    }
    return true;
}

static bool
check_guest(const struct guest *guest, const char *name, struct error *error)
{
    if (guest->spec->kind != SPEC_KIND_QEMU)
        return error_set(error, ERROR_CODE_STATE,
                         "cannot clone %s: only guests described by fields "
                         "can be, and it is a %s",
                         guest->spec->name, spec_kind_name(guest->spec->kind));
    if (guest_is_active(guest) || guest->image)
        return error_set(error, ERROR_CODE_STATE,
                         "cannot clone %s while it is %s: its disks change; "
                         "shut it down first",
                         guest->spec->name,
                         guest->image ? "worked on" : guest_state_name(guest));
    if (!text_is_name(name))
        return error_set(error, ERROR_CODE_INVALID,
                         "\"%.64s\" is not a name for a guest", name);
    return true;
}

bool
guest_clone(struct guest *guest, const struct guest_clone_plan *plan,
            guest_cloned_fn on_done, void *data, struct error *error)
{
    if (!check_guest(guest, plan->name, error))
        return false;
    const struct paths *paths = guest->context->paths;
    struct clone *clone = xcalloc(1, sizeof(*clone));
    clone->name = xstrdup(plan->name);
    clone->flags = plan->flags;
    clone->data_dir = paths_guest_data_dir(paths, plan->name);
    clone->from_dir = paths_guest_data_dir(paths, guest->spec->name);
    clone->told = json_pack("{s:[],s:[]}", "changes", "warnings");
    clone->made = xcalloc(guest->spec->disk_count + 2, sizeof(*clone->made));
    clone->on_done = on_done;
    clone->data = data;
    bool is_full = plan->flags & GUEST_CLONE_FULL;
    if (check_disks(clone, guest, error))
        clone->spec = make_spec(clone, guest, plan, error);
    if (!clone->spec || (is_full && !paths_make_dir(clone->data_dir, error))) {
        free_clone(clone);
        return false;
    }
    clone->op = op_new(guest, OP_KIND_REPLY, on_op_done, clone);
    copy_next(clone);
    return true;
}
