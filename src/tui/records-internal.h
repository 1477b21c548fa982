#pragma once

#include "tui/records.h"

#include <tickit.h>

/* A list over the deck, shared by records.c and records-draw.c. */

struct records {
    enum records_kind kind;
    char *title;              /* owned */
    TickitWindow *window;     /* owned */
    struct records_row *rows; /* owned, the oldest first */
    size_t count;
    size_t *shown; /* owned: the rows that pass the filters */
    size_t shown_count;
    size_t chosen; /* of those shown */
    size_t top;
    char *filter; /* owned: what rows contain; NULL: anything */
    char *guest;  /* owned: only of this one; NULL: all */
    int height;
    int width;
    struct records_query query; /* owned texts */
    bool has_rows;              /* they were set once */
    /* where keys went before that */
    long early_rows;
    bool is_early_top; /* counted from the first row */
};

/* Draws it; user: the deck. */
int records_on_expose(TickitWindow *window, TickitEventFlags flags, void *info,
                      void *user);
