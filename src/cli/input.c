#include "cli/input.h"

#include "base/json.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The longest JSON taken; the server takes no longer line. */
#define JSON_MAX_BYTES (4u << 20)

bool
input_read_all(size_t max_bytes, struct buffer *content, struct error *error)
{
    for (;;) {
        buffer_reserve(content, 65536);
        ssize_t got = read(STDIN_FILENO, content->data + content->len, 65536);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(error, errno, "cannot read standard input");
        if (got == 0)
            return true;
        content->len += (size_t)got;
        if (content->len > max_bytes)
            return error_set(error, ERROR_CODE_LIMIT,
                             "standard input is longer than %zu bytes",
                             max_bytes);
    }
}

json_t *
input_json(const char *word, struct error *error)
{
    struct buffer content = {0};
    json_error_t fault;
    json_t *value = NULL;
    if (strcmp(word, "-") == 0 &&
        !input_read_all(JSON_MAX_BYTES, &content, error)) {
        buffer_finish(&content);
        return NULL;
    }
    const char *text = content.len ? content.data : word;
    size_t len = content.len ? content.len : strlen(word);
    value =
        json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
    buffer_finish(&content);
    if (!value) {
        error_set(error, ERROR_CODE_INVALID,
                  "that is no JSON: %s (line %d, column %d)", fault.text,
                  fault.line, fault.column);
        return NULL;
    }
    if (!json_is_object(value)) {
        error_set(error, ERROR_CODE_INVALID,
                  "the arguments are %s, not an object", json_type_text(value));
        json_decref(value);
        return NULL;
    }
    return value;
}
