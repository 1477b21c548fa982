#include "qemu/names.h"

#include "base/nearest.h"
#include "base/xalloc.h"
#include "qemu/ask.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* QEMU 7.2's longest list, -device's, has 30 KiB. */
#define OUTPUT_MAX_BYTES (1u << 20)
#define MAX_NAMES 8192
#define MAX_NAME_BYTES 128

static void
add_name(struct names *names, const char *name, size_t len)
{
    if (len == 0 || len > MAX_NAME_BYTES || names->count >= MAX_NAMES)
        return;
    names->list =
        xreallocarray(names->list, names->count + 1, sizeof(*names->list));
    names->list[names->count++] = xstrndup(name, len);
}

static const char *
skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* The name at a line's beginning: "pc-q35-7.2           Standard PC …". */
static void
take_first_word(const char *line, struct names *names)
{
    const char *at = skip_blanks(line);
    add_name(names, at, strcspn(at, " \t\r\n"));
}

/* "x86 qemu64   (alias …)", of QEMUs before 9; "  qemu64   (alias …)". */
static void
take_cpu(const char *line, struct names *names)
{
    const char *at = skip_blanks(line);
    if (at == line) {
        const char *next = at + strcspn(at, " \t\r\n");
        next = skip_blanks(next);
        if (*next && !strchr("\r\n(", *next))
            at = next;
    }
    /* Some quote them. */
    at += *at == '\'';
    add_name(names, at, strcspn(at, " \t\r\n'"));
}

/* name "virtio-blk-pci", bus PCI, alias "virtio-blk", desc "…" */
static void
take_device(const char *line, struct names *names)
{
    static const char *const keys[] = {"name \"", ", alias \""};
    size_t len = strcspn(line, "\n");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *at = strstr(line, keys[i]);
        if (!at || at > line + len || (i == 0 && at != line))
            continue;
        at += strlen(keys[i]);
        add_name(names, at, strcspn(at, "\"\n"));
    }
}

static const struct {
    const char *option;
    const char *header; /* NULL: there is none */
    void (*take)(const char *line, struct names *names);
} kinds[] = {
    [NAMES_MACHINES] = {"machine", "Supported machines", take_first_word},
    [NAMES_CPUS] = {"cpu", "Available CPUs", take_cpu},
    [NAMES_DEVICES] = {"device", NULL, take_device},
    [NAMES_ACCELERATORS] = {"accel", "Accelerators supported", take_first_word},
};

const char *
names_option(enum names_kind kind)
{
    return kinds[kind].option;
}

static const char *
next_line(const char *line)
{
    line += strcspn(line, "\n");
    return *line ? line + 1 : line;
}

static bool
is_blank(const char *line)
{
    return strchr("\r\n", *skip_blanks(line)) != NULL; /* its end, too */
}

/* The line behind the list's header, whatever a module's loading prints
 * before; NULL: no header is there. */
static const char *
find_list(const char *text, const char *header)
{
    for (; header && *text; text = next_line(text)) {
        if (!strncmp(text, header, strlen(header)))
            return next_line(text);
    }
    return header ? NULL : text;
}

bool
names_parse(enum names_kind kind, const char *text, struct names *ret_names)
{
    struct names names = {0};
    const char *line = find_list(text, kinds[kind].header);
    for (; line && *line; line = next_line(line)) {
        /* CPUs' features come after them. */
        if (kinds[kind].header && names.count && is_blank(line))
            break;
        if (!is_blank(line))
            kinds[kind].take(line, &names);
    }
    if (names.count == 0)
        return false;
    *ret_names = names;
    return true;
}

bool
names_read(const char *program, enum names_kind kind, struct names *ret_names,
           struct error *error)
{
    char *option = xasprintf("-%s", kinds[kind].option);
    const char *const options[] = {option, "help", NULL};
    struct buffer text = {0};
    bool ok = ask_program(program, options, OUTPUT_MAX_BYTES, &text, error);
    if (ok && !names_parse(kind, text.len ? text.data : "", ret_names))
        ok = error_set(error, ERROR_CODE_GUEST,
                       "%s %s help has no list that is known here", program,
                       option);
    buffer_finish(&text);
    free(option);
    return ok;
}

bool
names_confirm_device(const char *program, const char *device)
{
    char *value = xasprintf("%s,help", device);
    const char *const options[] = {"-device", value, NULL};
    struct buffer text = {0};
    /* "ahci options:", "There are no options for …": it exits with 0 for names
     * that it does not know, too. */
    bool ok = ask_program(program, options, OUTPUT_MAX_BYTES, &text, NULL) &&
              text.len && strstr(text.data, " options");
    buffer_finish(&text);
    free(value);
    return ok;
}

void
names_finish(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
    *names = (struct names){0};
}

bool
names_has(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (!strcmp(names->list[i], name))
            return true;
    }
    return false;
}

const char *
names_nearest(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (!strcasecmp(names->list[i], name))
            return names->list[i];
    }
    return nearest_name(name, (const char *const *)names->list, names->count);
}
