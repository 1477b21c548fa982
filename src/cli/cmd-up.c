#include "base/json.h"
#include "base/xalloc.h"
#include "cli/act.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"
#include "cli/startup.h"
#include "fleet/fleet.h"
#include "fleet/variables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The file that is looked for in the current directory. */
#define DEFAULT_FILE "guestmux.json"

static const struct option options[] = {
    {
        .name = "file",
        .letter = 'f',
        .type = OPTION_TEXT,
        .value = "FILE",
        .default_value = DEFAULT_FILE,
        .summary = "the fleet file; \"-\" reads it from standard input",
    },
    {
        .name = "detach",
        .letter = 'd',
        .type = OPTION_FLAG,
        .summary = "do not open the deck: return when every guest's monitor "
                   "answers",
    },
    {
        .name = "recreate",
        .type = OPTION_FLAG,
        .summary = "restart the guests that run and are defined otherwise now; "
                   "asks first",
    },
    ROW_YES,
    ROW_TIMEOUT("300", "how long the start may take with --detach; 0: any "
                       "time"),
    ROW_JSON,
};

/* The file as an absolute path: what the server is told. The caller frees. */
static char *
absolute_path(const char *file, struct error *error)
{
    if (file[0] == '/')
        return xstrdup(file);
    while (file[0] == '.' && file[1] == '/')
        file += 2;
    char *directory = getcwd(NULL, 0);
    if (!directory) {
        error_set_errno(error, errno, "cannot tell the current directory");
        return NULL;
    }
    char *path = xasprintf("%s/%s", directory, file);
    free(directory);
    return path;
}

/* The path of the file that is meant, for the server; NULL with error set. The
 * caller frees it. */
static char *
choose_path(const struct cli *cli, struct error *error)
{
    const char *file = options_text(&cli->options, "file");
    bool is_remote = options_has(&cli->options, "host");
    if (strcmp(file, "-") == 0)
        return absolute_path("stdin", error);
    if (is_remote && file[0] != '/') {
        error_set(error, ERROR_CODE_INVALID,
                  "with --host the fleet file is that machine's: give its "
                  "absolute path, or send one with -f -");
        return NULL;
    }
    char *path = absolute_path(file, error);
    if (!path || options_has(&cli->options, "file") || access(path, F_OK) == 0)
        return path;
    free(path);
    error_set(error, ERROR_CODE_NOT_FOUND,
              "there is no " DEFAULT_FILE " here; say which fleet file with "
              "-f FILE");
    return NULL;
}

/* Standard input as the file's content. */
static bool
add_text(json_t *arguments, struct error *error)
{
    struct buffer text = {0};
    bool ok = input_read_all(FLEET_FILE_MAX_BYTES, &text, error);
    if (ok)
        json_object_set_new(
            arguments, "text",
            json_from_bytes(text.len ? text.data : "", text.len));
    buffer_finish(&text);
    return ok;
}

/* The environment variables that the file's paths ask for: the server has
 * another environment. What is wrong with the file is the server's to tell. */
static void
add_variables(const struct cli *cli, json_t *arguments)
{
    const char *text = json_string_value(json_object_get(arguments, "text"));
    json_t *used = json_object();
    struct variables variables = {NULL, used};
    struct fleet_source source = {
        .file = json_string_value(json_object_get(arguments, "file")),
        .text = text,
        .len = text ? strlen(text) : 0,
        .variables = &variables,
    };
    /* With --host it is not this machine's file, and has no variables. */
    if (!options_has(&cli->options, "host"))
        fleet_free(fleet_load(&source, NULL));
    if (json_object_size(used))
        json_object_set(arguments, "variables", used);
    json_decref(used);
}

/* fleet-apply's arguments; NULL with error set. */
static json_t *
build_arguments(const struct cli *cli, bool waits, struct error *error)
{
    char *path = choose_path(cli, error);
    if (!path)
        return NULL;
    json_t *arguments = json_pack("{s:o,s:b,s:b}", "file", json_from_text(path),
                                  "start", true, "wait", waits);
    free(path);
    bool is_stdin = strcmp(options_text(&cli->options, "file"), "-") == 0;
    if (is_stdin && !add_text(arguments, error)) {
        json_decref(arguments);
        return NULL;
    }
    add_variables(cli, arguments);
    json_t *names = json_array();
    for (int i = 0; i < cli->options.argument_count; i++)
        json_array_append_new(names, json_from_text(cli->options.arguments[i]));
    if (json_array_size(names))
        json_object_set(arguments, "guests", names);
    json_decref(names);
    return arguments;
}

/* Whether a guest's exit report is about this error, not about a run before. */
static bool
is_about(const json_t *guest, const struct error *error)
{
    const json_t *exit = json_object_get(guest, "exit");
    const char *summary = json_string_value(json_object_get(exit, "summary"));
    return summary && strstr(error->text, summary);
}

/* The exit report of a guest that failed, or else the error's own text. */
static void
print_failure(struct session *session, const json_t *row)
{
    json_t *guest = NULL;
    struct error error = {0};
    error_set(&error, ERROR_CODE_GUEST, "%s", guests_text(row, "error"));
    json_t *arguments =
        json_pack("{s:o}", "guest", json_from_text(guests_text(row, "name")));
    if (session_call(session, "guest-query", arguments,
                     SESSION_REPLY_TIMEOUT_MS, &guest, NULL) &&
        is_about(guest, &error))
        guests_print_card(guest);
    else
        (void)guests_fail(guests_text(row, "name"), &error);
    json_decref(guest);
}

/* "    memory: "128M" -> "192M"" of each field that changed. */
static void
print_changes(const json_t *row)
{
    const json_t *changes = json_object_get(row, "changes");
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *one = json_array_get(changes, i);
        const json_t *values[] = {json_object_get(one, "old"),
                                  json_object_get(one, "new")};
        char *texts[2];
        for (size_t j = 0; j < 2; j++)
            texts[j] =
                json_is_null(values[j])
                    ? xstrdup("not set")
                    : json_dumps(values[j], JSON_ENCODE_ANY | JSON_COMPACT);
        char *line =
            xasprintf("    %s: %s -> %s", guests_text(one, "field"),
                      texts[0] ? texts[0] : "?", texts[1] ? texts[1] : "?");
        output_line(line);
        free(line);
        free(texts[0]);
        free(texts[1]);
    }
}

static void
print_row(struct session *session, const json_t *row, bool is_quiet)
{
    static const struct {
        const char *action;
        const char *text;
    } texts[] = {
        {"applied", "runs, and its new definition applies already"},
        {"unchanged", "runs already"},
        {"differs", "runs, defined otherwise; a restart would change"},
    };
    const char *action = guests_text(row, "action");
    if (strcmp(action, "failed") == 0) {
        print_failure(session, row);
        return;
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(texts[i].action, action) == 0)
            action = texts[i].text;
    }
    char *line = xasprintf("%s: %s", guests_text(row, "name"), action);
    if (!is_quiet)
        output_line(line);
    free(line);
    if (!is_quiet)
        print_changes(row);
}

/* Guests that are no longer in the file: nothing happens to them. */
static void
print_gone(const struct cli *cli, const json_t *result)
{
    const json_t *gone = json_object_get(result, "gone");
    for (size_t i = 0; i < json_array_size(gone); i++) {
        const char *name = json_string_value(json_array_get(gone, i));
        cli_warn("%s: is no longer in %s, and is left as it is; `guestmux down "
                 "%s` and `guestmux rm %s` take it away",
                 name, options_text(&cli->options, "file"), name, name);
    }
}

/* Restarts the guests that run otherwise than they are defined. */
static int
recreate(struct cli *cli, struct session *session, const json_t *result)
{
    const json_t *rows = json_object_get(result, "guests");
    const char **names = xcalloc(json_array_size(rows) + 1, sizeof(*names));
    size_t count = 0;
    int status = COMMAND_DONE;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        if (strcmp(guests_text(row, "action"), "differs") == 0)
            names[count++] = guests_text(row, "name");
    }
    if (count && !options_has(&cli->options, "yes") && !isatty(STDIN_FILENO)) {
        cli_warn("up: --recreate would shut guests down, and nobody can be "
                 "asked here: say --yes");
        status = COMMAND_FAILED;
    } else if (count &&
               !act_confirm(cli, names, count, "shut down and start again",
                            "to apply what differs")) {
        status = COMMAND_FAILED;
    } else if (count) {
        struct startup_restart how = {.waits = true, .done = "restarted"};
        status = startup_restart(cli, session, names, count, &how);
    }
    free(names);
    return status;
}

/* Tells of each guest; whether none failed. */
static bool
print_result(struct cli *cli, struct session *session, const json_t *result)
{
    bool is_json = options_has(&cli->options, "json");
    if (is_json)
        output_json(result);
    const json_t *warnings = json_object_get(result, "warnings");
    for (size_t i = 0; !is_json && i < json_array_size(warnings); i++)
        cli_warn("%s", json_string_value(json_array_get(warnings, i)));
    const json_t *rows = json_object_get(result, "guests");
    bool ok = true;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        ok = ok && strcmp(guests_text(row, "action"), "failed") != 0;
        print_row(session, row, is_json);
    }
    return ok;
}

static int
run_detached(struct cli *cli, struct session *session, json_t *arguments)
{
    struct error error = {0};
    json_t *result = NULL;
    if (!startup_call(session, "fleet-apply", arguments,
                      (uint64_t)options_number(&cli->options, "timeout"),
                      &result, &error)) {
        if (error.code == ERROR_CODE_TIMEOUT)
            error_set(&error, ERROR_CODE_TIMEOUT,
                      "not all guests were ready in time (--timeout): they go "
                      "on starting, and what is held back goes on waiting; see "
                      "`guestmux ls`");
        return session_fail(session, &error);
    }
    bool ok = print_result(cli, session, result);
    print_gone(cli, result);
    int status = options_has(&cli->options, "recreate")
                     ? recreate(cli, session, result)
                     : COMMAND_DONE;
    json_decref(result);
    return ok ? status : COMMAND_FAILED;
}

/* The deck shows how the guests are; what it cannot is told before. */
static int
run_attached(struct cli *cli, struct session *session, json_t *arguments)
{
    struct error error = {0};
    json_t *result = NULL;
    if (!session_call(session, "fleet-apply", arguments,
                      SESSION_REPLY_TIMEOUT_MS, &result, &error))
        return session_fail(session, &error);
    const json_t *rows = json_object_get(result, "guests");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        if (strcmp(guests_text(row, "action"), "differs") == 0)
            print_row(session, row, false);
    }
    print_gone(cli, result);
    int status = options_has(&cli->options, "recreate")
                     ? recreate(cli, session, result)
                     : COMMAND_DONE;
    json_decref(result);
    return status;
}

static int
run(struct cli *cli)
{
    bool is_detached = options_has(&cli->options, "detach");
    struct error error = {0};
    if (!is_detached && !cli_check_terminal(&error)) {
        error_prefix(&error, "up");
        (void)cli_fail(&error);
        cli_warn("up -d starts the guests without the deck");
        return COMMAND_FAILED;
    }
    json_t *arguments = build_arguments(cli, is_detached, &error);
    struct session *session =
        arguments ? session_open(cli, CONNECTION_START_SERVER, &error) : NULL;
    int status = COMMAND_DONE;
    if (!session) {
        json_decref(arguments);
        return cli_fail(&error);
    }
    if (is_detached)
        status = run_detached(cli, session, arguments);
    else
        status = run_attached(cli, session, arguments);
    session_close(session);
    if (!is_detached && status == COMMAND_DONE)
        status = cli_run_deck(cli, NULL, 0);
    return status;
}

const struct command cmd_up = {
    .name = "up",
    .usage = "[-f FILE] [-d] [GUEST…]",
    .summary = "Start the guests of a fleet file and open the deck",
    .text =
        "Guests that run already are left alone; of one that is defined otherwise now it is told what a restart would change, and --recreate restarts it (in scripts with --yes). Guests that the file defined once and does no more are told, not removed. Without GUEST all of the "
        "file's are started. A mistake in the file starts none. With -d a "
        "line per guest is printed; when one fails, what its QEMU said is "
        "printed too and the exit status is 1. Without -d such a guest's "
        "pane shows it. A guest that comes \"after\" others is held back "
        "until they are ready, which is told; when one of them ends or "
        "takes too long it is not started. With --host FILE is a file of that machine. "
        "guestmux-fleet(5) describes it.",
    COMMAND_OPTIONS(options),
    .max_arguments = -1,
    .flags = COMMAND_CONFIRMS,
    .run = run,
};
