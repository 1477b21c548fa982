#include "base/json.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"

#include <stdio.h>

static const struct option options[] = {
    {
        .name = "force",
        .type = OPTION_FLAG,
        .summary = "type it whatever stands on the screen",
    },
    {
        .name = "print",
        .letter = 'n',
        .type = OPTION_FLAG,
        .summary = "print what would be typed, and type nothing",
    },
    ROW_JSON,
};

static int
tell(const struct cli *cli, const json_t *answer)
{
    const char *guest = cli->options.arguments[0];
    const char *text = guests_text(answer, "text");
    bool is_typed = json_is_true(json_object_get(answer, "typed"));
    bool is_print = options_has(&cli->options, "print");
    if (options_has(&cli->options, "json")) {
        output_json(answer);
    } else if (is_print) {
        output_line(text);
    } else if (is_typed) {
        (void)printf("%s: typed `%s`\n", guest, text);
    } else {
        cli_warn("%s: not typed, because %s. It would be `%s`; --force types "
                 "it anyway.",
                 guest, guests_text(answer, "reason"), text);
    }
    return is_typed || is_print ? COMMAND_DONE : COMMAND_FAILED;
}

static int
run(struct cli *cli)
{
    json_t *arguments = json_pack(
        "{s:o,s:b,s:b}", "guest", json_from_text(cli->options.arguments[0]),
        "force", options_has(&cli->options, "force"), "dry-run",
        options_has(&cli->options, "print"));
    return session_ask(cli, "console-fit", arguments, SESSION_REPLY_TIMEOUT_MS,
                       tell);
}

const struct command cmd_fit = {
    .name = "fit",
    .usage = "GUEST[:CONSOLE] [--force | --print]",
    .summary = "Tell a guest the size of its console",
    .text =
        "A serial line has no window size, so the guest's programs take 80x24. "
        "This types `stty rows R cols C` with the console's size, but only "
        "when a shell's prompt stands there with nothing behind it; else it "
        "says what it would type, and why it did not.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = 1,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
