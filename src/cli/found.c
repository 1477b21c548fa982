#include "cli/found.h"

#include "base/buffer.h"
#include "base/text.h"
#include "base/utf8.h"
#include "cli/guests.h"
#include "cli/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
found_begin(struct found *found)
{
    found->count = 0;
    found->printed = INT64_MIN;
}

static void
put(enum output_style style, const char *text, size_t len)
{
    const char *begin = output_style(style);
    (void)printf("%s%.*s%s", begin, (int)len, text, begin[0] ? "\033[0m" : "");
}

/* The line with its matches in colour. */
static void
put_text(const char *text, const json_t *matches)
{
    size_t done = 0;
    for (size_t i = 0; i < json_array_size(matches); i++) {
        const json_t *at = json_object_get(json_array_get(matches, i), "at");
        json_int_t col = json_integer_value(json_array_get(at, 0));
        json_int_t cols = json_integer_value(json_array_get(at, 1));
        size_t start = utf8_col_offset(text, col);
        size_t end = utf8_col_offset(text, col + cols);
        if (!at || start < done || end <= start)
            continue;
        (void)fwrite(text + done, 1, start - done, stdout);
        put(OUTPUT_RED, text + start, end - start);
        done = end;
    }
    (void)printf("%s\n", text + done);
}

/* separator: ":" behind a line that matches, "-" behind its context. */
static void
put_line(struct found *found, const char *target, int64_t number,
         const char *text, const json_t *matches)
{
    const char *separator = matches ? ":" : "-";
    char *shown = text_printable(text, strlen(text), 0, TEXT_ONE_LINE);
    put(OUTPUT_GREEN, target, strlen(target));
    put(OUTPUT_DIM, separator, 1);
    if (found->is_numbered) {
        char digits[32];
        (void)snprintf(digits, sizeof(digits), "%" PRId64,
                       number + found->base);
        put(OUTPUT_YELLOW, digits, strlen(digits));
        put(OUTPUT_DIM, separator, 1);
    }
    if (found->has_offsets && matches) {
        char digits[32];
        (void)snprintf(digits, sizeof(digits), "%" PRId64, found->offset);
        put(OUTPUT_YELLOW, digits, strlen(digits));
        put(OUTPUT_DIM, separator, 1);
    }
    put_text(shown, matches);
    free(shown);
    found->printed = number + found->base;
    found->has_group = true;
}

/* A line near one that matches, unless it was printed already. */
static void
put_context(struct found *found, const char *target, const json_t *line)
{
    int64_t number = json_integer_value(json_array_get(line, 0));
    const char *text = json_string_value(json_array_get(line, 1));
    if (!text || number + found->base <= found->printed)
        return;
    put_line(found, target, number, text, NULL);
    /* the rows that it takes */
    json_int_t rows = json_integer_value(json_array_get(line, 2));
    if (rows > 1)
        found->printed += rows - 1;
}

/* Prints what follows the last match, up to the next one. */
static void
put_behind(struct found *found, const char *target, int64_t limit)
{
    int64_t base = found->base;
    found->base = found->behind_base;
    for (size_t i = 0; i < json_array_size(found->behind); i++) {
        const json_t *line = json_array_get(found->behind, i);
        int64_t number = json_integer_value(json_array_get(line, 0));
        if (number + found->base < limit)
            put_context(found, target, line);
    }
    json_decref(found->behind);
    found->behind = NULL;
    found->base = base;
}

/* The number of the first line of a group. */
static int64_t
first_number(const json_t *line, int64_t number)
{
    const json_t *before = json_array_get(json_object_get(line, "before"), 0);
    return before ? json_integer_value(json_array_get(before, 0)) : number;
}

void
found_print(struct found *found, const char *target, const json_t *line)
{
    found->count++;
    if (found->is_count || found->is_names)
        return;
    if (found->is_json) {
        json_t *object = json_deep_copy(line);
        json_object_set_new(object, "target", json_string(target));
        char *text = json_dumps(object, JSON_COMPACT);
        (void)printf("%s\n", text ? text : "");
        free(text);
        json_decref(object);
        return;
    }
    bool is_log = json_object_get(line, "number") != NULL;
    int64_t number = guests_number(line, is_log ? "number" : "row");
    put_behind(found, target, number + found->base);
    if ((found->before || found->after) && found->has_group &&
        (found->printed == INT64_MIN ||
         first_number(line, number) + found->base > found->printed + 1)) {
        put(OUTPUT_DIM, "--", 2);
        (void)printf("\n");
    }
    found->offset = guests_number(line, "offset");
    const json_t *before = json_object_get(line, "before");
    for (size_t i = 0; i < json_array_size(before); i++)
        put_context(found, target, json_array_get(before, i));
    put_line(found, target, number, guests_text(line, "text"),
             json_object_get(line, "matches"));
    if (!is_log) /* the rows that it takes */
        found->printed += guests_number(line, "rows") - 1;
    found->behind = json_incref(json_object_get(line, "after"));
    found->behind_base = found->base;
}

void
found_end(struct found *found, const char *target)
{
    put_behind(found, target, INT64_MAX);
    if (found->is_names && found->count)
        output_line(target);
    else if (found->is_count && !found->is_names)
        (void)printf("%s%s%s:%" PRId64 "\n", output_style(OUTPUT_GREEN), target,
                     output_style(OUTPUT_GREEN)[0] ? "\033[0m" : "",
                     found->count);
}
