#include "qemu/image-words.h"

#include "base/buffer.h"
#include "base/xalloc.h"
#include "qemu/cmdline-internal.h"
#include "qemu/keyval.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* JSON of -blockdev is not followed deeper. */
#define MAX_DEPTH 16

/* Options whose value is a file. */
static const struct {
    const char *name;
    enum image_use use;
} file_options[] = {
    {"kernel", IMAGE_USE_PLAIN},    {"initrd", IMAGE_USE_PLAIN},
    {"dtb", IMAGE_USE_PLAIN},       {"hda", IMAGE_USE_WRITES},
    {"hdb", IMAGE_USE_WRITES},      {"hdc", IMAGE_USE_WRITES},
    {"hdd", IMAGE_USE_WRITES},      {"cdrom", IMAGE_USE_READS},
    {"fda", IMAGE_USE_WRITES},      {"fdb", IMAGE_USE_WRITES},
    {"sd", IMAGE_USE_WRITES},       {"pflash", IMAGE_USE_WRITES},
    {"mtdblock", IMAGE_USE_WRITES},
};

/* Devices that only read what they are given. */
static const char *const reading_devices[] = {"ide-cd", "scsi-cd"};

/* One -blockdev. */
struct node {
    struct keyval keyval; /* owned */
    bool is_read_by_all;  /* everybody who names it only reads */
    bool is_named;        /* by another node, or a device */
};

struct look {
    const char *directory;
    image_words_fn on_file;
    void *data;
    bool is_snapshot;   /* -snapshot: nothing is written */
    struct node *nodes; /* owned */
    size_t node_count;
};

static void
tell(const struct look *look, const char *path, enum image_use use)
{
    if (!path[0] || strcspn(path, ":") < strcspn(path, "/"))
        return;
    char *whole = path[0] == '/' ? xstrdup(path)
                                 : xasprintf("%s/%s", look->directory, path);
    if (look->is_snapshot && use == IMAGE_USE_WRITES)
        use = IMAGE_USE_READS;
    look->on_file(look->data, whole, use);
    free(whole);
}

static bool
is_text(const struct keyval *keyval, const char *key, const char *text)
{
    const char *value = keyval_get(keyval, key, false);
    return value && !strcmp(value, text);
}

/* Whether who takes the locks away knows of the others. */
static bool
is_unlocked(const struct keyval *keyval)
{
    return is_text(keyval, "locking", "off") ||
           is_text(keyval, "file.locking", "off");
}

static bool
is_readonly(const struct keyval *keyval)
{
    return keyval_is_on(keyval, "readonly") ||
           keyval_is_on(keyval, "read-only");
}

static void
look_at_drive(const struct look *look, const char *value)
{
    struct keyval keyval;
    keyval_parse(&keyval, value);
    const char *file = keyval_get(&keyval, "file", false);
    if (!file)
        file = keyval_get(&keyval, "file.filename", false);
    bool only_reads = is_readonly(&keyval) ||
                      keyval_is_on(&keyval, "snapshot") ||
                      is_text(&keyval, "media", "cdrom");
    if (file)
        tell(look, file,
             is_unlocked(&keyval) ? IMAGE_USE_PLAIN
             : only_reads         ? IMAGE_USE_READS
                                  : IMAGE_USE_WRITES);
    keyval_finish(&keyval);
}

/* -blockdev ---------------------------------------------------------------- */

/* An object's members as QEMU's keys: "file.filename=x". */
static void
flatten(const json_t *object, const char *prefix, int depth, struct buffer *out)
{
    const char *name = NULL;
    json_t *member = NULL;
    json_object_foreach((json_t *)object, name, member)
    {
        char *key = xasprintf("%s%s", prefix, name);
        char *inner = xasprintf("%s.", key);
        const char *text = json_is_boolean(member)
                               ? (json_is_true(member) ? "on" : "off")
                               : json_string_value(member);
        if (json_is_object(member) && depth < MAX_DEPTH)
            flatten(member, inner, depth + 1, out);
        if (text) {
            buffer_printf(out, "%s%s=", out->len ? "," : "", key);
            keyval_append_value(out, text);
        }
        free(inner);
        free(key);
    }
}

/* The keys of a value, written in JSON or not. */
static void
parse_value(struct keyval *keyval, const char *value)
{
    struct buffer text = {0};
    json_t *object = value[0] == '{' ? json_loads(value, 0, NULL) : NULL;
    if (object)
        flatten(object, "", 0, &text);
    keyval_parse(keyval, text.len ? text.data : object ? "" : value);
    buffer_finish(&text);
    json_decref(object);
}

static void
add_node(struct look *look, const char *value)
{
    look->nodes =
        xreallocarray(look->nodes, look->node_count + 1, sizeof(*look->nodes));
    struct node *node = &look->nodes[look->node_count++];
    *node = (struct node){.is_read_by_all = true};
    parse_value(&node->keyval, value);
}

static struct node *
find_node(const struct look *look, const char *name)
{
    for (size_t i = 0; name && i < look->node_count; i++) {
        if (is_text(&look->nodes[i].keyval, "node-name", name))
            return &look->nodes[i];
    }
    return NULL;
}

static void
name_node(const struct look *look, const char *name, bool only_reads)
{
    struct node *node = find_node(look, name);
    if (!node)
        return;
    node->is_named = true;
    node->is_read_by_all = node->is_read_by_all && only_reads;
}

/* Which nodes a device names that only reads. */
static void
look_at_device(const struct look *look, const char *value)
{
    struct keyval keyval;
    parse_value(&keyval, value);
    const char *driver = keyval_get(&keyval, "driver", true);
    bool only_reads = false;
    for (size_t i = 0; driver && i < COUNT(reading_devices); i++)
        only_reads = only_reads || !strcmp(driver, reading_devices[i]);
    name_node(look, keyval_get(&keyval, "drive", false), only_reads);
    keyval_finish(&keyval);
}

/* What is above comes behind in QEMU's order, and is looked at first here. */
static void
tell_nodes(const struct look *look)
{
    for (size_t i = look->node_count; i-- > 0;) {
        const struct node *node = &look->nodes[i];
        const struct keyval *keyval = &node->keyval;
        bool only_reads =
            is_readonly(keyval) || (node->is_named && node->is_read_by_all);
        name_node(look, keyval_get(keyval, "file", false), only_reads);
        name_node(look, keyval_get(keyval, "backing", false), true);
        const char *file = keyval_get(keyval, "filename", false);
        bool is_below = !file;
        if (is_below)
            file = keyval_get(keyval, "file.filename", false);
        if (!file)
            continue;
        if (is_below && is_text(keyval, "file.read-only", "on"))
            only_reads = true;
        tell(look, file,
             is_unlocked(keyval) ? IMAGE_USE_PLAIN
             : only_reads        ? IMAGE_USE_READS
                                 : IMAGE_USE_WRITES);
    }
}

/* Words -------------------------------------------------------------------- */

/* Whether an option's value can be "file:PATH". */
static bool
is_port(const char *name)
{
    static const char *const ports[] = {"serial", "parallel", "debugcon",
                                        "monitor"};
    for (size_t i = 0; i < COUNT(ports); i++) {
        if (!strcmp(name, ports[i]))
            return true;
    }
    return false;
}

/* What goes to a file that QEMU empties first. */
static void
look_at_outputs(const struct look *look, const char *name, const char *value)
{
    struct keyval keyval;
    keyval_parse(&keyval, value);
    const char *backend = keyval_get(&keyval, "backend", true);
    const char *path = keyval_get(&keyval, "path", false);
    const char *log = keyval_get(&keyval, "logfile", false);
    bool is_chardev = !strcmp(name, "chardev");
    if (is_port(name) && backend && !strncmp(backend, "file:", 5))
        tell(look, backend + 5, IMAGE_USE_CREATES);
    if (is_chardev && backend && !strcmp(backend, "file") && path)
        tell(look, path, IMAGE_USE_CREATES);
    if (is_chardev && log)
        tell(look, log, IMAGE_USE_CREATES);
    if (!strcmp(name, "D"))
        tell(look, value, IMAGE_USE_CREATES);
    keyval_finish(&keyval);
}

static void
look_at_option(struct look *look, const char *name, const char *value)
{
    look_at_outputs(look, name, value);
    if (!strcmp(name, "drive"))
        look_at_drive(look, value);
    else if (!strcmp(name, "blockdev"))
        add_node(look, value);
    for (size_t i = 0; i < COUNT(file_options); i++) {
        if (!strcmp(name, file_options[i].name))
            tell(look, value, file_options[i].use);
    }
}

/* Devices come last: they name nodes that stand anywhere. */
static void
look_at_devices(struct look *look, char *const *words)
{
    for (; words[0]; words++) {
        const char *name = cmdline_option_name(words[0]);
        if (!name || cmdline_find_option(name)->is_flag || !words[1])
            continue;
        if (!strcmp(name, "device"))
            look_at_device(look, words[1]);
        words++;
    }
}

void
image_words_each(char *const *words, const char *directory,
                 image_words_fn on_file, void *data)
{
    struct look look = {
        .directory = directory, .on_file = on_file, .data = data};
    if (!words)
        return;
    for (char *const *word = words; *word; word++)
        look.is_snapshot = look.is_snapshot || !strcmp(*word, "-snapshot") ||
                           !strcmp(*word, "--snapshot");
    for (char *const *word = words; *word; word++) {
        const char *name = cmdline_option_name(*word);
        if (!name) {
            tell(&look, *word, IMAGE_USE_WRITES); /* as -hda */
        } else if (!cmdline_find_option(name)->is_flag && word[1]) {
            look_at_option(&look, name, word[1]);
            word++;
        }
    }
    look_at_devices(&look, words);
    tell_nodes(&look);
    for (size_t i = 0; i < look.node_count; i++)
        keyval_finish(&look.nodes[i].keyval);
    free(look.nodes);
}
