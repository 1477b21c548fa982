/* What two guests cannot both say in QEMU's options. */
#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "guest/clone-internal.h"
#include "qemu/argv.h"
#include "qemu/keyval.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Card numbers for made MAC addresses begin behind those of "nics". */
#define FIRST_MADE_CARD 64
#define SHOWN_COLS 80

enum share {
    SHARE_PATH,    /* made or written there: another one */
    SHARE_PORT,    /* listened on: another one */
    SHARE_FORWARD, /* a forwarded port: another one */
    SHARE_MAC,     /* another one */
    SHARE_DROP,    /* left out: without it each has its own */
    SHARE_NEVER,   /* only one guest can have it */
    SHARE_WARN,    /* it depends on who is at the other end */
};

/* Rows are tried in order; for each member of a value the first one counts. */
static const struct rule {
    const char *option; /* "nic" is "netdev" and "net" too */
    const char *first;  /* the value's first word; NULL: any */
    const char *key;
    const char *if_on;  /* a member that has to be on; NULL: always */
    const char *unless; /* … and one that must not be */
    enum share share;
    const char *why; /* of SHARE_DROP, SHARE_NEVER and SHARE_WARN */
} rules[] = {
    {"chardev", "socket", "path", "server", NULL, SHARE_PATH, NULL},
    {"chardev", "socket", "path", NULL, NULL, SHARE_WARN,
     "both connect to %s; see that it takes two"},
    {"chardev", "socket", "port", "server", NULL, SHARE_PORT, NULL},
    {"chardev", "udp", "localport", NULL, NULL, SHARE_PORT, NULL},
    {"chardev", "file", "path", NULL, NULL, SHARE_PATH, NULL},
    {"chardev", "pipe", "path", NULL, NULL, SHARE_NEVER,
     "%s is a pipe, which one guest can have"},
    {"chardev", "serial", "path", NULL, NULL, SHARE_NEVER,
     "%s is a device, which one guest can have"},
    {"chardev", "tty", "path", NULL, NULL, SHARE_NEVER,
     "%s is a device, which one guest can have"},
    {"chardev", "parallel", "path", NULL, NULL, SHARE_NEVER,
     "%s is a device, which one guest can have"},
    {"chardev", NULL, "logfile", NULL, NULL, SHARE_PATH, NULL},
    {"nic", NULL, "hostfwd", NULL, NULL, SHARE_FORWARD, NULL},
    {"nic", NULL, "ifname", NULL, NULL, SHARE_NEVER,
     "%s is a network device, which one guest can have"},
    {"nic", NULL, "listen", NULL, NULL, SHARE_PORT, NULL},
    {"nic", "stream", "addr.path", "server", NULL, SHARE_PATH, NULL},
    {"nic", "stream", "addr.port", "server", NULL, SHARE_PORT, NULL},
    {"nic", "dgram", "local.path", NULL, NULL, SHARE_PATH, NULL},
    {"nic", "dgram", "local.port", NULL, NULL, SHARE_PORT, NULL},
    {"nic", "vde", "port", NULL, NULL, SHARE_DROP,
     "a port of the VDE switch's choice instead of %s"},
    {"nic", NULL, "mac", NULL, NULL, SHARE_MAC, NULL},
    {"nic", NULL, "macaddr", NULL, NULL, SHARE_MAC, NULL},
    {"device", NULL, "mac", NULL, NULL, SHARE_MAC, NULL},
    {"device", "vmgenid", "guid", NULL, NULL, SHARE_DROP,
     "a GUID of its own instead of %s"},
    {"smbios", NULL, "uuid", NULL, NULL, SHARE_DROP,
     "a UUID of its own instead of %s"},
    {"smbios", NULL, "serial", NULL, NULL, SHARE_WARN,
     "both have the serial number %s"},
    {"device", "vfio-pci", "host", NULL, NULL, SHARE_NEVER,
     "%s is a device of this machine, which one guest can have"},
    {"device", "vfio-pci", "sysfsdev", NULL, NULL, SHARE_NEVER,
     "%s is a device of this machine, which one guest can have"},
    {"device", "usb-host", "vendorid", NULL, NULL, SHARE_NEVER,
     "the USB device %s of this machine is one guest's"},
    {"device", "usb-host", "hostbus", NULL, NULL, SHARE_NEVER,
     "the USB device %s of this machine is one guest's"},
    {"device", NULL, "guest-cid", NULL, NULL, SHARE_NEVER,
     "%s is the number of one guest"},
    {"drive", NULL, "file", NULL, "readonly", SHARE_NEVER,
     "%s is an image, to which one guest can write; a disk in \"disks\" can be "
     "cloned"},
    {"blockdev", NULL, "filename", NULL, "read-only", SHARE_NEVER,
     "%s is an image, to which one guest can write; a disk in \"disks\" can be "
     "cloned"},
    {"blockdev", NULL, "file.filename", NULL, "read-only", SHARE_NEVER,
     "%s is an image, to which one guest can write; a disk in \"disks\" can be "
     "cloned"},
    {"object", "memory-backend-file", "mem-path", "share", NULL, SHARE_NEVER,
     "%s is the memory of one guest"},
    {"spice", NULL, "port", NULL, NULL, SHARE_PORT, NULL},
    {"spice", NULL, "tls-port", NULL, NULL, SHARE_PORT, NULL},
    {"spice", NULL, "addr", "unix", NULL, SHARE_PATH, NULL},
};

/* Options whose whole value is one thing. */
static const struct {
    const char *option;
    enum share share;
} whole[] = {
    {"hda", SHARE_NEVER},      {"hdb", SHARE_NEVER}, {"hdc", SHARE_NEVER},
    {"hdd", SHARE_NEVER},      {"fda", SHARE_NEVER}, {"fdb", SHARE_NEVER},
    {"mtdblock", SHARE_NEVER}, {"sd", SHARE_NEVER},  {"pflash", SHARE_NEVER},
    {"D", SHARE_PATH},
};

/* Options with a chardev in the short form: "unix:PATH,server". */
static const struct {
    const char *option;
    bool listens; /* without "server" too */
} short_forms[] = {
    {"serial", false}, {"parallel", false}, {"debugcon", false},
    {"gdb", true},     {"incoming", true},
};

/* Whether a member's value already gives each guest its own. */
static bool
is_own_anyway(const struct rule *rule, const char *text)
{
    return rule->share == SHARE_DROP && !strcmp(text, "auto");
}

/* The text that stands instead of a member's; NULL: none. */
static char *
change_member(struct clone_entry *clone, const char *place,
              const struct rule *rule, const char *text)
{
    switch (rule->share) {
    case SHARE_PATH:
        return clone_own_path(clone, place, text);
    case SHARE_PORT:
        return clone_own_port(clone, place, text);
    case SHARE_FORWARD:
        return clone_own_forward(clone, place, text);
    case SHARE_MAC: {
        struct spec spec = {.name = (char *)clone->name,
                            .directory = clone->spec->directory};
        char mac[ARGV_MAC_BYTES];
        argv_nic_mac(&spec, FIRST_MADE_CARD + clone->cards++, mac);
        clone_changed(clone, place, "the MAC address %s instead of %s", mac,
                      text);
        return xstrdup(mac);
    }
    case SHARE_DROP:
    case SHARE_NEVER:
    case SHARE_WARN:
        break;
    }
    void (*tell)(struct clone_entry * clone, const char *place,
                 const char *format, ...) =
        rule->share == SHARE_DROP   ? clone_changed
        : rule->share == SHARE_WARN ? clone_warn
                                    : clone_refuse;
    char *shown = text_printable(text, strlen(text), SHOWN_COLS, TEXT_ONE_LINE);
    const char *at = strstr(rule->why, "%s");
    char *why =
        xasprintf("%.*s%s%s", (int)(at - rule->why), rule->why, shown, at + 2);
    tell(clone, place, "%s", why);
    free(why);
    free(shown);
    return NULL;
}

static bool
is_option(const char *rule, const char *option)
{
    return !strcmp(rule, option) ||
           (!strcmp(rule, "nic") &&
            (!strcmp(option, "netdev") || !strcmp(option, "net")));
}

/* The rule for a member: is_on and first are of the whole value. */
static const struct rule *
find_rule(const char *option, const char *first, const char *key,
          bool (*is_on)(const void *value, const char *key), const void *value)
{
    for (size_t i = 0; i < COUNT(rules); i++) {
        const struct rule *rule = &rules[i];
        if (is_option(rule->option, option) && !strcmp(rule->key, key) &&
            (!rule->first || (first && !strcmp(rule->first, first))) &&
            (!rule->if_on || is_on(value, rule->if_on)) &&
            (!rule->unless || !is_on(value, rule->unless)))
            return rule;
    }
    return NULL;
}

/* Objects ------------------------------------------------------------------ */

static bool
is_member_on(const void *value, const char *key)
{
    const json_t *member = json_object_get(value, key);
    const char *text = json_string_value(member);
    return json_is_true(member) || (text && !strcmp(text, "on"));
}

static json_t *
change_object(struct clone_entry *clone, const char *place, const char *option,
              const json_t *object)
{
    static const char *const firsts[] = {"driver", "type", "qom-type"};
    const char *first = NULL;
    json_t *changed = json_deep_copy(object);
    const char *key;
    json_t *member;
    for (size_t i = 0; i < COUNT(firsts) && !first; i++)
        first = json_string_value(json_object_get(object, firsts[i]));
    json_object_foreach((json_t *)object, key, member)
    {
        const char *text = json_string_value(member);
        const struct rule *rule =
            text ? find_rule(option, first, key, is_member_on, object) : NULL;
        if (rule && is_own_anyway(rule, text))
            continue;
        char *own = rule ? change_member(clone, place, rule, text) : NULL;
        if (own)
            json_object_set_new(changed, key, json_from_text(own));
        else if (rule && rule->share == SHARE_DROP)
            json_object_del(changed, key);
        free(own);
    }
    return changed;
}

/* Texts -------------------------------------------------------------------- */

static bool
is_pair_on(const void *value, const char *key)
{
    return keyval_is_on(value, key);
}

static char *
change_pairs(struct clone_entry *clone, const char *place, const char *option,
             const char *text)
{
    struct keyval keyval;
    keyval_parse(&keyval, text);
    const char *first = keyval.count && !keyval.pairs[0].key
                            ? keyval.pairs[0].value
                        : keyval_get(&keyval, "type", false)
                            ? keyval_get(&keyval, "type", false)
                            : keyval_get(&keyval, "driver", false);
    const char *media = keyval_get(&keyval, "media", false);
    bool is_read =
        !strcmp(option, "drive") && ((media && !strcmp(media, "cdrom")) ||
                                     keyval_is_on(&keyval, "snapshot"));
    bool is_changed = false;
    for (size_t i = 0; i < keyval.count && !is_read; i++) {
        struct keyval_pair *pair = &keyval.pairs[i];
        const struct rule *rule =
            pair->key ? find_rule(option, first, pair->key, is_pair_on, &keyval)
                      : NULL;
        if (rule && is_own_anyway(rule, pair->value))
            continue;
        char *own =
            rule ? change_member(clone, place, rule, pair->value) : NULL;
        if (own) {
            free(pair->value);
            pair->value = own;
        } else if (rule && rule->share == SHARE_DROP) {
            keyval_remove(&keyval, i--);
        } else {
            continue;
        }
        is_changed = true;
    }
    char *result = is_changed ? keyval_to_text(&keyval) : NULL;
    keyval_finish(&keyval);
    return result;
}

/* "unix:PATH,server", "file:PATH", "tcp:HOST:PORT,server", "/dev/ttyS0". */
static char *
change_short(struct clone_entry *clone, const char *place, const char *text,
             bool always_listens)
{
    size_t head = strcspn(text, ":");
    size_t end = strcspn(text, ",");
    bool listens = always_listens || strstr(text + end, ",server");
    char *kind = xstrndup(text, head);
    char *what = text[head] && head < end
                     ? xstrndup(text + head + 1, end - head - 1)
                     : xstrdup("");
    char *own = NULL;
    if (!strcmp(kind, "file") || (!strcmp(kind, "unix") && listens))
        own = clone_own_path(clone, place, what);
    else if (listens && (!strcmp(kind, "tcp") || !strcmp(kind, "telnet") ||
                         !strcmp(kind, "websocket")))
        own = clone_own_port(clone, place, what);
    else if (!strcmp(kind, "pipe") || text[0] == '/')
        clone_refuse(clone, place, "%s is there for one guest", text);
    else if (strchr(kind, '/') || !strcmp(kind, "udp") ||
             !strcmp(kind, "unix") || !strcmp(kind, "tcp"))
        clone_warn(clone, place, "both have %s; see that it takes two", text);
    char *result = own ? xasprintf("%s:%s%s", kind, own, text + end) : NULL;
    free(own);
    free(what);
    free(kind);
    return result;
}

static char *
change_text(struct clone_entry *clone, const char *place, const char *option,
            const char *text)
{
    for (size_t i = 0; i < COUNT(whole); i++) {
        if (strcmp(whole[i].option, option) != 0)
            continue;
        if (whole[i].share == SHARE_PATH)
            return clone_own_path(clone, place, text);
        clone_refuse(clone, place,
                     "%s is an image, to which one guest can write; a disk in "
                     "\"disks\" can be cloned",
                     text);
        return NULL;
    }
    if (!strcmp(option, "vnc"))
        return clone_own_display(clone, place, text);
    for (size_t i = 0; i < COUNT(short_forms); i++) {
        if (!strcmp(short_forms[i].option, option))
            return change_short(clone, place, text, short_forms[i].listens);
    }
    return change_pairs(clone, place, option, text);
}

json_t *
clone_change_value(struct clone_entry *clone, const char *place,
                   const char *option, const json_t *value)
{
    if (json_is_object(value))
        return change_object(clone, place, option, value);
    const char *text = json_string_value(value);
    json_t *object = text && text[0] == '{' ? json_loads(text, 0, NULL) : NULL;
    char *own = NULL;
    if (object) {
        json_t *changed = change_object(clone, place, option, object);
        if (!json_equal(changed, object))
            own = json_dumps(changed, JSON_COMPACT | JSON_PRESERVE_ORDER);
        json_decref(changed);
        json_decref(object);
    } else if (text) {
        own = change_text(clone, place, option, text);
    }
    json_t *result = own ? json_from_text(own) : NULL;
    free(own);
    return result;
}

/* Words -------------------------------------------------------------------- */

/* -s is -gdb tcp::1234. */
static void
change_debugger(struct clone_entry *clone, json_t *args, size_t *at)
{
    char *place = xasprintf("args[%zu]", *at);
    char *own = clone_own_port(clone, place, "tcp::1234");
    if (own) {
        json_array_set_new(args, *at, json_string("-gdb"));
        json_array_insert_new(args, ++*at, json_from_text(own));
    }
    free(own);
    free(place);
}

void
clone_change_args(struct clone_entry *clone, json_t *args)
{
    for (size_t i = 0; i < json_array_size(args); i++) {
        const char *word = json_string_value(json_array_get(args, i));
        const json_t *value = json_array_get(args, i + 1);
        if (!word || word[0] != '-')
            continue;
        const char *option = word + (word[1] == '-' ? 2 : 1);
        if (!strcmp(option, "s")) {
            change_debugger(clone, args, &i);
        } else if (!strcmp(option, "uuid") && value) {
            clone_changed(clone, "args", "a UUID of its own");
            json_array_remove(args, i);
            json_array_remove(args, i--);
        } else if (value) {
            char *place = xasprintf("args[%zu]", i + 1);
            json_t *own = clone_change_value(clone, place, option, value);
            if (own)
                json_array_set_new(args, ++i, own);
            free(place);
        }
    }
}
