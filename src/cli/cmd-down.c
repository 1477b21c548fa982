#include "base/xalloc.h"
#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/labels.h"
#include "cli/rows.h"
#include "cli/takedown.h"

#include <stdio.h>
#include <stdlib.h>

static const struct option options[] = {
    ROW_LABEL,
    {
        .name = "force",
        .type = OPTION_FLAG,
        .summary = "force off what did not shut down in time, step by step",
    },
    ROW_TIMEOUT("60", "how long a guest may take; what its definition says, "
                      "when this is not given"),
    ROW_YES,
    ROW_JSON,
};

/* The guests named, or all that run; the caller frees the array. */
static const char **
collect_names(const struct cli *cli, const json_t *guests, size_t *ret_count)
{
    size_t named = (size_t)cli->options.argument_count;
    const char **names =
        xcalloc(named + json_array_size(guests) + 1, sizeof(*names));
    size_t count = 0;
    for (size_t i = 0; i < named; i++)
        names[count++] = cli->options.arguments[i];
    for (size_t i = 0; !named && i < json_array_size(guests); i++) {
        const json_t *guest = json_array_get(guests, i);
        if (guests_is_active(guest) || guests_is_pending(guest))
            names[count++] = guests_text(guest, "name");
    }
    *ret_count = count;
    return names;
}

static int
shut_down(struct cli *cli, struct session *session, const char *const *names,
          size_t count, const json_t *guests)
{
    bool is_timed = options_has(&cli->options, "timeout");
    struct takedown_options wanted = {
        .timeout_ms =
            is_timed ? (uint64_t)options_number(&cli->options, "timeout") : 0,
        .is_forced = options_has(&cli->options, "force"),
    };
    return takedown_run(cli, session, names, count, guests, &wanted);
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    struct session *session =
        session_open(cli, CONNECTION_START_SERVER, &error);
    json_t *guests = session ? guests_list(session, &error) : NULL;
    if (!guests) {
        int failed = session_fail(session, &error);
        session_close(session);
        return failed;
    }
    size_t count = 0;
    const char **names = collect_names(cli, guests, &count);
    int status = COMMAND_FAILED;
    if (!count) {
        (void)fprintf(stderr, "no guest runs\n");
        status = COMMAND_DONE;
    } else if (act_confirm(cli, names, count, "shut down", NULL)) {
        status = shut_down(cli, session, names, count, guests);
    }
    free(names);
    json_decref(guests);
    session_close(session);
    return status;
}

const struct command cmd_down = {
    .name = "down",
    .usage = "[--force] [GUEST…]",
    .summary = "Shut guests down: those named, or all that run",
    .text =
        "Presses each one's power button (ACPI), again and again, and "
        "waits; those that come \"after\" others go first, all else at once. "
        "What does not end in time is left running (exit status 3), or "
        "with --force told to quit, sent SIGTERM, and killed. On a "
        "terminal the time left is shown, and any key stops it: what has "
        "not ended goes on. Asks first on a terminal, unless --yes "
        "is given.",
    COMMAND_OPTIONS(options),
    .max_arguments = -1,
    .flags = COMMAND_CONFIRMS,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run,
};
