#include "fleet/mistakes.h"

#include "base/buffer.h"
#include "base/xalloc.h"
#include "fleet/layers.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Room that the last line ("… and N more mistakes") may take. */
#define LAST_LINE_BYTES 64

struct mistakes *
mistakes_new(const char *file, const struct positions *positions)
{
    struct mistakes *mistakes = xcalloc(1, sizeof(*mistakes));
    mistakes->own = (struct mistakes_text){file, positions, 0};
    mistakes->where = &mistakes->own;
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
        if (old->where == new->where &&
            old->position.line == new->position.line &&
            old->position.column == new->position.column &&
            !strcmp(old->text, new->text))
            return true;
    }
    return false;
}

/* Keeps a mistake, whose text is its own from now on. */
static void
keep(struct mistakes *mistakes, const struct mistake *mistake)
{
    if (is_known(mistakes, mistake))
        free(mistake->text);
    else
        mistakes->items[mistakes->count++] = *mistake;
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
    struct mistake mistake = {.where = mistakes->where};
    struct layers_spot spot;
    const struct layer *layer =
        mistakes->layers && place ? layers_find(mistakes->layers, place, &spot)
                                  : NULL;
    if (layer) {
        place = spot.place;
        mistake.where = &layer->document->text;
    }
    char *path = place_text(place);
    mistake.text =
        *path ? xasprintf("%s: %s", path, message) : xstrdup(message);
    free(path);
    free(message);
    if (mistake.where->positions)
        mistake.position =
            positions_find(mistake.where->positions, place, part);
    keep(mistakes, &mistake);
}

void
mistakes_add_line(struct mistakes *mistakes, const struct mistakes_text *where,
                  const char *line)
{
    mistakes_add_line_at(mistakes, where, (struct position){0}, line);
}

void
mistakes_add_line_at(struct mistakes *mistakes,
                     const struct mistakes_text *where,
                     struct position position, const char *line)
{
    struct mistake mistake = {
        .where = where, .position = position, .is_line = true};
    if (mistakes->count == MISTAKES_MAX) {
        mistakes->dropped++;
        return;
    }
    mistake.text = xstrdup(line);
    keep(mistakes, &mistake);
}

bool
mistakes_is_inherited(const struct mistakes *mistakes,
                      const struct place *place)
{
    struct layers_spot spot;
    const struct layers *layers = mistakes->layers;
    const struct layer *layer =
        layers ? layers_find(layers, place, &spot) : NULL;
    return layer && layer != &layers->items[layers->count - 1];
}

size_t
mistakes_count(const struct mistakes *mistakes)
{
    return mistakes->count + mistakes->dropped;
}

static bool
is_before(const struct mistake *a, const struct mistake *b)
{
    if (a->where->order != b->where->order)
        return a->where->order < b->where->order;
    if (a->position.line != b->position.line)
        return a->position.line < b->position.line;
    return a->position.column < b->position.column;
}

/* By text and position; those of one position stay in the order they were
 * found. */
static void
sort(struct mistakes *mistakes)
{
    struct mistake *items = mistakes->items;
    for (size_t i = 1; i < mistakes->count; i++) {
        struct mistake item = items[i];
        size_t at = i;
        for (; at > 0 && is_before(&item, &items[at - 1]); at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

static void
append_line(struct buffer *lines, const struct mistake *mistake)
{
    const struct mistakes_text *where = mistake->where;
    if (!mistake->is_line && where->file)
        buffer_printf(lines, "%s:", where->file);
    if (!mistake->is_line && where->positions)
        buffer_printf(lines, "%u:%u:", mistake->position.line,
                      mistake->position.column);
    if (!mistake->is_line && (where->file || where->positions))
        buffer_append_byte(lines, ' ');
    buffer_append_text(lines, mistake->text);
}

/* The lines that fit in max bytes; 0: all. The caller frees it. */
static char *
join(struct mistakes *mistakes, size_t max)
{
    struct buffer lines = {0};
    size_t told = 0;
    sort(mistakes);
    for (; told < mistakes->count; told++) {
        size_t before = lines.len;
        if (told)
            buffer_append_byte(&lines, '\n');
        append_line(&lines, &mistakes->items[told]);
        if (max && told && lines.len + LAST_LINE_BYTES > max) {
            buffer_consume(&lines, 0);
            lines.len = before;
            break;
        }
    }
    size_t left = mistakes->count - told + mistakes->dropped;
    if (left)
        buffer_printf(&lines, "\n… and %zu more mistake%s", left,
                      left == 1 ? "" : "s");
    char *text = xstrdup(lines.data ? lines.data : "");
    buffer_finish(&lines);
    return text;
}

char *
mistakes_text(struct mistakes *mistakes)
{
    return join(mistakes, 0);
}

bool
mistakes_report(struct mistakes *mistakes, struct error *error)
{
    if (mistakes->count == 0)
        return true;
    char *text = join(mistakes, ERROR_TEXT_BYTES);
    error_set(error, ERROR_CODE_INVALID, "%s", text);
    free(text);
    return false;
}
