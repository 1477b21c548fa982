#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/guests.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Names of one stem that are tried before giving up. */
#define MAX_TRIES 10000

static const struct option options[] = {
    {
        .name = "name",
        .letter = 'n',
        .type = OPTION_TEXT,
        .value = "NAME",
        .summary = "the guest's name (otherwise vm0, vm1 … or that of the "
                   "program)",
    },
    {
        .name = "exec",
        .type = OPTION_FLAG,
        .summary = "run any program on a terminal of its own instead of a "
                   "QEMU",
    },
    {
        .name = "detach",
        .letter = 'd',
        .type = OPTION_FLAG,
        .summary = "do not open the deck: return when the monitor answers",
    },
    ROW_JSON,
};

static bool
is_taken(const json_t *guests, const char *name)
{
    for (size_t i = 0; i < json_array_size(guests); i++) {
        if (strcmp(guests_text(json_array_get(guests, i), "name"), name) == 0)
            return true;
    }
    return false;
}

/* A free name: STEM0, STEM1 … The caller frees it. */
static char *
free_name(struct session *session, const char *stem, struct error *error)
{
    json_t *guests = guests_list(session, error);
    if (!guests)
        return NULL;
    char *name = NULL;
    for (int i = 0; i < MAX_TRIES && !name; i++) {
        name = xasprintf("%s%d", stem, i);
        if (is_taken(guests, name)) {
            free(name);
            name = NULL;
        }
    }
    json_decref(guests);
    if (!name)
        error_set(error, ERROR_CODE_EXISTS, "no free name is left; use --name");
    return name;
}

static char *
choose_name(struct cli *cli, struct session *session, struct error *error)
{
    const char *wanted = options_text(&cli->options, "name");
    if (wanted)
        return xstrdup(wanted);
    const char *stem = "vm";
    if (options_has(&cli->options, "exec")) {
        const char *program = cli->options.arguments[0];
        const char *slash = strrchr(program, '/');
        stem = slash ? slash + 1 : program;
        if (!text_is_name(stem) || strlen(stem) > 32)
            stem = "exec";
    }
    return free_name(session, stem, error);
}

static json_t *
build_arguments(const struct cli *cli, const char *name, struct error *error)
{
    char *directory = getcwd(NULL, 0);
    if (!directory) {
        error_set_errno(error, errno, "cannot tell the current directory");
        return NULL;
    }
    json_t *words = json_array();
    for (int i = 0; i < cli->options.argument_count; i++)
        json_array_append_new(words, json_from_text(cli->options.arguments[i]));
    const char *field = options_has(&cli->options, "exec") ? "exec" : "command";
    json_t *arguments =
        json_pack("{s:o,s:{s:o},s:o,s:b,s:b}", "name", json_from_text(name),
                  "spec", field, words, "directory", json_from_text(directory),
                  "start", true, "wait", options_has(&cli->options, "detach"));
    free(directory);
    return arguments;
}

/* Tells what came of a detached start. */
static int
report(struct cli *cli, struct session *session, const char *name)
{
    struct error error = {0};
    json_t *guest = NULL;
    if (!session_call(session, "guest-query",
                      json_pack("{s:o}", "guest", json_from_text(name)),
                      SESSION_REPLY_TIMEOUT_MS, &guest, &error))
        return session_fail(session, &error);
    if (options_has(&cli->options, "json"))
        output_json(guest);
    else
        guests_print_state(name, guest);
    bool has_failed = strcmp(guests_text(guest, "state"), "crashed") == 0;
    if (has_failed)
        guests_print_card(guest);
    json_decref(guest);
    return has_failed ? COMMAND_FAILED : COMMAND_DONE;
}

static int
define_and_start(struct cli *cli, struct session *session, const char *name)
{
    struct error error = {0};
    json_t *arguments = build_arguments(cli, name, &error);
    if (!arguments)
        return cli_fail(&error);
    if (!session_call(session, "guest-define", arguments, SESSION_NO_TIMEOUT,
                      NULL, &error))
        return session_fail(session, &error);
    if (!options_has(&cli->options, "detach"))
        return COMMAND_DONE;
    return report(cli, session, name);
}

static int
run(struct cli *cli)
{
    bool is_detached = options_has(&cli->options, "detach");
    struct error error = {0};
    if (!is_detached && !cli_check_terminal(&error)) {
        error_prefix(&error, "run");
        (void)cli_fail(&error);
        cli_warn("run -d starts the guest without the deck");
        return COMMAND_FAILED;
    }
    struct session *session =
        session_open(cli, CONNECTION_START_SERVER, &error);
    char *name = session ? choose_name(cli, session, &error) : NULL;
    int status = name ? define_and_start(cli, session, name) : cli_fail(&error);
    session_close(session);
    if (!is_detached && status == COMMAND_DONE)
        status = cli_run_deck(cli, name, 0);
    free(name);
    return status;
}

const struct command cmd_run = {
    .name = "run",
    .usage = "[--name NAME] [-d] -- QEMU-COMMAND…",
    .summary = "Start one guest from a QEMU command line",
    .text = "The command line is taken as tutorials give it, with -nographic "
            "or the like: its serial ports and its monitor become guestmux's, "
            "everything else is kept. Relative paths start at the current "
            "directory.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .flags = COMMAND_RAW_ARGUMENTS,
    .run = run,
};
