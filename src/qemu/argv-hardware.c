/* The arguments for firmware, display and devices. */
#include "base/xalloc.h"
#include "qemu/argv-internal.h"
#include "qemu/keyval.h"

#include <stdlib.h>
#include <string.h>

/* Graphics cards: what -vga calls them where there is a -vga that does (PCs),
 * and the device that they are elsewhere. */
static const struct {
    const char *name;
    const char *vga; /* NULL: -device there too */
    const char *device;
} cards[] = {
    {"bochs", NULL, "bochs-display"},
    {"cirrus", "cirrus", "cirrus-vga"},
    {"qxl", "qxl", "qxl-vga"},
    {"ramfb", NULL, "ramfb"},
    {"std", "std", "VGA"},
    {"virtio", "virtio", "virtio-gpu-pci"},
    {"vmware", "vmware", "vmware-svga"},
};

/* Firmware that keeps secure boot's keys from the operating system needs system
 * management mode. */
void
argv_add_machine(struct argv_list *list, const struct spec *spec,
                 const struct firmware *firmware)
{
    const char *machine = argv_machine(spec);
    if (machine && firmware->requires_smm && !strstr(machine, "smm=")) {
        argv_add(list, "-machine");
        argv_add_format(list, "%s,smm=on", machine);
        return;
    }
    argv_add_pair(list, "-machine", machine);
}

/* more: further options of the drive, each with a comma behind it. */
static void
add_flash(struct argv_list *list, int unit, const char *more, const char *file,
          const char *format)
{
    struct buffer text = {0};
    buffer_printf(&text, "if=pflash,unit=%d,format=%s,%sfile=", unit, format,
                  more);
    keyval_append_value(&text, file);
    argv_add(list, "-drive");
    argv_add_buffer(list, &text);
}

void
argv_add_firmware(struct argv_list *list, const struct firmware *firmware)
{
    if (firmware->device == FIRMWARE_DEVICE_MEMORY)
        argv_add_pair(list, "-bios", firmware->code);
    if (firmware->device != FIRMWARE_DEVICE_FLASH)
        return;
    if (firmware->requires_smm)
        argv_add_pair(list, "-global",
                      "driver=cfi.pflash01,property=secure,value=on");
    bool is_one = firmware->is_combined && firmware->store;
    if (!is_one)
        add_flash(list, 0, "readonly=on,", firmware->code,
                  firmware->code_format);
    if (firmware->store)
        add_flash(list, is_one ? 0 : 1, "", firmware->store,
                  firmware->store_format);
}

static bool
is_pc(const struct spec *spec)
{
    const char *arch = argv_arch(spec);
    return !strcmp(arch, "x86_64") || !strcmp(arch, "i386");
}

/* A display needs a card; without one there is nothing to look at. */
static void
add_card(struct argv_list *list, const struct spec *spec)
{
    bool has_vnc = spec->vnc_display || spec->vnc_socket;
    const char *name = spec->vga ? spec->vga : has_vnc ? "auto" : "none";
    if (!strcmp(name, "auto"))
        name = is_pc(spec) ? "std" : "virtio";
    for (size_t i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
        if (strcmp(cards[i].name, name) != 0)
            continue;
        if (is_pc(spec) && cards[i].vga)
            argv_add_pair(list, "-vga", cards[i].vga);
        else
            argv_add_pair(list, "-device", cards[i].device);
    }
}

static void
add_vnc(struct argv_list *list, const struct spec *spec)
{
    argv_add_pair(list, "-vnc", spec->vnc_display);
    if (!spec->vnc_socket)
        return;
    struct buffer text = {0};
    buffer_append_text(&text, "unix:");
    keyval_append_value(&text, spec->vnc_socket);
    argv_add(list, "-vnc");
    argv_add_buffer(list, &text);
}

static void
add_usb(struct argv_list *list, const struct spec *spec)
{
    if (!spec->usb)
        return;
    argv_add_pair(list, "-device", "qemu-xhci,id=gmusb");
    for (size_t i = 0; spec->usb[i]; i++)
        argv_add_pair(list, "-device", spec->usb[i]);
}

static void
add_rng(struct argv_list *list, const struct spec *spec)
{
    if (!spec->rng)
        return;
    struct buffer text = {0};
    buffer_append_text(&text, "rng-random,id=gmrng,filename=");
    keyval_append_value(&text, spec->rng);
    argv_add(list, "-object");
    argv_add_buffer(list, &text);
    argv_add(list, "-device");
    argv_add_format(list, "virtio-rng-%s,rng=gmrng", argv_virtio_bus(spec));
}

void
argv_add_hardware(struct argv_list *list, const struct spec *spec)
{
    add_card(list, spec);
    add_vnc(list, spec);
    add_rng(list, spec);
    add_usb(list, spec);
    for (size_t i = 0; spec->devices && spec->devices[i]; i++)
        argv_add_pair(list, "-device", spec->devices[i]);
}

/* Reads QEMU's -vnc value. */
static bool
parse_vnc(const struct spec *spec, const char *value, struct argv_vnc *ret)
{
    struct keyval keyval;
    keyval_parse(&keyval, value);
    const char *address = keyval_get(&keyval, "vnc", true);
    const char *colon = address ? strrchr(address, ':') : NULL;
    bool ok = colon != NULL;
    if (ok && !strncmp(address, "unix:", 5)) {
        const char *path = address + 5;
        *ret = (struct argv_vnc){
            .socket = path[0] == '/'
                          ? xstrdup(path)
                          : xasprintf("%s/%s", spec->directory, path)};
    } else if (ok) {
        long display = strtol(colon + 1, NULL, 10);
        *ret = (struct argv_vnc){
            .host = xstrndup(address, (size_t)(colon - address)),
            .port = ARGV_VNC_BASE_PORT + (int)(display & 0xFFFF)};
    }
    keyval_finish(&keyval);
    return ok;
}

/* The display that the fields give. */
static bool
read_fields(const struct spec *spec, struct argv_vnc *ret)
{
    if (spec->vnc_display)
        return parse_vnc(spec, spec->vnc_display, ret);
    if (!spec->vnc_socket)
        return false;
    *ret = (struct argv_vnc){.socket = xstrdup(spec->vnc_socket)};
    return true;
}

bool
argv_find_vnc(const struct spec *spec, size_t *at, struct argv_vnc *ret)
{
    bool is_command = spec->kind == SPEC_KIND_COMMAND;
    char *const *words = is_command ? spec->command : spec->args;
    size_t i = *at ? *at : 1; /* of the word behind -vnc */
    bool is_found = *at == 0 && read_fields(spec, ret);
    if (is_found)
        ret->field = "vnc";
    for (; !is_found && words && words[i - 1] && words[i]; i++) {
        const char *name = words[i - 1];
        is_found = (!strcmp(name, "-vnc") || !strcmp(name, "--vnc")) &&
                   parse_vnc(spec, words[i], ret);
        if (is_found)
            ret->field = is_command ? "command" : "args";
    }
    *at = i;
    return is_found;
}

void
argv_vnc_finish(struct argv_vnc *vnc)
{
    free(vnc->host);
    free(vnc->socket);
    *vnc = (struct argv_vnc){0};
}
