#pragma once

#include "console/style.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The emulator of one console: bytes of a guest in, a screen and its history
 * out. Hostile bytes are its daily bread: parameters and strings are capped,
 * work per byte is bounded, no sequence loops. It does no I/O and knows no
 * clock. */
struct terminal;

/* Size limits, in cells. A size outside is clamped by resize, not refused. */
#define TERMINAL_MIN_ROWS 1
#define TERMINAL_MIN_COLS 2
#define TERMINAL_MAX_ROWS 1000
#define TERMINAL_MAX_COLS 2000
/* Lines of scrollback; the design's default. */
#define TERMINAL_HISTORY_DEFAULT_LINES 10000
#define TERMINAL_HISTORY_MAX_LINES 1000000

struct terminal_handlers {
    /* Bytes that answer a query of the guest; only from live writes. May be
     * NULL. */
    void (*on_reply)(void *data, const char *bytes, size_t len);
    void (*on_bell)(void *data);
    /* The guest ended synchronized output (2026): the screen is whole as it is,
     * and may not be after the bytes that follow. For reading only. May be
     * NULL. */
    void (*on_frame)(void *data);
    /* title: sanitised (base/text.h), at most 256 bytes; OSC 0 and 2. */
    void (*on_title)(void *data, const char *title);
};

struct terminal_config {
    int rows;
    int cols;
    size_t history_lines;                     /* 0: no history */
    const struct terminal_handlers *handlers; /* borrowed; may be NULL */
    void *data;                               /* what the handlers get */
    struct freezer *freezer; /* compresses the history; borrowed, lives
                              * longer; NULL: it stays as it is */
};

struct terminal *terminal_new(const struct terminal_config *config);
void terminal_free(struct terminal *terminal);
/* A terminal in the very same state, with the same handlers. What the history
 * holds is shared with the other one until either drops it: this costs about
 * what the screens do. */
struct terminal *terminal_copy(const struct terminal *terminal);
/* Another bound of the history; 0: none is kept. */
void terminal_set_history_lines(struct terminal *terminal, size_t lines);

enum terminal_write_flags {
    TERMINAL_WRITE_REPLAY = 0,    /* queries are not answered, no bell */
    TERMINAL_WRITE_LIVE = 1 << 0, /* answer queries, ring */
};

/* Interprets bytes as the guest's output. Sequences and UTF-8 may be split
 * over writes anywhere. Linear in len. */
void terminal_write(struct terminal *terminal, const char *bytes, size_t len,
                    unsigned flags);

/* Changes the size; soft-wrapped lines of the main screen and the history are
 * wrapped anew, the alternate screen is cut or padded. */
void terminal_resize(struct terminal *terminal, int rows, int cols);

/* As RIS, but keeps the history (it gets the screen's content). For a guest
 * that starts again. */
void terminal_reset(struct terminal *terminal);

int terminal_rows(const struct terminal *terminal);
int terminal_cols(const struct terminal *terminal);

/* --- what stands on it ---------------------------------------------------- */

/* Lines of scrollback above the screen, as wrapped at the present width. Zero
 * for the alternate screen's own content, but the main screen's history can
 * be read while the alternate screen shows. O(1) amortised. */
size_t terminal_history_rows(const struct terminal *terminal);

/* How many history rows were dropped at the far end since the start: a place
 * in the history that a viewer remembers is "dropped + index". */
uint64_t terminal_history_dropped(const struct terminal *terminal);

/* The screen's first row as such a place: an absolute row, counted from the
 * very first one. */
uint64_t terminal_screen_top(const struct terminal *terminal);

/* A row's content as runs of one style. Row numbers: 0 .. rows-1 is the
 * screen, -1 the newest row of history, -history_rows the oldest. Cells never
 * written, and blanks at the end in the default style, are left out; a row
 * that wraps keeps its blanks. */
struct terminal_run {
    const char *text; /* UTF-8, not terminated; borrowed until the next call
                       * that changes or reads the terminal */
    size_t bytes;
    int col;  /* first column */
    int cols; /* columns the text covers; wide characters count 2 */
    struct style style;
};

enum terminal_row_flags {
    TERMINAL_ROW_WRAPPED = 1 << 0, /* the next row continues this line */
};

/* Reads a whole row. runs: room for max_runs; a row never has more runs than
 * the terminal has columns. Returns the number of runs. *ret_flags (may be
 * NULL): enum terminal_row_flags. */
size_t terminal_read_row(struct terminal *terminal, int row,
                         struct terminal_run *runs, size_t max_runs,
                         unsigned *ret_flags);

/* A row's identity and version, to tell what changed: id stays with a row's
 * content when it scrolls (and into the history); version grows with every
 * change of it. A row of the screen that was cleared by a scroll or erased as
 * a whole may get a new id. Both never repeat within one terminal. */
struct terminal_row_stamp {
    uint64_t id;
    uint64_t version;
};
struct terminal_row_stamp terminal_row_stamp(const struct terminal *terminal,
                                             int row);

/* Grows with every change of content, cursor, modes or size. */
uint64_t terminal_version(const struct terminal *terminal);

/* What the guest calls itself (OSC 0 and 2): fit to show, at most 256 bytes; ""
 * when it says nothing. Borrowed until the next write. */
const char *terminal_title(const struct terminal *terminal);

struct terminal_cursor {
    int row; /* 0-based, on the screen */
    int col;
    bool is_visible; /* DECTCEM */
    int shape;       /* DECSCUSR's number, 0..6 */
};
struct terminal_cursor terminal_cursor(const struct terminal *terminal);

enum terminal_mode {
    TERMINAL_MODE_ALTERNATE_SCREEN = 1 << 0,
    TERMINAL_MODE_APPLICATION_CURSOR = 1 << 1, /* DECCKM */
    TERMINAL_MODE_APPLICATION_KEYPAD = 1 << 2, /* DECKPAM, DECNKM */
    TERMINAL_MODE_BRACKETED_PASTE = 1 << 3,    /* 2004 */
    TERMINAL_MODE_NEWLINE = 1 << 4,            /* LNM: Enter sends CR LF */
    TERMINAL_MODE_REVERSE_SCREEN = 1 << 5,     /* DECSCNM */
    TERMINAL_MODE_MOUSE_CLICK = 1 << 6,        /* 1000 */
    TERMINAL_MODE_MOUSE_DRAG = 1 << 7,         /* 1002 */
    TERMINAL_MODE_MOUSE_MOVE = 1 << 8,         /* 1003 */
    TERMINAL_MODE_MOUSE_SGR = 1 << 9,          /* 1006 */
    TERMINAL_MODE_SYNCHRONIZED = 1 << 10,      /* 2026 is set now */
    TERMINAL_MODE_AUTOWRAP = 1 << 11,          /* DECAWM */
    TERMINAL_MODE_FOCUS = 1 << 12,             /* 1004 */
    TERMINAL_MODE_MOUSE_PRESS = 1 << 13,       /* 9: X10's */
    TERMINAL_MODE_MOUSE_UTF8 = 1 << 14,        /* 1005 */
    TERMINAL_MODE_MOUSE_URXVT = 1 << 15,       /* 1015 */
    TERMINAL_MODE_ALTERNATE_SCROLL = 1 << 16,  /* 1007 */
};
unsigned terminal_modes(const struct terminal *terminal);

/* Bytes of memory in use for history rows, for the benchmark. */
size_t terminal_history_bytes(const struct terminal *terminal);
