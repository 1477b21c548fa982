#include "base/json.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"
#include "qemu/argv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option options[] = {
    {
        .name = "multiline",
        .letter = 'm',
        .type = OPTION_FLAG,
        .summary = "print one option a line",
    },
    {
        .name = "exact",
        .type = OPTION_FLAG,
        .summary = "print the words that guestmux starts it with, its own "
                   "sockets and logs included; they work under guestmux only",
    },
    ROW_JSON,
};

/* The reply's words; NULL-terminated, argv_free frees them. */
static char **
words_of(const json_t *reply)
{
    const json_t *array = json_object_get(reply, "argv");
    size_t count = json_array_size(array);
    char **words = xcalloc(count + 1, sizeof(*words));
    for (size_t i = 0; i < count; i++) {
        const char *word = json_string_value(json_array_get(array, i));
        words[i] = xstrdup(word ? word : "");
    }
    return words;
}

/* As it is into a file or pipe; on a terminal what could steer it is shown. */
static void
print_text(char *text)
{
    if (!isatty(STDOUT_FILENO)) {
        (void)printf("%s\n", text);
        return;
    }
    char *saved = NULL;
    for (char *line = strtok_r(text, "\n", &saved); line;
         line = strtok_r(NULL, "\n", &saved))
        output_line(line);
}

static int
tell(const struct cli *cli, const json_t *reply)
{
    if (options_has(&cli->options, "json")) {
        output_json(reply);
        return COMMAND_DONE;
    }
    char **words = words_of(reply);
    char *text = options_has(&cli->options, "multiline") ? argv_to_script(words)
                                                         : argv_to_shell(words);
    const char *directory =
        json_string_value(json_object_get(reply, "directory"));
    if (directory) {
        char *const place[] = {(char *)directory, NULL};
        char *quoted = argv_to_shell(place);
        char *whole = xasprintf("cd %s && %s", quoted, text);
        free(quoted);
        free(text);
        text = whole;
    }
    print_text(text);
    free(text);
    argv_free(words);
    return COMMAND_DONE;
}

static int
run(struct cli *cli)
{
    json_t *arguments = json_pack(
        "{s:o,s:b}", "guest", json_from_text(cli->options.arguments[0]),
        "by-hand", !options_has(&cli->options, "exact"));
    return session_ask(cli, "guest-command", arguments,
                       SESSION_REPLY_TIMEOUT_MS, tell);
}

const struct command cmd_export_command = {
    .name = "export-command",
    .usage = "GUEST",
    .summary = "Print a guest's QEMU command line, for a shell",
    .text = "The same guest without guestmux: its first console and the "
            "monitor are on the terminal (-serial mon:stdio), further consoles "
            "on ptys. The UUID, sandbox, sockets and logs that guestmux adds "
            "are not in it. Stop the guest before running it by hand: both "
            "would write to the same disks.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = 1,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
