#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* The client's copy of what the server said: one view's rows, the fleet's
 * guests. Messages come from a server that can be of another version:
 * everything is checked, nothing is trusted to be in range. */

/* Colours and attributes as the API sends them (guestmux-api(7)). */
#define MIRROR_COLOUR_DEFAULT 0u
#define MIRROR_COLOUR_INDEXED 0x01000000u
#define MIRROR_COLOUR_RGB 0x02000000u
#define MIRROR_COLOUR_KIND_MASK 0xFF000000u
#define MIRROR_COLOUR_VALUE_MASK 0x00FFFFFFu

enum mirror_attribute {
    MIRROR_BOLD = 1 << 0,
    MIRROR_DIM = 1 << 1,
    MIRROR_ITALIC = 1 << 2,
    MIRROR_UNDERLINE = 1 << 3,
    MIRROR_BLINK = 1 << 4,
    MIRROR_REVERSE = 1 << 5,
    MIRROR_HIDDEN = 1 << 6,
    MIRROR_STRIKE = 1 << 7,
    MIRROR_OVERLINE = 1 << 8,
};

enum mirror_mode {
    MIRROR_MODE_ALTERNATE_SCREEN = 1 << 0,
    MIRROR_MODE_APPLICATION_CURSOR = 1 << 1,
    MIRROR_MODE_BRACKETED_PASTE = 1 << 2,
    MIRROR_MODE_REVERSE_SCREEN = 1 << 3,
    MIRROR_MODE_MOUSE_CLICK = 1 << 4,
    MIRROR_MODE_MOUSE_DRAG = 1 << 5,
    MIRROR_MODE_MOUSE_MOVE = 1 << 6,
    MIRROR_MODE_MOUSE_SGR = 1 << 7,
    MIRROR_MODE_MOUSE_PRESS = 1 << 8,
    MIRROR_MODE_ALTERNATE_SCROLL = 1 << 9,
};

struct mirror_run {
    const char *text; /* in the row's memory; terminated UTF-8 of printable
                       * characters, combining marks among them: checked on
                       * arrival */
    int col;
    int cols;
    uint32_t foreground;
    uint32_t background;
    uint32_t underline_colour;
    uint32_t attributes;
};

/* The runs' columns ascend. A run that starts before the one in front of it
 * ends (the server counts a character's width otherwise) covers its rest. */
struct mirror_row {
    struct mirror_run *runs; /* owned, the texts in the same memory */
    size_t run_count;
    size_t capacity_bytes; /* of that memory: used again */
    bool is_dirty;         /* changed since the drawer cleared it */
    bool is_wrapped;       /* its line goes on in the next row */
};

/* One view's content. Zero-initialise by mirror_view_init. */
struct mirror_view {
    int rows; /* of the view: as many mirror rows */
    int cols;
    struct mirror_row *lines; /* owned: rows of them */
    struct mirror_row *spare; /* owned: as many, where an event is checked
                               * before it counts; the mirror's own */
    int console_rows;         /* of the console's terminal */
    int console_cols;
    int origin_row; /* of the console: the live view's upper left corner */
    int origin_col;
    int cursor_row; /* -1: outside */
    int cursor_col;
    bool is_cursor_visible;
    int cursor_shape;
    unsigned modes;    /* enum mirror_mode */
    int64_t history;   /* rows of scrollback */
    int64_t dropped;   /* rows that went before those: the first one's number */
    int64_t top;       /* number of the row on top: absolute rows count from
                        * the console's very first */
    int64_t scroll;    /* rows back from live */
    char *title;       /* owned, may be NULL */
    int64_t frame;     /* last frame applied */
    int shift_pending; /* rows the content moved up since the drawer looked,
                        * or 0; rows that only moved are dirty too */
};

void mirror_view_init(struct mirror_view *view, int rows, int cols);
void mirror_view_finish(struct mirror_view *view);
/* Keeps what fits, marks all dirty. */
void mirror_view_resize(struct mirror_view *view, int rows, int cols);
/* Applies a SCREEN event's data. On a malformed one error is set and the view
 * keeps what it had. What lies outside the view is cut off: the frames that
 * were under way when it became smaller. */
bool mirror_view_apply(struct mirror_view *view, const json_t *data,
                       struct error *error);

/* One guest as last told: the API's guest object, with the fields the drawer
 * asks for often. Strings borrowed from object; every string in it was made fit
 * to show (several lines in "problem" and the exit report). A guest's place
 * in memory changes with every event. */
struct mirror_guest {
    json_t *object; /* owned reference */
    const char *name;
    const char *kind;
    const char *state;
    int64_t started_ms;
    int64_t activity_ms; /* newest of its consoles */
};

struct mirror_fleet {
    struct mirror_guest *guests; /* owned, in the server's order */
    size_t count;
};

void mirror_fleet_finish(struct mirror_fleet *fleet);
/* guests: the array of guest-list. */
bool mirror_fleet_load(struct mirror_fleet *fleet, const json_t *guests,
                       struct error *error);
/* Applies GUEST_CHANGED, GUEST_REMOVED, GUEST_ACTIVITY, GUEST_LIST; other
 * events do nothing. Returns whether anything changed. */
bool mirror_fleet_event(struct mirror_fleet *fleet, const char *event,
                        json_t *data);
/* NULL when there is none of that name. */
struct mirror_guest *mirror_fleet_find(struct mirror_fleet *fleet,
                                       const char *name);
