#include "console/mouse.h"

#include "base/utf8.h"
#include "console/terminal.h"

#include <stdint.h>

/* The bits of a button's number. */
#define CODE_RELEASE 3u
#define CODE_MOVE 32u
#define CODE_WHEEL 64u
/* Added to what is sent as a character. */
#define OFFSET 32u
/* The last number that fits into a byte with the offset, and the last one that
 * fits into two bytes of UTF-8. */
#define MAX_BYTE 223u
#define MAX_UTF8 2015u

static bool
is_wanted(const struct mouse_event *event, unsigned modes)
{
    bool is_wheel = event->button >= MOUSE_WHEEL_UP;
    switch (event->action) {
    case MOUSE_PRESS:
        if (event->button == MOUSE_NONE)
            return false;
        return modes & (TERMINAL_MODE_MOUSE_PRESS | TERMINAL_MODE_MOUSE_CLICK |
                        TERMINAL_MODE_MOUSE_DRAG | TERMINAL_MODE_MOUSE_MOVE);
    case MOUSE_RELEASE:
        return !is_wheel && event->button != MOUSE_NONE &&
               (modes & (TERMINAL_MODE_MOUSE_CLICK | TERMINAL_MODE_MOUSE_DRAG |
                         TERMINAL_MODE_MOUSE_MOVE));
    case MOUSE_MOVE:
        if (modes & TERMINAL_MODE_MOUSE_MOVE)
            return !is_wheel;
        return !is_wheel && event->button != MOUSE_NONE &&
               (modes & TERMINAL_MODE_MOUSE_DRAG);
    }
    return false;
}

static unsigned
code_of(const struct mouse_event *event, unsigned modes)
{
    unsigned code = CODE_RELEASE;
    if (event->button >= MOUSE_WHEEL_UP)
        code = CODE_WHEEL + (unsigned)(event->button - MOUSE_WHEEL_UP);
    else if (event->button != MOUSE_NONE)
        code = (unsigned)(event->button - MOUSE_LEFT);
    if (event->action == MOUSE_MOVE)
        code |= CODE_MOVE;
    /* X10 knew no modifiers */
    return modes & TERMINAL_MODE_MOUSE_PRESS ? code : code | event->modifiers;
}

static void
append_character(struct buffer *bytes, unsigned number, bool is_utf8)
{
    char encoded[4];
    if (is_utf8)
        buffer_append(bytes, encoded, utf8_encode(number + OFFSET, encoded));
    else
        buffer_append_byte(bytes, (char)(unsigned char)(number + OFFSET));
}

void
mouse_encode(const struct mouse_event *event, unsigned modes,
             struct buffer *bytes)
{
    if (event->row < 0 || event->col < 0 || !is_wanted(event, modes))
        return;
    unsigned code = code_of(event, modes);
    unsigned col = (unsigned)event->col + 1;
    unsigned row = (unsigned)event->row + 1;
    bool is_release = event->action == MOUSE_RELEASE;
    if (modes & TERMINAL_MODE_MOUSE_SGR) {
        buffer_printf(bytes, "\033[<%u;%u;%u%c", code, col, row,
                      is_release ? 'm' : 'M');
        return;
    }
    if (is_release) /* these forms do not say of which button */
        code |= CODE_RELEASE;
    if (modes & TERMINAL_MODE_MOUSE_URXVT) {
        buffer_printf(bytes, "\033[%u;%u;%uM", code + OFFSET, col, row);
        return;
    }
    bool is_utf8 = modes & TERMINAL_MODE_MOUSE_UTF8;
    unsigned max = is_utf8 ? MAX_UTF8 : MAX_BYTE;
    if (col > max || row > max)
        return;
    buffer_append_text(bytes, "\033[M");
    append_character(bytes, code, is_utf8);
    append_character(bytes, col, is_utf8);
    append_character(bytes, row, is_utf8);
}
