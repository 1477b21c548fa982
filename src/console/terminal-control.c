#include "console/terminal-internal.h"

#include <string.h>

static void
tab(struct terminal *terminal)
{
    int col = tabs_next(&terminal->tabs, terminal->col,
                        terminal_end_col(terminal) - 1);
    /* At the last column a tab moves nothing, the pending wrap included. */
    if (col != terminal->col)
        terminal_move_to(terminal, terminal->row, col);
}

static void
ring(const struct terminal *terminal)
{
    if ((terminal->write_flags & TERMINAL_WRITE_LIVE) && terminal->handlers &&
        terminal->handlers->on_bell)
        terminal->handlers->on_bell(terminal->data);
}

void
terminal_control(void *data, unsigned char control)
{
    struct terminal *terminal = data;
    terminal->last_codepoint = 0;
    switch (control) {
    case '\a':
        ring(terminal);
        break;
    case '\b':
        terminal_backspace(terminal);
        break;
    case '\t':
        tab(terminal);
        break;
    case '\n':
    case '\v':
    case '\f':
        terminal_linefeed(terminal);
        break;
    case '\r':
        terminal_carriage_return(terminal);
        break;
    case 0x0E: /* SO, LS1 */
        terminal->locked = 1;
        break;
    case 0x0F: /* SI, LS0 */
        terminal->locked = 0;
        break;
    default: /* ENQ has no answer: an answerback is text that a guest wants */
        break;
    }
}

/* ESC ( ) * + : a set of 94 characters as G0 to G3; - . / : one of 96, which
 * in UTF-8 is never invoked into the lower half. */
static void
designate(struct terminal *terminal, const char *intermediates, char final)
{
    static const char slots[] = "()*+";
    const char *slot = strchr(slots, intermediates[0]);
    if (!slot)
        return;
    enum charset charset = charset_find(intermediates + 1, final);
    /* Linux's "user mapping" is ESC ( K too, and would be German. */
    bool is_usual = charset < CHARSET_FIRST_NATIONAL;
    if (!is_usual && !(terminal->modes & MODE_NATIONAL))
        charset = CHARSET_ASCII;
    terminal->charsets[slot - slots] = charset;
}

static void
escape_plain(struct terminal *terminal, char final)
{
    switch (final) {
    case '6':
        terminal_back_index(terminal);
        break;
    case '7':
        terminal_save_cursor(terminal);
        break;
    case '8':
        terminal_restore_cursor(terminal);
        break;
    case '9':
        terminal_forward_index(terminal);
        break;
    case '=':
        terminal->modes |= TERMINAL_MODE_APPLICATION_KEYPAD;
        break;
    case '>':
        terminal->modes &= ~(unsigned)TERMINAL_MODE_APPLICATION_KEYPAD;
        break;
    case 'D':
        terminal_index(terminal);
        break;
    case 'E':
        terminal_carriage_return(terminal);
        terminal_index(terminal);
        break;
    case 'H':
        tabs_set(&terminal->tabs, terminal->col);
        break;
    case 'M':
        terminal_reverse_index(terminal);
        break;
    case 'N': /* SS2 */
        terminal->single = 2;
        break;
    case 'O': /* SS3 */
        terminal->single = 3;
        break;
    case 'Z': /* DECID */
        terminal_device_attributes(terminal, NULL);
        break;
    case 'c':
        terminal_reset(terminal);
        terminal->is_fresh = true;
        break;
    case 'n': /* LS2 */
        terminal->locked = 2;
        break;
    case 'o': /* LS3 */
        terminal->locked = 3;
        break;
    default:
        break;
    }
}

void
terminal_escape(void *data, const char *intermediates, char final)
{
    struct terminal *terminal = data;
    terminal->last_codepoint = 0;
    if (!intermediates[0])
        escape_plain(terminal, final);
    else if (strcmp(intermediates, "#") == 0 && final == '8')
        terminal_align(terminal);
    else
        designate(terminal, intermediates, final);
}
