#pragma once

#include "tui/theme.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct deck;

/* A list over the whole deck: of alerts, of everything that was printed and
 * happened, by time, or of lines that were found. It scrolls, is filtered, and
 * leads to where a row comes from. */
struct records;

enum records_kind {
    RECORDS_ALERTS,
    RECORDS_TIMELINE,
    RECORDS_SEARCH,
};

/* Most rows of a list; the newest count. */
#define RECORDS_MAX_ROWS 20000

/* Part of a row's text that was looked for, in columns. */
struct records_match {
    int col;
    int cols;
};
#define RECORDS_MATCHES_MAX 8

struct records_row {
    char *guest;  /* owned; NULL: the server's own */
    char *target; /* owned: the console, as the API calls it; NULL: none */
    char *mark;   /* owned; NULL: none */
    char *text;   /* owned; foreign */
    int64_t at_ms;
    int64_t offset; /* of its line in the console's log; -1: none */
    int64_t id;     /* of an alert, of a line */
    struct records_match matches[RECORDS_MATCHES_MAX];
    size_t match_count;
    enum theme_role role;
    bool is_strong; /* not seen yet; where one came from */
};

void records_row_finish(struct records_row *row);
/* Whether two rows are of the same thing. */
bool records_is_same(const struct records_row *a, const struct records_row *b);

/* Opens a list in place of one that is open. */
void records_open(struct deck *deck, enum records_kind kind, const char *title);
void records_close(struct deck *deck);
const char *records_title(const struct records *records);
enum records_kind records_kind(const struct records *records);
/* Gives it its rows (copied; what they own is its from now on), the oldest
 * first. selected: which one is to be chosen; SIZE_MAX: the last, unless
 * another was. */
void records_set(struct deck *deck, struct records_row *rows, size_t count,
                 size_t selected);
/* Adds rows that are older than those it has, or newer; as records_set. Those
 * that it has already (rows of one moment come twice) are dropped, and beyond
 * RECORDS_MAX_ROWS rows at the other end. Returns how many are new. */
size_t records_join(struct deck *deck, struct records_row *rows, size_t count,
                    bool is_older);
/* The first and the last row that it has, filtered out or not; NULL: none. */
const struct records_row *records_first(const struct records *records);
const struct records_row *records_last(const struct records *records);
/* The filters; NULL: none. */
const char *records_filter(const struct records *records);
const char *records_guest(const struct records *records);
/* What the list shows has changed: alerts. */
void records_changed(struct deck *deck);

void records_place(struct deck *deck);
void records_move(struct deck *deck, long rows);
/* A click on a row chooses it; one on the chosen row goes to its console.
 * line: on the screen. */
void records_click(struct deck *deck, int line);
int records_page_rows(const struct deck *deck);
/* Goes to the console that the chosen row comes from. */
void records_choose(struct deck *deck);
/* The row that is chosen, or NULL. */
const struct records_row *records_chosen(const struct records *records);

/* Filters: a text that a row contains, or the chosen row's guest. */
void records_edit_filter(struct deck *deck);
void records_filter_guest(struct deck *deck);

/* What a timeline was asked for. */
struct records_query {
    int64_t at_ms;  /* around this moment; 0: the newest */
    int64_t offset; /* of the line to choose; -1: the one nearest to at_ms */
    char *target;   /* owned: whose line that is; NULL: nobody's */
    char *pattern;  /* owned: only rows with this in their text, or in their
                     * console's name; or NULL */
    char *has;      /* owned: the pattern that the list's rows were fetched by;
                     * or NULL */
    char *guest;    /* owned: only of this one; or NULL */
    int64_t older;  /* what was before this moment was not asked for; 0: there
                     * is none */
    int64_t newer;  /* what came since this one was not */
    bool is_tied;   /* the last answer was rows of one moment, and not all of
                     * them: the next ones are asked for by the row at the end */
    bool is_asking; /* an answer is to come */
    bool is_stale;  /* … that is one to another question */
    bool has_moved; /* keys chose a row while the filter's answer was to come */
};
/* Of the list that is open: the list's own. */
struct records_query *records_query(struct records *records);
