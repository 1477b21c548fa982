#include "qemu/image-outputs.h"

#include "qemu/keyval.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Where options have such a file: in a key, for what the option begins with,
 * and perhaps only with a switch. */
static const struct {
    const char *option;
    const char *first; /* the key that a bare first value stands for */
    const char *kind;  /* what that has to be, or NULL */
    const char *key;   /* where the path is */
    const char *when;  /* a key that has to be on, or NULL */
} keys[] = {
    {"audio", "driver", "wav", "path", NULL},
    {"audiodev", "driver", "wav", "path", NULL},
    {"chardev", "backend", "file", "path", NULL},
    {"chardev", "backend", "parallel", "path", NULL},
    {"chardev", "backend", "parport", "path", NULL},
    {"chardev", "backend", "pipe", "path", NULL},
    {"chardev", "backend", "serial", "path", NULL},
    {"chardev", "backend", "tty", "path", NULL},
    {"chardev", "backend", NULL, "logfile", NULL},
    {"device", "driver", NULL, "pcap", NULL},
    {"icount", "shift", NULL, "rrfile", NULL},
    {"object", "qom-type", "filter-dump", "file", NULL},
    {"object", "qom-type", "memory-backend-file", "mem-path", "share"},
    {"object", "qom-type", "qtest", "log", NULL},
    {"trace", "enable", NULL, "file", NULL},
};

/* Options that are such a file. */
static const char *const plain[] = {"D", "dump-vmstate", "qtest-log"};

/* Options that are a chardev, as "file:PATH"; those of monitors are dropped. */
static const char *const ports[] = {"serial", "parallel", "debugcon", "gdb",
                                    "qtest"};
static const char *const port_kinds[] = {"file:", "pipe:"};

static bool
has(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(names[i], name))
            return true;
    }
    return false;
}

/* -set GROUP.ID.KEY=VALUE, for a chardev's files. */
static void
look_at_set(const char *value, image_outputs_fn on_path, void *data)
{
    const char *equals = strchr(value, '=');
    size_t len = equals ? (size_t)(equals - value) : 0;
    const char *dot = len ? memrchr(value, '.', len) : NULL;
    if (dot && !strncmp(value, "chardev.", 8) &&
        (!strncmp(dot, ".path=", 6) || !strncmp(dot, ".logfile=", 9)))
        on_path(data, equals + 1);
}

static void
look_at_port(const char *value, image_outputs_fn on_path, void *data)
{
    if (!strncmp(value, "mon:", 4))
        value += 4;
    for (size_t i = 0; i < COUNT(port_kinds); i++) {
        if (!strncmp(value, port_kinds[i], strlen(port_kinds[i])))
            on_path(data, value + strlen(port_kinds[i]));
    }
}

static void
look_at_keys(const char *name, const char *value, image_outputs_fn on_path,
             void *data)
{
    struct keyval keyval = {0};
    bool is_parsed = false;
    for (size_t i = 0; i < COUNT(keys); i++) {
        if (strcmp(keys[i].option, name) != 0)
            continue;
        if (!is_parsed)
            keyval_parse_value(&keyval, value);
        is_parsed = true;
        const char *kind = keyval_get(&keyval, keys[i].first, true);
        const char *path = keyval_get(&keyval, keys[i].key, false);
        if (path && (!keys[i].kind || (kind && !strcmp(kind, keys[i].kind))) &&
            (!keys[i].when || keyval_is_on(&keyval, keys[i].when)))
            on_path(data, path);
    }
    keyval_finish(&keyval);
}

void
image_outputs_each(const char *name, const char *value,
                   image_outputs_fn on_path, void *data)
{
    if (has(plain, COUNT(plain), name))
        on_path(data, value);
    if (has(ports, COUNT(ports), name))
        look_at_port(value, on_path, data);
    if (!strcmp(name, "set"))
        look_at_set(value, on_path, data);
    look_at_keys(name, value, on_path, data);
}
