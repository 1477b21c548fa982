/* Serial ports, virtio consoles, monitors: what a guest's consoles are. */
#include "base/xalloc.h"
#include "fleet/arch.h"
#include "qemu/import-internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A -chardev and what becomes of it. */
struct chardev {
    struct import_item *item;
    char *id; /* owned */
    bool is_interactive;
    unsigned consoles; /* that are guestmux's now */
    unsigned monitors;
    unsigned others;
    char *name; /* owned: of the console that it is, or NULL */
};

struct consoles {
    struct importer *importer;
    struct chardev *chardevs; /* owned */
    size_t count;
    size_t serials; /* serial ports that are consoles */
    size_t foreign; /* serial ports that lead elsewhere */
    size_t virtios;
    bool has_serial; /* -serial, even none, or a device that is one */
};

static void
collect(struct consoles *consoles)
{
    int at = -1;
    struct import_item *item = NULL;
    while ((item = import_next(consoles->importer, "chardev", &at))) {
        struct keyval keyval;
        keyval_parse(&keyval, item->value);
        const char *id = keyval_get(&keyval, "id", false);
        const char *backend = keyval_get(&keyval, "backend", true);
        if (id && backend) {
            consoles->chardevs =
                xreallocarray(consoles->chardevs, consoles->count + 1,
                              sizeof(*consoles->chardevs));
            consoles->chardevs[consoles->count++] = (struct chardev){
                .item = item,
                .id = xstrdup(id),
                .is_interactive = cmdline_is_interactive(backend)};
        }
        keyval_finish(&keyval);
    }
}

static struct chardev *
find(struct consoles *consoles, const char *id)
{
    for (size_t i = 0; id && i < consoles->count; i++) {
        if (!strcmp(consoles->chardevs[i].id, id))
            return &consoles->chardevs[i];
    }
    return NULL;
}

/* A serial port that a person looks at is one of guestmux's, as long as no
 * other came before it: ours come first. */
static void
take_port(struct consoles *consoles, struct import_item *item,
          struct chardev *chardev)
{
    struct importer *importer = consoles->importer;
    if (consoles->foreign) {
        import_give_up(importer, "a serial port that leads elsewhere stands "
                                 "before the console's");
        return;
    }
    char name[CMDLINE_CONSOLE_NAME_BYTES];
    cmdline_serial_name(importer->arch, consoles->serials++, name);
    json_array_append_new(importer->consoles, json_string(name));
    import_note(importer, "%s %s: the console %s", item->word, item->value,
                name);
    item->is_done = true;
    if (chardev) {
        chardev->consoles++;
        free(chardev->name);
        chardev->name = xstrdup(name);
    }
}

/* Where no port is for a person the first becomes the console, as a command's
 * does: whether it leads to a file or a socket is nothing to the guest. */
static bool
is_lone(struct consoles *consoles)
{
    int at = -1;
    const struct import_item *item = NULL;
    for (size_t i = 0; i < consoles->count; i++) {
        if (consoles->chardevs[i].is_interactive)
            return false;
    }
    while ((item = import_next(consoles->importer, "serial", &at))) {
        if (cmdline_is_interactive(item->value))
            return false;
    }
    return true;
}

static void
take_serials(struct consoles *consoles)
{
    int at = -1;
    struct import_item *item = NULL;
    bool wants_one = is_lone(consoles);
    while ((item = import_next(consoles->importer, "serial", &at))) {
        const char *value = item->value;
        struct chardev *chardev =
            !strncmp(value, "chardev:", 8) ? find(consoles, value + 8) : NULL;
        consoles->has_serial = true;
        bool is_plain = strncmp(value, "chardev:", 8) != 0;
        if (!strcmp(value, "none"))
            item->is_done = true;
        else if (wants_one && is_plain && !consoles->foreign &&
                 !consoles->serials)
            take_port(consoles, item, NULL);
        else if (chardev ? chardev->is_interactive
                         : cmdline_is_interactive(value))
            take_port(consoles, item, chardev);
        else
            consoles->foreign++;
    }
}

/* "isa-serial,chardev=c0" is a PC's next serial port. */
static void
take_isa_serial(struct consoles *consoles, struct import_item *item,
                const struct keyval *keyval, struct chardev *chardev)
{
    static const char *const known[] = {"",   "driver", "chardev",
                                        "id", "index",  NULL};
    const char *index = keyval_get(keyval, "index", false);
    bool is_next = !index || (size_t)atoi(index) == consoles->serials;
    bool is_plain =
        import_has_only(keyval, known) && !consoles->foreign && is_next;
    if (!chardev->is_interactive || !is_plain) {
        chardev->others++;
        import_give_up(consoles->importer,
                       "an isa-serial device that is not a console's alone");
        return;
    }
    consoles->has_serial = true;
    take_port(consoles, item, chardev);
}

/* "virtconsole,chardev=c1" becomes hvcN, its bus is ours. */
static void
take_virtconsole(struct consoles *consoles, struct import_item *item,
                 const struct keyval *keyval, struct chardev *chardev)
{
    static const char *const known[] = {"",   "driver", "chardev",
                                        "id", "bus",    NULL};
    if (!chardev->is_interactive || !import_has_only(keyval, known)) {
        chardev->others++;
        import_give_up(consoles->importer,
                       "a virtconsole that leads elsewhere, or has options");
        return;
    }
    char *name = xasprintf("hvc%zu", consoles->virtios++);
    json_array_append_new(consoles->importer->consoles, json_string(name));
    import_note(consoles->importer, "-device %s: the console %s", item->value,
                name);
    free(chardev->name);
    chardev->name = name;
    item->is_done = true;
    chardev->consoles++;
}

static void
take_devices(struct consoles *consoles)
{
    int at = -1;
    struct import_item *item = NULL;
    while ((item = import_next(consoles->importer, "device", &at))) {
        struct keyval keyval = {0};
        if (!import_read_device(item->value, &keyval)) {
            keyval_finish(&keyval);
            continue;
        }
        const char *driver = keyval_get(&keyval, "driver", true);
        struct chardev *chardev =
            find(consoles, keyval_get(&keyval, "chardev", false));
        if (driver && chardev && !strcmp(driver, "isa-serial"))
            take_isa_serial(consoles, item, &keyval, chardev);
        else if (driver && chardev && !strcmp(driver, "virtconsole"))
            take_virtconsole(consoles, item, &keyval, chardev);
        else if (chardev)
            chardev->others++;
        keyval_finish(&keyval);
    }
}

/* The guest agent's port is a field. */
static bool
take_agent(struct consoles *consoles, struct import_item *item,
           const struct keyval *keyval)
{
    static const char *const known[] = {"",    "driver", "chardev", "id",
                                        "bus", "name",   NULL};
    const char *name = keyval_get(keyval, "name", false);
    struct chardev *chardev =
        find(consoles, keyval_get(keyval, "chardev", false));
    if (!name || strcmp(name, "org.qemu.guest_agent.0") != 0 || !chardev ||
        !import_has_only(keyval, known) || chardev->others != 1 ||
        strncmp(chardev->item->value, "socket,", 7) != 0)
        return false;
    json_object_set_new(consoles->importer->entry, "agent", json_true());
    import_note(consoles->importer,
                "-chardev %s: dropped, the agent's socket is guestmux's",
                chardev->item->value);
    chardev->item->is_done = true;
    item->is_done = true;
    return true;
}

/* The virtio-serial controller that only consoles and the agent used comes with
 * them. */
static void
drop_controller(struct consoles *consoles)
{
    static const char *const known[] = {"", "driver", "id", NULL};
    struct importer *importer = consoles->importer;
    bool has_agent = false;
    int at = -1;
    struct import_item *item = NULL;
    while ((item = import_next(importer, "device", &at))) {
        struct keyval keyval = {0};
        if (import_read_device(item->value, &keyval))
            has_agent = take_agent(consoles, item, &keyval) || has_agent;
        keyval_finish(&keyval);
    }
    at = -1;
    while ((consoles->virtios || has_agent) &&
           (item = import_next(importer, "device", &at))) {
        struct keyval keyval = {0};
        bool is_read = import_read_device(item->value, &keyval);
        const char *driver = keyval_get(&keyval, "driver", true);
        if (is_read && driver && !strncmp(driver, "virtio-serial", 13)) {
            item->is_done = true;
            import_note(importer,
                        "-device %s: dropped, it comes with what is on it",
                        item->value);
            if (!import_has_only(&keyval, known))
                import_give_up(importer, "a virtio-serial device with options");
        }
        if (driver && !strcmp(driver, "virtserialport"))
            import_give_up(importer,
                           "a virtio-serial device that is not for consoles "
                           "alone");
        keyval_finish(&keyval);
    }
}

/* -monitor, -mon, -qmp: the monitor is guestmux's. */
static void
take_monitors(struct consoles *consoles)
{
    static const char *const options[] = {"monitor", "mon", "qmp",
                                          "qmp-pretty"};
    struct importer *importer = consoles->importer;
    for (size_t i = 0; i < COUNT(options); i++) {
        int at = -1;
        struct import_item *item = NULL;
        while ((item = import_next(importer, options[i], &at))) {
            struct keyval keyval;
            keyval_parse(&keyval, item->value);
            const char *id = keyval_get(&keyval, "chardev", true);
            if (id && !strncmp(id, "chardev:", 8))
                id += 8;
            struct chardev *chardev = find(consoles, id);
            if (chardev)
                chardev->monitors++;
            keyval_finish(&keyval);
            item->is_done = true;
            if (strcmp(item->value, "none") != 0)
                import_note(importer,
                            "%s %s: dropped, the monitor is guestmux's "
                            "(guestmux qmp)",
                            item->word, item->value);
        }
    }
}

/* Other options that name a chardev. */
static void
count_others(struct consoles *consoles)
{
    struct importer *importer = consoles->importer;
    for (size_t i = 0; i < importer->count; i++) {
        const struct import_item *item = &importer->items[i];
        if (item->is_done || !item->value || !item->name ||
            !strcmp(item->name, "chardev") || !strcmp(item->name, "device"))
            continue;
        for (size_t k = 0; k < consoles->count; k++) {
            const char *found = strstr(item->value, consoles->chardevs[k].id);
            if (found && strstr(item->value, "chardev"))
                consoles->chardevs[k].others++;
        }
    }
}

static void
drop_chardevs(struct consoles *consoles)
{
    for (size_t i = 0; i < consoles->count; i++) {
        const struct chardev *chardev = &consoles->chardevs[i];
        if (chardev->others || !(chardev->consoles || chardev->monitors))
            continue;
        chardev->item->is_done = true;
        import_note(consoles->importer, "-chardev %s: dropped, %s",
                    chardev->item->value,
                    chardev->consoles ? "the console has one of guestmux's"
                                      : "only the monitor used it");
    }
}

/* The number of a console of ours, by its chardev's id; -1: none. */
static int
own_number(struct consoles *consoles, const char *name)
{
    for (size_t i = 0; i < consoles->count; i++) {
        const struct chardev *chardev = &consoles->chardevs[i];
        if (chardev->name && !strcmp(chardev->name, name) &&
            !strncmp(chardev->id, "gmcon", 5))
            return (int)strtol(chardev->id + 5, NULL, 10);
    }
    return -1;
}

/* A guest that was exported has its consoles in another order than their
 * kinds. */
static void
order_own(struct consoles *consoles)
{
    json_t *array = consoles->importer->consoles;
    size_t count = json_array_size(array);
    for (size_t wanted = 0; wanted < count; wanted++) {
        for (size_t i = wanted + 1; i < count; i++) {
            json_t *name = json_array_get(array, i);
            if (own_number(consoles, json_string_value(name)) != (int)wanted)
                continue;
            json_incref(name);
            json_array_remove(array, i);
            json_array_insert_new(array, wanted, name);
        }
    }
}

/* The fleet's default is one serial port; so only what differs is said. */
static void
settle(struct consoles *consoles)
{
    struct importer *importer = consoles->importer;
    if (consoles->foreign && !consoles->serials)
        import_give_up(importer, "its serial ports lead elsewhere");
    if (consoles->serials > arch_serial_ports(importer->arch))
        import_give_up(importer, "it has more serial ports than are known");
    bool is_default = consoles->virtios == 0 && consoles->serials <= 1;
    if (is_default)
        json_array_clear(importer->consoles);
    if (consoles->serials || consoles->virtios)
        return;
    if (consoles->has_serial || importer->has_nodefaults)
        import_note(importer, "consoles: a serial port was added, the console, "
                              "where the command has none");
}

void
import_consoles(struct importer *importer)
{
    struct consoles consoles = {.importer = importer};
    collect(&consoles);
    take_serials(&consoles);
    take_devices(&consoles);
    /* A port that QEMU has without being told. */
    if (!consoles.has_serial && !importer->has_nodefaults && consoles.virtios) {
        char name[CMDLINE_CONSOLE_NAME_BYTES];
        cmdline_serial_name(importer->arch, consoles.serials++, name);
        json_array_insert_new(importer->consoles, 0, json_string(name));
    }
    order_own(&consoles);
    drop_controller(&consoles);
    take_monitors(&consoles);
    count_others(&consoles);
    drop_chardevs(&consoles);
    settle(&consoles);
    for (size_t i = 0; i < consoles.count; i++) {
        free(consoles.chardevs[i].id);
        free(consoles.chardevs[i].name);
    }
    free(consoles.chardevs);
}
