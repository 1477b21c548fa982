/* A guest's command line for a person's shell. */
#include "base/xalloc.h"
#include "fleet/shellwords.h"
#include "qemu/argv-internal.h"
#include "qemu/cmdline-internal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What becomes of one of our own pairs of words. */
enum export_action {
    EXPORT_KEEP,
    EXPORT_DROP,
    EXPORT_SERIAL,  /* the first console: this terminal's */
    EXPORT_CHARDEV, /* a console's chardev */
    EXPORT_NAME,
};

/* Our words, by option and the value's beginning. Where the user's own ("args")
 * begin, nothing is looked at any more. */
static const struct {
    const char *option;
    const char *prefix;
    enum export_action action;
} rows[] = {
    {"-name", "guest=", EXPORT_NAME},
    {"-uuid", "", EXPORT_DROP},
    {"-chardev", "socket,id=gmqmp,", EXPORT_DROP},
    {"-mon", "chardev=gmqmp,", EXPORT_DROP},
    {"-pidfile", "", EXPORT_DROP},
    {"-sandbox", "on,obsolete=deny,", EXPORT_DROP},
    {"-serial", "chardev:gmcon0", EXPORT_SERIAL},
    {"-chardev", "pty,id=gmcon", EXPORT_CHARDEV},
};

static enum export_action
action_of(const char *option, const char *value)
{
    for (size_t i = 0; value && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!strcmp(rows[i].option, option) &&
            !strncmp(rows[i].prefix, value, strlen(rows[i].prefix)))
            return rows[i].action;
    }
    return EXPORT_KEEP;
}

/* Whether the first console is a serial port, which -serial can name shortly.
 */
static bool
is_first_serial(char *const *argv)
{
    for (; argv[0] && argv[1]; argv++) {
        if (action_of(argv[0], argv[1]) == EXPORT_SERIAL)
            return true;
    }
    return false;
}

/* The first console is the terminal's, the others are ptys of their own. */
static void
add_chardev(struct argv_list *list, const char *value, bool is_serial)
{
    const char *id = value + strlen("pty,id=");
    int len = (int)strcspn(id, ",");
    bool is_first = len == (int)strlen("gmcon0") && !strncmp(id, "gmcon0", 6);
    if (is_first && is_serial)
        return;
    argv_add(list, "-chardev");
    argv_add_format(
        list, is_first ? "stdio,id=%.*s,mux=on,signal=off" : "pty,id=%.*s", len,
        id);
    if (is_first)
        argv_add_pair(list, "-mon", "chardev=gmcon0");
}

static void
add_pair(struct argv_list *list, const char *option, const char *value,
         bool is_serial)
{
    switch (action_of(option, value)) {
    case EXPORT_DROP:
        break;
    case EXPORT_NAME:
        argv_add_pair(list, "-name", value + strlen("guest="));
        break;
    case EXPORT_SERIAL:
        argv_add_pair(list, "-serial", "mon:stdio");
        break;
    case EXPORT_CHARDEV:
        add_chardev(list, value, is_serial);
        break;
    case EXPORT_KEEP:
        argv_add_pair(list, option, value);
        break;
    }
}

/* The usual name of QEMU's binary rather than where it lies here. */
static void
add_program(struct argv_list *list, const struct spec *spec, const char *path)
{
    if (spec->qemu)
        argv_add(list, path);
    else
        argv_add_format(list, "qemu-system-%s", argv_arch(spec));
}

static void
export_words(struct argv_list *list, const struct spec *spec, char **argv)
{
    size_t end = shellwords_count(argv) - argv_count_own(spec);
    bool is_serial = is_first_serial(argv);
    add_program(list, spec, argv[0]);
    for (size_t i = 1; i < end;) {
        const char *option = argv[i];
        bool has_value =
            i + 1 < end && !cmdline_find_option(option + 1)->is_flag;
        if (has_value)
            add_pair(list, option, argv[i + 1], is_serial);
        else
            argv_add(list, option);
        i += has_value ? 2 : 1;
    }
    for (size_t i = end; argv[i]; i++)
        argv_add(list, argv[i]);
}

/* The words that guestmux would start it with, but for what lies in places of
 * its own: sockets are where the command runs. */
static char **
build_plain(const struct spec *spec, const struct argv_runtime *runtime,
            struct error *error)
{
    const char **names = argv_console_names(spec, error);
    size_t count = 0;
    while (names && names[count])
        count++;
    if (!names)
        return NULL;
    char *agent = xasprintf("%s.agent", spec->name);
    char **sockets = xcalloc(spec->nic_count + 1, sizeof(*sockets));
    for (size_t i = 0; i < spec->nic_count; i++)
        sockets[i] = xasprintf("%s.nic%zu", spec->name, i);
    struct argv_runtime own = {
        .uuid = "",
        .logs = names,
        .log_count = count,
        .data_dir = runtime->data_dir,
        .forward_ports = runtime->forward_ports,
        .nic_sockets = (const char *const *)sockets,
        .agent_socket = agent,
    };
    char **argv = argv_build(spec, &own, error);
    shellwords_free(sockets);
    free(agent);
    free(names);
    return argv;
}

char **
argv_export(const struct spec *spec, const struct argv_runtime *runtime,
            struct error *error)
{
    struct argv_list list = {0};
    if (spec->env)
        argv_add(&list, "env");
    for (size_t i = 0; spec->env && spec->env[i]; i++)
        argv_add(&list, spec->env[i]);
    if (spec->kind == SPEC_KIND_COMMAND) {
        for (size_t i = 0; spec->command[i]; i++)
            argv_add(&list, spec->command[i]);
        return list.words;
    }
    char **argv = build_plain(spec, runtime, error);
    if (argv)
        export_words(&list, spec, argv);
    argv_free(argv);
    return list.words;
}

char *
argv_to_script(char *const *argv)
{
    struct buffer out = {0};
    for (size_t i = 0; argv[i]; i++) {
        char *const word[] = {argv[i], NULL};
        char *quoted = shellwords_join(word);
        bool begins = argv[i][0] == '-' && argv[i][1];
        buffer_printf(&out, "%s%s",
                      i == 0   ? ""
                      : begins ? " \\\n    "
                               : " ",
                      quoted);
        free(quoted);
    }
    return buffer_steal(&out);
}
