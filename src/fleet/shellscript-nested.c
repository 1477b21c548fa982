/* Texts for shells of their own ("sh -c TEXT"), and what those are told. */
#include "base/xalloc.h"
#include "fleet/shellscript-internal.h"

#include <stdlib.h>
#include <string.h>

/* "sh -c 'sh -c …'" */
#define MAX_NESTING 4
/* Texts in a script, with all turns of its loops. */
#define MAX_TEXTS 256

void
script_note_line(struct script_reader *reader)
{
    size_t count = reader->words.count;
    if (count > reader->line_capacity) {
        reader->line_capacity = count * 2 + 8;
        reader->lines = xreallocarray(reader->lines, reader->line_capacity,
                                      sizeof(*reader->lines));
    }
    if (count > 0)
        reader->lines[count - 1] = reader->word_line;
}

/* Exports ------------------------------------------------------------------ */

static bool
is_word(const struct script_words *words, size_t index, const char *text)
{
    return index < words->count && !strcmp(words->items[index], text);
}

static bool
is_export(const struct script_words *words)
{
    return is_word(words, 0, "export") ||
           ((is_word(words, 0, "declare") || is_word(words, 0, "typeset")) &&
            is_word(words, 1, "-x"));
}

bool
script_is_exporting(const struct script_reader *reader)
{
    return reader->exports_all || is_export(&reader->words);
}

void
script_take_exports(struct script_reader *reader)
{
    const struct script_words *words = &reader->words;
    if (is_word(words, 0, "set") &&
        (is_word(words, 1, "-a") || is_word(words, 2, "allexport")))
        reader->exports_all = !is_word(words, 1, "+o");
    if (!is_export(words))
        return;
    for (size_t i = 1; i < words->count; i++) {
        struct script_variable *variable =
            script_find(reader, words->items[i], strlen(words->items[i]));
        if (variable)
            variable->is_exported = true;
    }
}

/* Texts -------------------------------------------------------------------- */

/* Whether the command has it before its words: then its shell has it. */
static bool
is_assigned(const struct script_words *assignments, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < assignments->count; i++) {
        const char *text = assignments->items[i];
        if (!strncmp(text, name, len) && text[len] == '=')
            return true;
    }
    return false;
}

/* What the script set; what it does not hand on is not known in the text. */
static void
hand_on(struct script_reader *outer, struct script_reader *inner)
{
    for (size_t i = 0; i < outer->variable_count; i++) {
        const struct script_variable *variable = &outer->variables[i];
        bool is_there = variable->is_exported ||
                        is_assigned(&outer->assignments, variable->name);
        const char *problem =
            is_there ? variable->problem
                     : "it is not exported, so that the shell of its own that "
                       "runs this does not have it";
        struct script_words values = {0};
        for (size_t k = 0; k < variable->values.count; k++)
            script_add(&values, xstrdup(variable->values.items[k]));
        script_set(inner, variable->name, strlen(variable->name),
                   SCRIPT_SET_ARRAY | SCRIPT_SET_EXPORT, &values,
                   problem ? xstrdup(problem) : NULL);
        struct script_variable *copy =
            script_find(inner, variable->name, strlen(variable->name));
        if (copy && variable->remark && !copy->remark)
            copy->remark = xstrdup(variable->remark);
    }
}

/* Moves the commands of one to the end of another. */
static void
append_commands(struct shellscript *to, struct shellscript *from)
{
    to->commands = xreallocarray(to->commands, to->count + from->count + 1,
                                 sizeof(*to->commands));
    for (size_t i = 0; i < from->count; i++)
        to->commands[to->count++] = from->commands[i];
    from->count = 0;
}

/* One text; what is no script by itself is passed over. */
static void
read_text(struct script_reader *outer, size_t index, bool has_arguments,
          struct shellscript *ret)
{
    struct error ignored = {0};
    struct script_reader inner = {
        .text = outer->words.items[index],
        .line = index < outer->line_capacity ? outer->lines[index]
                                             : outer->command_line,
        .error = &ignored,
        .find_text = outer->find_text,
        .nesting = outer->nesting + 1,
        .has_arguments = has_arguments,
        .texts = outer->texts + 1,
        .bytes = outer->bytes,
    };
    inner.script = xcalloc(1, sizeof(*inner.script));
    hand_on(outer, &inner);
    if (script_read_all(&inner))
        append_commands(ret, inner.script);
    outer->bytes = inner.bytes;
    outer->texts = inner.texts;
    script_finish(&inner);
    shellscript_free(inner.script);
}

struct shellscript *
script_read_texts(struct script_reader *reader)
{
    const char *argument = NULL;
    if (!reader->find_text || !reader->words.count ||
        reader->nesting >= MAX_NESTING)
        return NULL;
    struct shellscript *nested = xcalloc(1, sizeof(*nested));
    int index = reader->find_text(reader->words.items, 0, &argument);
    for (; index >= 0 && (size_t)index < reader->words.count &&
           reader->texts < MAX_TEXTS;
         index = reader->find_text(reader->words.items, index + 1, &argument))
        read_text(reader, (size_t)index, argument != NULL, nested);
    if (nested->count)
        return nested;
    shellscript_free(nested);
    return NULL;
}
