#include "fleet/mistakes.h"

#include "base/buffer.h"
#include "base/xalloc.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Room that the last line ("… and N more mistakes") may take. */
#define LAST_LINE_BYTES 64

struct mistakes *
mistakes_new(const char *file, const struct positions *positions)
{
    struct mistakes *mistakes = xcalloc(1, sizeof(*mistakes));
    mistakes->file = file;
    mistakes->positions = positions;
    return mistakes;
}

void
mistakes_free(struct mistakes *mistakes)
{
    if (!mistakes)
        return;
    for (size_t i = 0; i < mistakes->count; i++)
        free(mistakes->items[i].text);
    free(mistakes);
}

static bool
is_known(const struct mistakes *mistakes, const struct mistake *new)
{
    for (size_t i = 0; i < mistakes->count; i++) {
        const struct mistake *old = &mistakes->items[i];
        if (old->position.line == new->position.line &&
            old->position.column == new->position.column &&
            !strcmp(old->text, new->text))
            return true;
    }
    return false;
}

void
mistakes_add(struct mistakes *mistakes, const struct place *place,
             enum positions_part part, const char *format, ...)
{
    if (mistakes->count == MISTAKES_MAX) {
        mistakes->dropped++;
        return;
    }
    va_list args;
    va_start(args, format);
    char *message = xvasprintf(format, args);
    va_end(args);
    char *where = place_text(place);
    struct mistake mistake = {
        .text = *where ? xasprintf("%s: %s", where, message) : xstrdup(message),
    };
    free(where);
    free(message);
    if (mistakes->positions)
        mistake.position = positions_find(mistakes->positions, place, part);
    if (is_known(mistakes, &mistake)) {
        free(mistake.text);
        return;
    }
    mistakes->items[mistakes->count++] = mistake;
}

/* By position; those of one position stay in the order they were found. */
static void
sort(struct mistakes *mistakes)
{
    struct mistake *items = mistakes->items;
    for (size_t i = 1; i < mistakes->count; i++) {
        struct mistake item = items[i];
        size_t at = i;
        for (; at > 0; at--) {
            struct position before = items[at - 1].position;
            if (before.line < item.position.line ||
                (before.line == item.position.line &&
                 before.column <= item.position.column))
                break;
            items[at] = items[at - 1];
        }
        items[at] = item;
    }
}

bool
mistakes_report(struct mistakes *mistakes, struct error *error)
{
    if (mistakes->count == 0)
        return true;
    sort(mistakes);
    struct buffer lines = {0};
    size_t told = 0;
    for (; told < mistakes->count; told++) {
        const struct mistake *mistake = &mistakes->items[told];
        size_t before = lines.len;
        if (told)
            buffer_append_byte(&lines, '\n');
        if (mistakes->file)
            buffer_printf(&lines, "%s:", mistakes->file);
        if (mistakes->positions)
            buffer_printf(&lines, "%u:%u:", mistake->position.line,
                          mistake->position.column);
        if (mistakes->file || mistakes->positions)
            buffer_append_byte(&lines, ' ');
        buffer_append_text(&lines, mistake->text);
        if (told && lines.len + LAST_LINE_BYTES > ERROR_TEXT_BYTES) {
            buffer_consume(&lines, 0);
            lines.len = before;
            break;
        }
    }
    size_t left = mistakes->count - told + mistakes->dropped;
    if (left)
        buffer_printf(&lines, "\n… and %zu more mistake%s", left,
                      left == 1 ? "" : "s");
    error_set(error, ERROR_CODE_INVALID, "%s", lines.data);
    buffer_finish(&lines);
    return false;
}
