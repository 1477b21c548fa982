/* The arguments for consoles, and what a kernel is told of them. */
#include "base/xalloc.h"
#include "fleet/arch.h"
#include "qemu/argv-internal.h"
#include "qemu/cmdline.h"
#include "qemu/keyval.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What Linux takes of a command line on x86_64 (COMMAND_LINE_SIZE), without
 * the zero at its end: ours must not push out the user's. */
#define APPEND_MAX_BYTES 2047

void
argv_add_chardevs(struct argv_list *list, const struct argv_runtime *runtime,
                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct buffer text = {0};
        buffer_printf(&text, "pty,id=gmcon%zu,logfile=", i);
        keyval_append_value(&text, runtime->logs[i]);
        buffer_append_text(&text, ",logappend=on");
        argv_add(list, "-chardev");
        argv_add_buffer(list, &text);
    }
}

/* The place among the spec's consoles of one of that kind and number, or -1. */
static int
find_console(const struct spec *spec, const char *prefix, size_t number)
{
    char name[CMDLINE_CONSOLE_NAME_BYTES];
    (void)snprintf(name, sizeof(name), "%.8s%u", prefix,
                   (unsigned)number % 10000);
    for (int i = 0; spec->consoles && spec->consoles[i]; i++) {
        if (!strcmp(spec->consoles[i], name))
            return i;
    }
    return -1;
}

/* In the order of their numbers, whatever the order of the names: so the guest
 * counts them. */
static void
add_serials(struct argv_list *list, const struct spec *spec, const char *prefix)
{
    int index = 0;
    for (size_t i = 0; (index = find_console(spec, prefix, i)) >= 0; i++) {
        argv_add(list, "-serial");
        argv_add_format(list, "chardev:gmcon%d", index);
    }
}

static void
add_virtio(struct argv_list *list, const struct spec *spec)
{
    int index = 0;
    for (size_t i = 0; (index = find_console(spec, "hvc", i)) >= 0; i++) {
        if (i == 0) {
            argv_add(list, "-device");
            argv_add_format(list, "virtio-serial-%s,id=gmserial",
                            argv_virtio_bus(spec));
        }
        argv_add(list, "-device");
        argv_add_format(list, "virtconsole,bus=gmserial.0,chardev=gmcon%d",
                        index);
    }
}

void
argv_add_consoles(struct argv_list *list, const struct spec *spec)
{
    const char *prefix = arch_serial_prefix(argv_arch(spec));
    if (!spec->consoles) {
        argv_add(list, "-serial");
        argv_add(list, "chardev:gmcon0");
        return;
    }
    add_serials(list, spec, prefix);
    if (strcmp(prefix, "hvc") != 0)
        add_virtio(list, spec);
}

/* systemd asks a terminal for nothing that the kernel's command line says
 * (kernel-command-line(7)). */
static void
append_size(struct buffer *text, const struct spec *spec, const char *console)
{
    const struct {
        const char *name;
        int value;
    } sides[] = {{"rows", spec->console_rows}, {"columns", spec->console_cols}};
    for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
        char *key = xasprintf("systemd.tty.%s.%s=", sides[i].name, console);
        bool is_said = spec->append && strstr(spec->append, key);
        if (!is_said && text->len + strlen(key) + 5 <= APPEND_MAX_BYTES)
            buffer_printf(text, "%s%s%d", text->len ? " " : "", key,
                          sides[i].value);
        free(key);
    }
}

void
argv_add_append(struct argv_list *list, const struct spec *spec)
{
    struct buffer text = {0};
    if (!spec->kernel)
        return;
    if (spec->append)
        buffer_append_text(&text, spec->append);
    if (spec->console_rows) {
        char first[CMDLINE_CONSOLE_NAME_BYTES];
        cmdline_serial_name(argv_arch(spec), 0, first);
        if (!spec->consoles)
            append_size(&text, spec, first);
        for (size_t i = 0; spec->consoles && spec->consoles[i]; i++)
            append_size(&text, spec, spec->consoles[i]);
    }
    if (!spec->append && !text.len)
        return;
    argv_add(list, "-append");
    argv_add_buffer(list, &text);
}
