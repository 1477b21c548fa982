#pragma once

#include "base/json-writer.h"
#include "console/terminal.h"
#include "server/rewrap.h"

#include <stdbool.h>
#include <stdint.h>

/* What one view's client has, and the SCREEN data that brings it to the newest
 * state. Knows no peer and no clock. */

struct frame_state {
    int rows;
    int cols;
    struct terminal_row_stamp *stamps; /* owned: rows; zero: unknown */
    struct terminal_row_stamp *fresh;  /* owned: rows; those of now */
    bool *wraps;                       /* owned: rows; told ones that wrap */
    struct terminal_run *runs;         /* owned: one row's, while written */
    int run_capacity;
    bool is_scrolled;
    bool is_pinned;  /* scrolled, and stays so where the live rows begin */
    uint64_t anchor; /* absolute row at the top while scrolled back, counted
                      * from the very first ("dropped + index") */
    struct rewrap rewrap; /* the rows that the client has while it is scrolled
                           * back: they stay its rows at another width */
    int first_row;        /* of the console that a live view shows on top */
    int first_col;        /* … at its left edge */
    bool is_all_due;      /* the client has no row as it is from there */
    bool is_panned;       /* they are where the client put them, not where the
                           * cursor is */
    bool has_sent;        /* below is what the client was told */
    int console_rows;
    int console_cols;
    struct terminal_cursor cursor;
    unsigned modes;
    int64_t history;
    int64_t dropped;
    int64_t top;
    int64_t scroll;
    int origin_row;
    int origin_col;
    char *title; /* owned; NULL: none was told */
};

void frame_state_init(struct frame_state *state, int rows, int cols);
void frame_state_finish(struct frame_state *state);
/* Forgets what the client has: the next frame is whole. */
void frame_state_resize(struct frame_state *state, int rows, int cols);
/* rows: from the newest back; clamped to what exists; 0 is live. */
void frame_state_scroll(struct frame_state *state,
                        const struct terminal *terminal, int64_t rows);
/* Shows the rows from an absolute one on, clamped to what exists: output moves
 * them up into the history, and the view goes with them. */
void frame_state_pin(struct frame_state *state, uint64_t row);

/* For a view smaller than the console: shows it from that row and column on,
 * clamped to what there is, until frame_state_follow. -1: unchanged. Where the
 * cursor is in view anyway the view goes on following it. */
void frame_state_pan(struct frame_state *state, const struct terminal *terminal,
                     int row, int col);
/* Shows the part of the console that the cursor is in, from now on. Returns
 * whether it did not before. */
bool frame_state_follow(struct frame_state *state);

/* Writes the members of SCREEN but view and frame into an open object. False
 * when nothing changed: what was written then is worth no frame. */
bool frame_write(struct frame_state *state, struct terminal *terminal,
                 struct json_writer *out);
