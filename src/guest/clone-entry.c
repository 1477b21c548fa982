/* A guest's definition, changed so that another guest can have it beside. */
#include "base/json.h"
#include "base/xalloc.h"
#include "fleet/forward.h"
#include "guest/clone-internal.h"
#include "qemu/cloud-config.h"
#include "qemu/keyval.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void __attribute__((format(printf, 3, 0)))
add_text(json_t *list, const char *place, const char *format, va_list args)
{
    char *text = xvasprintf(format, args);
    char *line = xasprintf("%s: %s", place, text);
    json_array_append_new(list, json_from_text(line));
    free(line);
    free(text);
}

void
clone_changed(struct clone_entry *clone, const char *place, const char *format,
              ...)
{
    va_list args;
    va_start(args, format);
    add_text(clone->changes, place, format, args);
    va_end(args);
}

void
clone_warn(struct clone_entry *clone, const char *place, const char *format,
           ...)
{
    va_list args;
    va_start(args, format);
    add_text(clone->warnings, place, format, args);
    va_end(args);
}

void
clone_refuse(struct clone_entry *clone, const char *place, const char *format,
             ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    buffer_printf(&clone->vain, "%s%s: %s", clone->vain.len ? "\n" : "", place,
                  text);
    free(text);
}

/* Cards -------------------------------------------------------------------- */

/* A port of the host can be forwarded once: the new guest gets a free one at
 * its start. */
static void
free_forwards(struct clone_entry *clone, const char *place, json_t *nic)
{
    json_t *list = json_object_get(nic, "hostfwd");
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        struct forward forward = {0};
        char changed[FORWARD_TEXT_BYTES];
        if (json_is_object(item)) {
            json_object_set_new(item, "host-port", json_string("auto"));
        } else if (forward_parse(json_string_value(item), &forward, NULL)) {
            forward_to_text(&forward, 0, changed);
            json_array_set_new(list, i, json_string(changed));
            forward_finish(&forward);
        }
    }
    if (json_array_size(list))
        clone_changed(clone, place,
                      "its forwarded ports are chosen when it "
                      "starts");
}

static void
change_card(struct clone_entry *clone, const char *place, json_t *nic)
{
    const char *type = json_string_value(json_object_get(nic, "type"));
    const char *device = json_string_value(json_object_get(nic, "name"));
    json_t *options = json_object_get(nic, "options");
    json_object_del(nic, "mac");
    free_forwards(clone, place, nic);
    if (type && device && !strcmp(type, "tap"))
        clone_refuse(clone, place,
                     "%s is a network device, which one guest can have",
                     device);
    if (!options)
        return;
    json_t *whole = json_deep_copy(options);
    json_object_set_new(whole, "type", json_string(type ? type : "user"));
    json_t *own = clone_change_value(clone, place, "netdev", whole);
    json_object_del(own, "type");
    json_object_set_new(nic, "options", own);
    json_decref(whole);
}

/* A -nic value without its MAC address: one is made for it. */
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
change_cards(struct clone_entry *clone)
{
    json_t *nics = json_object_get(clone->entry, "nics");
    for (size_t i = 0; i < json_array_size(nics); i++) {
        json_t *nic = json_array_get(nics, i);
        char *place = xasprintf("nics[%zu]", i);
        if (json_is_object(nic)) {
            change_card(clone, place, nic);
        } else if (json_is_string(nic)) {
            json_t *bare = without_mac(json_string_value(nic));
            json_t *own = clone_change_value(clone, place, "nic", bare);
            json_array_set_new(nics, i, own ? own : json_incref(bare));
            json_decref(bare);
        }
        free(place);
    }
}

/* Display, devices, firmware ----------------------------------------------- */

static void
change_display(struct clone_entry *clone)
{
    json_t *vnc = json_object_get(clone->entry, "vnc");
    if (json_is_integer(vnc)) {
        int old = (int)json_integer_value(vnc);
        int display = clone_free_display(clone, "127.0.0.1", old);
        if (!display) {
            clone_refuse(clone, "vnc", "no VNC display is free");
            return;
        }
        clone_changed(clone, "vnc", "VNC display %d instead of %d", display,
                      old);
        json_object_set_new(clone->entry, "vnc", json_integer(display));
    } else if (json_is_string(vnc)) {
        const char *text = json_string_value(vnc);
        bool is_path = strchr(text, '/') && !strchr(text, ':');
        char *own = is_path ? clone_own_path(clone, "vnc", text)
                            : clone_own_display(clone, "vnc", text);
        if (own)
            json_object_set_new(clone->entry, "vnc", json_from_text(own));
        free(own);
    }
}

static void
change_devices(struct clone_entry *clone, const char *field)
{
    json_t *list = json_object_get(clone->entry, field);
    for (size_t i = 0; i < json_array_size(list); i++) {
        char *place = xasprintf("%s[%zu]", field, i);
        json_t *own =
            clone_change_value(clone, place, "device", json_array_get(list, i));
        if (own)
            json_array_set_new(list, i, own);
        free(place);
    }
}

/* A variable store of the user's is one guest's: the other gets a copy. */
static void
change_firmware(struct clone_entry *clone)
{
    json_t *firmware = json_object_get(clone->entry, "firmware");
    json_t *store = json_object_get(firmware, "store");
    if (!json_is_string(store))
        return;
    clone_changed(clone, "firmware", "a copy of the variable store %s",
                  json_string_value(store));
    json_object_set(firmware, "vars", store);
    json_object_del(firmware, "store");
}

static void
change_cloud_init(struct clone_entry *clone)
{
    json_t *cloud = json_object_get(clone->entry, "cloud-init");
    json_t *meta = json_object_get(cloud, "meta-data");
    if (!clone->spec->cloud_init)
        return;
    json_object_del(cloud, "hostname");
    json_object_del(meta, "local-hostname");
    json_object_del(meta, "instance-id");
    if (!json_is_object(meta) && cloud_files_fix_instance(clone->spec))
        clone_warn(clone, "cloud-init",
                   "its meta-data says the same instance-id; change it, or "
                   "cloud-init takes both for one machine");
}

bool
clone_change_entry(struct clone_entry *clone, struct error *error)
{
    change_cards(clone);
    change_display(clone);
    change_devices(clone, "usb");
    change_devices(clone, "devices");
    change_firmware(clone);
    change_cloud_init(clone);
    clone_change_args(clone, json_object_get(clone->entry, "args"));
    if (!clone->vain.len)
        return true;
    return error_set(error, ERROR_CODE_STATE,
                     "cannot clone %s, since what it has cannot be had twice "
                     "(define %s in the fleet file with its own):\n%s",
                     clone->spec->name, clone->name, clone->vain.data);
}
