#include "base/base64.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/cmd.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/session.h"

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
    ROW_JSON,
};

static json_t *
common_arguments(const struct cli *cli)
{
    json_t *arguments = json_object();
    json_object_set_new(arguments, "guest",
                        json_from_text(cli->options.arguments[0]));
    if (options_has(&cli->options, "paste"))
        json_object_set_new(arguments, "paste", json_true());
    return arguments;
}

/* The words joined by single blanks, or as the names of keys. */
static json_t *
word_arguments(const struct cli *cli)
{
    json_t *arguments = common_arguments(cli);
    json_t *keys = json_array();
    struct buffer text = {0};
    for (int i = 1; i < cli->options.argument_count; i++) {
        const char *word = cli->options.arguments[i];
        json_array_append_new(keys, json_from_text(word));
        buffer_printf(&text, "%s%s", i > 1 ? " " : "", word);
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
send_words(struct cli *cli, struct session *session, json_t **ret_value,
           struct error *error)
{
    json_t *arguments = word_arguments(cli);
    if (options_has(&cli->options, "enter"))
        json_object_set_new(arguments, "enter", json_true());
    return session_call(session, "console-send", arguments,
                        SESSION_REPLY_TIMEOUT_MS, ret_value, error);
}

/* Sends one part of standard input; the answer to the first is kept: its cursor
 * lies before everything. */
static bool
send_chunk(struct cli *cli, struct session *session, const char *bytes,
           size_t len, bool is_last, json_t **value, struct error *error)
{
    json_t *arguments = common_arguments(cli);
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
send_stdin(struct cli *cli, struct session *session, json_t **ret_value,
           struct error *error)
{
    struct buffer content = {0};
    bool ok = input_read_all(STDIN_MAX_BYTES, &content, error);
    size_t at = 0;
    while (ok) {
        size_t len = content.len - at;
        len = len > CHUNK_BYTES ? CHUNK_BYTES : len;
        bool is_last = at + len == content.len;
        ok = send_chunk(cli, session, content.data ? content.data + at : "",
                        len, is_last, ret_value, error);
        at += len;
        if (is_last)
            break;
    }
    buffer_finish(&content);
    return ok;
}

static int
run(struct cli *cli)
{
    bool has_words = cli->options.argument_count > 1;
    bool is_stdin = options_has(&cli->options, "stdin");
    struct error error = {0};
    if (is_stdin && (has_words || options_has(&cli->options, "keys")))
        error_set(&error, ERROR_CODE_INVALID,
                  "send: --stdin goes without words and --keys");
    else if (!is_stdin && !has_words && !options_has(&cli->options, "enter"))
        error_set(&error, ERROR_CODE_INVALID, "send: there is nothing to send");
    if (error.code)
        return cli_fail_usage(cli, &error);
    struct session *session =
        session_open(cli, CONNECTION_START_SERVER, &error);
    json_t *value = NULL;
    bool ok = session && (is_stdin ? send_stdin(cli, session, &value, &error)
                                   : send_words(cli, session, &value, &error));
    if (ok && options_has(&cli->options, "json"))
        output_json(value);
    int status = ok ? COMMAND_DONE : session_fail(session, &error);
    json_decref(value);
    session_close(session);
    return status;
}

const struct command cmd_send = {
    .name = "send",
    .usage = "GUEST[:CONSOLE] [--enter] TEXT… | --keys KEY…",
    .summary = "Type into a console",
    .text =
        "The words are typed with single blanks between them. With --json "
        "the answer's \"cursor\" is the place in the console's log before "
        "the typing: `wait --after CURSOR` then misses nothing. What begins "
        "with a dash goes behind --.",
    COMMAND_OPTIONS(options),
    .min_arguments = 1,
    .max_arguments = -1,
    .argument = COMMAND_ARGUMENT_GUEST,
    .run = run,
};
