#include "base/json.h"
#include "server/api.h"
#include "server/peer.h"
#include "server/server-internal.h"
#include "server/watch.h"

#include <string.h>

#define ARGUMENT_ONLY_GUEST                                                    \
    {                                                                          \
        "guest", ARGUMENT_STRING, 0, 0, 0, "Only of this guest"                \
    }
#define ARGUMENT_ID                                                            \
    {                                                                          \
        "id", ARGUMENT_INTEGER, 0, 1, INT64_MAX, "Only this one"               \
    }
#define ARGUMENT_SINCE                                                         \
    {                                                                          \
        "since-ms", ARGUMENT_INTEGER, 0, 0, INT64_MAX,                         \
            "Only what happened then or later; ms since 1970"                  \
    }
#define ARGUMENT_SEVERITY                                                      \
    {                                                                          \
        "severity", ARGUMENT_STRING, 0, 0, 0,                                  \
            "Only this one and worse: info, warning, critical"                 \
    }

static bool
take_severity(const json_t *arguments, int *ret_severity, struct error *error)
{
    const char *text = argument_string(arguments, "severity");
    *ret_severity = ALERT_UNSET;
    if (!text || alert_severity_parse(text, ret_severity))
        return true;
    return error_set(error, ERROR_CODE_INVALID,
                     "argument 'severity': there is no \"%.32s\"; it is info, "
                     "warning or critical",
                     text);
}

static bool
take_choice(struct request *request, const json_t *arguments,
            struct alerts_choice *choice, struct error *error)
{
    *choice = (struct alerts_choice){
        .guest = argument_string(arguments, "guest"),
        .id = argument_integer(arguments, "id", 0),
        .since_ms = argument_integer(arguments, "since-ms", 0),
    };
    if (!take_severity(arguments, &choice->severity, error))
        return false;
    /* a guest that was removed may have alerts still */
    json_t *own = NULL;
    if (choice->guest) {
        own = alerts_list(watch_alerts(request_server(request)), choice);
        bool has_own = json_array_size(own) > 0;
        json_decref(own);
        return has_own || registry_find(request_server(request), choice->guest,
                                        error) != NULL;
    }
    return true;
}

static bool
run_list(struct request *request, const json_t *arguments, struct error *error)
{
    struct alerts_choice choice;
    if (!take_choice(request, arguments, &choice, error))
        return false;
    request_return(
        request,
        json_pack("{s:o}", "alerts",
                  alerts_list(watch_alerts(request_server(request)), &choice)));
    return true;
}

/* Tells all clients which alerts are not as they were. ids: stolen. */
static void
tell_ids(struct server *server, const char *event, json_t *ids)
{
    if (json_array_size(ids))
        server_emit(server, event, json_pack("{s:O}", "ids", ids));
    json_decref(ids);
}

static bool
run_clear(struct request *request, const json_t *arguments, struct error *error)
{
    struct server *server = request_server(request);
    struct alerts_choice choice;
    if (!take_choice(request, arguments, &choice, error))
        return false;
    json_t *ids = alerts_clear(watch_alerts(server), &choice);
    lifecycle_cleared(server, request_peer(request), ids);
    json_t *answer = json_pack("{s:i}", "cleared", (int)json_array_size(ids));
    tell_ids(server, "ALERTS_CLEARED", ids);
    request_return(request, answer);
    return true;
}

static bool
run_seen(struct request *request, const json_t *arguments, struct error *error)
{
    struct server *server = request_server(request);
    struct alerts_choice choice;
    if (!take_choice(request, arguments, &choice, error))
        return false;
    json_t *ids = alerts_see(watch_alerts(server), &choice);
    lifecycle_seen(server, ids);
    tell_ids(server, "ALERTS_SEEN", ids);
    request_return(request, NULL);
    return true;
}

static json_t *
rule_to_json(const struct rule *rule)
{
    json_t *object =
        json_pack("{s:s,s:s,s:s,s:o,s:o}", "name", rule->name, "source",
                  rule->source, "severity", alert_severity_name(rule->severity),
                  "message", json_from_text(rule->message), "pattern",
                  json_from_text(rule->pattern));
    if (rule->is_prompt)
        json_object_set_new(object, "prompt", json_true());
    if (!rule->run)
        return object;
    json_t *words = json_array();
    for (char **word = rule->run; *word; word++)
        json_array_append_new(words, json_from_text(*word));
    json_object_set_new(object, "run", words);
    json_object_set_new(object, "timeout", json_integer(rule->timeout_s));
    return object;
}

static bool
run_rules(struct request *request, const json_t *arguments, struct error *error)
{
    struct server *server = request_server(request);
    const char *name = argument_string(arguments, "guest");
    struct guest *guest = name ? registry_find(server, name, error) : NULL;
    if (name && !guest)
        return false;
    struct ruleset *rules =
        guest ? watch_rules(server, registry_member(server, guest))
              : watch_common_rules(server);
    json_t *list = json_array();
    for (size_t i = 0; i < ruleset_count(rules); i++)
        json_array_append_new(list, rule_to_json(ruleset_rule(rules, i)));
    const struct alert_file *settings = watch_settings(server);
    request_return(
        request, json_pack("{s:o,s:s,s:s,s:s,s:o}", "rules", list, "bell",
                           alert_severity_name(settings->bell), "notify",
                           alert_severity_name(settings->notify), "notify-with",
                           settings->is_notify_777 ? "osc777" : "osc9",
                           "problems", json_from_text(watch_problems(server))));
    return true;
}

static bool
run_reload(struct request *request, const json_t *arguments,
           struct error *error)
{
    (void)arguments;
    const char *problems = watch_reload(request_server(request));
    server_emit(request_server(request), "ALERT_RULES_CHANGED", json_object());
    if (problems[0])
        return error_set(error, ERROR_CODE_INVALID, "%s", problems);
    request_return(request, NULL);
    return true;
}

/* Whether there is, or was, a guest of each name. */
static bool
check_names(struct server *server, const json_t *names, struct error *error)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        json_t *name = json_array_get(names, i);
        json_t *one = json_pack("[O]", name);
        struct journal_query query = {
            .guests = one, .severity = ALERT_UNSET, .limit = 1};
        json_t *records = journal_find(watch_journal(server), &query);
        bool is_known = json_array_size(records) > 0 ||
                        registry_find(server, json_string_value(name), error);
        json_decref(records);
        json_decref(one);
        if (!is_known)
            return false;
    }
    return true;
}

static bool
run_events(struct request *request, const json_t *arguments,
           struct error *error)
{
    struct journal_query query = {
        .since_ms = argument_integer(arguments, "since-ms", 0),
        .until_ms = argument_integer(arguments, "until-ms", 0),
        .guests = json_object_get(arguments, "guests"),
        .kind = argument_string(arguments, "kind"),
        .limit = (size_t)argument_integer(arguments, "limit", 0),
    };
    const struct journal *journal = watch_journal(request_server(request));
    if (!take_severity(arguments, &query.severity, error) ||
        !check_names(request_server(request), query.guests, error))
        return false;
    request_return(request,
                   json_pack("{s:o}", "events", journal_find(journal, &query)));
    return true;
}

static bool
run_silence(struct request *request, const json_t *arguments,
            struct error *error)
{
    struct server *server = request_server(request);
    size_t index = 0;
    struct guest *guest = registry_find_console(
        server, argument_string(arguments, "guest"), &index, error);
    if (!guest)
        return false;
    silence_set(server, registry_member(server, guest), index,
                (int)argument_integer(arguments, "silence-s", 0));
    request_return(request, NULL);
    return true;
}

static bool
run_activity(struct request *request, const json_t *arguments,
             struct error *error)
{
    struct server *server = request_server(request);
    size_t index = 0;
    struct guest *guest = registry_find_console(
        server, argument_string(arguments, "guest"), &index, error);
    if (!guest)
        return false;
    struct member *member = registry_member(server, guest);
    member->consoles[index].watch.is_activity_wanted =
        argument_boolean(arguments, "on");
    registry_note_change(server, member);
    request_return(request, NULL);
    return true;
}

static const struct method methods[] = {
    {
        .name = "alert-list",
        .summary = "The alerts that were not cleared, oldest first",
        .flags = METHOD_READS,
        .arguments = {ARGUMENT_ONLY_GUEST, ARGUMENT_SEVERITY, ARGUMENT_SINCE},
        .run = run_list,
    },
    {
        .name = "alert-clear",
        .summary = "Takes alerts off the list: all, or those that are named",
        .arguments = {ARGUMENT_ONLY_GUEST, ARGUMENT_ID, ARGUMENT_SEVERITY},
        .run = run_clear,
    },
    {
        .name = "alert-seen",
        .summary = "Notes that somebody looked at alerts",
        .arguments = {ARGUMENT_ONLY_GUEST, ARGUMENT_ID},
        .run = run_seen,
    },
    {
        .name = "alert-rules",
        .summary = "The alert rules that count, and what is wrong with the "
                   "user's",
        .flags = METHOD_READS,
        .arguments = {{"guest", ARGUMENT_STRING, 0, 0, 0,
                       "Those for this guest, its own among them"}},
        .run = run_rules,
    },
    {
        .name = "alert-reload",
        .summary = "Reads the user's alert rules again",
        .run = run_reload,
    },
    {
        .name = "event-list",
        .summary = "What happened to the guests, and who did what",
        .flags = METHOD_READS,
        .arguments =
            {
                ARGUMENT_SINCE,
                {"until-ms", ARGUMENT_INTEGER, 0, 0, INT64_MAX, "… or earlier"},
                {"guests", ARGUMENT_STRINGS, 0, 0, 0, "Only these guests"},
                {"kind", ARGUMENT_STRING, 0, 0, 0,
                 "Only state, stage, alert, action or notice"},
                ARGUMENT_SEVERITY,
                {"limit", ARGUMENT_INTEGER, 0, 1, JOURNAL_MAX_ANSWER,
                 "The newest so many; 10000 by default"},
            },
        .run = run_events,
    },
    {
        .name = "silence-set",
        .summary = "Watches for a console's silence until the server ends",
        .arguments =
            {
                ARGUMENT_CONSOLE,
                {"silence-s", ARGUMENT_INTEGER, ARGUMENT_REQUIRED, 0,
                 SPEC_MAX_SILENCE_S,
                 "Seconds without output that raise an alert; 0: never"},
            },
        .run = run_silence,
    },
    {
        .name = "activity-set",
        .summary = "Watches for a console's next output, or no more",
        .arguments =
            {
                ARGUMENT_CONSOLE,
                {"on", ARGUMENT_BOOLEAN, ARGUMENT_REQUIRED, 0, 0,
                 "Whether its next output raises an alert, once"},
            },
        .run = run_activity,
    },
};

const struct method_table methods_alert = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
