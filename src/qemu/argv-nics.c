/* The arguments for network cards. */
#include "base/xalloc.h"
#include "qemu/argv-internal.h"
#include "qemu/keyval.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a, 32 bits, of a text with its terminating zero. */
static uint32_t
mix(uint32_t hash, const char *text)
{
    do
        hash = (hash ^ (unsigned char)*text) * UINT32_C(16777619);
    while (*text++);
    return hash;
}

/* An address that stays the same for a guest of a fleet and differs from other
 * guests': QEMU's own default is one for all. */
static void
append_mac(struct buffer *out, const struct spec *spec, size_t index)
{
    if (spec->nics && spec->nics[index].mac) {
        buffer_append_text(out, spec->nics[index].mac);
        return;
    }
    uint32_t hash = mix(UINT32_C(2166136261), spec->directory);
    hash = mix(hash, spec->name);
    hash = (hash ^ (uint32_t)index) * UINT32_C(16777619);
    hash ^= hash >> 15;
    buffer_printf(out, "52:54:00:%02x:%02x:%02x", (unsigned)(hash >> 16 & 255),
                  (unsigned)(hash >> 8 & 255), (unsigned)(hash & 255));
}

static void
add_user_nic(struct argv_list *list, const struct spec *spec, size_t index)
{
    const char *model = spec->nics ? spec->nics[index].model : NULL;
    const char *bus = argv_virtio_bus(spec);
    struct buffer device = {0};
    if (model)
        buffer_append_text(&device, model);
    else
        buffer_printf(&device, "virtio-net-%s", bus);
    buffer_printf(&device, ",netdev=gmnet%zu,mac=", index);
    append_mac(&device, spec, index);
    /* Without its boot ROM the firmware is through seconds earlier. */
    if (!model && !strcmp(bus, "pci"))
        buffer_append_text(&device, ",romfile=");
    argv_add(list, "-netdev");
    argv_add_format(list, "user,id=gmnet%zu", index);
    argv_add(list, "-device");
    argv_add_buffer(list, &device);
}

static void
add_raw_nic(struct argv_list *list, const struct spec *spec, size_t index)
{
    const char *text = spec->nics[index].text;
    struct keyval keyval;
    keyval_parse(&keyval, text);
    struct buffer value = {0};
    buffer_append_text(&value, text);
    if (!keyval_get(&keyval, "mac", false)) {
        buffer_append_text(&value, ",mac=");
        append_mac(&value, spec, index);
    }
    keyval_finish(&keyval);
    argv_add(list, "-nic");
    argv_add_buffer(list, &value);
}

void
argv_add_nics(struct argv_list *list, const struct spec *spec)
{
    if (!spec->has_nics)
        add_user_nic(list, spec, 0);
    for (size_t i = 0; i < spec->nic_count; i++) {
        if (spec->nics[i].text)
            add_raw_nic(list, spec, i);
        else
            add_user_nic(list, spec, i);
    }
}
