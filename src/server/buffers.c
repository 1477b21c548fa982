#include "server/buffers.h"

#include "base/json.h"
#include "base/text.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* Columns of a text that a list shows. */
#define PREVIEW_COLS 60
/* Bytes that the preview is made from. */
#define PREVIEW_BYTES 512

struct kept {
    int64_t number;
    char *text; /* owned */
    size_t len;
    char *from; /* owned, may be NULL */
    int64_t created_ms;
};

struct buffers {
    struct kept kept[BUFFERS_MAX]; /* the newest is the last */
    size_t count;
    size_t bytes; /* of all texts */
    int64_t last_number;
};

struct buffers *
buffers_new(void)
{
    return xcalloc(1, sizeof(struct buffers));
}

static void
remove_at(struct buffers *buffers, size_t index)
{
    struct kept *kept = &buffers->kept[index];
    buffers->bytes -= kept->len;
    free(kept->text);
    free(kept->from);
    buffers->count--;
    memmove(kept, kept + 1, (buffers->count - index) * sizeof(*kept));
}

void
buffers_free(struct buffers *buffers)
{
    if (!buffers)
        return;
    while (buffers->count)
        remove_at(buffers, buffers->count - 1);
    free(buffers);
}

static bool
check_len(size_t len, struct error *error)
{
    if (len <= BUFFERS_TEXT_MAX_BYTES)
        return true;
    return error_set(error, ERROR_CODE_LIMIT,
                     "the text has more than %zu MiB, a buffer's limit",
                     BUFFERS_TEXT_MAX_BYTES >> 20);
}

/* Lets the oldest go until there is room for so many bytes more. */
static void
make_room(struct buffers *buffers, size_t len)
{
    while (buffers->count && buffers->bytes + len > BUFFERS_MAX_BYTES)
        remove_at(buffers, 0);
}

int64_t
buffers_add(struct buffers *buffers, const char *text, size_t len,
            const struct buffers_origin *origin, struct error *error)
{
    if (!check_len(len, error))
        return 0;
    make_room(buffers, len);
    if (buffers->count == BUFFERS_MAX)
        remove_at(buffers, 0);
    buffers->kept[buffers->count++] = (struct kept){
        .number = ++buffers->last_number,
        .text = xstrndup(text, len),
        .len = len,
        .from = origin->from ? xstrdup(origin->from) : NULL,
        .created_ms = origin->now_ms,
    };
    buffers->bytes += len;
    return buffers->last_number;
}

int64_t
buffers_append(struct buffers *buffers, const char *text, size_t len,
               const struct buffers_origin *origin, struct error *error)
{
    if (!buffers->count)
        return buffers_add(buffers, text, len, origin, error);
    struct kept *newest = &buffers->kept[buffers->count - 1];
    if (!check_len(newest->len + 1 + len, error))
        return 0;
    char *joined = xmalloc(newest->len + len + 2);
    memcpy(joined, newest->text, newest->len);
    joined[newest->len] = '\n';
    memcpy(joined + newest->len + 1, text, len);
    joined[newest->len + 1 + len] = '\0';
    free(newest->text);
    newest->text = joined;
    newest->len += len + 1;
    newest->created_ms = origin->now_ms;
    buffers->bytes += len + 1;
    while (buffers->count > 1 && buffers->bytes > BUFFERS_MAX_BYTES)
        remove_at(buffers, 0);
    return buffers->kept[buffers->count - 1].number;
}

/* --- telling --------------------------------------------------------------
 */

static size_t
count_lines(const struct kept *kept)
{
    size_t lines = 1;
    for (size_t i = 0; i < kept->len; i++)
        lines += kept->text[i] == '\n' && i + 1 < kept->len;
    return lines;
}

static json_t *
to_json(const struct kept *kept)
{
    size_t start = 0;
    while (start < kept->len && strchr(" \n", kept->text[start]))
        start++;
    size_t shown =
        kept->len - start < PREVIEW_BYTES ? kept->len - start : PREVIEW_BYTES;
    char *preview =
        text_printable(kept->text + start, shown, PREVIEW_COLS, TEXT_ONE_LINE);
    json_t *object = json_pack(
        "{s:I,s:I,s:I,s:s?,s:I,s:s}", "number", (json_int_t)kept->number,
        "bytes", (json_int_t)kept->len, "lines", (json_int_t)count_lines(kept),
        "from", kept->from, "created-ms", (json_int_t)kept->created_ms,
        "preview", preview);
    free(preview);
    return object;
}

static const struct kept *
find(const struct buffers *buffers, int64_t number, struct error *error)
{
    if (!number && buffers->count)
        return &buffers->kept[buffers->count - 1];
    for (size_t i = 0; i < buffers->count; i++) {
        if (buffers->kept[i].number == number)
            return &buffers->kept[i];
    }
    if (number)
        error_set(error, ERROR_CODE_NOT_FOUND, "there is no buffer %lld",
                  (long long)number);
    else
        error_set(error, ERROR_CODE_NOT_FOUND, "nothing was copied yet");
    return NULL;
}

json_t *
buffers_get(const struct buffers *buffers, int64_t number, bool with_text,
            struct error *error)
{
    const struct kept *kept = find(buffers, number, error);
    if (!kept)
        return NULL;
    json_t *object = to_json(kept);
    if (with_text)
        json_object_set_new(object, "text",
                            json_from_bytes(kept->text, kept->len));
    return object;
}

json_t *
buffers_list(const struct buffers *buffers)
{
    json_t *list = json_array();
    for (size_t i = buffers->count; i > 0; i--)
        json_array_append_new(list, to_json(&buffers->kept[i - 1]));
    return list;
}

bool
buffers_delete(struct buffers *buffers, int64_t number, struct error *error)
{
    const struct kept *kept = find(buffers, number, error);
    if (!kept)
        return false;
    remove_at(buffers, (size_t)(kept - buffers->kept));
    return true;
}
