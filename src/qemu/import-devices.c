/* Displays, USB, random bytes, and the devices that are left. */
#include "base/xalloc.h"
#include "qemu/import-internal.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const vga_names[] = {"std", "virtio", "qxl", "cirrus",
                                        "vmware"};

/* Devices that take the place of a machine's own graphics card (QEMU's
 * default_list in softmmu/vl.c). */
static const char *const cards[] = {
    "VGA",           "cirrus-vga",        "isa-cirrus-vga", "isa-vga",
    "qxl-vga",       "vmware-svga",       "virtio-gpu",     "virtio-gpu-pci",
    "virtio-vga",    "virtio-vga-gl",     "ati-vga",        "bochs-display",
    "secondary-vga", "virtio-gpu-device",
};

/* USB controllers: devices on them keep their own words. */
static const char *const usb_controllers[] = {
    "ich9-usb-ehci1", "nec-usb-xhci", "pci-ohci", "piix3-usb-uhci",
    "piix4-usb-uhci", "qemu-xhci",    "usb-ehci",
};

static bool
is_among(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(words[i], word))
            return true;
    }
    return false;
}

/* Whether some -device that is left has one of the drivers. */
static bool
has_device(struct importer *importer, const char *const *drivers, size_t count)
{
    int at = -1;
    struct import_item *item = NULL;
    bool has = false;
    while (!has && (item = import_next(importer, "device", &at))) {
        struct keyval keyval = {0};
        const char *driver = import_read_device(item->value, &keyval)
                                 ? keyval_get(&keyval, "driver", true)
                                 : NULL;
        has = driver && is_among(driver, drivers, count);
        keyval_finish(&keyval);
    }
    return has;
}

/* What QEMU does without being told, and guests here do not have. */
static void
note_defaults(struct importer *importer)
{
    static const char *const options[] = {"nographic", "display", "vnc",
                                          "spice",     "curses",  "sdl"};
    bool is_said = false;
    for (size_t i = 0; i < importer->count; i++)
        is_said = is_said ||
                  (importer->items[i].name &&
                   is_among(importer->items[i].name, options, COUNT(options)));
    if (!is_said)
        import_note(importer, "display: QEMU's window is left out; \"vnc\" "
                              "gives a display to look at");
    if (!importer->has_nodefaults && import_is_pc(importer))
        import_note(importer, "QEMU's parallel port, floppy drive and empty "
                              "CD-ROM drive are left out");
}

/* Displays that need a window or a terminal are none here. */
static void
take_displays(struct importer *importer)
{
    static const char *const kept[] = {"egl-headless", "dbus", "spice-app"};
    int at = -1;
    struct import_item *item = NULL;
    while ((item = import_next(importer, "display", &at))) {
        char *type = xstrndup(item->value, strcspn(item->value, ",="));
        if (!strcmp(type, "vnc") && item->value[3] == '=') {
            import_set_text(importer, "vnc", item->value + 4);
            item->is_done = true;
        } else if (!is_among(type, kept, COUNT(kept))) {
            item->is_done = true;
            if (strcmp(type, "none") != 0)
                import_note(importer,
                            "-display %s: dropped, there is no "
                            "window",
                            item->value);
        }
        free(type);
    }
    for (size_t i = 0; i < importer->count; i++) {
        item = &importer->items[i];
        const struct cmdline_option *option =
            item->name ? cmdline_find_option(item->name) : NULL;
        if (!option || item->is_done)
            continue;
        if (option->action == CMDLINE_ACTION_NOGRAPHIC) {
            item->is_done = true;
        } else if (option->action == CMDLINE_ACTION_DROP) {
            item->is_done = true;
            import_note(importer, "%s: dropped, %s", item->word, option->why);
        }
    }
}

static void
take_vnc(struct importer *importer)
{
    int at = -1;
    struct import_item *item = NULL;
    while ((item = import_next(importer, "vnc", &at))) {
        if (json_object_get(importer->entry, "vnc"))
            continue; /* a second one stays in args */
        struct keyval keyval;
        keyval_parse(&keyval, item->value);
        const char *address = keyval_get(&keyval, "vnc", true);
        bool is_socket = address && !strncmp(address, "unix:", 5);
        item->is_done = !is_socket || keyval.count == 1;
        if (is_socket && item->is_done)
            json_object_set_new(importer->entry, "vnc", import_path(address));
        else if (item->is_done && strcmp(item->value, "none") != 0)
            import_set_text(importer, "vnc", item->value);
        keyval_finish(&keyval);
    }
}

/* A -device that "vga" says; on a PC most names are -vga's. */
static void
take_card(struct importer *importer)
{
    static const struct {
        const char *device;
        const char *name;
    } rows[] = {
        {"bochs-display", "bochs"},
        {"ramfb", "ramfb"},
        {"VGA", "std"},
        {"cirrus-vga", "cirrus"},
        {"qxl-vga", "qxl"},
        {"virtio-gpu-pci", "virtio"},
        {"vmware-svga", "vmware"},
    };
    size_t count = import_is_pc(importer) ? 2 : COUNT(rows);
    int at = -1;
    struct import_item *item = NULL;
    while ((item = import_next(importer, "device", &at))) {
        for (size_t i = 0; i < count; i++) {
            if (strcmp(rows[i].device, item->value) != 0 ||
                json_object_get(importer->entry, "vga"))
                continue;
            import_set_text(importer, "vga", rows[i].name);
            item->is_done = true;
        }
    }
}

/* The card that the command says, or the one that its machine has. */
static void
take_vga(struct importer *importer)
{
    bool has_vnc = json_object_get(importer->entry, "vnc") != NULL;
    bool is_said = false;
    int at = -1;
    struct import_item *item = NULL;
    while ((item = import_next(importer, "vga", &at))) {
        is_said = true;
        if (!strcmp(item->value, "none")) {
            item->is_done = true;
        } else if (is_among(item->value, vga_names, COUNT(vga_names))) {
            import_set_text(importer, "vga", item->value);
            item->is_done = true;
        }
    }
    if (!is_said)
        take_card(importer);
    if (json_object_get(importer->entry, "vga"))
        return;
    bool has_default = !is_said && !importer->has_nodefaults &&
                       import_is_pc(importer) &&
                       !has_device(importer, cards, COUNT(cards));
    if (has_default) {
        import_set_text(importer, "vga", "std");
        if (!has_vnc)
            import_note(importer, "vga: QEMU's default card, which nobody sees "
                                  "without a display; take it out if the guest "
                                  "needs none");
    } else if (has_vnc) {
        import_set_text(importer, "vga", "none");
    }
}

/* USB devices on the machine's controller: on one of ours. */
static void
take_usb(struct importer *importer)
{
    bool is_on = false;
    if (has_device(importer, usb_controllers, COUNT(usb_controllers)))
        return; /* which controller a device is on, QEMU decides */
    for (size_t i = 0; i < importer->count; i++) {
        struct import_item *item = &importer->items[i];
        static const char *const plain[] = {"tablet", "mouse", "keyboard"};
        if (item->name && !item->is_done && !strcmp(item->name, "usb")) {
            is_on = true;
            item->is_done = true;
        } else if (import_is(item, "usbdevice") &&
                   is_among(item->value, plain, COUNT(plain))) {
            json_array_append_new(importer->usb, json_string(item->value));
            import_note(importer,
                        "-usbdevice %s: QEMU has it no more; a USB "
                        "device",
                        item->value);
            item->is_done = true;
            is_on = true;
        }
    }
    int at = -1;
    struct import_item *item = NULL;
    while (is_on && (item = import_next(importer, "device", &at))) {
        bool is_usb = !strncmp(item->value, "usb-", 4) &&
                      strncmp(item->value, "usb-ehci", 8) != 0 &&
                      !strstr(item->value, ",bus=") &&
                      !strstr(item->value, "chardev=");
        if (!is_usb)
            continue;
        json_array_append_new(importer->usb, import_text(item->value));
        item->is_done = true;
    }
    if (is_on)
        import_note(importer, "usb: on an xHCI controller");
    if (is_on && !json_array_size(importer->usb))
        json_object_set_new(importer->entry, "usb", json_true());
}

/* What our own "usb" gives comes back as it was: its controller has our id. */
static void
take_own_usb(struct importer *importer)
{
    int at = -1;
    bool is_own = false;
    struct import_item *item = NULL;
    while ((item = import_next(importer, "device", &at))) {
        if (!strcmp(item->value, "qemu-xhci,id=gmusb")) {
            item->is_done = true;
            is_own = true;
        } else if (is_own &&
                   (!strncmp(item->value, "usb-", 4) ||
                    !strncmp(item->value, "{\"driver\":\"usb-", 15))) {
            json_t *object = json_loads(item->value, 0, NULL);
            json_array_append_new(importer->usb,
                                  object ? object : import_text(item->value));
            item->is_done = true;
        } else if (is_own) {
            break;
        }
    }
    if (is_own && !json_array_size(importer->usb))
        json_object_set_new(importer->entry, "usb", json_true());
}

/* "-object rng-random,id=r0" with "-device virtio-rng-pci,rng=r0". */
static void
take_rng(struct importer *importer)
{
    static const char *const object_keys[] = {"", "qom-type", "id", "filename",
                                              NULL};
    static const char *const device_keys[] = {"", "driver", "rng", "id", NULL};
    int at = -1;
    struct import_item *item = NULL;
    while ((item = import_next(importer, "device", &at))) {
        struct keyval device = {0};
        bool is_read = import_read_device(item->value, &device);
        const char *driver = keyval_get(&device, "driver", true);
        const char *id = keyval_get(&device, "rng", false);
        bool fits = is_read && driver && id &&
                    !strncmp(driver, "virtio-rng", 10) &&
                    import_has_only(&device, device_keys) &&
                    !json_object_get(importer->entry, "rng");
        int other_at = -1;
        struct import_item *other = NULL;
        while (fits && (other = import_next(importer, "object", &other_at))) {
            struct keyval object = {0};
            bool is_object = import_read_device(other->value, &object);
            const char *type = keyval_get(&object, "qom-type", true);
            const char *own = keyval_get(&object, "id", false);
            const char *file = keyval_get(&object, "filename", false);
            if (is_object && type && own && !strcmp(type, "rng-random") &&
                !strcmp(own, id) && import_has_only(&object, object_keys)) {
                bool is_usual = !file || !strcmp(file, "/dev/urandom");
                json_object_set_new(importer->entry, "rng",
                                    is_usual ? json_true() : import_path(file));
                item->is_done = true;
                other->is_done = true;
                fits = false;
            }
            keyval_finish(&object);
        }
        keyval_finish(&device);
    }
}

/* Devices that no field took; those on a chardev stay in args, where consoles
 * are looked for. */
static void
take_rest(struct importer *importer)
{
    int at = -1;
    struct import_item *item = NULL;
    while ((item = import_next(importer, "device", &at))) {
        if (strstr(item->value, "chardev") || !item->value[0])
            continue;
        json_t *object =
            item->value[0] == '{'
                ? json_loads(item->value, JSON_REJECT_DUPLICATES, NULL)
                : NULL;
        json_array_append_new(importer->devices,
                              object ? object : import_text(item->value));
        item->is_done = true;
    }
}

void
import_devices(struct importer *importer)
{
    note_defaults(importer);
    take_displays(importer);
    take_vnc(importer);
    take_vga(importer);
    take_own_usb(importer);
    take_usb(importer);
    take_rng(importer);
    take_rest(importer);
}
