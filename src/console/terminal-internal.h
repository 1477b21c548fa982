#pragma once

#include "console/cell.h"
#include "console/charset.h"
#include "console/grid.h"
#include "console/history.h"
#include "console/parser.h"
#include "console/tabs.h"
#include "console/terminal.h"

#include <stdbool.h>
#include <stdint.h>

/* Modes beside enum terminal_mode, in the same word. */
enum inner_mode {
    MODE_INSERT = 1 << 17,       /* IRM */
    MODE_ORIGIN = 1 << 18,       /* DECOM */
    MODE_CURSOR = 1 << 19,       /* DECTCEM */
    MODE_REVERSE_WRAP = 1 << 20, /* 45 */
    MODE_MARGINS = 1 << 21,      /* DECLRMM: left and right ones can be set */
    MODE_NARROW = 1 << 22,       /* they are narrower than the screen */
    MODE_COLUMNS = 1 << 23,      /* DECCOLM, without its columns */
    MODE_NATIONAL = 1 << 24,     /* DECNRCM */
    MODE_BLINK = 1 << 25,        /* 12: a cursor that blinks */
    MODE_PUBLIC_MASK = (1 << 17) - 1,
    MODE_DEFAULTS = TERMINAL_MODE_AUTOWRAP | MODE_CURSOR,
};

/* Bytes of answers that a guest may draw at once. */
#define TERMINAL_REPLY_BURST_BYTES ((size_t)4096)

/* Most bytes of a title that is passed on; what the header promises. */
#define TERMINAL_TITLE_BYTES 256

/* Widths of characters that are remembered; a power of two. */
#define TERMINAL_WIDTHS 512u

#define CHARSET_SLOTS 4 /* G0 to G3 */

/* What DECSC saves and DECRC restores. */
struct saved_cursor {
    int row;
    int col;
    bool is_pending;
    bool is_origin;
    struct style pen;
    enum charset charsets[CHARSET_SLOTS];
    int locked; /* the slot that GL is */
};

struct screen {
    struct grid grid;
    struct saved_cursor saved;
};

struct terminal {
    const struct terminal_handlers *handlers; /* borrowed; NULL: none */
    void *data;
    struct parser parser;
    struct cell_pool pool;
    struct history *history;
    struct screen main;
    struct screen alternate; /* its grid is made when it is first shown */
    struct grid *grid;       /* borrowed: the screen that shows */
    int rows;
    int cols;
    int row; /* of the cursor */
    int col;
    bool is_pending; /* the next character wraps first */
    int top;         /* scroll region, both included */
    int bottom;
    int left; /* of the scroll region, too; only narrow when MODE_NARROW */
    int right;
    unsigned modes; /* enum terminal_mode, enum inner_mode */
    int cursor_shape;
    struct style pen;
    uint32_t pen_style;   /* its number, when it is not stale */
    uint32_t erase_style; /* the number of what erased cells get */
    bool is_pen_stale;
    enum charset charsets[CHARSET_SLOTS];
    int locked;              /* the slot that GL is */
    int single;              /* the slot for the next character; -1: GL */
    bool is_fresh;           /* RIS was the last sequence */
    uint32_t last_codepoint; /* for REP; 0: something else was last */
    /* Widths looked up before: the character << 3 | 1 + its width, or
     * WIDTH_UNASSIGNED. */
    uint32_t widths[TERMINAL_WIDTHS];
    struct tabs tabs;
    unsigned write_flags; /* of the terminal_write under way */
    size_t allowance;     /* of answers; see terminal-query.c */
    uint64_t text_bytes;  /* printed since the last answer */
    uint64_t next_id;
    uint64_t version;
    char title[TERMINAL_TITLE_BYTES + 1];
    char *scratch; /* owned; a row's text */
    size_t scratch_bytes;
};

/* Finds the style numbers of a pen that changed. */
void terminal_resolve_pen(struct terminal *terminal);

/* The style numbers of the pen and of erased cells. */
static inline uint32_t
terminal_pen_style(struct terminal *terminal)
{
    if (terminal->is_pen_stale)
        terminal_resolve_pen(terminal);
    return terminal->pen_style;
}

static inline uint32_t
terminal_erase_style(struct terminal *terminal)
{
    if (terminal->is_pen_stale)
        terminal_resolve_pen(terminal);
    return terminal->erase_style;
}

/* Drops styles and clusters that no cell holds, when it is time. */
void terminal_collect(struct terminal *terminal);

/* The cursor's row. */
static inline struct row *
terminal_cursor_row(struct terminal *terminal)
{
    return terminal->grid->row[terminal->row];
}

/* Notes that a row changes. */
static inline void
terminal_touch(struct terminal *terminal, struct row *row)
{
    row->version = ++terminal->version;
}

/* Makes a row the last of its line. */
static inline void
terminal_end_line(struct terminal *terminal, struct row *row)
{
    if (!(row->flags & ROW_WRAPPED))
        return;
    row->flags &= (uint16_t)~ROW_WRAPPED;
    terminal_touch(terminal, row);
}

/* Whether the cursor stands between the left and the right margin. */
static inline bool
terminal_is_between(const struct terminal *terminal)
{
    return !(terminal->modes & MODE_NARROW) ||
           (terminal->col >= terminal->left &&
            terminal->col <= terminal->right);
}

/* The column behind the last one that printing from here fills. */
static inline int
terminal_end_col(const struct terminal *terminal)
{
    if ((terminal->modes & MODE_NARROW) && terminal->col <= terminal->right)
        return terminal->right + 1;
    return terminal->cols;
}

/* Where a line begins for a cursor that stands here. */
static inline int
terminal_first_col(const struct terminal *terminal)
{
    if ((terminal->modes & MODE_NARROW) && terminal->col >= terminal->left)
        return terminal->left;
    return 0;
}

/* Makes a row blank, in the colour of erased cells, and another one. */
static inline void
terminal_blank_row(struct terminal *terminal, struct row *row)
{
    uint32_t style = terminal_erase_style(terminal);
    row_reset(row);
    row->id = terminal->next_id++;
    terminal_touch(terminal, row);
    if (style)
        row_erase(row, terminal->cols, 0, terminal->cols, style);
}

/* Appends the main screen's content to the history, if it shows, down to its
 * last row that is not blank, and blanks the screen. */
void terminal_keep_screen(struct terminal *terminal);

/* Copies rows 0..count-1 of the main screen to the history. */
void terminal_push_rows(struct terminal *terminal, int count);

/* terminal-print.c */
void terminal_print(void *data, const char *bytes, size_t len);
void terminal_repeat(struct terminal *terminal, int count);

/* terminal-cursor.c: positions are 0-based and clamped. */
void terminal_move_to(struct terminal *terminal, int row, int col);
/* row and col count from the scroll region's corner in origin mode. */
void terminal_address(struct terminal *terminal, int row, int col);
/* Where terminal_address would have to go to come here. */
int terminal_addressed_row(const struct terminal *terminal);
int terminal_addressed_col(const struct terminal *terminal);
void terminal_cursor_forward(struct terminal *terminal, int count);
void terminal_cursor_back(struct terminal *terminal, int count);
void terminal_carriage_return(struct terminal *terminal);
void terminal_cursor_up(struct terminal *terminal, int count);
void terminal_cursor_down(struct terminal *terminal, int count);
void terminal_backspace(struct terminal *terminal);
/* Down by one, scrolling at the region's bottom. */
void terminal_index(struct terminal *terminal);
void terminal_reverse_index(struct terminal *terminal);
void terminal_linefeed(struct terminal *terminal);
void terminal_save_cursor(struct terminal *terminal);
void terminal_restore_cursor(struct terminal *terminal);

/* terminal-edit.c */
void terminal_scroll_up(struct terminal *terminal, int top, int bottom,
                        int count);
void terminal_scroll_down(struct terminal *terminal, int top, int bottom,
                          int count);
void terminal_erase_display(struct terminal *terminal, int what);
void terminal_erase_line(struct terminal *terminal, int what);
void terminal_erase_chars(struct terminal *terminal, int count);
void terminal_insert_chars(struct terminal *terminal, int count);
void terminal_delete_chars(struct terminal *terminal, int count);
void terminal_insert_lines(struct terminal *terminal, int count);
void terminal_delete_lines(struct terminal *terminal, int count);
void terminal_align(struct terminal *terminal);

/* terminal-margins.c */
/* The whole screen is the scroll region. */
void terminal_reset_margins(struct terminal *terminal);
/* DECLRMM was set or reset. */
void terminal_allow_margins(struct terminal *terminal, bool is_allowed);
/* Both included. */
void terminal_set_side_margins(struct terminal *terminal, int left, int right);
/* Scrolls of the columns between the side margins: up, and down when count is
 * negative. */
void terminal_scroll_columns(struct terminal *terminal, int top, int bottom,
                             int count);
/* Moves columns of the scroll region from a column on: to the right, and to
 * the left when count is negative. */
void terminal_shift_columns(struct terminal *terminal, int from, int count);
void terminal_decslrm(struct terminal *terminal,
                      const struct parser_sequence *sequence);
void terminal_decic(struct terminal *terminal,
                    const struct parser_sequence *sequence);
void terminal_decdc(struct terminal *terminal,
                    const struct parser_sequence *sequence);
void terminal_scroll_left(struct terminal *terminal,
                          const struct parser_sequence *sequence);
void terminal_scroll_right(struct terminal *terminal,
                           const struct parser_sequence *sequence);
/* DECFI and DECBI. */
void terminal_forward_index(struct terminal *terminal);
void terminal_back_index(struct terminal *terminal);

/* terminal-rectangle.c */
void terminal_deccra(struct terminal *terminal,
                     const struct parser_sequence *sequence);
void terminal_decera(struct terminal *terminal,
                     const struct parser_sequence *sequence);
void terminal_decfra(struct terminal *terminal,
                     const struct parser_sequence *sequence);

/* terminal-control.c: the parser's handlers. */
void terminal_control(void *data, unsigned char control);
void terminal_escape(void *data, const char *intermediates, char final);

/* terminal-csi.c */
void terminal_csi(void *data, const struct parser_sequence *sequence);
/* The parameter at a place; other when it is omitted. */
static inline int
terminal_param(const struct parser_sequence *sequence, unsigned at, int other)
{
    if (at >= sequence->count || sequence->params[at] == PARSER_OMITTED)
        return other;
    return sequence->params[at];
}
/* The first one as a count: omitted and 0 mean 1. */
int terminal_count(const struct parser_sequence *sequence);
/* A 1-based place as a 0-based one; omitted and 0 mean the first. */
int terminal_place(const struct parser_sequence *sequence, unsigned at);

/* terminal-sgr.c */
void terminal_sgr(struct terminal *terminal,
                  const struct parser_sequence *sequence);

/* terminal-modes.c */
void terminal_set_modes(struct terminal *terminal,
                        const struct parser_sequence *sequence);
void terminal_reset_modes(struct terminal *terminal,
                          const struct parser_sequence *sequence);
/* DECRQM's answer for a mode: 0 unknown, 1 set, 2 reset, 4 always reset. */
int terminal_mode_state(const struct terminal *terminal, bool is_private,
                        int number);
void terminal_soft_reset(struct terminal *terminal);

/* terminal-query.c */
/* Whether an answer of so many bytes may be sent now; counts it. */
bool terminal_spend_reply(struct terminal *terminal, size_t bytes);
void terminal_device_attributes(struct terminal *terminal,
                                const struct parser_sequence *sequence);
void terminal_secondary_attributes(struct terminal *terminal,
                                   const struct parser_sequence *sequence);
void terminal_tertiary_attributes(struct terminal *terminal,
                                  const struct parser_sequence *sequence);
void terminal_status_report(struct terminal *terminal,
                            const struct parser_sequence *sequence);
void terminal_private_report(struct terminal *terminal,
                             const struct parser_sequence *sequence);
void terminal_request_mode(struct terminal *terminal,
                           const struct parser_sequence *sequence);
void terminal_window_report(struct terminal *terminal,
                            const struct parser_sequence *sequence);
void terminal_report_version(struct terminal *terminal,
                             const struct parser_sequence *sequence);
void terminal_report_parameters(struct terminal *terminal,
                                const struct parser_sequence *sequence);
void terminal_request_setting(struct terminal *terminal, const char *setting);

/* terminal-string.c */
void terminal_set_title(struct terminal *terminal, const char *title);
void terminal_string(void *data, enum parser_string kind,
                     const struct parser_sequence *sequence, const char *text,
                     size_t len);

/* terminal-check.c: what is wrong with a terminal, or NULL. For tests. */
const char *terminal_check(struct terminal *terminal);
