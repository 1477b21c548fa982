/* A guest's definition for another guest, and copies of its disks. */
#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/forward.h"
#include "guest/disks.h"
#include "guest/guest-internal.h"
#include "qemu/argv.h"
#include "qemu/cloud-config.h"
#include "qemu/disk-facts.h"
#include "qemu/image.h"
#include "qemu/keyval.h"
#include "qemu/qcow2.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct clone {
    struct op *op; /* borrowed: of the guest that is copied */
    char *name;
    unsigned flags;
    char *data_dir; /* the new guest's */
    char *from_dir; /* the copied one's */
    json_t *entry;  /* owned: the new definition */
    json_t *warnings;
    size_t next;  /* the disk after the one being copied */
    size_t *made; /* owned array: disks that were copied */
    size_t made_count;
    guest_cloned_fn on_done;
    void *data;
};

static void __attribute__((format(printf, 2, 3)))
warn(struct clone *clone, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    json_array_append_new(clone->warnings, json_from_text(text));
    free(text);
}

/* The definition ----------------------------------------------------------- */

/* A port of the host can be forwarded once: the new guest gets a free one. */
static void
free_forwards(struct clone *clone, json_t *nic, size_t index)
{
    json_t *list = json_object_get(nic, "hostfwd");
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct forward forward = {0};
        const char *text = json_string_value(json_array_get(list, i));
        char changed[FORWARD_TEXT_BYTES];
        if (!text) {
            warn(clone, "nics[%zu] forwards the same port of this machine",
                 index);
        } else if (forward_parse(text, &forward, NULL)) {
            forward_to_text(&forward, 0, changed);
            json_array_set_new(list, i, json_string(changed));
            forward_finish(&forward);
        }
    }
}

/* The text of a -nic value without its MAC address. */
static json_t *
without_mac(const char *text)
{
    struct keyval keyval;
    keyval_parse(&keyval, text);
    struct keyval kept = {
        .pairs = xcalloc(keyval.count + 1, sizeof(struct keyval_pair))};
    for (size_t i = 0; i < keyval.count; i++) {
        if (!keyval.pairs[i].key || strcmp(keyval.pairs[i].key, "mac") != 0)
            kept.pairs[kept.count++] = keyval.pairs[i];
    }
    char *result = keyval_to_text(&kept);
    json_t *value = json_from_text(result);
    free(result);
    free(kept.pairs);
    keyval_finish(&keyval);
    return value;
}

static void
change_nics(struct clone *clone)
{
    json_t *nics = json_object_get(clone->entry, "nics");
    for (size_t i = 0; i < json_array_size(nics); i++) {
        json_t *nic = json_array_get(nics, i);
        if (json_is_object(nic)) {
            json_object_del(nic, "mac");
            free_forwards(clone, nic, i);
        } else if (json_is_string(nic)) {
            const char *text = json_string_value(nic);
            if (strstr(text, "hostfwd"))
                warn(clone, "nics[%zu] forwards the same port of this machine",
                     i);
            json_array_set_new(nics, i, without_mac(text));
        }
    }
}

static void
change_cloud_init(struct clone *clone, const struct spec *spec)
{
    json_t *cloud = json_object_get(clone->entry, "cloud-init");
    json_t *meta = json_object_get(cloud, "meta-data");
    if (!spec->cloud_init)
        return;
    json_object_del(cloud, "hostname");
    json_object_del(meta, "local-hostname");
    json_object_del(meta, "instance-id");
    if (!json_is_object(meta) && cloud_files_fix_instance(spec))
        warn(clone, "its meta-data says the same instance-id; change it, or "
                    "cloud-init takes both for one machine");
}

/* A disk of the user's that was copied is one that guestmux made. */
static void
change_copied_disk(struct clone *clone, const struct spec *spec, size_t index)
{
    json_t *disks = json_object_get(clone->entry, "disks");
    const struct spec_disk *disk = &spec->disks[index];
    if (spec_disk_is_made(disk))
        return;
    char *path = xasprintf("%s/%s.qcow2", clone->data_dir, disk->name);
    char *size = xasprintf(
        "%lluB", (unsigned long long)disk_virtual_bytes(path, "qcow2"));
    json_t *item = json_array_get(disks, index);
    json_t *object =
        json_is_object(item) ? json_deep_copy(item) : json_object();
    json_object_del(object, "file");
    json_object_del(object, "format");
    json_object_set_new(object, "size", json_string(size));
    json_object_set_new(object, "name", json_string(disk->name));
    json_array_set_new(disks, index, object);
    free(size);
    free(path);
}

/* Copies ------------------------------------------------------------------- */

static void
free_clone(struct clone *clone)
{
    free(clone->name);
    free(clone->data_dir);
    free(clone->from_dir);
    json_decref(clone->entry);
    json_decref(clone->warnings);
    free(clone->made);
    free(clone);
}

static char *
copy_path(const struct clone *clone, const struct spec *spec, size_t index)
{
    return xasprintf("%s/%s.qcow2", clone->data_dir, spec->disks[index].name);
}

/* The op is done: what came of the clone is told. */
static void
on_op_done(void *data, const struct error *error)
{
    struct clone *clone = data;
    struct spec *spec = NULL;
    struct error why = {0};
    const struct guest *guest = clone->op->guest;
    if (error) {
        why = *error;
    } else {
        change_nics(clone);
        change_cloud_init(clone, guest->spec);
        for (size_t i = 0; i < clone->made_count; i++)
            change_copied_disk(clone, guest->spec, clone->made[i]);
        spec = spec_from_json(clone->name, clone->entry, guest->spec->directory,
                              &why);
    }
    for (size_t i = 0; !spec && !guest->is_dead && i < clone->made_count; i++) {
        char *path = copy_path(clone, guest->spec, clone->made[i]);
        (void)unlink(path); /* our own copies, of a moment ago */
        free(path);
    }
    clone->on_done(clone->data, spec, clone->warnings, spec ? NULL : &why);
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
        clone->made[clone->made_count++] = clone->next - 1;
        copy_next(clone);
        return;
    }
    struct error why = *error;
    const char *first = json_string_value(json_array_get(words, 0));
    if (first)
        error_set(&why, error->code, "%s: %s", error->text, first);
    op_finish(clone->op, NULL, &why);
}

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

static void
copy_disk(struct clone *clone, struct guest *guest, size_t index)
{
    const struct spec_disk *disk = &guest->spec->disks[index];
    bool is_made = spec_disk_is_made(disk);
    char *source = argv_disk_path(disk, clone->from_dir);
    char *path = copy_path(clone, guest->spec, index);
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
    guest->image = image_begin(guest->context->loop, &plan, on_copied, clone);
    qcow2_header_finish(&header);
    free(path);
    free(source);
}

static void
copy_next(struct clone *clone)
{
    struct guest *guest = clone->op->guest;
    const struct spec *spec = guest->spec;
    while (clone->next < spec->disk_count) {
        size_t index = clone->next++;
        if (!wants_copy(clone, &spec->disks[index]))
            continue;
        copy_disk(clone, guest, index);
        return;
    }
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
        char *path = copy_path(clone, spec, i);
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
guest_clone(struct guest *guest, const char *name, unsigned flags,
            guest_cloned_fn on_done, void *data, struct error *error)
{
    if (!check_guest(guest, name, error))
        return false;
    const struct paths *paths = guest->context->paths;
    struct clone *clone = xcalloc(1, sizeof(*clone));
    clone->name = xstrdup(name);
    clone->flags = flags;
    clone->data_dir = paths_guest_data_dir(paths, name);
    clone->from_dir = paths_guest_data_dir(paths, guest->spec->name);
    clone->entry = json_deep_copy(guest->spec->source);
    clone->warnings = json_array();
    clone->made = xcalloc(guest->spec->disk_count + 1, sizeof(*clone->made));
    clone->on_done = on_done;
    clone->data = data;
    if (!check_disks(clone, guest, error) ||
        (flags & GUEST_CLONE_FULL && !paths_make_dir(clone->data_dir, error))) {
        free_clone(clone);
        return false;
    }
    if (guest->spec->vnc_display || guest->spec->vnc_socket)
        warn(clone, "it has the same VNC display");
    if (guest->spec->args)
        warn(clone, "its args are the same; see that both can have what they "
                    "name");
    clone->op = op_new(guest, OP_KIND_REPLY, on_op_done, clone);
    copy_next(clone);
    return true;
}
