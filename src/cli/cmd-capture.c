#include "base/json.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"
#include "cli/strip.h"

#include <stdio.h>

static const struct option options[] = {
    {
        .name = "history",
        .letter = 'H',
        .type = OPTION_INTEGER,
        .value = "N",
        .default_value = "0",
        .max = 1000000,
        .summary = "so many rows of the scrollback above the screen too",
    },
    {
        .name = "ansi",
        .letter = 'a',
        .type = OPTION_FLAG,
        .summary = "keep colours and attributes, as SGR sequences",
    },
    {
        .name = "join",
        .letter = 'J',
        .type = OPTION_FLAG,
        .summary = "join the rows of wrapped lines",
    },
    ROW_JSON,
};

static void
print_screen(const json_t *value, unsigned flags)
{
    const json_t *text = json_object_get(value, "text");
    struct strip strip = {.flags = flags};
    struct buffer out = {0};
    if (json_is_string(text))
        strip_feed(&strip, json_string_value(text), json_string_length(text),
                   &out);
    while (out.len && out.data[out.len - 1] == '\n')
        out.len--;
    (void)fwrite(out.data ? out.data : "", 1, out.len, stdout);
    if (out.len)
        (void)putchar('\n');
    buffer_finish(&out);
    strip_finish(&strip);
}

static int
tell(const struct cli *cli, const json_t *value)
{
    if (options_has(&cli->options, "json"))
        output_json(value);
    else
        print_screen(value, options_has(&cli->options, "ansi") ? STRIP_KEEP_SGR
                                                               : STRIP_ALL);
    return COMMAND_DONE;
}

static int
run(struct cli *cli)
{
    json_t *arguments = json_pack(
        "{s:o,s:I,s:b,s:b}", "guest", json_from_text(cli->options.arguments[0]),
        "history", (json_int_t)options_number(&cli->options, "history"), "ansi",
        options_has(&cli->options, "ansi"), "join",
        options_has(&cli->options, "join"));
    return session_ask(cli, "console-capture", arguments,
                       SESSION_REPLY_TIMEOUT_MS, tell);
}

const struct command cmd_capture = {
    .name = "capture",
    .usage = "GUEST[:CONSOLE] [--history N] [--ansi]",
    .summary = "Print what stands on a console's screen",
    .text = "Blank rows at the end are left out.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = 1,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
