#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/plain.h"
#include "cli/rows.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option options[] = {
    {
        .name = "plain",
        .letter = 'p',
        .type = OPTION_FLAG,
        .summary = "lines of text instead of a screen",
    },
    ROW_READ_ONLY,
};

/* A terminal without a cursor to move, or output that is none. */
static bool
is_dumb(void)
{
    const char *term = getenv("TERM");
    return isatty(STDIN_FILENO) && (!isatty(STDOUT_FILENO) || !term ||
                                    !term[0] || strcmp(term, "dumb") == 0);
}

static int
run(struct cli *cli)
{
    const char *console = cli->options.arguments[0];
    bool is_readonly = options_has(&cli->options, "read-only");
    if (options_has(&cli->options, "plain") || is_dumb())
        return plain_run(cli, console, is_readonly);
    return cli_run_deck(cli, console,
                        CLI_DECK_SINGLE |
                            (is_readonly ? CLI_DECK_READ_ONLY : 0u));
}

const struct command cmd_console = {
    .name = "console",
    .usage = "GUEST[:CONSOLE] [--plain] [--read-only]",
    .summary = "Open one console, without the rest of the deck",
    .text = "The whole terminal is the console; the prefix key works as in the "
            "deck (prefix, then d leaves). With --plain, with TERM=dumb, and "
            "when the output is no terminal, it is lines of text: what the "
            "guest prints goes by without its escape sequences, what is typed "
            "goes to the guest, C-] d leaves, and so does the end of the "
            "input.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = 1,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
