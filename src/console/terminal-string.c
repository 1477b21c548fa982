#include "base/text.h"
#include "console/terminal-internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A title's columns: three bytes a character fit into TERMINAL_TITLE_BYTES at
 * least, four-byte characters are two columns wide or rare. */
#define TITLE_COLS 64

void
terminal_set_title(struct terminal *terminal, const char *title)
{
    if (strlen(title) > TERMINAL_TITLE_BYTES)
        return;
    if (strcmp(terminal->title, title) != 0)
        terminal->version++;
    (void)snprintf(terminal->title, sizeof(terminal->title), "%s", title);
    if (terminal->handlers && terminal->handlers->on_title)
        terminal->handlers->on_title(terminal->data, title);
}

static void
take_title(struct terminal *terminal, const char *text, size_t len)
{
    char *title = text_printable(text, len, TITLE_COLS, TEXT_ONE_LINE);
    terminal_set_title(terminal, title);
    free(title);
}

/* OSC 0 and 2 name the window. All other OSC (colours, clipboard, links,
 * notifications …) are swallowed: none of it reaches the operator. */
static void
operating_system_command(struct terminal *terminal, const char *text,
                         size_t len)
{
    if (len >= 2 && (text[0] == '0' || text[0] == '2') && text[1] == ';')
        take_title(terminal, text + 2, len - 2);
}

void
terminal_string(void *data, enum parser_string kind,
                const struct parser_sequence *sequence, const char *text,
                size_t len)
{
    struct terminal *terminal = data;
    if (kind == PARSER_STRING_OSC)
        operating_system_command(terminal, text, len);
    else if (kind == PARSER_STRING_DCS && sequence->final == 'q' &&
             !sequence->prefix && strcmp(sequence->intermediates, "$") == 0)
        terminal_request_setting(terminal, text);
}
