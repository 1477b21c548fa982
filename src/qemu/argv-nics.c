/* The arguments for network cards. */
#include "base/xalloc.h"
#include "fleet/arch.h"
#include "qemu/argv-internal.h"
#include "qemu/cmdline.h"
#include "qemu/keyval.h"

#include <stdint.h>
#include <stdio.h>
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
void
argv_nic_mac(const struct spec *spec, size_t index, char mac[ARGV_MAC_BYTES])
{
    const struct spec_nic *nic = spec->nics ? &spec->nics[index] : NULL;
    if (nic && nic->mac) {
        (void)snprintf(mac, ARGV_MAC_BYTES, "%s", nic->mac);
        return;
    }
    uint32_t hash = mix(UINT32_C(2166136261), spec->directory);
    hash = mix(hash, spec->name);
    hash = (hash ^ (uint32_t)index) * UINT32_C(16777619);
    hash ^= hash >> 15;
    (void)snprintf(mac, ARGV_MAC_BYTES, "52:54:00:%02x:%02x:%02x",
                   (unsigned)(hash >> 16 & 255), (unsigned)(hash >> 8 & 255),
                   (unsigned)(hash & 255));
}

static void
add_card(struct argv_list *list, const struct spec *spec, size_t index)
{
    const char *model = spec->nics ? spec->nics[index].model : NULL;
    const char *bus = argv_virtio_bus(spec);
    char mac[ARGV_MAC_BYTES];
    struct buffer device = {0};
    if (model)
        buffer_append_text(&device, model);
    else
        buffer_printf(&device, "virtio-net-%s", bus);
    argv_nic_mac(spec, index, mac);
    buffer_printf(&device, ",id=gmnic%zu,netdev=gmnet%zu,mac=%s", index, index,
                  mac);
    /* Without its boot ROM the firmware is through seconds earlier. */
    if (!model && !strcmp(bus, "pci"))
        buffer_append_text(&device, ",romfile=");
    argv_add(list, "-device");
    argv_add_buffer(list, &device);
}

/* Number of the card's first forward among all of the spec. */
static size_t
first_forward(const struct spec *spec, size_t index)
{
    size_t first = 0;
    for (size_t i = 0; i < index; i++)
        first += spec->nics[i].forward_count;
    return first;
}

static void
append_forwards(struct buffer *out, const struct spec *spec, size_t index,
                const struct argv_runtime *runtime)
{
    const struct spec_nic *nic = &spec->nics[index];
    size_t first = first_forward(spec, index);
    for (size_t i = 0; i < nic->forward_count; i++) {
        char text[FORWARD_TEXT_BYTES];
        int port = runtime->forward_ports ? runtime->forward_ports[first + i]
                                          : nic->forwards[i].host_port;
        forward_to_qemu(&nic->forwards[i], port, text);
        buffer_printf(out, ",hostfwd=%s", text);
    }
}

/* Whether an option is among those of a card. */
static bool
has_option(const struct spec_nic *nic, const char *name)
{
    for (size_t i = 0; i + 1 < nic->option_count; i += 2) {
        if (!strcmp(nic->options[i], name))
            return true;
    }
    return false;
}

/* A card's -netdev but for what is known at run time only. */
static void
append_netdev(struct buffer *out, const struct spec_nic *nic, size_t index)
{
    buffer_printf(out, "%s,id=gmnet%zu", nic->type, index);
    for (size_t i = 0; i + 1 < nic->option_count; i += 2) {
        buffer_printf(out, ",%s=", nic->options[i]);
        keyval_append_value(out, nic->options[i + 1]);
    }
    /* QEMU's own scripts want root; a tap that is there needs none. */
    if (!strcmp(nic->type, "tap") && !has_option(nic, "helper")) {
        if (!has_option(nic, "script"))
            buffer_append_text(out, ",script=no");
        if (!has_option(nic, "downscript"))
            buffer_append_text(out, ",downscript=no");
    }
}

/* A network of the fleet's: QEMU listens, the server's switch connects, and a
 * later server connects again. */
static void
append_lan(struct buffer *out, size_t index, const struct argv_runtime *runtime)
{
    buffer_printf(
        out, "stream,id=gmnet%zu,server=on,addr.type=unix,addr.path=", index);
    keyval_append_value(out, runtime->nic_sockets ? runtime->nic_sockets[index]
                                                  : "");
}

static void
add_nic(struct argv_list *list, const struct spec *spec, size_t index,
        const struct argv_runtime *runtime)
{
    struct buffer netdev = {0};
    if (!spec->nics)
        buffer_printf(&netdev, "user,id=gmnet%zu", index);
    else if (spec->nics[index].network)
        append_lan(&netdev, index, runtime);
    else
        append_netdev(&netdev, &spec->nics[index], index);
    if (spec->nics)
        append_forwards(&netdev, spec, index, runtime);
    argv_add(list, "-netdev");
    argv_add_buffer(list, &netdev);
    add_card(list, spec, index);
}

/* With an id of ours, so that its cable can be pulled. */
static void
add_raw_nic(struct argv_list *list, const struct spec *spec, size_t index)
{
    const char *text = spec->nics[index].text;
    struct keyval keyval;
    keyval_parse(&keyval, text);
    struct buffer value = {0};
    buffer_append_text(&value, text);
    if (!keyval_get(&keyval, "mac", false)) {
        char mac[ARGV_MAC_BYTES];
        argv_nic_mac(spec, index, mac);
        buffer_printf(&value, ",mac=%s", mac);
    }
    if (!keyval_get(&keyval, "id", false))
        buffer_printf(&value, ",id=gmnet%zu", index);
    keyval_finish(&keyval);
    argv_add(list, "-nic");
    argv_add_buffer(list, &value);
}

void
argv_add_nics(struct argv_list *list, const struct spec *spec,
              const struct argv_runtime *runtime)
{
    if (!spec->has_nics)
        add_nic(list, spec, 0, runtime);
    for (size_t i = 0; i < spec->nic_count; i++) {
        if (spec->nics[i].text)
            add_raw_nic(list, spec, i);
        else
            add_nic(list, spec, i, runtime);
    }
}

bool
argv_nics_spawn(const struct spec *spec)
{
    bool spawns = false;
    for (size_t i = 0; i < spec->nic_count && !spawns; i++) {
        const struct spec_nic *nic = &spec->nics[i];
        struct buffer netdev = {0};
        if (nic->type)
            append_netdev(&netdev, nic, i);
        spawns = (nic->text && cmdline_net_spawns(nic->text)) ||
                 (netdev.len && cmdline_net_spawns(netdev.data));
        buffer_finish(&netdev);
    }
    return spawns;
}

void
argv_add_agent(struct argv_list *list, const struct spec *spec,
               const struct argv_runtime *runtime)
{
    if (!spec->has_agent)
        return;
    struct buffer chardev = {0};
    buffer_append_text(&chardev, "socket,id=gmagent,server=on,wait=off,path=");
    keyval_append_value(&chardev,
                        runtime->agent_socket ? runtime->agent_socket : "");
    argv_add(list, "-chardev");
    argv_add_buffer(list, &chardev);
    /* Consoles on virtio have the bus already. */
    bool has_bus = false;
    bool is_hvc_serial = !strcmp(arch_serial_prefix(argv_arch(spec)), "hvc");
    for (size_t i = 0; spec->consoles && spec->consoles[i]; i++)
        has_bus =
            has_bus || (!is_hvc_serial && !strcmp(spec->consoles[i], "hvc0"));
    if (!has_bus) {
        argv_add(list, "-device");
        argv_add_format(list, "virtio-serial-%s,id=gmserial",
                        argv_virtio_bus(spec));
    }
    argv_add(list, "-device");
    argv_add(list, "virtserialport,bus=gmserial.0,chardev=gmagent,id=gmagent0,"
                   "name=org.qemu.guest_agent.0");
}
