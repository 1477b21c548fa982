/* The readers of firmware, display and devices. */
#include "base/paths.h"
#include "base/xalloc.h"
#include "fleet/shellwords.h"
#include "fleet/spec-internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX_BYTES 4096
#define MAX_DEVICES 64
/* QEMU adds 5900 to a VNC display's number and wants a port. */
#define MAX_VNC_DISPLAY 59635
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const uefi_names[] = {"uefi", "uefi-secure",
                                         "uefi-secure-setup"};
static const char *const flash_fields[] = {"code", "vars", "store"};
static const char *const vga_names[] = {
    "none", "std", "virtio", "qxl", "cirrus", "vmware", "bochs", "ramfb",
};

/* Devices that people name shorter than QEMU. */
static const struct {
    const char *name;
    const char *device;
} usb_names[] = {
    {"tablet", "usb-tablet"},
    {"mouse", "usb-mouse"},
    {"keyboard", "usb-kbd"},
};

static void
keep(char **slot, char *text)
{
    if (!text)
        return;
    free(*slot);
    *slot = text;
}

/* A member that is a path; NULL when it is not there, or wrong. */
static char *
take_member_path(struct spec_reader *reader, const json_t *object,
                 const struct place *place, const char *name)
{
    const json_t *value = spec_member(object, name);
    struct place at = {place, name, 0};
    return value ? spec_take_path(reader, value, &at) : NULL;
}

/* {"code": …, "vars": …} or {"code": …, "store": …} */
static void
read_flash(struct spec_reader *reader, const json_t *value,
           const struct place *place)
{
    struct spec *spec = reader->spec;
    spec_check_members(reader, value, place, flash_fields, COUNT(flash_fields));
    if (!spec_member(value, "code") && !reader->is_part)
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "\"code\" is missing");
    if (spec_member(value, "vars") && spec_member(value, "store")) {
        struct place at = {place, "store", 0};
        mistakes_add(reader->mistakes, &at, POSITIONS_PART_KEY,
                     "firmware has \"vars\" (of which the guest gets a copy) "
                     "or \"store\" (which it writes to), not both");
    }
    keep(&spec->flash_code, take_member_path(reader, value, place, "code"));
    keep(&spec->flash_vars, take_member_path(reader, value, place, "vars"));
    keep(&spec->flash_store, take_member_path(reader, value, place, "store"));
}

static bool
is_file_name(const char *text)
{
    return strchr(text, '/') || strchr(text, '.');
}

void
spec_read_firmware(struct spec_reader *reader, const struct spec_field *field,
                   const json_t *value, const struct place *place)
{
    const char *text = json_string_value(value);
    if (json_is_object(value)) {
        read_flash(reader, value, place);
        return;
    }
    if (text && !strcmp(text, "bios"))
        return;
    if (text && (!strcasecmp(text, "efi") || !strcasecmp(text, "ovmf") ||
                 (!strcasecmp(text, "uefi") && strcmp(text, "uefi") != 0) ||
                 !strcasecmp(text, "seabios") || !strcasecmp(text, "bios"))) {
        char *shown = spec_show(text);
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "\"%s\" is not a firmware's name (try %s)", shown,
                     strcasestr(text, "bios") ? "bios" : "uefi");
        free(shown);
        return;
    }
    if (text && !strncmp(text, "uefi", 4) && !is_file_name(text)) {
        keep(&reader->spec->uefi,
             spec_take_choice(reader, value, place, "a firmware's name",
                              uefi_names, COUNT(uefi_names)));
        return;
    }
    if (!text) {
        spec_wrong_type(reader->mistakes, place, value,
                        "a string or an object of code and vars");
        return;
    }
    spec_read_program(reader, field, value, place);
}

void
spec_read_vga(struct spec_reader *reader, const struct spec_field *field,
              const json_t *value, const struct place *place)
{
    (void)field;
    if (json_is_boolean(value))
        keep(&reader->spec->vga,
             xstrdup(json_is_true(value) ? "auto" : "none"));
    else
        keep(&reader->spec->vga,
             spec_take_choice(reader, value, place, "a graphics card",
                              vga_names, COUNT(vga_names)));
}

/* A unix socket's path, which must be short. value: the field's, path a part of
 * it, which is settled as paths are. */
static char *
take_vnc_socket(struct spec_reader *reader, const json_t *value,
                const char *path, const struct place *place)
{
    json_t *part = json_string(path);
    char *whole = spec_take_path(reader, part, place);
    if (whole && strcmp(json_string_value(part), path) != 0) {
        char *settled = xasprintf("unix:%s", json_string_value(part));
        (void)json_string_set((json_t *)value, settled);
        free(settled);
    }
    json_decref(part);
    if (whole && strlen(whole) > PATHS_SOCKET_MAX_BYTES) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "the path is %zu bytes long, a socket's can have %d",
                     strlen(whole), PATHS_SOCKET_MAX_BYTES);
        free(whole);
        return NULL;
    }
    return whole;
}

/* Whether text is QEMU's "[HOST]:DISPLAY[,OPTIONS]". */
static bool
is_vnc_display(const char *text)
{
    size_t len = strcspn(text, ",");
    const char *colon = NULL;
    for (size_t i = 0; i < len; i++)
        colon = text[i] == ':' ? text + i : colon;
    if (!colon || colon + 1 == text + len)
        return false;
    size_t digits = strspn(colon + 1, "0123456789");
    return colon + 1 + digits == text + len && digits <= 5 &&
           strtol(colon + 1, NULL, 10) <= MAX_VNC_DISPLAY;
}

void
spec_read_vnc(struct spec_reader *reader, const struct spec_field *field,
              const json_t *value, const struct place *place)
{
    (void)field;
    struct spec *spec = reader->spec;
    json_int_t display = json_integer_value(value);
    if (json_is_integer(value) && display >= 0 && display <= MAX_VNC_DISPLAY) {
        keep(&spec->vnc_display, xasprintf("127.0.0.1:%d", (int)display));
        return;
    }
    if (json_is_integer(value)) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "%" JSON_INTEGER_FORMAT
                     " is not within 0 and %d, the VNC displays",
                     display, MAX_VNC_DISPLAY);
        return;
    }
    char *text = spec_take_text(reader, value, place, WORD_MAX_BYTES,
                                SPEC_TEXT_ONE_LINE);
    if (!text)
        return;
    if (!strncmp(text, "unix:", 5)) {
        keep(&spec->vnc_socket,
             take_vnc_socket(reader, value, text + 5, place));
    } else if (is_vnc_display(text)) {
        keep(&spec->vnc_display, xstrdup(text));
    } else if (strchr(text, '/')) {
        keep(&spec->vnc_socket, take_vnc_socket(reader, value, text, place));
    } else {
        char *shown = spec_show(text);
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "\"%s\" is not a VNC display (try 0, \":0\" for all "
                     "addresses, or \"unix:vnc.sock\")",
                     shown);
        free(shown);
    }
    free(text);
}

/* -device's value of a string or an object; NULL after a mistake. */
static char *
take_device(struct spec_reader *reader, const json_t *value,
            const struct place *place)
{
    if (!json_is_object(value))
        return spec_take_text(reader, value, place, WORD_MAX_BYTES,
                              SPEC_TEXT_ONE_LINE);
    struct place at = {place, "driver", 0};
    const json_t *driver = spec_member(value, "driver");
    if (!driver) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "\"driver\" is missing");
        return NULL;
    }
    char *name =
        spec_take_text(reader, driver, &at, WORD_MAX_BYTES, SPEC_TEXT_ONE_LINE);
    free(name);
    return name ? json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
}

/* Reads an array of devices; NULL after a mistake. */
static char **
take_devices(struct spec_reader *reader, const json_t *value,
             const struct place *place)
{
    size_t count = json_array_size(value);
    if (count > MAX_DEVICES) {
        mistakes_add(reader->mistakes, place, POSITIONS_PART_VALUE,
                     "there are %zu devices, at most %d are allowed", count,
                     MAX_DEVICES);
        return NULL;
    }
    char **devices = xcalloc(count + 1, sizeof(*devices));
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        struct place item = {place, NULL, i};
        char *device = take_device(reader, json_array_get(value, i), &item);
        ok = ok && device;
        devices[i] = device ? device : xstrdup("");
    }
    if (ok)
        return devices;
    shellwords_free(devices);
    return NULL;
}

static void
keep_devices(char ***slot, char **devices)
{
    if (!devices)
        return;
    shellwords_free(*slot);
    *slot = devices;
}

void
spec_read_devices(struct spec_reader *reader, const struct spec_field *field,
                  const json_t *value, const struct place *place)
{
    (void)field;
    if (json_is_array(value))
        keep_devices(&reader->spec->devices,
                     take_devices(reader, value, place));
    else
        spec_wrong_type(reader->mistakes, place, value,
                        "an array of strings or objects");
}

void
spec_read_usb(struct spec_reader *reader, const struct spec_field *field,
              const json_t *value, const struct place *place)
{
    (void)field;
    if (json_is_false(value))
        return;
    if (json_is_true(value)) {
        keep_devices(&reader->spec->usb, xcalloc(1, sizeof(char *)));
        return;
    }
    if (!json_is_array(value)) {
        spec_wrong_type(reader->mistakes, place, value,
                        "a boolean or an array of devices");
        return;
    }
    char **devices = take_devices(reader, value, place);
    for (size_t i = 0; devices && devices[i]; i++) {
        size_t len = strcspn(devices[i], ",");
        for (size_t k = 0; k < COUNT(usb_names); k++) {
            const char *name = usb_names[k].name;
            if (strlen(name) == len && !strncmp(devices[i], name, len))
                keep(&devices[i],
                     xasprintf("%s%s", usb_names[k].device, devices[i] + len));
        }
        struct place item = {place, NULL, i};
        if (devices[i][0] != '{' && strncmp(devices[i], "usb-", 4) != 0) {
            char *shown = spec_show(devices[i]);
            mistakes_add(reader->mistakes, &item, POSITIONS_PART_VALUE,
                         "\"%s\" is not a USB device (try tablet, mouse, "
                         "keyboard or usb-storage,drive=…)",
                         shown);
            free(shown);
        }
    }
    keep_devices(&reader->spec->usb, devices);
}

void
spec_read_rng(struct spec_reader *reader, const struct spec_field *field,
              const json_t *value, const struct place *place)
{
    (void)field;
    if (json_is_boolean(value)) {
        if (json_is_true(value))
            keep(&reader->spec->rng, xstrdup("/dev/urandom"));
        return;
    }
    if (json_is_string(value))
        keep(&reader->spec->rng, spec_take_path(reader, value, place));
    else
        spec_wrong_type(reader->mistakes, place, value, "a boolean or a path");
}
