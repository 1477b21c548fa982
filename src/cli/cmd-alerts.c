#include "base/clock.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option options[] = {
    {
        .name = "severity",
        .type = OPTION_TEXT,
        .value = "SEVERITY",
        .summary = "only this and worse: info, warning, critical",
    },
    {
        .name = "clear",
        .type = OPTION_FLAG,
        .summary = "take them off the list instead",
    },
    {
        .name = "rules",
        .type = OPTION_FLAG,
        .summary = "list the rules that count, for a guest if one is named",
    },
    {
        .name = "reload",
        .type = OPTION_FLAG,
        .summary = "have the server read alerts.json again",
    },
    ROW_JSON,
};

static enum output_style
style_of(const json_t *object)
{
    const char *severity = guests_text(object, "severity");
    if (strcmp(severity, "critical") == 0)
        return OUTPUT_RED;
    return strcmp(severity, "warning") == 0 ? OUTPUT_YELLOW : OUTPUT_PLAIN;
}

/* Calls a method with the severity, and with a guest unless it is NULL. */
static bool
call(struct cli *cli, struct session *session, const char *method,
     const char *guest, json_t **ret_value, struct error *error)
{
    json_t *arguments = json_object();
    const char *severity = options_text(&cli->options, "severity");
    if (severity)
        json_object_set_new(arguments, "severity", json_from_text(severity));
    if (guest)
        json_object_set_new(arguments, "guest", json_from_text(guest));
    return session_call(session, method, arguments, SESSION_REPLY_TIMEOUT_MS,
                        ret_value, error);
}

static void
add_alert(struct output_table *table, const json_t *alert)
{
    char when[MOMENT_MAX_BYTES];
    char count[32] = "";
    moment_format(guests_number(alert, "last-ms"), MOMENT_DATE, when);
    if (guests_number(alert, "count") > 1)
        (void)snprintf(count, sizeof(count), "%lld",
                       (long long)guests_number(alert, "count"));
    const char *guest = guests_text(alert, "guest");
    const char *console = guests_text(alert, "console");
    char *name = console[0] ? xasprintf("%s:%s", guest, console)
                            : xstrdup(guest[0] ? guest : "-");
    const char *const cells[] = {
        when,  guests_text(alert, "severity"), name,
        count, guests_text(alert, "text"),     guests_text(alert, "line"),
    };
    output_table_add(table, cells);
    output_table_style(table, 1, style_of(alert));
    free(name);
}

/* All of the guests that were named, by time as they come. */
static bool
list_alerts(struct cli *cli, struct session *session, json_t *list,
            struct error *error)
{
    int count = cli->options.argument_count;
    for (int i = 0; i < count || i == 0; i++) {
        json_t *value = NULL;
        const char *guest = count ? cli->options.arguments[i] : NULL;
        if (!call(cli, session, "alert-list", guest, &value, error))
            return false;
        json_array_extend(list, json_object_get(value, "alerts"));
        json_decref(value);
    }
    return true;
}

static bool
print_alerts(struct cli *cli, struct session *session, struct error *error)
{
    static const char *const head[] = {"TIME",  "SEVERITY", "GUEST",
                                       "COUNT", "ALERT",    "LINE"};
    json_t *list = json_array();
    bool ok = list_alerts(cli, session, list, error);
    if (ok && options_has(&cli->options, "json")) {
        output_json(list);
    } else if (ok && json_array_size(list)) {
        struct output_table *table = output_table_new(6);
        output_table_add(table, head);
        for (size_t i = 0; i < json_array_size(list); i++)
            add_alert(table, json_array_get(list, i));
        output_table_print(table);
    } else if (ok) {
        (void)fprintf(stderr, "no alerts\n");
    }
    json_decref(list);
    return ok;
}

static bool
clear_alerts(struct cli *cli, struct session *session, struct error *error)
{
    int count = cli->options.argument_count;
    json_int_t cleared = 0;
    for (int i = 0; i < count || i == 0; i++) {
        json_t *value = NULL;
        const char *guest = count ? cli->options.arguments[i] : NULL;
        if (!call(cli, session, "alert-clear", guest, &value, error))
            return false;
        cleared += guests_number(value, "cleared");
        json_decref(value);
    }
    if (options_has(&cli->options, "json")) {
        json_t *value = json_pack("{s:I}", "cleared", cleared);
        output_json(value);
        json_decref(value);
    } else {
        (void)fprintf(stderr, "cleared %lld alert%s\n", (long long)cleared,
                      cleared == 1 ? "" : "s");
    }
    return true;
}

static bool
print_rules(struct cli *cli, struct session *session, struct error *error)
{
    static const char *const head[] = {"NAME", "SEVERITY", "FROM", "MESSAGE",
                                       "PATTERN"};
    json_t *value = NULL;
    const char *guest =
        cli->options.argument_count ? cli->options.arguments[0] : NULL;
    json_t *arguments = json_object();
    if (guest)
        json_object_set_new(arguments, "guest", json_from_text(guest));
    if (!session_call(session, "alert-rules", arguments,
                      SESSION_REPLY_TIMEOUT_MS, &value, error))
        return false;
    const json_t *rules = json_object_get(value, "rules");
    const char *problems = guests_text(value, "problems");
    if (options_has(&cli->options, "json")) {
        output_json(value);
        json_decref(value);
        return true;
    }
    struct output_table *table = output_table_new(5);
    output_table_add(table, head);
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);
        const char *const cells[] = {
            guests_text(rule, "name"),    guests_text(rule, "severity"),
            guests_text(rule, "source"),  guests_text(rule, "message"),
            guests_text(rule, "pattern"),
        };
        output_table_add(table, cells);
        output_table_style(table, 1, style_of(rule));
    }
    output_table_print(table);
    bool ok =
        !problems[0] || error_set(error, ERROR_CODE_INVALID, "%s", problems);
    json_decref(value);
    return ok;
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    bool clears = options_has(&cli->options, "clear");
    bool rules = options_has(&cli->options, "rules");
    bool reloads = options_has(&cli->options, "reload");
    if (clears + rules + reloads > 1 ||
        (rules && cli->options.argument_count > 1) ||
        (reloads && cli->options.argument_count)) {
        error_set(&error, ERROR_CODE_INVALID,
                  "alerts: --clear, --rules [GUEST] and --reload exclude each "
                  "other");
        return cli_fail_usage(cli, &error);
    }
    struct session *session =
        session_open(cli, CONNECTION_START_SERVER, &error);
    bool ok = session != NULL;
    if (ok && clears)
        ok = clear_alerts(cli, session, &error);
    else if (ok && rules)
        ok = print_rules(cli, session, &error);
    else if (ok && reloads)
        ok = session_call(session, "alert-reload", NULL,
                          SESSION_REPLY_TIMEOUT_MS, NULL, &error);
    else if (ok)
        ok = print_alerts(cli, session, &error);
    int status = ok ? COMMAND_DONE : session_fail(session, &error);
    session_close(session);
    return status;
}

const struct command cmd_alerts = {
    .name = "alerts",
    .usage = "[GUEST…] [--severity SEVERITY] [--clear] | --rules | --reload",
    .summary = "List what an operator should look at",
    .text = "Lines of guests that alert rules match, guests that crashed, "
            "consoles that fell silent, and whatever else the server has to "
            "tell, until it is cleared. guestmux-config(5) tells about rules.",
    COMMAND_OPTIONS(options),
    .max_arguments = -1,
    .argument = COMMAND_ARGUMENT_GUESTS,
    .run = run,
};
