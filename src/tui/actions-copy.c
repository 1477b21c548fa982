#include "tui/actions-internal.h"
#include "tui/buffers.h"
#include "tui/copy-mode.h"
#include "tui/copy-search.h"
#include "tui/copy-take.h"
#include "tui/deck-internal.h"
#include "tui/pane.h"
#include "tui/scrub.h"

#include <limits.h>

/* What is done in copy mode, and with what was copied. */

/* The pane in copy mode that keys mean, or NULL. */
static struct pane *
copy_pane(const struct deck *deck)
{
    return deck->focus && deck->focus->copy ? deck->focus : NULL;
}

static void
run(struct deck *deck, copy_mode_fn what, int argument)
{
    struct pane *pane = copy_pane(deck);
    if (pane)
        copy_mode_do(pane, what, argument);
}

static void
run_scrollback(struct deck *deck, int argument)
{
    (void)argument;
    struct pane *pane = deck->focus;
    if (!pane)
        return;
    if (deck->is_sidebar_focused)
        arrange_focus(deck, pane);
    if (pane->scrub) /* the rows that it has are not the console's */
        scrub_close(pane);
    else
        copy_mode_enter(pane);
}

static void
run_move(struct deck *deck, int argument)
{
    run(deck, copy_mode_move, argument);
}

static void
run_count(struct deck *deck, int argument)
{
    run(deck, copy_mode_count, argument);
}

static void
run_select(struct deck *deck, int argument)
{
    run(deck, copy_mode_select, argument);
}

static void
run_other_end(struct deck *deck, int argument)
{
    run(deck, copy_mode_other_end, argument);
}

static void
run_cancel(struct deck *deck, int argument)
{
    run(deck, copy_mode_cancel, argument);
}

static void
run_copy(struct deck *deck, int argument)
{
    run(deck, copy_mode_copy, argument);
}

static void
run_save(struct deck *deck, int argument)
{
    run(deck, copy_mode_save, argument);
}

static void
run_search(struct deck *deck, int argument)
{
    run(deck, copy_search_ask, argument);
}

static void
run_search_next(struct deck *deck, int argument)
{
    run(deck, copy_search_next, argument);
}

static void
run_paste(struct deck *deck, int argument)
{
    (void)argument;
    buffers_paste(deck);
}

static void
run_paste_choose(struct deck *deck, int argument)
{
    (void)argument;
    buffers_choose(deck);
}

/* What the focused pane shows, as it stands there. */
static void
run_copy_screen(struct deck *deck, int argument)
{
    (void)argument;
    struct pane *pane = deck->focus;
    if (!pane || !pane->has_frame)
        return;
    struct selection_extent extent = {
        .first = pane->view.top,
        .last = pane->view.top + pane->view.rows - 1,
        .last_col = INT_MAX,
    };
    copy_take(deck, pane->target, &extent, COPY_TAKE_NEW);
}

static const struct action rows[] = {
    {"copy", "copy the selection and leave", run_copy, COPY_TAKE_NEW},
    {"copy-append", "add the selection to what was copied", run_copy,
     COPY_TAKE_APPEND},
    {"copy-save", "save the selection to a file", run_save, 0},
    {"copy-screen", "copy what the console shows", run_copy_screen, 0},
    {"count-0", "to the line's start, or a zero in a count", run_count, 0},
    {"count-1", "repeat the move that comes next", run_count, 1},
    {"count-2", "repeat the move that comes next", run_count, 2},
    {"count-3", "repeat the move that comes next", run_count, 3},
    {"count-4", "repeat the move that comes next", run_count, 4},
    {"count-5", "repeat the move that comes next", run_count, 5},
    {"count-6", "repeat the move that comes next", run_count, 6},
    {"count-7", "repeat the move that comes next", run_count, 7},
    {"count-8", "repeat the move that comes next", run_count, 8},
    {"count-9", "repeat the move that comes next", run_count, 9},
    {"line-end", "to the line's end", run_move, COPY_LINE_END},
    {"line-indent", "to the line's first character", run_move,
     COPY_LINE_INDENT},
    {"line-start", "to the line's start", run_move, COPY_LINE_START},
    {"long-word-end", "to the end of a word with its signs", run_move,
     COPY_LONG_WORD_END},
    {"long-word-next", "to the next word with its signs", run_move,
     COPY_LONG_WORD_NEXT},
    {"long-word-previous", "back a word with its signs", run_move,
     COPY_LONG_WORD_PREVIOUS},
    {"paragraph-next", "to the next blank line", run_move, COPY_PARAGRAPH_NEXT},
    {"paragraph-previous", "to the blank line before", run_move,
     COPY_PARAGRAPH_PREVIOUS},
    {"paste-buffer", "paste what was copied last", run_paste, 0},
    {"paste-choose", "choose what to paste", run_paste_choose, 0},
    {"screen-bottom", "to the screen's last row", run_move, COPY_SCREEN_BOTTOM},
    {"screen-middle", "to the screen's middle", run_move, COPY_SCREEN_MIDDLE},
    {"screen-top", "to the screen's first row", run_move, COPY_SCREEN_TOP},
    {"scroll-down", "the text a row down, the cursor stays", run_move,
     COPY_SCROLL_DOWN},
    {"scroll-up", "the text a row up, the cursor stays", run_move,
     COPY_SCROLL_UP},
    {"scrollback", "look at what scrolled away, copy from it", run_scrollback,
     0},
    {"search-back", "search back", run_search, -1},
    {"search-forward", "search forward", run_search, 1},
    {"search-next", "to the next match", run_search_next, 1},
    {"search-previous", "to the match before", run_search_next, -1},
    {"select", "begin or end a selection", run_select, SELECTION_CHARS},
    {"select-block", "select a block", run_select, SELECTION_BLOCK},
    {"select-lines", "select whole lines", run_select, SELECTION_LINES},
    {"select-other-end", "to the selection's other end", run_other_end, 0},
    {"unselect", "drop the selection, or leave", run_cancel, 0},
    {"word-end", "to the end of a word", run_move, COPY_WORD_END},
    {"word-next", "to the next word", run_move, COPY_WORD_NEXT},
    {"word-previous", "back a word", run_move, COPY_WORD_PREVIOUS},
};

const struct action_table actions_copy = {
    .rows = rows,
    .count = sizeof(rows) / sizeof(*rows),
};
