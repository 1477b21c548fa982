/* Networks of all ways to say them: -nic, -netdev with -device, -net. */
#include "base/xalloc.h"
#include "fleet/forward.h"
#include "qemu/import-internal.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Types of network that are fields, and the members that their options become;
 * other options go to "options". */
static const struct {
    const char *type;
    const char *option;
    const char *member; /* NULL: the type has none */
    bool is_path;
} members[] = {
    {"user", NULL, NULL, false},
    {"tap", "ifname", "name", false},
    {"tap", "script", "script", true},
    {"tap", "downscript", "downscript", true},
    {"tap", "br", "bridge", false},
    {"tap", "helper", "helper", true},
    {"bridge", "br", "bridge", false},
    {"bridge", "helper", "helper", true},
    {"socket", NULL, NULL, false},
    {"stream", NULL, NULL, false},
    {"dgram", NULL, NULL, false},
    {"vmnet-shared", NULL, NULL, false},
    {"vmnet-host", NULL, NULL, false},
    {"vmnet-bridged", "ifname", "name", false},
};

static bool
is_known_type(const char *type)
{
    for (size_t i = 0; type && i < COUNT(members); i++) {
        if (!strcmp(members[i].type, type))
            return true;
    }
    return false;
}

/* The card that a machine has when none is said. */
static const char *
default_model(const struct importer *importer)
{
    if (import_is_q35(importer))
        return "e1000e";
    return import_is_pc(importer) ? "e1000" : "virtio-net-pci";
}

/* Keys that say how netdev and card belong together, or the card itself. */
static bool
is_card_key(const char *key)
{
    static const char *const keys[] = {"", "type", "id", "model", "mac"};
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (!strcmp(keys[i], key))
            return true;
    }
    return false;
}

/* Puts an option of a netdev into a nic's object; false: no field says it. */
static bool
put_option(json_t *nic, const char *type, const struct keyval_pair *pair)
{
    if (!strcmp(pair->key, "hostfwd") && !strcmp(type, "user")) {
        struct forward forward = {0};
        bool ok = forward_parse(pair->value, &forward, NULL);
        forward_finish(&forward);
        if (!json_object_get(nic, "hostfwd"))
            json_object_set_new(nic, "hostfwd", json_array());
        json_array_append_new(json_object_get(nic, "hostfwd"),
                              import_text(pair->value));
        return ok;
    }
    for (size_t i = 0; i < COUNT(members); i++) {
        if (strcmp(members[i].type, type) != 0 || !members[i].option ||
            strcmp(members[i].option, pair->key) != 0)
            continue;
        bool is_path = members[i].is_path && strcmp(pair->value, "no") != 0;
        json_object_set_new(nic, members[i].member,
                            is_path ? import_path(pair->value)
                                    : import_text(pair->value));
        return true;
    }
    if (!json_object_get(nic, "options"))
        json_object_set_new(nic, "options", json_object());
    json_t *options = json_object_get(nic, "options");
    bool is_again = json_object_get(options, pair->key);
    json_object_set_new(options, pair->key, import_text(pair->value));
    return !is_again;
}

/* QEMU runs its own scripts unless told otherwise, the field's default is none.
 */
static void
keep_tap_scripts(json_t *nic, const struct keyval *netdev)
{
    static const struct {
        const char *option;
        const char *path;
    } scripts[] = {{"script", "/etc/qemu-ifup"},
                   {"downscript", "/etc/qemu-ifdown"}};
    for (size_t i = 0; i < COUNT(scripts); i++) {
        if (!keyval_get(netdev, scripts[i].option, false) &&
            !keyval_get(netdev, "helper", false) &&
            !keyval_get(netdev, "fd", false))
            json_object_set_new(nic, scripts[i].option,
                                json_string(scripts[i].path));
    }
}

/* The object of a network with its card; NULL: no field says it. */
static json_t *
build_nic(const struct keyval *netdev, const char *model, const char *mac)
{
    const char *type = keyval_get(netdev, "type", true);
    if (!is_known_type(type))
        return NULL;
    json_t *nic = json_object();
    bool ok = true;
    if (strcmp(type, "user") != 0)
        json_object_set_new(nic, "type", json_string(type));
    for (size_t i = 0; i < netdev->count; i++) {
        const struct keyval_pair *pair = &netdev->pairs[i];
        if (pair->key && !is_card_key(pair->key))
            ok = ok && put_option(nic, type, pair);
    }
    if (!strcmp(type, "tap"))
        keep_tap_scripts(nic, netdev);
    if (model)
        json_object_set_new(nic, "model", json_string(model));
    if (mac)
        json_object_set_new(nic, "mac", json_string(mac));
    if (ok)
        return nic;
    json_decref(nic);
    return NULL;
}

/* Names that -nic has for virtio. */
static const char *
model_of(const struct importer *importer, const char *text)
{
    if (!text)
        return default_model(importer);
    return !strcmp(text, "virtio") ? "virtio-net-pci" : text;
}

static void
note_mac(struct importer *importer, const struct import_item *item,
         const char *mac)
{
    if (!mac)
        import_note(importer,
                    "%s %s: the card gets a MAC address of its own instead of "
                    "QEMU's 52:54:00:12:34:56",
                    item->word, item->value);
}

/* One of ours, which was a -nic value in the fleet file: without our id. */
static json_t *
own_raw_nic(const struct keyval *keyval)
{
    struct keyval rest = {0};
    for (size_t i = 0; i < keyval->count; i++) {
        const struct keyval_pair *pair = &keyval->pairs[i];
        if (pair->key && !strcmp(pair->key, "id"))
            continue;
        rest.pairs =
            xreallocarray(rest.pairs, rest.count + 1, sizeof(*rest.pairs));
        rest.pairs[rest.count++] = *pair;
    }
    char *text = keyval_to_text(&rest);
    free(rest.pairs);
    json_t *nic = import_text(text);
    free(text);
    return nic;
}

static void
take_nic(struct importer *importer, struct import_item *item)
{
    struct keyval keyval;
    keyval_parse(&keyval, item->value);
    const char *type = keyval_get(&keyval, "type", true);
    const char *mac = keyval_get(&keyval, "mac", false);
    item->is_done = true;
    importer->has_net = true;
    if (!type || strcmp(type, "none") != 0) {
        const char *id = keyval_get(&keyval, "id", false);
        json_t *nic =
            id && !strncmp(id, "gmnet", 5)
                ? own_raw_nic(&keyval)
                : build_nic(
                      &keyval,
                      model_of(importer, keyval_get(&keyval, "model", false)),
                      mac);
        json_array_append_new(importer->nics,
                              nic ? nic : import_text(item->value));
        note_mac(importer, item, mac);
    }
    keyval_finish(&keyval);
}

static struct import_item *
find_netdev(struct importer *importer, const char *id, struct keyval *ret)
{
    int at = -1;
    struct import_item *item = NULL;
    while (id && (item = import_next(importer, "netdev", &at))) {
        struct keyval keyval = {0};
        const char *own = NULL;
        if (import_read_device(item->value, &keyval))
            own = keyval_get(&keyval, "id", false);
        if (own && !strcmp(own, id)) {
            *ret = keyval;
            return item;
        }
        keyval_finish(&keyval);
    }
    return NULL;
}

/* A -device with its -netdev. Others stay as they are, in devices and args. */
static void
take_pair(struct importer *importer, struct import_item *item)
{
    static const char *const known[] = {"",    "driver",  "netdev", "id",
                                        "mac", "romfile", NULL};
    struct keyval device = {0};
    struct keyval netdev = {0};
    bool is_read = import_read_device(item->value, &device);
    const char *driver = keyval_get(&device, "driver", true);
    const char *mac = keyval_get(&device, "mac", false);
    const char *rom = keyval_get(&device, "romfile", false);
    bool is_ours =
        driver && rom && !rom[0] &&
        (!strcmp(driver, "virtio-net-pci") || !strcmp(driver, "virtio-net"));
    struct import_item *other =
        find_netdev(importer, keyval_get(&device, "netdev", false), &netdev);
    if (is_read && other && driver && import_has_only(&device, known) &&
        (!rom || is_ours)) {
        json_t *nic = build_nic(&netdev, is_ours ? NULL : driver, mac);
        if (nic) {
            json_array_append_new(importer->nics, nic);
            note_mac(importer, item, mac);
            item->is_done = true;
            other->is_done = true;
        }
    }
    keyval_finish(&netdev);
    keyval_finish(&device);
}

/* "-net nic -net user": one card on one network. */
static void
take_old(struct importer *importer)
{
    struct import_item *card = NULL;
    struct import_item *net = NULL;
    size_t count = 0;
    int at = -1;
    struct import_item *item = NULL;
    while ((item = import_next(importer, "net", &at))) {
        bool is_card =
            !strcmp(item->value, "nic") || !strncmp(item->value, "nic,", 4);
        count++;
        importer->has_net = true;
        if (!strcmp(item->value, "none")) {
            item->is_done = true;
            count = 3;
        } else if (is_card) {
            card = item;
        } else {
            net = item;
        }
    }
    if (count != 2 || !card || !net)
        return;
    static const char *const known[] = {"",        "type",   "model",
                                        "macaddr", "netdev", NULL};
    struct keyval card_keys;
    struct keyval net_keys;
    keyval_parse(&card_keys, card->value);
    keyval_parse(&net_keys, net->value);
    const char *mac = keyval_get(&card_keys, "macaddr", false);
    json_t *nic =
        import_has_only(&card_keys, known)
            ? build_nic(
                  &net_keys,
                  model_of(importer, keyval_get(&card_keys, "model", false)),
                  mac)
            : NULL;
    if (nic) {
        json_array_append_new(importer->nics, nic);
        import_note(importer, "-net %s -net %s: one card on that network",
                    card->value, net->value);
        note_mac(importer, card, mac);
        card->is_done = true;
        net->is_done = true;
    }
    keyval_finish(&card_keys);
    keyval_finish(&net_keys);
}

void
import_nics(struct importer *importer)
{
    int at = -1;
    importer->has_net = import_next(importer, "netdev", &at);
    for (size_t i = 0; i < importer->count; i++) {
        struct import_item *item = &importer->items[i];
        if (import_is(item, "nic"))
            take_nic(importer, item);
        else if (import_is(item, "device"))
            take_pair(importer, item);
    }
    take_old(importer);
    /* A RISC-V virt machine comes without a card. */
    if (importer->has_net || importer->has_nodefaults ||
        !strncmp(importer->arch, "riscv", 5))
        return;
    json_array_append_new(importer->nics,
                          json_pack("{s:s}", "model", default_model(importer)));
    import_note(importer, "nics: QEMU's default card; it gets a MAC address of "
                          "its own instead of 52:54:00:12:34:56");
}
