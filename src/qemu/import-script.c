/* Scripts as guests of a fleet file: each QEMU command in them is one. */
#include "base/text.h"
#include "base/xalloc.h"
#include "fleet/shellscript.h"
#include "fleet/shellwords.h"
#include "qemu/import-internal.h"

#include <stdlib.h>
#include <string.h>

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

static void
note_other(struct import *import, const struct shellscript_command *command,
           const char *where)
{
    char *text = shellwords_join(command->words);
    char *shown = text_printable(text, strlen(text), 60, TEXT_ONE_LINE);
    import_add_note(
        &import->notes, &import->note_count,
        xasprintf("%s%s: %s", where, shown, why_other(command, text)));
    free(shown);
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
take_command(struct import *import, const struct shellscript_command *command,
             const char *where, const char *name, struct buffer *problems)
{
    struct error problem = {0};
    char *own = name ? import_free_name(import, name, false) : NULL;
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

bool
import_script(struct import *import, const char *text, size_t len,
              const char *file, const char *name, struct error *error)
{
    struct shellscript *script = shellscript_read(text, len, error);
    if (!script)
        return file ? error_prefix(error, "%s", file) : false;
    struct buffer problems = {0};
    size_t found = 0;
    for (size_t i = 0; i < script->count; i++) {
        const struct shellscript_command *command = &script->commands[i];
        bool is_qemu_command = import_is_command(command->words);
        char *where = place_of(file, command->line);
        if (is_qemu_command)
            take_command(import, command, where, name, &problems);
        else
            note_other(import, command, where);
        found += is_qemu_command;
        free(where);
    }
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
