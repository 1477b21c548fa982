#pragma once

#include "base/buffer.h"

#include <stdbool.h>

/* What a mouse sends to a guest that asked for it (XTerm control sequences,
 * "Mouse Tracking"). */

enum mouse_action {
    MOUSE_PRESS, /* wheels too */
    MOUSE_RELEASE,
    MOUSE_MOVE, /* button: the one that is held, or MOUSE_NONE */
};

enum mouse_button {
    MOUSE_NONE,
    MOUSE_LEFT,
    MOUSE_MIDDLE,
    MOUSE_RIGHT,
    MOUSE_WHEEL_UP,
    MOUSE_WHEEL_DOWN,
    MOUSE_WHEEL_LEFT,
    MOUSE_WHEEL_RIGHT,
    MOUSE_BUTTON_COUNT
};

enum mouse_modifier {
    MOUSE_SHIFT = 4,
    MOUSE_META = 8,
    MOUSE_CONTROL = 16,
};

struct mouse_event {
    enum mouse_action action;
    enum mouse_button button;
    unsigned modifiers; /* enum mouse_modifier */
    int row;            /* 0-based, on the screen */
    int col;
};

/* Appends what the event sends in the given terminal modes (enum
 * terminal_mode): nothing when the guest did not ask for such events, or the
 * form it asked for cannot say the place. */
void mouse_encode(const struct mouse_event *event, unsigned modes,
                  struct buffer *bytes);
