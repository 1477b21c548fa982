#include "base/json.h"
#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"

#include <string.h>

static const struct option options[] = {
    {
        .name = "via",
        .type = OPTION_TEXT,
        .value = "WAY",
        .default_value = "auto",
        .summary = "serial (a break, then the letter), keyboard (Alt-SysRq), "
                   "or auto: serial where the console is a serial port",
    },
    ROW_YES,
    ROW_JSON,
};

/* What the server knows. New reference; NULL with error. */
static json_t *
ask_list(struct cli *cli, struct error *error)
{
    struct session *session = session_open(cli, CONNECTION_START_SERVER, error);
    json_t *list = NULL;
    if (session)
        session_call(session, "query-sysrq", NULL, SESSION_REPLY_TIMEOUT_MS,
                     &list, error);
    session_close(session);
    return list;
}

static int
print_list(struct cli *cli)
{
    struct error error = {0};
    json_t *list = ask_list(cli, &error);
    if (!list)
        return cli_fail(&error);
    if (options_has(&cli->options, "json")) {
        output_json(list);
        json_decref(list);
        return COMMAND_DONE;
    }
    static const char *const head[] = {"NAME", "KEY", "", "WHAT IT DOES"};
    struct output_table *table = output_table_new(4);
    output_table_add(table, head);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        bool is_dangerous = json_is_true(json_object_get(row, "dangerous"));
        const char *cells[] = {
            guests_text(row, "name"),
            guests_text(row, "letter"),
            is_dangerous ? "asks" : "",
            guests_text(row, "summary"),
        };
        output_table_add(table, cells);
        if (is_dangerous)
            output_table_style(table, 2, OUTPUT_YELLOW);
    }
    output_table_print(table);
    json_decref(list);
    return COMMAND_DONE;
}

/* The row of that name or letter; NULL: the server will say so. */
static const json_t *
find_row(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        if (strcmp(guests_text(row, "name"), name) == 0 ||
            strcmp(guests_text(row, "letter"), name) == 0)
            return row;
    }
    return NULL;
}

static bool
confirm(struct cli *cli, const char *guest, const char *name, bool *ret_yes,
        struct error *error)
{
    *ret_yes = true;
    if (options_has(&cli->options, "yes"))
        return true;
    json_t *list = ask_list(cli, error);
    if (!list)
        return false;
    const json_t *row = find_row(list, name);
    if (row && json_is_true(json_object_get(row, "dangerous"))) {
        char what[128];
        (void)snprintf(what, sizeof(what), "send SysRq %s to",
                       guests_text(row, "name"));
        *ret_yes =
            act_confirm(cli, &guest, 1, what, guests_text(row, "summary"));
    }
    json_decref(list);
    return true;
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    if (cli->options.argument_count == 0)
        return print_list(cli);
    if (cli->options.argument_count == 1) {
        error_set(&error, ERROR_CODE_INVALID,
                  "sysrq: say what: `guestmux sysrq` lists the names");
        return cli_fail_usage(cli, &error);
    }
    const char *guest = cli->options.arguments[0];
    const char *name = cli->options.arguments[1];
    bool is_wanted = false;
    if (!confirm(cli, guest, name, &is_wanted, &error))
        return cli_fail(&error);
    if (!is_wanted)
        return COMMAND_FAILED;
    json_t *arguments =
        json_pack("{s:o,s:o}", "key", json_from_text(name), "via",
                  json_from_text(options_text(&cli->options, "via")));
    struct act act = {
        .method = "guest-sysrq",
        .arguments = arguments,
        .timeout_ms = SESSION_REPLY_TIMEOUT_MS,
        .done = "SysRq sent",
    };
    int status = act_on_one(cli, guest, &act);
    json_decref(arguments);
    return status;
}

const struct command cmd_sysrq = {
    .name = "sysrq",
    .usage = "[GUEST[:CONSOLE] NAME]",
    .summary = "Ask a guest's Linux for a magic SysRq function",
    .text = "NAME is a name or SysRq's letter: sync, remount-read-only, "
            "show-blocked-tasks, reboot, crash …; without arguments all are "
            "listed. On a terminal, those that end programs or the guest ask "
            "first, unless --yes is given. The guest's kernel has to allow it: "
            "the kernel parameter sysrq_always_enabled, or the sysctl "
            "kernel.sysrq; what it says then stands on its console.",
    COMMAND_OPTIONS(options),
    .min_arguments = 0,
    .max_arguments = 2,
    .flags = COMMAND_CONFIRMS,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
