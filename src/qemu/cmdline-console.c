/* Serial ports, console devices, monitors and their chardevs. */
#include "base/xalloc.h"
#include "fleet/arch.h"
#include "qemu/cmdline-internal.h"
#include "qemu/keyval.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* Devices that are consoles in the guest; name NULL: one of the serial
 * ports. */
static const struct {
    const char *driver;
    const char *name;
} console_devices[] = {
    {"isa-serial", NULL},       {"pci-serial", NULL},
    {"sclpconsole", "ttysclp"}, {"sclplmconsole", "ttysclp"},
    {"spapr-vty", "hvc"},       {"usb-serial", "ttyUSB"},
    {"virtconsole", "hvc"},
};

void
cmdline_serial_name(const char *arch, size_t index,
                    char name[CMDLINE_CONSOLE_NAME_BYTES])
{
    (void)snprintf(name, CMDLINE_CONSOLE_NAME_BYTES, "%s%u",
                   arch_serial_prefix(arch), (unsigned)index % 10000);
}

static bool
has_prefix(const char *text, const char *prefix)
{
    return !strncmp(text, prefix, strlen(prefix));
}

bool
cmdline_is_interactive(const char *backend)
{
    static const char *const names[] = {"stdio", "vc", "pty"};
    size_t len = strcspn(backend, ":,");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == len && !strncmp(backend, names[i], len))
            return true;
    }
    return has_prefix(backend, "mon:") || has_prefix(backend, "telnet:");
}

void
cmdline_collect_chardevs(struct cmdline_rewriter *rewriter)
{
    for (size_t i = 0; i < rewriter->item_count; i++) {
        const struct cmdline_item *item = &rewriter->items[i];
        if (!item->option || !item->value ||
            item->option->action != CMDLINE_ACTION_CHARDEV)
            continue;
        struct keyval keyval;
        keyval_parse(&keyval, item->value);
        const char *id = keyval_get(&keyval, "id", false);
        const char *backend = keyval_get(&keyval, "backend", true);
        if (id && backend) {
            rewriter->chardevs =
                xreallocarray(rewriter->chardevs, rewriter->chardev_count + 1,
                              sizeof(*rewriter->chardevs));
            rewriter->chardevs[rewriter->chardev_count++] =
                (struct cmdline_chardev){.id = xstrdup(id),
                                         .is_interactive =
                                             cmdline_is_interactive(backend),
                                         .item = i};
        }
        keyval_finish(&keyval);
    }
}

static struct cmdline_chardev *
find_chardev(struct cmdline_rewriter *rewriter, const char *id)
{
    for (size_t i = 0; id && i < rewriter->chardev_count; i++) {
        if (!strcmp(rewriter->chardevs[i].id, id))
            return &rewriter->chardevs[i];
    }
    return NULL;
}

/* The chardev that "chardev:ID" names, or NULL. */
static struct cmdline_chardev *
referred_chardev(struct cmdline_rewriter *rewriter, const char *value)
{
    if (!has_prefix(value, "chardev:"))
        return NULL;
    return find_chardev(rewriter, value + strlen("chardev:"));
}

static bool
has_console(const struct cmdline *result, const char *name)
{
    for (size_t i = 0; i < result->console_count; i++) {
        if (!strcmp(result->consoles[i].name, name))
            return true;
    }
    return false;
}

/* Adds a console of the first free name; returns its number. */
static size_t
add_console(struct cmdline_rewriter *rewriter, const char *prefix)
{
    struct cmdline *result = rewriter->result;
    struct cmdline_console console = {{0}};
    if (prefix) {
        unsigned number = 0;
        do
            (void)snprintf(console.name, sizeof(console.name), "%.8s%u", prefix,
                           number++);
        while (has_console(result, console.name));
    } else {
        cmdline_serial_name(rewriter->arch, rewriter->serial_ports++,
                            console.name);
    }
    result->consoles = xreallocarray(
        result->consoles, result->console_count + 1, sizeof(*result->consoles));
    result->consoles[result->console_count] = console;
    return result->console_count++;
}

/* Gives a -serial to guestmux. */
static void
take_serial(struct cmdline_rewriter *rewriter, struct cmdline_item *item)
{
    struct cmdline_chardev *chardev = referred_chardev(rewriter, item->value);
    if (chardev)
        chardev->consoles++;
    size_t console = add_console(rewriter, NULL);
    item->new_value = xasprintf("chardev:gmcon%zu", console);
    cmdline_note(rewriter, "%s %s: this serial port is the console %s",
                 item->word, item->value,
                 rewriter->result->consoles[console].name);
}

static void
visit_serial(struct cmdline_rewriter *rewriter, struct cmdline_item *item)
{
    rewriter->has_serial = true;
    if (!strcmp(item->value, "none"))
        return;
    const struct cmdline_chardev *chardev =
        referred_chardev(rewriter, item->value);
    if (chardev ? chardev->is_interactive : cmdline_is_interactive(item->value))
        take_serial(rewriter, item);
    else
        rewriter->serial_ports++;
}

/* Whether a device is a console; *ret_prefix as in the table. */
static bool
is_console_device(const char *driver, const char **ret_prefix)
{
    for (size_t i = 0;
         driver && i < sizeof(console_devices) / sizeof(console_devices[0]);
         i++) {
        if (strcmp(console_devices[i].driver, driver) != 0)
            continue;
        *ret_prefix = console_devices[i].name;
        return true;
    }
    return false;
}

/* Gives a device to guestmux if it is a console on an interactive chardev;
 * returns the number of the console, or -1. */
static int
take_device(struct cmdline_rewriter *rewriter, const char *driver,
            const char *id)
{
    struct cmdline_chardev *chardev = find_chardev(rewriter, id);
    const char *prefix = NULL;
    if (!chardev)
        return -1;
    if (!chardev->is_interactive || !is_console_device(driver, &prefix)) {
        chardev->others++;
        return -1;
    }
    chardev->consoles++;
    size_t console = add_console(rewriter, prefix);
    cmdline_note(rewriter, "-device %s: this is the console %s", driver,
                 rewriter->result->consoles[console].name);
    return (int)console;
}

static void
visit_json_device(struct cmdline_rewriter *rewriter, struct cmdline_item *item)
{
    json_t *device = json_loads(item->value, JSON_REJECT_DUPLICATES, NULL);
    int console = take_device(
        rewriter, json_string_value(json_object_get(device, "driver")),
        json_string_value(json_object_get(device, "chardev")));
    if (console >= 0) {
        json_object_set_new(device, "chardev",
                            json_sprintf("gmcon%d", console));
        item->new_value = json_dumps(device, JSON_COMPACT);
    }
    json_decref(device);
}

static void
visit_device(struct cmdline_rewriter *rewriter, struct cmdline_item *item)
{
    if (item->value[0] == '{') {
        visit_json_device(rewriter, item);
        return;
    }
    struct keyval keyval;
    keyval_parse(&keyval, item->value);
    int console = take_device(rewriter, keyval_get(&keyval, "driver", true),
                              keyval_get(&keyval, "chardev", false));
    if (console >= 0) {
        char id[CMDLINE_CONSOLE_NAME_BYTES];
        (void)snprintf(id, sizeof(id), "gmcon%d", console);
        keyval_replace(&keyval, "chardev", id);
        item->new_value = keyval_to_text(&keyval);
    }
    keyval_finish(&keyval);
}

/* The guest must have a console: adds one, or takes a port that went
 * elsewhere. */
static bool
ensure_console(struct cmdline_rewriter *rewriter, struct error *error)
{
    if (rewriter->result->console_count > 0)
        return true;
    if (!rewriter->has_serial) {
        size_t console = add_console(rewriter, NULL);
        rewriter->adds_serial = true;
        if (rewriter->has_nodefaults)
            cmdline_note(rewriter,
                         "-nodefaults: a serial port was added, the console "
                         "%s",
                         rewriter->result->consoles[console].name);
        return true;
    }
    rewriter->serial_ports = 0;
    for (size_t i = 0; i < rewriter->item_count; i++) {
        struct cmdline_item *item = &rewriter->items[i];
        if (!item->option || item->option->action != CMDLINE_ACTION_SERIAL ||
            !item->value || !strcmp(item->value, "none"))
            continue;
        if (strcmp(item->value, "null") != 0) {
            take_serial(rewriter, item);
            return true;
        }
        rewriter->serial_ports++;
    }
    return error_set(error, ERROR_CODE_INVALID,
                     "the guest would have no console: take \"-serial none\" "
                     "(or null) out of its command line");
}

bool
cmdline_take_consoles(struct cmdline_rewriter *rewriter, struct error *error)
{
    /* Serial ports first: the first console is what "the guest" means. */
    for (size_t i = 0; i < rewriter->item_count; i++) {
        struct cmdline_item *item = &rewriter->items[i];
        if (item->option && item->value &&
            item->option->action == CMDLINE_ACTION_SERIAL)
            visit_serial(rewriter, item);
    }
    for (size_t i = 0; i < rewriter->item_count; i++) {
        struct cmdline_item *item = &rewriter->items[i];
        if (item->option && item->value &&
            item->option->action == CMDLINE_ACTION_DEVICE)
            visit_device(rewriter, item);
    }
    return ensure_console(rewriter, error);
}

static void
drop_monitor(struct cmdline_rewriter *rewriter, struct cmdline_item *item)
{
    struct cmdline_chardev *chardev = referred_chardev(rewriter, item->value);
    if (item->option->action == CMDLINE_ACTION_MON) {
        struct keyval keyval;
        keyval_parse(&keyval, item->value);
        chardev = find_chardev(rewriter, keyval_get(&keyval, "chardev", true));
        keyval_finish(&keyval);
    }
    if (chardev)
        chardev->monitors++;
    item->is_dropped = true;
    cmdline_note(rewriter, "%s %s: dropped, %s", item->word, item->value,
                 item->option->why);
}

/* Counts uses of chardevs by options that are kept: chardev=ID, chardev:ID. */
static void
count_other_uses(struct cmdline_rewriter *rewriter,
                 const struct cmdline_item *item)
{
    for (const char *at = strstr(item->value, "chardev"); at;
         at = strstr(at, "chardev")) {
        at += strlen("chardev");
        if (*at != '=' && *at != ':')
            continue;
        char *id = xstrndup(at + 1, strcspn(at + 1, ","));
        struct cmdline_chardev *chardev = find_chardev(rewriter, id);
        if (chardev)
            chardev->others++;
        free(id);
    }
}

void
cmdline_take_monitors(struct cmdline_rewriter *rewriter)
{
    for (size_t i = 0; i < rewriter->item_count; i++) {
        struct cmdline_item *item = &rewriter->items[i];
        enum cmdline_action action =
            item->option ? item->option->action : CMDLINE_ACTION_KEEP;
        if (!item->value)
            continue;
        if (action == CMDLINE_ACTION_MON || action == CMDLINE_ACTION_MONITOR)
            drop_monitor(rewriter, item);
        else if (action != CMDLINE_ACTION_CHARDEV && !item->new_value &&
                 action != CMDLINE_ACTION_DEVICE)
            count_other_uses(rewriter, item);
    }
    for (size_t i = 0; i < rewriter->chardev_count; i++) {
        const struct cmdline_chardev *chardev = &rewriter->chardevs[i];
        struct cmdline_item *item = &rewriter->items[chardev->item];
        if (chardev->others || !(chardev->consoles || chardev->monitors))
            continue;
        item->is_dropped = true;
        cmdline_note(rewriter, "-chardev %s: dropped, %s", item->value,
                     chardev->consoles ? "the console has one of guestmux's"
                                       : "only the monitor used it");
    }
}
