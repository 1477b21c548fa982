#include "base/json.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"

/* What the server gets on top of the timeout to answer, ms. */
#define GRACE_MS 10000u

static const struct option options[] = {
    {
        .name = "timeout",
        .type = OPTION_SECONDS,
        .value = "SECONDS",
        .default_value = "10",
        .min = 1,
        .max = 600000,
        .summary = "how long QEMU may take",
    },
    ROW_JSON,
};

static int
tell(const struct cli *cli, const json_t *value)
{
    (void)cli;
    output_json(value);
    return COMMAND_DONE;
}

static int
run(struct cli *cli)
{
    const struct options *given = &cli->options;
    struct error error = {0};
    json_t *inner = NULL;
    if (given->argument_count > 2 &&
        !(inner = input_json(given->arguments[2], &error))) {
        error_prefix(&error, "qmp");
        return cli_fail_usage(cli, &error);
    }
    int64_t timeout_ms = options_number(given, "timeout");
    json_t *arguments =
        json_pack("{s:o,s:o,s:I}", "guest", json_from_text(given->arguments[0]),
                  "command", json_from_text(given->arguments[1]), "timeout-ms",
                  (json_int_t)timeout_ms);
    if (inner)
        json_object_set_new(arguments, "arguments", inner);
    return session_ask(cli, "guest-qmp", arguments,
                       (uint64_t)timeout_ms + GRACE_MS, tell);
}

const struct command cmd_qmp = {
    .name = "qmp",
    .usage = "GUEST COMMAND [JSON]",
    .summary = "Send a QMP command to a guest's QEMU",
    .text = "JSON is an object with the command's arguments; \"-\" reads it "
            "from standard input. What QEMU returns is printed as JSON; its "
            "errors are told in its own words.",
    COMMAND_OPTIONS(options),
    .min_arguments = 2,
    .max_arguments = 3,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
