#include "tui/term-modes.h"

#include "tui/term-restore.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
term_modes_write(int fd, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t written = write(fd, text, len);
        if (written <= 0)
            return;
        text += written;
        len -= (size_t)written;
    }
}

static void
ask_for_mouse(const struct term_modes *modes)
{
    term_modes_write(modes->out_fd, TERM_RESTORE_MOUSE_ON);
    if (modes->tracking == TERM_TRACKING_DRAGS)
        term_modes_write(modes->out_fd, TERM_RESTORE_DRAGS_ON);
    else if (modes->tracking == TERM_TRACKING_MOVES)
        term_modes_write(modes->out_fd, TERM_RESTORE_MOVES_ON);
}

static void
ask_for_shape(const struct term_modes *modes)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "\033[%d q", modes->shape);
    if (modes->has_shapes)
        term_modes_write(modes->out_fd, text);
}

void
term_modes_take(const struct term_modes *modes)
{
    term_modes_write(modes->out_fd,
                     TERM_RESTORE_PASTE_ON TERM_RESTORE_FOCUS_ON);
    if (modes->is_mouse_on)
        ask_for_mouse(modes);
    if (modes->shape)
        ask_for_shape(modes);
}

void
term_modes_show_shape(struct term_modes *modes)
{
    if (modes->shape == modes->shape_wanted)
        return;
    modes->shape = modes->shape_wanted;
    ask_for_shape(modes);
}

void
term_modes_give_back(struct term_modes *modes)
{
    term_modes_write(modes->out_fd, TERM_RESTORE_MODES_OFF);
    modes->shape_wanted = 0;
    term_modes_show_shape(modes);
}

void
term_modes_set_mouse(struct term_modes *modes, bool is_on)
{
    if (is_on == modes->is_mouse_on)
        return;
    modes->is_mouse_on = is_on;
    if (is_on)
        ask_for_mouse(modes);
    else
        term_modes_write(modes->out_fd, TERM_RESTORE_MOUSE_OFF);
}

void
term_modes_set_tracking(struct term_modes *modes, enum term_tracking tracking)
{
    if (tracking == modes->tracking)
        return;
    modes->tracking = tracking;
    if (modes->is_mouse_on)
        ask_for_mouse(modes);
}
