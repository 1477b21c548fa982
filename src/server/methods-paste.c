#include "base/base64.h"
#include "base/buffer.h"
#include "server/api.h"
#include "server/clients.h"
#include "server/paste.h"
#include "server/server-internal.h"
#include "server/view.h"
#include "server/waiter.h"

#include <string.h>

/* The console-paste methods. */

static bool
read_brackets(const json_t *arguments, enum paste_brackets *ret_brackets,
              struct error *error)
{
    static const char *const names[] = {
        [PASTE_BRACKETS_AUTO] = "auto",
        [PASTE_BRACKETS_ON] = "on",
        [PASTE_BRACKETS_OFF] = "off",
    };
    const char *text = argument_string(arguments, "bracketed");
    if (!text)
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i]) != 0)
            continue;
        *ret_brackets = (enum paste_brackets)i;
        return true;
    }
    return error_set(error, ERROR_CODE_INVALID,
                     "argument 'bracketed' is \"%.64s\", not auto, on or off",
                     text);
}

/* Text and data, one after the other. */
static bool
read_content(const json_t *arguments, struct buffer *content,
             struct error *error)
{
    const char *data = argument_string(arguments, "data");
    const json_t *text = json_object_get(arguments, "text");
    if (json_is_string(text))
        buffer_append(content, json_string_value(text),
                      json_string_length(text));
    if (data && !base64_decode(data, strlen(data), content))
        return error_set(error, ERROR_CODE_INVALID,
                         "argument 'data' is no base64");
    return true;
}

static unsigned
read_flags(const json_t *arguments)
{
    unsigned flags = 0;
    if (argument_boolean(arguments, "more"))
        flags |= PASTE_MORE;
    else if (argument_boolean(arguments, "wait"))
        flags |= PASTE_WAIT;
    return flags;
}

/* What the guest's definition says, until the arguments say otherwise. */
static void
take_defaults(const struct spec_paste *paste, struct paste_options *options)
{
    options->pace = (struct paste_pace){
        .cps = paste->cps,
        .lps = paste->lps,
        .waits_for_echo = paste->waits_for_echo,
        .prompt = paste->prompt, /* copied later */
        .timeout_ms = paste->timeout_ms,
    };
    options->brackets = PASTE_BRACKETS_AUTO;
    if (paste->bracketed && strcmp(paste->bracketed, "auto") != 0)
        options->brackets = strcmp(paste->bracketed, "on") == 0
                                ? PASTE_BRACKETS_ON
                                : PASTE_BRACKETS_OFF;
}

static bool
read_options(const json_t *arguments, struct paste_options *options,
             struct error *error)
{
    options->flags = read_flags(arguments);
    options->total_bytes = argument_integer(arguments, "total-bytes", 0);
    struct paste_pace *pace = &options->pace;
    pace->cps = argument_integer(arguments, "cps", pace->cps);
    pace->lps = argument_integer(arguments, "lps", pace->lps);
    if (json_object_get(arguments, "wait-echo"))
        pace->waits_for_echo = argument_boolean(arguments, "wait-echo");
    const char *prompt = argument_string(arguments, "wait-prompt");
    if (prompt)
        pace->prompt = prompt[0] ? (char *)(uintptr_t)prompt : NULL;
    pace->timeout_ms =
        argument_integer(arguments, "timeout-ms", pace->timeout_ms);
    return read_brackets(arguments, &options->brackets, error);
}

static bool
run_paste(struct request *request, const json_t *arguments, struct error *error)
{
    struct server *server = request_server(request);
    struct peer *peer = request_peer(request);
    size_t index = 0;
    struct paste_options options = {0};
    struct guest *guest = argument_console(request, arguments, &index, error);
    if (!guest || !clients_may_type(server, peer, guest, index, error))
        return false;
    take_defaults(&guest_spec(guest)->paste, &options);
    if (!read_options(arguments, &options, error))
        return false;
    struct buffer content = {0};
    view_on_typing(server, peer, guest, index);
    bool ok = read_content(arguments, &content, error) &&
              paste_start(request, guest, index, &options,
                          content.data ? content.data : "", content.len, error);
    buffer_finish(&content);
    /* (the request may have been answered, and be gone) */
    if (ok)
        clients_typed(server, peer, guest, index);
    return ok;
}

static bool
run_more(struct request *request, const json_t *arguments, struct error *error)
{
    struct buffer content = {0};
    bool ok = read_content(arguments, &content, error) &&
              paste_add(request, argument_integer(arguments, "paste", 0),
                        read_flags(arguments), content.data ? content.data : "",
                        content.len, error);
    buffer_finish(&content);
    return ok;
}

static bool
run_cancel(struct request *request, const json_t *arguments,
           struct error *error)
{
    struct server *server = request_server(request);
    size_t index = 0;
    struct guest *guest = argument_console(request, arguments, &index, error);
    if (!guest)
        return false;
    size_t count = paste_cancel(server, guest, index,
                                argument_integer(arguments, "paste", 0));
    request_return(request, json_pack("{s:I}", "cancelled", (json_int_t)count));
    return true;
}

static bool
run_query(struct request *request, const json_t *arguments, struct error *error)
{
    (void)arguments;
    (void)error;
    request_return(request, paste_list(request_server(request)));
    return true;
}

#define ARGUMENTS_CONTENT                                                      \
    {"text", ARGUMENT_STRING, 0, 0, 0, "Text to paste"},                       \
        {"data", ARGUMENT_STRING, 0, 0, 0, "Bytes to paste, in base64"},       \
        {"more",                                                               \
         ARGUMENT_BOOLEAN,                                                     \
         0,                                                                    \
         0,                                                                    \
         0,                                                                    \
         "console-paste-more follows; answered when there is room for it"},    \
    {                                                                          \
        "wait", ARGUMENT_BOOLEAN, 0, 0, 0, "Answer when all of it was pasted"  \
    }

static const struct method methods[] = {
    {
        .name = "console-paste",
        .summary = "Pastes into a console, as fast as the guest takes it",
        .arguments =
            {
                ARGUMENT_CONSOLE,
                ARGUMENTS_CONTENT,
                {"total-bytes", ARGUMENT_INTEGER, 0, 0, INT64_MAX,
                 "With \"more\": what all pieces come to, for the progress"},
                {"bracketed", ARGUMENT_STRING, 0, 0, 0,
                 "\"on\", \"off\" or \"auto\": as the guest asked"},
                {"cps", ARGUMENT_INTEGER, 0, 0, PASTE_MAX_CPS,
                 "Characters a second at most; 0: no limit (the definition's, "
                 "as those below)"},
                {"lps", ARGUMENT_INTEGER, 0, 0, PASTE_MAX_LPS,
                 "Lines a second at most; 0: no limit"},
                {"wait-echo", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "Wait for each line's echo"},
                {"wait-prompt", ARGUMENT_STRING, 0, 0, 0,
                 "Wait before each line until this appears (PCRE2); \"\": do "
                 "not"},
                {"timeout-ms", ARGUMENT_INTEGER, 0, 0, WAITER_MAX_TIMEOUT_MS,
                 "How long for each of these; 0: no limit"},
            },
        .run = run_paste,
    },
    {
        .name = "console-paste-cancel",
        .summary = "Cancels what is being pasted into a console",
        .arguments = {ARGUMENT_CONSOLE,
                      {"paste", ARGUMENT_INTEGER, 0, 0, INT64_MAX,
                       "Only the one of this id"}},
        .run = run_cancel,
    },
    {
        .name = "console-paste-more",
        .summary = "The next piece of a paste",
        .arguments =
            {
                {"paste", ARGUMENT_INTEGER, ARGUMENT_REQUIRED, 0, INT64_MAX,
                 "The paste's id"},
                ARGUMENTS_CONTENT,
            },
        .run = run_more,
    },
    {
        .name = "query-pastes",
        .summary = "The pastes that are under way",
        .flags = METHOD_READS,
        .run = run_query,
    },
};

const struct method_table methods_paste = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
