/* Redirections of a script, and its here-documents. */
#include "base/xalloc.h"
#include "fleet/shellscript-internal.h"

#include <stdlib.h>
#include <string.h>

/* A here-document's lines, which begin behind the next line end. */
static bool
note_heredoc(struct script_reader *reader)
{
    while (script_is_blank(reader->text[reader->at]))
        reader->at++;
    if (!script_read_word(reader))
        return false;
    if (reader->heredoc_count == SCRIPT_MAX_HEREDOCS)
        return script_fault(reader, ERROR_CODE_LIMIT,
                            "too many here-documents");
    reader->heredocs[reader->heredoc_count++] = buffer_steal(&reader->word);
    reader->has_word = reader->is_quoted = false;
    return true;
}

void
script_skip_heredocs(struct script_reader *reader)
{
    for (size_t i = 0; i < reader->heredoc_count; i++) {
        size_t wanted = strlen(reader->heredocs[i]);
        bool is_end = false;
        while (!is_end && reader->text[reader->at]) {
            const char *line = reader->text + reader->at;
            size_t len = strcspn(line, "\n");
            size_t tabs = strspn(line, "\t");
            is_end = len - (tabs < len ? tabs : 0) == wanted &&
                     !strncmp(line + (tabs < len ? tabs : 0),
                              reader->heredocs[i], wanted);
            reader->at += len + (line[len] == '\n');
            reader->line++;
        }
        free(reader->heredocs[i]);
    }
    reader->heredoc_count = 0;
}

/* "> log", "2>&1", "<<EOF": left out, with its number and its target. */
bool
script_read_redirection(struct script_reader *reader)
{
    size_t start = reader->at;
    bool is_number =
        reader->word.len > 0 && !reader->is_quoted &&
        reader->word.len == strspn(reader->word.data, "0123456789");
    if (is_number) {
        start -= reader->word.len;
        buffer_reset(&reader->word);
        reader->has_word = false;
    } else if (!script_end_word(reader) || reader->at != start) {
        return reader->at != start; /* a loop's next turn */
    }
    const char *here = reader->text + reader->at;
    bool is_heredoc = !strncmp(here, "<<", 2) && here[2] != '<';
    reader->at += strspn(here, "<>");
    reader->at += strspn(reader->text + reader->at, is_heredoc ? "-" : "&|");
    if (is_heredoc)
        return note_heredoc(reader);
    if (reader->text[reader->at] == '(') {
        script_skip_nested(reader, '(', ')');
        script_problem(reader,
                       "%.2s is a process substitution, which needs a "
                       "shell",
                       here);
        return true;
    }
    char *problem = reader->problem;
    reader->problem = NULL;
    while (script_is_blank(reader->text[reader->at]))
        reader->at++;
    bool ok = script_read_word(reader);
    buffer_reset(&reader->word);
    reader->has_word = reader->is_quoted = false;
    free(reader->problem);
    reader->problem = problem;
    script_add(&reader->notes,
               xasprintf("%.*s: left out, guestmux keeps what QEMU says",
                         (int)(reader->at - start), reader->text + start));
    return ok;
}
