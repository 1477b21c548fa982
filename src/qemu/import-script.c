/* Scripts as guests of a fleet file: each QEMU command in them is one. */
#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/shellscript.h"
#include "fleet/shellwords.h"
#include "qemu/import-internal.h"

#include <stdlib.h>
#include <string.h>

/* A script whose commands are taken. */
struct taking {
    struct import *import; /* borrowed, as all of it */
    const char *file;      /* NULL: it has none */
    const char *name;      /* of its guests; NULL: names are found */
    struct buffer *problems;
};

/* "FILE:3: " or "line 3: ". The caller frees it. */
static char *
place_of(const char *file, unsigned line)
{
    return file ? xasprintf("%s:%u: ", file, line)
                : xasprintf("line %u: ", line);
}

/* Why a command is left out. */
static const char *
why_other(const struct shellscript_command *command, const char *text)
{
    const char *first = command->words[0];
    if (!strcmp(first, "cd") || !strcmp(first, "pushd"))
        return "left out, relative paths start where the fleet file lies";
    if (first[0] == '-')
        return "left out, no command begins with -: what stands before it "
               "ended the QEMU command, as a comment between joined lines does";
    if (strstr(text, "qemu-system-") || strstr(text, "qemu-kvm "))
        return "not a QEMU command, left out; it names one, which can be "
               "imported by itself";
    return "not a QEMU command, left out";
}

/* "FILE:3: cd /tmp: left out …" */
static void
note_left(struct import *import, const struct shellscript_command *command,
          const char *where, const char *why)
{
    char *text = shellwords_join(command->words);
    char *shown = text_printable(text, strlen(text), 60, TEXT_ONE_LINE);
    import_add_note(&import->notes, &import->note_count,
                    xasprintf("%s%s: %s", where, shown, why));
    free(shown);
    free(text);
}

static void
note_other(struct import *import, const struct shellscript_command *command,
           const char *where)
{
    char *text = shellwords_join(command->words);
    note_left(import, command, where, why_other(command, text));
    free(text);
}

static void
note_parts(struct import *import, const struct shellscript_command *command,
           const char *where)
{
    for (char **note = command->notes; note && *note; note++)
        import_add_note(&import->notes, &import->note_count,
                        xasprintf("%s%s", where, *note));
}

/* Adds the guest of one command of a script. Appends to problems what is in the
 * way. */
static void
take_command(struct taking *taking, const struct shellscript_command *command,
             const char *where)
{
    struct import *import = taking->import;
    struct buffer *problems = taking->problems;
    struct error problem = {0};
    char *own =
        taking->name ? import_free_name(import, taking->name, false) : NULL;
    struct import_origin origin = {where, command->assignments};
    if (command->problem)
        error_set(&problem, ERROR_CODE_INVALID, "%s", command->problem);
    if (!problem.code &&
        import_one(import, command->words, &origin, own, &problem))
        note_parts(import, command, where);
    if (problem.code)
        buffer_printf(problems, "%s%s%s", problems->len ? "\n" : "", where,
                      problem.text);
    free(own);
}

/* Whether a QEMU command is among them, or in what a shell of theirs runs. */
static bool
has_qemu(const struct shellscript *script)
{
    for (size_t i = 0; script && i < script->count; i++) {
        if (import_is_command(script->commands[i].words) ||
            has_qemu(script->commands[i].nested))
            return true;
    }
    return false;
}

/* "NAME=value" before a command, and behind its "env". Borrowed texts; the
 * caller frees the array. */
static const char **
variables_of(const struct shellscript_command *command)
{
    char *const *const before[] = {command->assignments, command->words};
    char *const *program = import_skip_wrappers(NULL, command->words);
    const char **list = NULL;
    size_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        for (char *const *word = before[i]; word && *word && word != program;
             word++) {
            if (!import_is_assignment(*word))
                continue;
            list = xreallocarray(list, count + 2, sizeof(*list));
            list[count++] = *word;
            list[count] = NULL;
        }
    }
    return list;
}

/* What a shell runs by itself has the variables of its command. */
static void
hand_on_variables(const struct shellscript_command *outer,
                  struct shellscript_command *inner)
{
    const char **variables = variables_of(outer);
    size_t count = 0;
    size_t own = 0;
    while (variables && variables[count])
        count++;
    while (inner->assignments && inner->assignments[own])
        own++;
    char **all = xcalloc(count + own + 1, sizeof(*all));
    for (size_t i = 0; i < count; i++)
        all[i] = xstrdup(variables[i]);
    for (size_t i = 0; i < own; i++)
        all[count + i] = inner->assignments[i];
    free(inner->assignments);
    inner->assignments = all;
    free(variables);
}

static size_t take_script(struct taking *taking,
                          const struct shellscript *script);

/* "tmux new-session -d '…'": the commands in it, instead of it. */
static size_t
take_nested(struct taking *taking, const struct shellscript_command *command,
            const char *where)
{
    struct shellscript *nested = command->nested;
    note_left(taking->import, command, where,
              "dropped, what it has a shell run is taken");
    note_parts(taking->import, command, where);
    for (size_t i = 0; i < nested->count; i++) {
        struct shellscript_command *inner = &nested->commands[i];
        hand_on_variables(command, inner);
        if (command->problem && !inner->problem)
            inner->problem = xstrdup(command->problem);
    }
    return take_script(taking, nested);
}

/* Takes all QEMU commands of a script, and says what else there is. Returns how
 * many there are. */
static size_t
take_script(struct taking *taking, const struct shellscript *script)
{
    size_t found = 0;
    for (size_t i = 0; i < script->count; i++) {
        const struct shellscript_command *command = &script->commands[i];
        char *where = place_of(taking->file, command->line);
        if (import_is_command(command->words)) {
            take_command(taking, command, where);
            found++;
        } else if (has_qemu(command->nested)) {
            found += take_nested(taking, command, where);
        } else {
            note_other(taking->import, command, where);
        }
        free(where);
    }
    return found;
}

bool
import_script(struct import *import, const char *text, size_t len,
              const char *file, const char *name, struct error *error)
{
    struct shellscript *script =
        shellscript_read_nested(text, len, import_find_text, error);
    if (!script)
        return file ? error_prefix(error, "%s", file) : false;
    struct buffer problems = {0};
    struct taking taking = {import, file, name, &problems};
    size_t found = take_script(&taking, script);
    shellscript_free(script);
    bool ok = found > 0 && !problems.len;
    if (!ok && found)
        error_set(error, ERROR_CODE_INVALID, "%s", problems.data);
    else if (!ok)
        error_set(error, ERROR_CODE_INVALID,
                  "%s%sthere is no QEMU command in "
                  "it",
                  file ? file : "", file ? ": " : "");
    buffer_finish(&problems);
    return ok;
}
