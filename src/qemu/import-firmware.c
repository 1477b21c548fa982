/* Firmware in flash: code, and the store of its variables. */
#include "base/xalloc.h"
#include "qemu/firmware.h"
#include "qemu/import-drives.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What "firmware" takes a file's format to be. */
static bool
is_format_by_name(const struct drive *drive)
{
    const char *format = import_drive_format(drive);
    size_t len = strlen(drive->file);
    bool is_qcow2 = len > 6 && !strcmp(drive->file + len - 6, ".qcow2");
    return !format || !strcmp(format, is_qcow2 ? "qcow2" : "raw");
}

/* The drives in flash: by unit, or in their order. */
static size_t
find_flash(struct drives *drives, struct drive *ret[3])
{
    size_t count = 0;
    for (size_t i = 0; i < drives->count && count < 3; i++) {
        struct drive *drive = &drives->items[i];
        if (drive->is_flash)
            ret[count++] = drive;
    }
    const char *unit =
        count == 2 ? keyval_get(&ret[0]->keyval, "unit", false) : NULL;
    if (unit && !strcmp(unit, "1")) {
        struct drive *first = ret[0];
        ret[0] = ret[1];
        ret[1] = first;
    }
    return count;
}

/* -machine pflash0=NODE,pflash1=NODE: the nodes are flash, and the words leave
 * the machine. */
static void
mark_flash_nodes(struct drives *drives)
{
    struct importer *importer = drives->importer;
    const char *machine =
        json_string_value(json_object_get(importer->entry, "machine"));
    if (!machine || !strstr(machine, "pflash"))
        return;
    struct keyval keyval;
    keyval_parse(&keyval, machine);
    struct buffer rest = {0};
    for (size_t i = 0; i < keyval.count; i++) {
        const struct keyval_pair *pair = &keyval.pairs[i];
        bool is_flash = pair->key && (!strcmp(pair->key, "pflash0") ||
                                      !strcmp(pair->key, "pflash1"));
        struct drive *drive =
            is_flash ? import_find_drive(drives, pair->value) : NULL;
        if (drive && drive->file) {
            drive->is_flash = true;
            continue;
        }
        buffer_printf(&rest, "%s%s%s", rest.len ? "," : "",
                      pair->key ? pair->key : "", pair->key ? "=" : "");
        keyval_append_value(&rest, pair->value);
    }
    import_set_text(importer, "machine", rest.data ? rest.data : "");
    buffer_finish(&rest);
    keyval_finish(&keyval);
}

/* The variable store: one that cannot be written is a template. */
static void
take_store(struct importer *importer, json_t *firmware, struct drive *store)
{
    bool is_template =
        access(store->file, R_OK) == 0 && access(store->file, W_OK) < 0;
    bool is_shipped = !strncmp(store->file, "/usr/share/", 11);
    const char *member = is_template || is_shipped ? "vars" : "store";
    json_object_set_new(firmware, member, import_path(store->file));
    if (is_template || is_shipped)
        import_note(importer,
                    "firmware: %s is a template, the guest gets a copy",
                    store->file);
    store->item->is_done = true;
    if (store->below)
        store->below->is_done = true;
}

static void
drop_secure_flash(struct importer *importer, const char *code)
{
    int at = -1;
    struct import_item *item = NULL;
    while ((item = import_next(importer, "global", &at))) {
        bool is_secure =
            !strcmp(item->value,
                    "driver=cfi.pflash01,property=secure,value=on") ||
            !strcmp(item->value, "cfi.pflash01.secure=on");
        if (!is_secure || !firmware_file_requires_smm(code))
            continue;
        item->is_done = true;
        import_note(importer, "-global %s: comes with the firmware",
                    item->value);
    }
}

void
import_firmware(struct drives *drives)
{
    struct drive *flash[3] = {NULL};
    mark_flash_nodes(drives);
    size_t count = find_flash(drives, flash);
    struct importer *importer = drives->importer;
    bool fits = count >= 1 && count <= 2 &&
                !json_object_get(importer->entry, "firmware");
    for (size_t i = 0; fits && i < count; i++)
        fits = flash[i]->file && is_format_by_name(flash[i]);
    /* Code that may be written to is code and store in one file. */
    if (!fits || (count == 1 && !flash[0]->is_readonly) ||
        (count == 2 && flash[1]->is_readonly)) {
        for (size_t i = 0; i < count; i++) {
            if (flash[i]->is_blockdev)
                import_give_up(importer, "firmware in flash that is not code "
                                         "and variable store");
        }
        return;
    }
    json_t *firmware = json_object();
    json_object_set_new(firmware, "code", import_path(flash[0]->file));
    if (!flash[0]->is_readonly)
        import_note(importer, "firmware: %s is opened read-only",
                    flash[0]->file);
    flash[0]->item->is_done = true;
    if (flash[0]->below)
        flash[0]->below->is_done = true;
    drop_secure_flash(importer, flash[0]->file);
    if (count == 2)
        take_store(importer, firmware, flash[1]);
    json_object_set_new(importer->entry, "firmware", firmware);
}
