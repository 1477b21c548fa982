#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/labels.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"

#include <stdio.h>
#include <string.h>

static const struct option options[] = {
    ROW_LABEL,
    {
        .name = "names",
        .letter = 'q',
        .type = OPTION_FLAG,
        .summary = "print nothing but the names, one a line",
    },
    {
        .name = "state",
        .type = OPTION_TEXT,
        .value = "STATE",
        .summary = "only guests in this state",
    },
    {
        .name = "no-start",
        .type = OPTION_FLAG,
        .flags = OPTION_HIDDEN,
        .summary = "do not start a server (for completion)",
    },
    ROW_JSON,
};

static bool
is_wanted(const struct cli *cli, const json_t *guest)
{
    const char *state = options_text(&cli->options, "state");
    if (state && strcmp(guests_text(guest, "state"), state) != 0)
        return false;
    for (int i = 0; i < cli->options.argument_count; i++) {
        if (strcmp(cli->options.arguments[i], guests_text(guest, "name")) == 0)
            return true;
    }
    return cli->options.argument_count == 0;
}

/* Whether every name among the arguments is there. */
static bool
check_names(const struct cli *cli, const json_t *guests, struct error *error)
{
    for (int i = 0; i < cli->options.argument_count; i++) {
        const char *name = cli->options.arguments[i];
        bool is_known = false;
        for (size_t j = 0; j < json_array_size(guests); j++)
            is_known = is_known ||
                       strcmp(guests_text(json_array_get(guests, j), "name"),
                              name) == 0;
        if (!is_known)
            return error_set(error, ERROR_CODE_NOT_FOUND,
                             "there is no guest \"%s\"", name);
    }
    return true;
}

static void
print(const struct cli *cli, const json_t *guests)
{
    json_t *wanted = json_array();
    for (size_t i = 0; i < json_array_size(guests); i++) {
        if (is_wanted(cli, json_array_get(guests, i)))
            json_array_append(wanted, json_array_get(guests, i));
    }
    if (options_has(&cli->options, "json")) {
        output_json(wanted);
    } else if (options_has(&cli->options, "names")) {
        for (size_t i = 0; i < json_array_size(wanted); i++)
            output_line(guests_text(json_array_get(wanted, i), "name"));
    } else if (json_array_size(wanted)) {
        guests_print_table(wanted);
    } else if (!json_array_size(guests)) {
        (void)fprintf(stderr, "no guests: `guestmux up` starts those of "
                              "guestmux.json\n");
    }
    json_decref(wanted);
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    struct session *session = session_open(
        cli,
        options_has(&cli->options, "no-start") ? CONNECTION_START_NEVER
                                               : CONNECTION_START_SERVER,
        &error);
    json_t *guests = session ? guests_list(session, &error) : NULL;
    int status = COMMAND_DONE;
    if (guests && check_names(cli, guests, &error))
        print(cli, guests);
    else
        status = session_fail(session, &error);
    json_decref(guests);
    session_close(session);
    return status;
}

const struct command cmd_ls = {
    .name = "ls",
    .alias = "list",
    .usage = "[GUEST…]",
    .summary = "List the guests with their states",
    .text =
        "STAGE is how far the boot has come (firmware, boot-loader, kernel, "
        "init, cloud-init, login, agent, ssh) and how long after its "
        "beginning. ACTIVITY is how long ago the guest last printed something; NOTE "
        "says what is wrong, or how it ended.",
    COMMAND_OPTIONS(options),
    .max_arguments = -1,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run,
};
