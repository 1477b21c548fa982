#include "qemu/image-words.h"

#include "base/xalloc.h"
#include "qemu/cmdline-internal.h"
#include "qemu/image-outputs.h"
#include "qemu/keyval.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* "json:" in "json:" is not followed deeper. */
#define MAX_DEPTH 4

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
    bool is_snapshot;   /* -snapshot: nothing is written by -drive */
    struct node *nodes; /* owned */
    size_t node_count;
};

static void
tell(const struct look *look, const char *path, enum image_use use)
{
    if (!path[0])
        return;
    char *whole = path[0] == '/' ? xstrdup(path)
                                 : xasprintf("%s/%s", look->directory, path);
    look->on_file(look->data, whole, use);
    free(whole);
}

static bool
is_text(const struct keyval *keyval, const char *key, const char *text)
{
    const char *value = keyval_get(keyval, key, false);
    return value && !strcmp(value, text);
}

static bool
is_readonly(const struct keyval *keyval)
{
    return keyval_is_on(keyval, "readonly") ||
           keyval_is_on(keyval, "read-only");
}

/* Whether a key is name, or PARENT.name. */
static bool
is_key(const char *key, const char *name)
{
    size_t len = key ? strlen(key) : 0;
    size_t tail = strlen(name);
    return len >= tail && !strcmp(key + len - tail, name) &&
           (len == tail || key[len - tail - 1] == '.');
}

/* What is done with the image of a key: what lies below is only read. */
static enum image_use
use_of(const struct keyval *keyval, const char *key, bool only_reads)
{
    bool is_unlocked = false;
    for (size_t i = 0; i < keyval->count; i++)
        is_unlocked = is_unlocked || (is_key(keyval->pairs[i].key, "locking") &&
                                      !strcmp(keyval->pairs[i].value, "off"));
    only_reads = only_reads || !strncmp(key, "backing.", 8) ||
                 strstr(key, ".backing.") ||
                 (strcmp(key, "filename") != 0 &&
                  is_text(keyval, "file.read-only", "on"));
    if (is_unlocked)
        return only_reads ? IMAGE_USE_PLAIN : IMAGE_USE_UNLOCKED;
    return only_reads ? IMAGE_USE_READS : IMAGE_USE_WRITES;
}

static void tell_image(const struct look *look, const char *name,
                       enum image_use use, int depth);

/* Every "filename" of a description. */
static void
tell_filenames(const struct look *look, const struct keyval *keyval,
               bool only_reads, int depth)
{
    for (size_t i = 0; i < keyval->count; i++) {
        const struct keyval_pair *pair = &keyval->pairs[i];
        if (is_key(pair->key, "filename"))
            tell_image(look, pair->value, use_of(keyval, pair->key, only_reads),
                       depth);
    }
}

/* An image as QEMU's block layer names it: a path, or a protocol with what
 * belongs to it. */
static void
tell_image(const struct look *look, const char *name, enum image_use use,
           int depth)
{
    static const char *const before_paths[] = {
        "file:", "blkdebug:", "blkverify:"};
    bool is_path = strcspn(name, ":") >= strcspn(name, "/");
    for (size_t i = 0; i < COUNT(before_paths); i++) {
        if (!is_path &&
            !strncmp(name, before_paths[i], strlen(before_paths[i])))
            tell(look, i ? strrchr(name, ':') + 1 : strchr(name, ':') + 1, use);
    }
    if (is_path) {
        tell(look, name, use);
    } else if (!strncmp(name, "json:", 5) && depth < MAX_DEPTH) {
        struct keyval keyval;
        keyval_parse_value(&keyval, name + 5);
        tell_filenames(look, &keyval, use == IMAGE_USE_READS, depth + 1);
        keyval_finish(&keyval);
    }
}

static void
look_at_drive(const struct look *look, const char *value)
{
    struct keyval keyval;
    keyval_parse(&keyval, value);
    const char *file = keyval_get(&keyval, "file", false);
    bool only_reads = look->is_snapshot || is_readonly(&keyval) ||
                      keyval_is_on(&keyval, "snapshot") ||
                      is_text(&keyval, "media", "cdrom");
    if (file)
        tell_image(look, file, use_of(&keyval, "file", only_reads), 0);
    tell_filenames(look, &keyval, only_reads, 0);
    keyval_finish(&keyval);
}

/* -blockdev ---------------------------------------------------------------- */

static void
add_node(struct look *look, const char *value)
{
    look->nodes =
        xreallocarray(look->nodes, look->node_count + 1, sizeof(*look->nodes));
    struct node *node = &look->nodes[look->node_count++];
    *node = (struct node){.is_read_by_all = true};
    keyval_parse_value(&node->keyval, value);
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
    keyval_parse_value(&keyval, value);
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
        tell_filenames(look, keyval, only_reads, 0);
    }
}

/* Words -------------------------------------------------------------------- */

/* A file for an option of its own; -snapshot counts for these, too. */
static void
look_at_file(const struct look *look, const char *value, enum image_use use)
{
    if (use == IMAGE_USE_PLAIN)
        tell(look, value, use);
    else
        tell_image(look, value,
                   look->is_snapshot && use == IMAGE_USE_WRITES
                       ? IMAGE_USE_READS
                       : use,
                   0);
}

static void
on_output(void *data, const char *path)
{
    tell(data, path, IMAGE_USE_CREATES);
}

static void
look_at_option(struct look *look, const char *name, const char *value)
{
    image_outputs_each(name, value, on_output, look);
    if (!strcmp(name, "drive"))
        look_at_drive(look, value);
    else if (!strcmp(name, "blockdev"))
        add_node(look, value);
    else if (!strncmp(value, "drive.", 6) && !strcmp(name, "set") &&
             strstr(value, ".file="))
        look_at_file(look, strchr(value, '=') + 1, IMAGE_USE_WRITES);
    for (size_t i = 0; i < COUNT(file_options); i++) {
        if (!strcmp(name, file_options[i].name))
            look_at_file(look, value, file_options[i].use);
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
            look_at_file(&look, *word, IMAGE_USE_WRITES); /* as -hda */
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

static void
devices_each(char *const *devices, const char *directory,
             image_words_fn on_file, void *data)
{
    for (; devices && devices[0]; devices++) {
        char option[] = "-device";
        char *words[] = {option, devices[0], NULL};
        image_words_each(words, directory, on_file, data);
    }
}

void
image_words_of_spec(const struct spec *spec, image_words_fn on_file, void *data)
{
    bool is_command = spec->kind == SPEC_KIND_COMMAND;
    if (spec->kind == SPEC_KIND_QEMU || (is_command && spec->command[0]))
        image_words_each(is_command ? spec->command + 1 : spec->args,
                         spec->directory, on_file, data);
    image_words_of_devices(spec, on_file, data);
}

void
image_words_of_devices(const struct spec *spec, image_words_fn on_file,
                       void *data)
{
    devices_each(spec->devices, spec->directory, on_file, data);
    devices_each(spec->usb, spec->directory, on_file, data);
}
