#pragma once

#include "tui/selection.h"
#include "tui/theme.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct deck;
struct pane;

/* Looking at what scrolled away, with a cursor, and selecting what is copied:
 * as in tmux's copy mode with vi's keys. While it lasts the pane's view is
 * pinned to its rows, and keys move instead of being sent. Places are absolute
 * rows: a selection keeps its place while output comes. */
struct copy_mode;

/* Begins it where the console's cursor is; nothing when it has begun. */
void copy_mode_enter(struct pane *pane);
/* Back to the newest rows. */
void copy_mode_leave(struct pane *pane);
/* Forgets it: the view is gone, or shows another console. */
void copy_mode_drop(struct pane *pane);

/* Begins it where it has not begun, with the cursor at that place, and the row
 * in the middle. */
void copy_mode_go(struct pane *pane, const struct place *place);

/* Part of a row, both columns included, to be marked. */
struct copy_mark {
    int64_t row; /* absolute */
    int from;
    int to;
};

/* Most of them. */
#define COPY_MARKS_MAX 512

/* Marks what was found, in place of other marks. cols: the console's width that
 * the rows are counted at; at another one nothing is marked. */
void copy_mode_mark(struct pane *pane, const struct copy_mark *marks,
                    size_t count, int cols);

/* The pane has another size: the cursor stays in view. */
void copy_mode_placed(struct pane *pane);
/* The console's width changed, and the mirror has the frame that says so. rows:
 * where the view's rows begin now, as SCREEN tells it ("moved"); top: the
 * number that the first of them had. */
void copy_mode_moved(struct pane *pane, const json_t *rows, int64_t top);
/* The mirror has a new frame. */
void copy_mode_screen(struct pane *pane);

/* The columns that the pane's view has: in copy mode the whole console's, of
 * which the pane shows a part that is this client's own affair. */
int copy_mode_view_cols(const struct pane *pane);
/* How many columns of the view's rows lie left of the pane. */
int copy_mode_shift(const struct pane *pane);
/* The console's column at the pane's left edge, in copy mode or not. */
int copy_mode_first_col(const struct pane *pane);
/* Shows what is so many rows further down and columns further right; the
 * cursor stays in view. */
void copy_mode_pan(struct pane *pane, int rows, int cols);

/* Where its cursor is in the pane; false when outside, or in no copy mode. */
bool copy_mode_cursor(const struct pane *pane, int *ret_row, int *ret_col);

/* Columns (both included) of a view's row to be drawn in a role. */
struct copy_span {
    int from;
    int to;
    enum theme_role role;
};

/* Most spans of one row that are told. */
#define COPY_SPANS_MAX 64

/* What is to be drawn over that row of the view, the last one on top. Returns
 * how many. */
size_t copy_mode_spans(const struct pane *pane, int index,
                       struct copy_span spans[COPY_SPANS_MAX]);

/* "control0 880:12", for the status line. The caller frees it. */
char *copy_mode_badge(const struct pane *pane);

/* The wheel turned by rows (up is positive): begins it, and leaves it at the
 * newest rows when the wheel began it. */
void copy_mode_wheel(struct pane *pane, int rows);

/* --- what keys do; the pane is in copy mode ------------------------------- */

enum copy_move {
    COPY_LEFT,
    COPY_RIGHT,
    COPY_UP,
    COPY_DOWN,
    COPY_HALF_UP,
    COPY_HALF_DOWN,
    COPY_PAGE_UP,
    COPY_PAGE_DOWN,
    COPY_SCROLL_UP, /* the text, not the cursor */
    COPY_SCROLL_DOWN,
    COPY_LINE_START,
    COPY_LINE_INDENT,
    COPY_LINE_END,
    COPY_SCREEN_TOP,
    COPY_SCREEN_MIDDLE,
    COPY_SCREEN_BOTTOM,
    COPY_TOP,
    COPY_BOTTOM,
    COPY_WORD_NEXT,
    COPY_WORD_PREVIOUS,
    COPY_WORD_END,
    COPY_LONG_WORD_NEXT,
    COPY_LONG_WORD_PREVIOUS,
    COPY_LONG_WORD_END,
    COPY_PARAGRAPH_NEXT,
    COPY_PARAGRAPH_PREVIOUS,
    COPY_MOVE_COUNT
};

/* Something to be done in copy mode. What needs rows that are not there yet
 * waits until the server sent them; what is asked for meanwhile is done after.
 */
typedef void (*copy_mode_fn)(struct pane *pane, int argument);
void copy_mode_do(struct pane *pane, copy_mode_fn run, int argument);

/* For copy_mode_do. argument: enum copy_move. */
void copy_mode_move(struct pane *pane, int move);
/* A digit of the count for the next move; 0 without one is the line's start. */
void copy_mode_count(struct pane *pane, int digit);
/* kind: enum selection_kind. Begins a selection, changes its kind, or ends it
 * when it is of that kind. */
void copy_mode_select(struct pane *pane, int kind);
void copy_mode_other_end(struct pane *pane, int unused);
/* Drops the selection, or leaves when there is none. */
void copy_mode_cancel(struct pane *pane, int unused);
/* Asks for a file, saves the selection to it, and leaves. */
void copy_mode_save(struct pane *pane, int unused);
/* flags: enum copy_take_flags. Copies the selection and leaves. */
void copy_mode_copy(struct pane *pane, int flags);
