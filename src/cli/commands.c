#include "base/nearest.h"
#include "cli/cmd.h"

#include <string.h>

const struct command *const commands[] = {
    &cmd_alerts,         &cmd_api,        &cmd_attach,     &cmd_break,
    &cmd_buffer,         &cmd_capture,    &cmd_check,      &cmd_clients,
    &cmd_clone,          &cmd_cloud_init, &cmd_completion, &cmd_console,
    &cmd_disk,           &cmd_down,       &cmd_events,     &cmd_export,
    &cmd_export_command, &cmd_fit,        &cmd_forward,    &cmd_grep,
    &cmd_help,           &cmd_import,     &cmd_ip,         &cmd_kill,
    &cmd_kill_server,    &cmd_link,       &cmd_logs,       &cmd_ls,
    &cmd_network,        &cmd_paste,      &cmd_pause,      &cmd_press,
    &cmd_proxy,          &cmd_qmp,        &cmd_reset,      &cmd_restart,
    &cmd_resume,         &cmd_rm,         &cmd_run,        &cmd_send,
    &cmd_server,         &cmd_shutdown,   &cmd_ssh,        &cmd_start,
    &cmd_sysrq,          &cmd_timeline,   &cmd_up,         &cmd_version,
    &cmd_wait,
};
const size_t commands_count = sizeof(commands) / sizeof(commands[0]);

const struct option commands_global_options[] = {
    {
        .name = "server",
        .letter = 'L',
        .type = OPTION_TEXT,
        .value = "NAME",
        .default_value = "default",
        .summary = "talk to the server of this name",
    },
    {
        .name = "host",
        .type = OPTION_TEXT,
        .value = "HOST",
        .summary = "talk to the server on another machine, through "
                   "`ssh HOST guestmux proxy`",
    },
    {
        .name = "theme",
        .type = OPTION_TEXT,
        .value = "THEME",
        .summary = "the deck's theme: a name or a file",
    },
    {
        .name = "keymap",
        .type = OPTION_TEXT,
        .value = "KEYMAP",
        .summary = "the deck's keymap: a name or a file",
    },
    {
        .name = "clipboard",
        .type = OPTION_TEXT,
        .value = "WHEN",
        .default_value = "auto",
        .summary = "whether copying in the deck sets the terminal's clipboard "
                   "(OSC 52): auto, on or off",
    },
    {
        .name = "help",
        .letter = 'h',
        .type = OPTION_FLAG,
        .summary = "print help and exit",
    },
    {
        .name = "version",
        .letter = 'V',
        .type = OPTION_FLAG,
        .summary = "print the version and exit",
    },
};
const size_t commands_global_option_count =
    sizeof(commands_global_options) / sizeof(commands_global_options[0]);

const struct command *
commands_find(const char *name, struct error *error)
{
    const char *names[2 * sizeof(commands) / sizeof(commands[0])];
    size_t count = 0;
    for (size_t i = 0; i < commands_count; i++) {
        const struct command *command = commands[i];
        if (strcmp(command->name, name) == 0 ||
            (command->alias && strcmp(command->alias, name) == 0))
            return command;
        if (command->flags & COMMAND_HIDDEN)
            continue;
        names[count++] = command->name;
        if (command->alias)
            names[count++] = command->alias;
    }
    const char *near = nearest_name(name, names, count);
    if (near)
        error_set(error, ERROR_CODE_INVALID,
                  "there is no command \"%s\"; did you mean %s?", name, near);
    else
        error_set(error, ERROR_CODE_INVALID, "there is no command \"%s\"",
                  name);
    return NULL;
}
