#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Where things go on the screen. A pure function of sizes and wishes. */

/* The smallest terminal that the deck can be used in: one console of 80
 * columns does not fit anyway, and below this not even the status line says
 * enough. */
#define LAYOUT_ROWS_MIN 10
#define LAYOUT_COLS_MIN 40

/* A pane narrower or lower than this shows too little of a console to follow:
 * the others move to another page. Rows count the title. */
#define LAYOUT_PANE_ROWS_MIN 7
#define LAYOUT_PANE_COLS_MIN 38

#define LAYOUT_SIDEBAR_COLS_MIN 20
#define LAYOUT_SIDEBAR_COLS_MAX 36

/* On screens narrower than this the sidebar shows only while it has the
 * keyboard; below the second number it then takes all columns. */
#define LAYOUT_SIDEBAR_SCREEN_COLS 72
#define LAYOUT_SIDEBAR_ALONE_COLS 62

#define LAYOUT_PANES_MAX 64

struct layout_rect {
    int row;
    int col;
    int rows;
    int cols;
};

enum layout_flags {
    LAYOUT_ZOOMED = 1 << 0,        /* the focused pane alone, without sidebar */
    LAYOUT_SIDEBAR = 1 << 1,       /* the sidebar is wanted */
    LAYOUT_SIDEBAR_FOCUS = 1 << 2, /* the sidebar has the keyboard */
    LAYOUT_BARE = 1 << 3,          /* one console and nothing else */
};

struct layout_request {
    int rows; /* of the terminal */
    int cols;
    size_t pane_count;
    size_t focus;     /* index of the focused pane */
    int sidebar_cols; /* what the sidebar's content would like */
    unsigned flags;
};

struct layout {
    bool is_too_small;
    struct layout_rect sidebar; /* rows 0: hidden */
    struct layout_rect status;  /* rows 0: hidden */
    size_t first;               /* index of the first pane shown */
    size_t count;               /* panes shown */
    struct layout_rect panes[LAYOUT_PANES_MAX]; /* title rows included */
    size_t page;
    size_t page_count;
};

/* The panes tile their area as tmux's "tiled" does, as near to a square of
 * panes as their least size allows; what does not fit is on other pages, and
 * the page shown is the focused pane's. One free column lies between columns
 * of panes and beside the sidebar. */
void layout_compute(struct layout *layout,
                    const struct layout_request *request);
