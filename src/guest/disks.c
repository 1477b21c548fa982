#include "guest/disks.h"

#include "base/buffer.h"
#include "base/xalloc.h"
#include "guest/guest-internal.h"
#include "qemu/argv.h"
#include "qemu/cloud-config.h"
#include "qemu/disk-facts.h"
#include "qemu/firmware.h"
#include "qemu/image.h"
#include "qemu/seed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ms; QEMU only writes a header. */
#define RESIZE_TIMEOUT_MS 60000u

static char *
data_dir_of(const struct guest *guest)
{
    return paths_guest_data_dir(guest->context->paths, guest->spec->name);
}

int
guest_find_disk(const struct guest *guest, const char *name,
                struct error *error)
{
    const struct spec *spec = guest->spec;
    struct buffer names = {0};
    int found = -1;
    for (size_t i = 0; i < spec->disk_count; i++) {
        if (name ? !strcmp(spec->disks[i].name, name) : spec->disk_count == 1)
            found = (int)i;
        buffer_printf(&names, "%s%s", i ? ", " : "", spec->disks[i].name);
    }
    if (found < 0 && !names.len)
        error_set(error, ERROR_CODE_NOT_FOUND, "%s has no disks", spec->name);
    else if (found < 0 && name)
        error_set(error, ERROR_CODE_NOT_FOUND,
                  "%s has no disk '%.64s'; it has %s", spec->name, name,
                  names.data);
    else if (found < 0)
        error_set(error, ERROR_CODE_INVALID,
                  "%s has several disks; say which: %s", spec->name,
                  names.data);
    buffer_finish(&names);
    return found;
}

/* Held ----------------------------------------------------------------------
 */

static void
on_image(void *data, const struct error *error, const json_t *words)
{
    struct op *op = data;
    struct guest *guest = op->guest;
    struct error why = {0};
    guest->image = NULL;
    if (error) {
        struct buffer text = {0};
        buffer_printf(&text, "%s: %s", guest->spec->name, error->text);
        for (size_t i = 0; i < json_array_size(words); i++)
            buffer_printf(&text, "\n    %s",
                          json_string_value(json_array_get(words, i)));
        error_set(&why, error->code, "%s", text.data);
        buffer_finish(&text);
    }
    op_finish(op, NULL, error ? &why : NULL);
    guest_changed(guest);
}

/* Whether nothing else is done to the guest. */
static bool
check_idle(const struct guest *guest, const char *what, struct error *error)
{
    if (guest->image)
        return error_set(error, ERROR_CODE_STATE,
                         "cannot %s %s: something is being done to its disks",
                         what, guest->spec->name);
    if (guest_is_active(guest))
        return error_set(error, ERROR_CODE_STATE,
                         "cannot %s %s while it is %s; shut it down first",
                         what, guest->spec->name, guest_state_name(guest));
    return true;
}

/* Growing ------------------------------------------------------------------ */

static void
on_resized(void *data, const json_t *value, const struct error *error)
{
    op_finish(data, value, error);
}

static bool
resize_online(struct guest *guest, size_t index, uint64_t bytes,
              guest_done_fn on_done, void *data, struct error *error)
{
    if (!guest_check_monitor(guest, "resize a disk of", error))
        return false;
    char *id = xasprintf(ARGV_DISK_ID, index);
    json_t *arguments =
        json_pack("{s:s,s:I}", "device", id, "size", (json_int_t)bytes);
    free(id);
    struct op *op = op_new(guest, OP_KIND_REPLY, on_done, data);
    (void)qmp_send(guest->run->qmp, "block_resize", arguments,
                   RESIZE_TIMEOUT_MS, on_resized, op, NULL);
    return true;
}

/* That it grows, as far as that can be told. */
static bool
check_growth(const struct guest *guest, const struct spec_disk *disk,
             const char *path, uint64_t bytes, struct error *error)
{
    const char *format = spec_disk_is_made(disk) ? "qcow2" : disk->format;
    if (disk->is_readonly)
        return error_set(error, ERROR_CODE_DENIED,
                         "%s of %s is read-only for the guest: what is it to "
                         "do with more room?",
                         disk->name, guest->spec->name);
    if (access(path, F_OK) < 0 && spec_disk_is_made(disk))
        return error_set(error, ERROR_CODE_STATE,
                         "%s of %s is not made yet: its \"size\" in the fleet "
                         "file counts when the guest first starts",
                         disk->name, guest->spec->name);
    uint64_t there = disk_virtual_bytes(path, format);
    char now[IMAGE_SIZE_BYTES];
    char wanted[IMAGE_SIZE_BYTES];
    image_size_text(there, now);
    image_size_text(bytes, wanted);
    if (bytes == there)
        return error_set(error, ERROR_CODE_INVALID, "%s of %s has %s already",
                         disk->name, guest->spec->name, now);
    if (bytes < there)
        return error_set(error, ERROR_CODE_INVALID,
                         "%s of %s has %s; making it smaller (%s) would cut "
                         "off what is on it, so disks only grow",
                         disk->name, guest->spec->name, now, wanted);
    return true;
}

bool
guest_resize_disk(struct guest *guest, size_t index, uint64_t bytes,
                  guest_done_fn on_done, void *data, struct error *error)
{
    const struct spec_disk *disk = &guest->spec->disks[index];
    char *data_dir = data_dir_of(guest);
    char *path = argv_disk_path(disk, data_dir);
    bytes = (bytes + 511) / 512 * 512;
    bool ok = check_growth(guest, disk, path, bytes, error);
    if (ok && guest->run) {
        ok = resize_online(guest, index, bytes, on_done, data, error);
    } else if (ok && check_idle(guest, "resize a disk of", error)) {
        struct image_plan plan = {
            .kind = IMAGE_KIND_RESIZE,
            .label = disk->name,
            .path = path,
            .format = spec_disk_is_made(disk) ? "qcow2" : disk->format,
            .size_bytes = bytes,
        };
        struct op *op = op_new(guest, OP_KIND_REPLY, on_done, data);
        guest->image = image_begin(guest->context->loop, &plan, on_image, op);
    } else {
        ok = false;
    }
    free(path);
    free(data_dir);
    return ok;
}

/* Starting anew ------------------------------------------------------------ */

bool
guest_reset_disk(struct guest *guest, size_t index, guest_done_fn on_done,
                 void *data, struct error *error)
{
    const struct spec_disk *disk = &guest->spec->disks[index];
    if (!spec_disk_is_made(disk))
        return error_set(error, ERROR_CODE_DENIED,
                         "%s of %s is your own image %s: guestmux throws only "
                         "away what it made",
                         disk->name, guest->spec->name, disk->file);
    if (!check_idle(guest, "reset a disk of", error))
        return false;
    char *data_dir = data_dir_of(guest);
    char *path = argv_disk_path(disk, data_dir);
    bool ok = paths_make_dir(data_dir, error) &&
              prepare_check_base(guest->context->paths->data_dir, disk, error);
    if (ok) {
        image_clean(data_dir); /* what a killed server left half made */
        struct image_plan plan = prepare_plan(disk, path);
        plan.flags = IMAGE_REPLACE;
        struct op *op = op_new(guest, OP_KIND_REPLY, on_done, data);
        guest->image = image_begin(guest->context->loop, &plan, on_image, op);
        if (index == 0)
            store_forget(guest, "known_hosts"); /* its keys were on it */
    }
    free(path);
    free(data_dir);
    return ok;
}

/* The seed ----------------------------------------------------------------- */

char *
guest_renew_instance(struct guest *guest, struct error *error)
{
    const struct spec *spec = guest->spec;
    if (!spec->cloud_init) {
        error_set(error, ERROR_CODE_STATE,
                  "the definition of %s has no \"cloud-init\"", spec->name);
        return NULL;
    }
    if (cloud_files_fix_instance(spec)) {
        error_set(error, ERROR_CODE_STATE,
                  "the meta-data of %s says its instance-id itself; change it "
                  "there",
                  spec->name);
        return NULL;
    }
    char *data_dir = data_dir_of(guest);
    char *id = paths_make_dir(data_dir, error)
                   ? seed_new_instance_id(data_dir, spec->name, error)
                   : NULL;
    free(data_dir);
    if (id)
        store_forget(guest, "known_hosts"); /* cloud-init makes new keys */
    return id;
}

/* Removing ----------------------------------------------------------------- */

/* Whether guestmux made the directory: never through a link, which leads to
 * what is somebody else's. */
static bool
is_own_directory(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISDIR(info.st_mode) &&
           info.st_uid == geteuid();
}

void
guest_remove_seed(const struct guest *guest)
{
    char *data_dir = data_dir_of(guest);
    char *path = argv_seed_path(data_dir);
    if (is_own_directory(data_dir)) {
        (void)unlink(path);
        (void)rmdir(data_dir); /* when there was nothing else */
    }
    free(path);
    free(data_dir);
}

void
guest_remove_data(const struct guest *guest)
{
    const struct spec *spec = guest->spec;
    char *data_dir = data_dir_of(guest);
    if (!is_own_directory(data_dir)) {
        free(data_dir);
        return;
    }
    image_clean(data_dir);
    for (size_t i = 0; i < spec->disk_count; i++) {
        if (!spec_disk_is_made(&spec->disks[i]))
            continue;
        char *path = argv_disk_path(&spec->disks[i], data_dir);
        (void)unlink(path);
        free(path);
    }
    struct firmware firmware = {0};
    if (!spec->flash_store &&
        firmware_of_spec(spec, data_dir, &firmware, NULL)) {
        if (firmware.store)
            (void)unlink(firmware.store);
        firmware_finish(&firmware);
    }
    char *id = xasprintf("%s/instance-id", data_dir);
    (void)unlink(id);
    free(id);
    free(data_dir);
    store_forget(guest, "known_hosts"); /* its keys were on the disks */
    guest_remove_seed(guest);
}
