#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/labels.h"
#include "cli/rows.h"
#include "cli/takedown.h"

static const struct option options[] = {
    ROW_LABEL,
    {
        .name = "force",
        .type = OPTION_FLAG,
        .summary = "force off what did not shut down in time, step by step",
    },
    ROW_TIMEOUT("60", "how long a guest may take; what its definition says, "
                      "when this is not given"),
    ROW_NO_WAIT,
    ROW_JSON,
};

/* Begins, and tells how they are then. */
static int
begin(struct cli *cli, uint64_t timeout_ms)
{
    json_t *arguments =
        json_pack("{s:b}", "force", options_has(&cli->options, "force"));
    if (timeout_ms)
        json_object_set_new(arguments, "timeout-ms",
                            json_integer((json_int_t)timeout_ms));
    struct act act = {
        .method = "guest-shutdown",
        .arguments = arguments,
    };
    int status = act_on_arguments(cli, &act);
    json_decref(arguments);
    return status;
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    bool is_timed = options_has(&cli->options, "timeout");
    struct takedown_options wanted = {
        .timeout_ms =
            is_timed ? (uint64_t)options_number(&cli->options, "timeout") : 0,
        .is_forced = options_has(&cli->options, "force"),
    };
    if (options_has(&cli->options, "no-wait"))
        return begin(cli, wanted.timeout_ms);
    struct session *session =
        session_open(cli, CONNECTION_START_SERVER, &error);
    json_t *guests = session ? guests_list(session, &error) : NULL;
    int status =
        guests
            ? takedown_run(cli, session,
                           (const char *const *)cli->options.arguments,
                           (size_t)cli->options.argument_count, guests, &wanted)
            : session_fail(session, &error);
    json_decref(guests);
    session_close(session);
    return status;
}

const struct command cmd_shutdown = {
    .name = "shutdown",
    .usage = "GUEST…",
    .summary = "Press the power button (ACPI) and wait for the guests to end",
    .text = "A guest that ignores the button is left running when the time is "
            "over (exit status 3), or forced off with --force; the steps and "
            "their times are the definition's (shutdown in "
            "guestmux-fleet(5)). On a terminal the time left is shown, and "
            "any key stops it.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run,
};
