#pragma once

#include "tui/theme.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tickit.h>

/* The list of guests, drawn from plain values. */

enum sidebar_row_flags {
    SIDEBAR_CURRENT = 1 << 0,  /* its console is the focused pane */
    SIDEBAR_ACTIVITY = 1 << 1, /* output since it was last looked at */
    SIDEBAR_BELL = 1 << 2,
    SIDEBAR_SILENT = 1 << 3,
    SIDEBAR_ALERT_INFO = 1 << 4, /* the worst that was not seen */
    SIDEBAR_ALERT_WARNING = 1 << 5,
    SIDEBAR_ALERT_CRITICAL = 1 << 6,
    SIDEBAR_MARKED = 1 << 7,
    SIDEBAR_REACHED = 1 << 8, /* what is typed goes there, as it is marked */
    SIDEBAR_WATCHED = 1 << 9, /* somebody else looks at it */
    SIDEBAR_TYPED = 1 << 10,  /* … types there, or has its keyboard alone */
};

struct sidebar_row {
    const char *name;   /* borrowed */
    const char *state;  /* borrowed */
    int64_t started_ms; /* wall clock; 0: no uptime is shown */
    unsigned flags;
    int pasted;          /* percent of a paste that are there, and 1; 0: none */
    const char *label;   /* borrowed: instead of the state; NULL: none */
    char label_text[16]; /* where it may stand */
};

/* A line below the list: a key and what it does, or a fact; without text it
 * is a heading. */
struct sidebar_note {
    const char *key;  /* borrowed; NULL: none */
    const char *text; /* borrowed; NULL: key is a heading */
};

enum sidebar_flags {
    SIDEBAR_FOCUS = 1 << 0,   /* it has the keyboard */
    SIDEBAR_UNICODE = 1 << 1, /* the terminal shows more than ASCII */
};

struct sidebar_model {
    const char *heading;            /* borrowed */
    const struct sidebar_row *rows; /* borrowed */
    size_t count;
    size_t selected;
    size_t top; /* the first row shown */
    int64_t now_ms;
    /* at the bottom, where there is room: first those about the selected
     * guest, then the keys, which have the better claim */
    const struct sidebar_note *facts; /* borrowed */
    size_t fact_count;
    const struct sidebar_note *keys; /* borrowed */
    size_t key_count;
    unsigned flags;
};

void sidebar_draw(TickitRenderBuffer *rb, const struct theme *theme,
                  const struct sidebar_model *model, int rows, int cols);

/* The columns that show everything of these rows. */
int sidebar_wanted_cols(const struct sidebar_row *rows, size_t count);

/* How many guests fit into rows of a screen. */
size_t sidebar_capacity(int rows);

/* The first row to show so that selected is among those that fit. */
size_t sidebar_scroll(size_t top, size_t selected, size_t count,
                      size_t capacity);

/* "37s", "12m", "2h05m", "3d04h": at most 6 columns, coarser the longer it
 * is, so that nobody has to be woken each second to keep it true. */
void sidebar_format_uptime(int64_t uptime_ms, char *text, size_t size);
/* After how long that text reads differently, ms. */
int64_t sidebar_uptime_lasts_ms(int64_t uptime_ms);
/* The next whole second of a clock that counts ms, or the moment itself. */
int64_t sidebar_round_up_ms(int64_t moment_ms);
