#include "qemu/argv.h"

#include "base/xalloc.h"
#include "fleet/arch.h"
#include "fleet/shellwords.h"
#include "qemu/accel.h"
#include "qemu/argv-internal.h"
#include "qemu/cmdline.h"
#include "qemu/sandbox.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Machines that QEMU has no default for, or an old one. */
static const struct {
    const char *arch;
    const char *machine;
    const char *cpu; /* NULL: QEMU's default */
} machines[] = {
    {"aarch64", "virt", "max"}, {"arm", "virt", NULL},
    {"i386", "q35", NULL},      {"loongarch64", "virt", NULL},
    {"m68k", "virt", NULL},     {"riscv32", "virt", NULL},
    {"riscv64", "virt", NULL},  {"x86_64", "q35", NULL},
};

void
argv_add(struct argv_list *list, const char *word)
{
    if (list->count + 1 >= list->capacity) {
        list->capacity = list->capacity * 2 + 32;
        list->words =
            xreallocarray(list->words, list->capacity, sizeof(*list->words));
    }
    list->words[list->count++] = xstrdup(word);
    list->words[list->count] = NULL;
}

void
argv_add_format(struct argv_list *list, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *word = xvasprintf(format, args);
    va_end(args);
    argv_add(list, word);
    free(word);
}

void
argv_add_buffer(struct argv_list *list, struct buffer *buffer)
{
    char *word = buffer_steal(buffer);
    argv_add(list, word);
    free(word);
}

const char *
argv_arch(const struct spec *spec)
{
    if (spec->arch)
        return spec->arch;
    return arch_of_program(spec->kind == SPEC_KIND_COMMAND ? spec->command[0]
                                                           : spec->qemu);
}

const char *
argv_machine(const struct spec *spec)
{
    if (spec->machine)
        return spec->machine;
    for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
        if (!strcmp(machines[i].arch, argv_arch(spec)))
            return machines[i].machine;
    }
    return NULL;
}

static const char *
default_cpu(const struct spec *spec)
{
    for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
        if (!strcmp(machines[i].arch, argv_arch(spec)))
            return machines[i].cpu;
    }
    return NULL;
}

const char *
argv_virtio_bus(const struct spec *spec)
{
    const char *machine = argv_machine(spec);
    if (machine && !strncmp(machine, "microvm", strlen("microvm")))
        return "device";
    return !strcmp(argv_arch(spec), "s390x") ? "ccw" : "pci";
}

/* The user's own part of the command line, rewritten; an empty one for a spec
 * without. */
static struct cmdline *
rewrite_plain(const struct spec *spec, struct error *error)
{
    static char *const none[] = {NULL};
    if (spec->kind == SPEC_KIND_COMMAND)
        return cmdline_rewrite(spec->command, NULL, CMDLINE_COMMAND, error);
    char *const *args = spec->args ? spec->args : none;
    if (spec->consoles)
        return cmdline_rewrite_after(
            args, argv_arch(spec), (const char *const *)spec->consoles, error);
    return cmdline_rewrite(args, argv_arch(spec), CMDLINE_ARGUMENTS, error);
}

/* The same; the error says which field it is about. */
static struct cmdline *
rewrite(const struct spec *spec, struct error *error)
{
    struct cmdline *cmdline = rewrite_plain(spec, error);
    if (!cmdline)
        error_prefix(error, "%s",
                     spec->kind == SPEC_KIND_COMMAND ? "command" : "args");
    return cmdline;
}

static bool
is_qemu(const struct spec *spec)
{
    return spec->kind == SPEC_KIND_QEMU || spec->kind == SPEC_KIND_COMMAND;
}

/* An array of count pointers with room for the strings behind it. */
const char **
argv_console_names(const struct spec *spec, struct error *error)
{
    if (!is_qemu(spec)) {
        const char **names = xcalloc(2, sizeof(*names));
        names[0] = "console";
        return names;
    }
    struct cmdline *cmdline = rewrite(spec, error);
    if (!cmdline)
        return NULL;
    size_t count = cmdline->console_count;
    size_t head = (count + 1) * sizeof(char *);
    const char **names = xcalloc(1, head + count * CMDLINE_CONSOLE_NAME_BYTES);
    char *text = (char *)names + head;
    for (size_t i = 0; i < count; i++) {
        names[i] = text;
        memcpy(text, cmdline->consoles[i].name, CMDLINE_CONSOLE_NAME_BYTES);
        text += CMDLINE_CONSOLE_NAME_BYTES;
    }
    cmdline_free(cmdline);
    return names;
}

static void
add_monitor(struct argv_list *list, const struct argv_runtime *runtime)
{
    argv_add(list, "-chardev");
    argv_add_format(list, "socket,id=gmqmp,fd=%d,server=on,wait=off",
                    runtime->monitor_fd);
    argv_add(list, "-mon");
    argv_add(list, "chardev=gmqmp,mode=control");
    if (runtime->pidfile) {
        argv_add(list, "-pidfile");
        argv_add(list, runtime->pidfile);
    }
}

void
argv_add_pair(struct argv_list *list, const char *option, const char *value)
{
    if (!value)
        return;
    argv_add(list, option);
    argv_add(list, value);
}

/* "-smp 4", or "-smp cpus=4,sockets=2,cores=2" */
static void
add_smp(struct argv_list *list, const struct spec_smp *smp)
{
    struct buffer text = {0};
    int value = 0;
    const char *name = NULL;
    for (size_t i = 0; (name = spec_smp_part(smp, i, &value)); i++) {
        if (value)
            buffer_printf(&text, "%s%s=%d", text.len ? "," : "", name, value);
    }
    char *cpus = xasprintf("cpus=%d", smp->cpus);
    bool is_number = text.len && !strcmp(text.data, cpus);
    if (text.len)
        argv_add_pair(list, "-smp",
                      is_number ? text.data + strlen("cpus=") : text.data);
    free(cpus);
    buffer_finish(&text);
}

static void
add_accel(struct argv_list *list, const struct spec *spec)
{
    const char *machine = argv_machine(spec);
    if (machine && strstr(machine, "accel=") && !spec->accel)
        return;
    if (spec->accel && strcmp(spec->accel, "auto") != 0) {
        argv_add_pair(list, "-accel", spec->accel);
        return;
    }
    const char *native = accel_native(argv_arch(spec));
    argv_add_pair(list, "-accel", native);
    /* If it fails after all, QEMU takes the next. */
    argv_add_pair(list, "-accel", "tcg");
}

/* A QEMU that its guest took over can then start no program and become no
 * other user. Programs that the network needs (qemu-bridge-helper is set-uid)
 * could not run in it. */
static void
add_sandbox(struct argv_list *list, const struct spec *spec,
            const struct cmdline *cmdline)
{
    if (!cmdline->has_sandbox && !cmdline->spawns && !argv_nics_spawn(spec) &&
        sandbox_is_supported(list->words[0]))
        argv_add_pair(list, "-sandbox",
                      "on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
                      "resourcecontrol=deny");
}

/* Whether somebody looks at a display from elsewhere. */
static bool
has_display(const struct spec *spec, const struct cmdline *cmdline)
{
    return cmdline->has_display || spec->vnc_display || spec->vnc_socket;
}

static void
add_fields(struct argv_list *list, const struct spec *spec,
           const struct cmdline *cmdline, const struct firmware *firmware,
           const struct argv_runtime *runtime)
{
    add_sandbox(list, spec, cmdline);
    /* With a display to look at, the firmware belongs there. */
    if (!has_display(spec, cmdline))
        argv_add(list, "-nographic");
    argv_add(list, "-nodefaults");
    argv_add_consoles(list, spec);
    argv_add_machine(list, spec, firmware);
    add_accel(list, spec);
    argv_add_pair(list, "-cpu", spec->cpu ? spec->cpu : default_cpu(spec));
    add_smp(list, &spec->smp);
    if (spec->memory_bytes) {
        argv_add(list, "-m");
        argv_add_format(list, "%" PRIu64 "M", spec->memory_bytes >> 20);
    }
    argv_add_firmware(list, firmware);
    argv_add_pair(list, "-kernel", spec->kernel);
    argv_add_pair(list, "-initrd", spec->initrd);
    argv_add_append(list, spec);
    argv_add_disks(list, spec, runtime->data_dir);
    argv_add_nics(list, spec, runtime);
    argv_add_agent(list, spec, runtime);
    argv_add_hardware(list, spec);
}

char **
argv_build(const struct spec *spec, const struct argv_runtime *runtime,
           struct error *error)
{
    if (!is_qemu(spec)) {
        error_set(error, ERROR_CODE_INTERNAL, "%s is not a QEMU guest",
                  spec->name);
        return NULL;
    }
    struct cmdline *cmdline = rewrite(spec, error);
    char *program = cmdline ? argv_find_qemu(spec, error) : NULL;
    bool ok = program != NULL;
    if (ok && cmdline->console_count > runtime->log_count)
        ok = error_set(error, ERROR_CODE_INTERNAL, "%zu consoles, but %zu logs",
                       cmdline->console_count, runtime->log_count);
    struct firmware firmware = {0};
    ok = ok && firmware_of_spec(spec, runtime->data_dir, &firmware, error);
    struct argv_list list = {0};
    if (ok) {
        argv_add(&list, program);
        argv_add(&list, "-name");
        argv_add_format(&list, "guest=%s", spec->name);
        if (!cmdline->uuid)
            argv_add_pair(&list, "-uuid", runtime->uuid);
        add_monitor(&list, runtime);
        argv_add_chardevs(&list, runtime, cmdline->console_count);
        if (spec->kind == SPEC_KIND_QEMU)
            add_fields(&list, spec, cmdline, &firmware, runtime);
        for (size_t i = 0; cmdline->words[i]; i++)
            argv_add(&list, cmdline->words[i]);
    }
    free(program);
    firmware_finish(&firmware);
    cmdline_free(cmdline);
    return list.words;
}

size_t
argv_count_own(const struct spec *spec)
{
    struct cmdline *cmdline = is_qemu(spec) ? rewrite(spec, NULL) : NULL;
    size_t count = cmdline ? shellwords_count(cmdline->words) : 0;
    cmdline_free(cmdline);
    return count;
}

char *
argv_own_uuid(const struct spec *spec)
{
    struct cmdline *cmdline = is_qemu(spec) ? rewrite(spec, NULL) : NULL;
    char *uuid = cmdline ? xstrdup(cmdline->uuid) : NULL;
    cmdline_free(cmdline);
    return uuid;
}

char **
argv_notes(const struct spec *spec, struct error *error)
{
    if (!is_qemu(spec))
        return xcalloc(1, sizeof(char *));
    struct cmdline *cmdline = rewrite_plain(spec, error);
    char **notes = cmdline ? shellwords_copy(cmdline->notes) : NULL;
    cmdline_free(cmdline);
    return notes;
}

void
argv_free(char **argv)
{
    shellwords_free(argv);
}

char *
argv_to_shell(char *const *argv)
{
    return shellwords_join(argv);
}
