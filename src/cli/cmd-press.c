#include "base/json.h"
#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/rows.h"

#include <strings.h>

static const struct option options[] = {
    ROW_YES,
    ROW_JSON,
};

/* What PC keyboards restart a machine with. */
static bool
restarts(const char *combination)
{
    return strcasecmp(combination, "ctrl-alt-delete") == 0 ||
           strcasecmp(combination, "ctrl-alt-del") == 0;
}

static int
run(struct cli *cli)
{
    const char *guest = cli->options.arguments[0];
    json_t *keys = json_array();
    bool is_asked = false;
    for (int i = 1; i < cli->options.argument_count; i++) {
        is_asked = is_asked || restarts(cli->options.arguments[i]);
        json_array_append_new(keys, json_from_text(cli->options.arguments[i]));
    }
    json_t *arguments = json_pack("{s:o}", "keys", keys);
    struct act act = {
        .method = "guest-keys",
        .arguments = arguments,
        .timeout_ms = SESSION_REPLY_TIMEOUT_MS,
        .done = "pressed",
    };
    int status = COMMAND_FAILED;
    if (!is_asked || act_confirm(cli, &guest, 1, "press Ctrl-Alt-Delete of",
                                 "it most likely reboots"))
        status = act_on_one(cli, guest, &act);
    json_decref(arguments);
    return status;
}

const struct command cmd_press = {
    .name = "press",
    .usage = "GUEST COMBINATION…",
    .summary = "Press keys of a guest's own keyboard",
    .text = "A combination is names of keys with dashes between them: "
            "ctrl-alt-delete, alt-f2, ret. Names are QEMU's, and the usual "
            "ones. This is the keyboard of the guest's screen, not its "
            "console: `send` types there. On a terminal, ctrl-alt-delete asks "
            "first unless --yes is given.",
    COMMAND_OPTIONS(options),
    .min_arguments = 2,
    .max_arguments = -1,
    .flags = COMMAND_CONFIRMS,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
