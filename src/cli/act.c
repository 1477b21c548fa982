#include "cli/act.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/guests.h"
#include "cli/output.h"

#include <stdio.h>
#include <stdlib.h>

/* What the server gets on top of its own wait to answer, ms. */
#define GRACE_MS 10000u
/* Names that a question lists. */
#define MAX_NAMES_SHOWN 12

static json_t *
arguments_for(const struct act *act, const char *guest)
{
    json_t *arguments = act->arguments ? json_copy(act->arguments) : NULL;
    if (!arguments)
        arguments = json_object();
    json_object_set_new(arguments, "guest", json_from_text(guest));
    return arguments;
}

static uint64_t
reply_timeout_ms(const struct act *act)
{
    return act->timeout_ms == SESSION_NO_TIMEOUT ? SESSION_NO_TIMEOUT
                                                 : act->timeout_ms + GRACE_MS;
}

int
act_report(const char *guest, const struct act *act, json_t *value,
           const struct error *error, json_t *answers)
{
    if (answers && error) {
        json_array_append_new(
            answers, json_pack("{s:o,s:s,s:o}", "name", json_from_text(guest),
                               "class", error_code_name(error->code), "error",
                               json_from_text(error->text)));
    } else if (answers) {
        json_array_append(answers, value);
    } else if (!error && act->done) {
        (void)printf("%s: %s\n", guest, act->done);
    } else if (!error) {
        guests_print_state(guest, value);
    }
    if (!error)
        return COMMAND_DONE;
    return guests_fail(guest, error);
}

int
act_on_guests(struct cli *cli, struct session *session,
              const char *const *names, size_t count, const struct act *act)
{
    json_t *answers = options_has(&cli->options, "json") ? json_array() : NULL;
    struct session_call **calls = xcalloc(count + 1, sizeof(*calls));
    for (size_t i = 0; i < count; i++)
        calls[i] =
            session_begin(session, act->method, arguments_for(act, names[i]));
    int status = COMMAND_DONE;
    for (size_t i = 0; i < count; i++) {
        struct error error = {0};
        json_t *value = NULL;
        bool ok = session_finish(session, calls[i], reply_timeout_ms(act),
                                 &value, &error);
        if (session_is_interrupted(session)) {
            status = COMMAND_INTERRUPTED;
            break;
        }
        int one = act_report(names[i], act, value, ok ? NULL : &error, answers);
        json_decref(value);
        if (one != COMMAND_DONE && status != COMMAND_FAILED)
            status = one;
    }
    free(calls);
    if (answers)
        output_json(answers);
    json_decref(answers);
    return status;
}

static int
act_on_names(struct cli *cli, const char *const *names, size_t count,
             const struct act *act)
{
    struct error error = {0};
    struct session *session =
        session_open(cli, CONNECTION_START_SERVER, &error);
    if (!session)
        return cli_fail(&error);
    int status = act_on_guests(cli, session, names, count, act);
    session_close(session);
    return status;
}

int
act_on_arguments(struct cli *cli, const struct act *act)
{
    return act_on_names(cli, (const char *const *)cli->options.arguments,
                        (size_t)cli->options.argument_count, act);
}

int
act_on_one(struct cli *cli, const char *guest, const struct act *act)
{
    return act_on_names(cli, &guest, 1, act);
}

bool
act_confirm(const struct cli *cli, const char *const *names, size_t count,
            const char *what, const char *consequence)
{
    if (options_has(&cli->options, "yes"))
        return true;
    struct buffer question = {0};
    buffer_printf(&question, "%s ", what);
    for (size_t i = 0; i < count && i < MAX_NAMES_SHOWN; i++)
        buffer_printf(&question, "%s%s", i ? ", " : "", names[i]);
    if (count > MAX_NAMES_SHOWN)
        buffer_printf(&question, " and %zu more", count - MAX_NAMES_SHOWN);
    if (consequence)
        buffer_printf(&question, " (%s)", consequence);
    buffer_append_text(&question, "?");
    bool yes = output_confirm(question.data, true);
    buffer_finish(&question);
    return yes;
}

bool
act_confirm_arguments(const struct cli *cli, const char *what,
                      const char *consequence)
{
    return act_confirm(cli, (const char *const *)cli->options.arguments,
                       (size_t)cli->options.argument_count, what, consequence);
}
