#include "base/clock.h"
#include "server/api.h"
#include "server/buffers.h"
#include "server/server-internal.h"

#include <string.h>

#define ARGUMENT_NUMBER(flags)                                                 \
    {                                                                          \
        "number", ARGUMENT_INTEGER, flags, 1, INT64_MAX,                       \
            "The buffer's number; the newest one by default"                   \
    }

static struct buffers *
buffers_of(const struct request *request)
{
    return request_server(request)->buffers;
}

static bool
run_list(struct request *request, const json_t *arguments, struct error *error)
{
    (void)arguments;
    (void)error;
    request_return(request, json_pack("{s:o}", "buffers",
                                      buffers_list(buffers_of(request))));
    return true;
}

static bool
run_get(struct request *request, const json_t *arguments, struct error *error)
{
    json_t *value =
        buffers_get(buffers_of(request),
                    argument_integer(arguments, "number", 0), true, error);
    if (value)
        request_return(request, value);
    return value != NULL;
}

static bool
run_set(struct request *request, const json_t *arguments, struct error *error)
{
    const char *text = argument_string(arguments, "text");
    struct buffers *buffers = buffers_of(request);
    struct buffers_origin origin = {
        .from = argument_string(arguments, "from"),
        .now_ms = clock_wall_ms(),
    };
    int64_t number =
        argument_boolean(arguments, "append")
            ? buffers_append(buffers, text, strlen(text), &origin, error)
            : buffers_add(buffers, text, strlen(text), &origin, error);
    if (!number)
        return false;
    request_return(request, buffers_get(buffers, number, false, error));
    return true;
}

static bool
run_delete(struct request *request, const json_t *arguments,
           struct error *error)
{
    if (!buffers_delete(buffers_of(request),
                        argument_integer(arguments, "number", 0), error))
        return false;
    request_return(request, NULL);
    return true;
}

static const struct method methods[] = {
    {
        .name = "buffer-list",
        .summary = "What was copied, the newest first",
        .flags = METHOD_READS,
        .run = run_list,
    },
    {
        .name = "buffer-get",
        .summary = "A buffer with its text",
        .flags = METHOD_READS,
        .arguments = {ARGUMENT_NUMBER(0)},
        .run = run_get,
    },
    {
        .name = "buffer-set",
        .summary = "Keeps a text as the newest buffer",
        .arguments =
            {
                {"text", ARGUMENT_STRING, ARGUMENT_REQUIRED, 0, 0, "The text"},
                {"append", ARGUMENT_BOOLEAN, 0, 0, 0,
                 "Add it to the newest buffer, in a new line"},
                {"from", ARGUMENT_STRING, 0, 0, 0, "Where it comes from"},
            },
        .run = run_set,
    },
    {
        .name = "buffer-delete",
        .summary = "Forgets a buffer",
        .arguments = {ARGUMENT_NUMBER(0)},
        .run = run_delete,
    },
};

const struct method_table methods_buffer = {
    .methods = methods,
    .count = sizeof(methods) / sizeof(methods[0]),
};
