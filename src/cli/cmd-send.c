#include "base/base64.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"
#include "cli/targets.h"
#include "client/expand.h"

#include <string.h>

/* The most that is taken from standard input: what the server queues for a
 * console. */
#define STDIN_MAX_BYTES (4u << 20)
/* Bytes sent in one command; the server's lines are limited. */
#define CHUNK_BYTES (256u << 10)

static const struct option options[] = {
    {
        .name = "enter",
        .letter = 'e',
        .type = OPTION_FLAG,
        .summary = "press Enter at the end",
    },
    {
        .name = "keys",
        .letter = 'k',
        .type = OPTION_FLAG,
        .summary = "the words are names of keys: C-c, Up, F2, Enter …",
    },
    {
        .name = "stdin",
        .type = OPTION_FLAG,
        .summary = "send standard input, byte for byte",
    },
    {
        .name = "paste",
        .type = OPTION_FLAG,
        .summary = "send it as a paste: in brackets when the guest asked for "
                   "them",
    },
    ROW_TO,
    ROW_EXPAND,
    ROW_JSON,
};

/* One of the guests. */
struct target {
    const char *name; /* borrowed */
    size_t index;     /* from 1 */
    int first_word;   /* the argument that is typed first */
};

static json_t *
common_arguments(const struct cli *cli, const struct target *target)
{
    json_t *arguments = json_object();
    json_object_set_new(arguments, "guest", json_from_text(target->name));
    if (options_has(&cli->options, "paste"))
        json_object_set_new(arguments, "paste", json_true());
    return arguments;
}

/* The words joined by single blanks, or as the names of keys. */
static json_t *
word_arguments(const struct cli *cli, const struct target *target)
{
    json_t *arguments = common_arguments(cli, target);
    json_t *keys = json_array();
    struct buffer text = {0};
    for (int i = target->first_word; i < cli->options.argument_count; i++) {
        const char *word = cli->options.arguments[i];
        json_array_append_new(keys, json_from_text(word));
        buffer_append_text(&text, i > target->first_word ? " " : "");
        if (options_has(&cli->options, "expand"))
            expand_text(word, strlen(word), target->name, target->index, &text);
        else
            buffer_append_text(&text, word);
    }
    if (options_has(&cli->options, "keys")) {
        json_object_set(arguments, "keys", keys);
    } else if (text.len) {
        /* as bytes: a word need not be UTF-8 */
        struct buffer encoded = {0};
        base64_encode(text.data, text.len, &encoded);
        json_object_set_new(arguments, "data", json_string(encoded.data));
        buffer_finish(&encoded);
    }
    buffer_finish(&text);
    json_decref(keys);
    return arguments;
}

static bool
send_words(struct cli *cli, struct session *session,
           const struct target *target, json_t **ret_value, struct error *error)
{
    json_t *arguments = word_arguments(cli, target);
    if (options_has(&cli->options, "enter"))
        json_object_set_new(arguments, "enter", json_true());
    return session_call(session, "console-send", arguments,
                        SESSION_REPLY_TIMEOUT_MS, ret_value, error);
}

/* Sends one part of standard input; the answer to the first is kept: its cursor
 * lies before everything. */
static bool
send_chunk(struct cli *cli, struct session *session,
           const struct target *target, const char *bytes, size_t len,
           bool is_last, json_t **value, struct error *error)
{
    json_t *arguments = common_arguments(cli, target);
    struct buffer encoded = {0};
    base64_encode(bytes, len, &encoded);
    json_object_set_new(arguments, "data",
                        json_string(encoded.data ? encoded.data : ""));
    buffer_finish(&encoded);
    if (is_last && options_has(&cli->options, "enter"))
        json_object_set_new(arguments, "enter", json_true());
    json_t *answer = NULL;
    if (!session_call(session, "console-send", arguments,
                      SESSION_REPLY_TIMEOUT_MS, &answer, error))
        return false;
    if (*value)
        json_object_set(*value, "pending", json_object_get(answer, "pending"));
    else
        *value = json_incref(answer);
    json_decref(answer);
    return true;
}

static bool
send_content(struct cli *cli, struct session *session,
             const struct target *target, const struct buffer *content,
             json_t **ret_value, struct error *error)
{
    struct buffer text = {0};
    if (options_has(&cli->options, "expand"))
        expand_text(content->data, content->len, target->name, target->index,
                    &text);
    else
        buffer_append(&text, content->data, content->len);
    size_t at = 0;
    bool ok = true;
    while (ok) {
        size_t len = text.len - at;
        len = len > CHUNK_BYTES ? CHUNK_BYTES : len;
        bool is_last = at + len == text.len;
        ok = send_chunk(cli, session, target, text.data ? text.data + at : "",
                        len, is_last, ret_value, error);
        at += len;
        if (is_last)
            break;
    }
    buffer_finish(&text);
    return ok;
}

/* To each of the guests; one that refuses is told and stops no other. */
static int
send_to_all(struct cli *cli, struct session *session,
            const struct targets *targets, const struct buffer *content)
{
    json_t *answers = json_array();
    int status = COMMAND_DONE;
    for (size_t i = 0; i < targets->count; i++) {
        struct error error = {0};
        struct target target = {targets->names[i], i + 1, targets->first_word};
        json_t *value = NULL;
        bool ok = content ? send_content(cli, session, &target, content, &value,
                                         &error)
                          : send_words(cli, session, &target, &value, &error);
        if (!ok)
            status = session_fail(session, &error);
        if (value)
            json_array_append_new(answers, value);
        if (session_is_interrupted(session))
            break;
    }
    if (options_has(&cli->options, "json") && json_array_size(answers) > 0)
        output_json(options_has(&cli->options, "to")
                        ? answers
                        : json_array_get(answers, 0));
    json_decref(answers);
    return status;
}

static bool
check_use(const struct cli *cli, const struct targets *targets,
          struct error *error)
{
    bool has_words = cli->options.argument_count > targets->first_word;
    bool is_stdin = options_has(&cli->options, "stdin");
    if (is_stdin && (has_words || options_has(&cli->options, "keys")))
        return error_set(error, ERROR_CODE_INVALID,
                         "send: --stdin goes without words and --keys");
    if (!is_stdin && !has_words && !options_has(&cli->options, "enter"))
        return error_set(error, ERROR_CODE_INVALID,
                         "send: there is nothing to send");
    return true;
}

static int
run(struct cli *cli)
{
    struct error error = {0};
    struct targets targets;
    if (!targets_read(cli, &targets, &error) ||
        !check_use(cli, &targets, &error)) {
        targets_finish(&targets);
        return cli_fail_usage(cli, &error);
    }
    bool is_stdin = options_has(&cli->options, "stdin");
    struct session *session =
        session_open(cli, CONNECTION_START_SERVER, &error);
    struct buffer content = {0};
    int status = COMMAND_FAILED;
    if (session &&
        (!is_stdin || input_read_all(STDIN_MAX_BYTES, &content, &error)))
        status =
            send_to_all(cli, session, &targets, is_stdin ? &content : NULL);
    else
        status = session_fail(session, &error);
    buffer_finish(&content);
    session_close(session);
    targets_finish(&targets);
    return status;
}

const struct command cmd_send = {
    .name = "send",
    .usage = "[GUEST[:CONSOLE]] [--enter] TEXT… | --keys KEY…",
    .summary = "Type into a console",
    .text =
        "The words are typed with single blanks between them. With --json "
        "the answer's \"cursor\" is the place in the console's log before "
        "the typing: `wait --after CURSOR` then misses nothing. What begins "
        "with a dash goes behind --.",
    COMMAND_OPTIONS(options),
    .min_arguments = 0,
    .max_arguments = -1,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
