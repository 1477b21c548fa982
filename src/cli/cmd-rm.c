#include "base/buffer.h"
#include "base/xalloc.h"
#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option options[] = {
    {
        .name = "purge",
        .type = OPTION_FLAG,
        .summary = "delete their console logs and exit reports too",
    },
    {
        .name = "disks",
        .type = OPTION_FLAG,
        .summary = "delete the disks that guestmux made for them too",
    },
    ROW_YES,
    ROW_JSON,
};

/* The images that guestmux made for the guests among the arguments: their
 * files, a line each. The caller frees it. */
static char *
list_images(struct cli *cli, size_t *ret_count)
{
    struct buffer lines = {0};
    json_t *value = NULL;
    size_t count = 0;
    struct session *session = session_open(cli, CONNECTION_START_SERVER, NULL);
    if (session)
        (void)session_call(session, "disk-list", NULL, SESSION_REPLY_TIMEOUT_MS,
                           &value, NULL);
    size_t index;
    const json_t *disk;
    json_array_foreach(json_object_get(value, "disks"), index, disk)
    {
        const char *guest = json_string_value(json_object_get(disk, "guest"));
        bool is_wanted = false;
        for (int i = 0; i < cli->options.argument_count; i++)
            is_wanted = is_wanted || !strcmp(cli->options.arguments[i], guest);
        if (!is_wanted || !json_is_true(json_object_get(disk, "made")) ||
            !json_is_true(json_object_get(disk, "exists")))
            continue;
        buffer_printf(&lines, "    %s\n",
                      json_string_value(json_object_get(disk, "file")));
        count++;
    }
    json_decref(value);
    session_close(session);
    *ret_count = count;
    return buffer_steal(&lines);
}

/* What is deleted besides the definitions; NULL: nothing. The caller frees
 * it. */
static char *
consequence(const struct cli *cli, size_t images)
{
    bool purges = options_has(&cli->options, "purge");
    if (options_has(&cli->options, "disks") && images)
        return xasprintf("%sall that is on %zu disk%s is lost, see above",
                         purges ? "their logs are deleted too, and " : "",
                         images, images == 1 ? "" : "s");
    return purges ? xstrdup("their logs are deleted too") : NULL;
}

static bool
confirm(struct cli *cli, const char *images, size_t count)
{
    if (options_has(&cli->options, "disks") && count &&
        !options_has(&cli->options, "yes"))
        (void)fprintf(stderr, "disks that would be deleted:\n%s", images);
    char *what = consequence(cli, count);
    bool yes = act_confirm_arguments(cli, "forget", what);
    free(what);
    return yes;
}

static int
run(struct cli *cli)
{
    bool purges = options_has(&cli->options, "purge");
    bool takes_disks = options_has(&cli->options, "disks");
    struct error error = {0};
    if ((purges || takes_disks) && !options_has(&cli->options, "yes") &&
        !isatty(STDIN_FILENO)) {
        error_set(&error, ERROR_CODE_INVALID,
                  "rm: %s; without a terminal to ask on it wants --yes",
                  takes_disks ? "--disks deletes disks"
                              : "--purge deletes logs");
        return cli_fail_usage(cli, &error);
    }
    size_t count = 0;
    char *images = list_images(cli, &count);
    if (!confirm(cli, images, count)) {
        free(images);
        return COMMAND_FAILED;
    }
    json_t *arguments =
        json_pack("{s:b,s:b}", "purge", purges, "disks", takes_disks);
    struct act act = {
        .method = "guest-remove",
        .arguments = arguments,
        .timeout_ms = SESSION_REPLY_TIMEOUT_MS,
        .done = "removed",
    };
    int status = act_on_arguments(cli, &act);
    if (status == COMMAND_DONE && count && !takes_disks)
        (void)fprintf(stderr, "their disks stay (--disks deletes them):\n%s",
                      images);
    json_decref(arguments);
    free(images);
    return status;
}

const struct command cmd_rm = {
    .name = "rm",
    .alias = "remove",
    .usage = "[--purge] [--disks] GUEST…",
    .summary = "Forget guests that do not run",
    .text =
        "Takes their definitions away. Logs go only with --purge; disks "
        "that guestmux made only with --disks, and it says where they are "
        "else. Your own images are never touched. Asks first on a terminal, unless --yes is "
        "given; without a terminal --purge and --disks want --yes.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .flags = COMMAND_CONFIRMS,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run,
};
