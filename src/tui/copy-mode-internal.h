#pragma once

#include "tui/copy-mode.h"
#include "tui/motion.h"
#include "tui/row-text.h"
#include "tui/selection.h"

/* What the files copy-*.c share. */

/* What may wait while a motion waits for rows. */
#define COPY_QUEUE_MAX 64

/* The largest count before a move. */
#define COPY_COUNT_MAX 99999

struct copy_command {
    copy_mode_fn run;
    int argument;
};

struct copy_mode {
    struct pane *pane; /* borrowed: owns this */
    struct place cursor;
    int wanted_col; /* where the cursor would be if its row were as long */
    int64_t top;    /* what the view was asked to begin with */
    struct selection selection;
    int count;     /* typed before a move; 0: none */
    int cols;      /* of the console, when it was looked at last */
    int first_col; /* of the console, at the pane's left edge */

    /* a motion that waits for rows beyond the view */
    bool is_moving;
    struct motion motion;
    int repeats;          /* of the motion, after this one */
    unsigned misses;      /* how often it waited */
    int64_t missing_row;  /* what it waits for */
    bool is_fetching;     /* they were asked for */
    char *fetched;        /* owned: their text, cut into lines; or NULL */
    char **fetched_lines; /* owned */
    size_t fetched_count;
    int64_t fetched_first;
    struct copy_command queue[COPY_QUEUE_MAX];
    size_t queued;

    /* the row that was read last */
    struct row_text row; /* owned */
    int64_t row_number;  /* -1: none */

    struct copy_mark marks[COPY_MARKS_MAX];
    size_t mark_count;
    int marks_cols; /* the console's width that they are for */

    /* searching */
    bool has_search; /* its matches are marked */
    bool is_search_back;
    bool is_search_wrapped;
    int64_t marked_top; /* the view's first row when marks were asked for */

    bool is_from_wheel; /* left by scrolling down again */
};

/* The row's cells; NULL while it is not at hand. Borrowed until the next call
 * or frame. */
const struct row_text *copy_row(struct copy_mode *copy, int64_t row);
/* The oldest and the newest row that there is. */
int64_t copy_first_row(const struct copy_mode *copy);
int64_t copy_last_row(const struct copy_mode *copy);

/* Moves the cursor there, wherever its row ends, and the view if it has to. */
void copy_set_cursor(struct copy_mode *copy, int64_t row, int wanted_col);
/* Shows the columns from that one on, as far as there are so many. */
void copy_show_cols(struct copy_mode *copy, int first_col);
/* Asks for the rows from that one on. */
void copy_scroll_to(struct copy_mode *copy, int64_t top);
/* Puts the cursor where it can be, now that rows or limits changed. */
void copy_settle(struct copy_mode *copy);
/* What is drawn of it changed. */
void copy_changed(struct copy_mode *copy);
void copy_drop_selection(struct copy_mode *copy);
/* Asks which matches there are in the rows that the view shows now. */
void copy_search_mark(struct copy_mode *copy);
/* Asks for rows beyond the view, the missing one among them, for the motion. */
void copy_fetch(struct copy_mode *copy, int64_t row);
/* A row that came; as copy_row. */
const struct row_text *copy_fetched_row(struct copy_mode *copy, int64_t row);
/* Forgets what came, and what is to come. */
void copy_fetch_drop(struct copy_mode *copy);
/* Does what waits, as far as it can be done now. */
void copy_drain(struct copy_mode *copy);
/* Goes on with a motion that waits, and with what waits for it. */
void copy_resume(struct copy_mode *copy);
