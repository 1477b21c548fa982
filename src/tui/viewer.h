#pragma once

#include <stddef.h>

struct deck;

/* A text over the deck: help, a guest's report, the messages. It scrolls. */
struct viewer;

/* Opens it in place of one that is open. text: lines; "# " begins a heading,
 * a tab ends what stands in the column of keys. Foreign text in it is made
 * printable when drawn. */
void viewer_open(struct deck *deck, const char *title, const char *text);
/* The same with a text that changes: make gives it (the caller frees it), as it
 * is now; NULL: there is none any more, and the last one stays, marked. subject
 * (copied; may be NULL): what it is about. */
typedef char *(*viewer_make_fn)(struct deck *deck, const char *subject);
void viewer_open_live(struct deck *deck, const char *title, viewer_make_fn make,
                      const char *subject);
/* What such a text is about may have changed (subject NULL: anything may have):
 * the text is made anew, and what is read stays where it is. */
void viewer_refresh(struct deck *deck, const char *subject);
void viewer_close(struct deck *deck);
const char *viewer_title(const struct viewer *viewer);

void viewer_scroll(struct deck *deck, int rows);
/* A click beside it leaves. line, col: on the screen. */
void viewer_click(struct deck *deck, int line, int col);
int viewer_page_rows(const struct deck *deck);
/* Follows the screen's size. */
void viewer_place(struct deck *deck);

/* All bindings of the keymap, by mode, as text for the viewer: those first that
 * count where the operator is. The caller frees it. */
char *viewer_help_text(const struct deck *deck);
/* For viewer_open_live. */
char *viewer_messages_text(struct deck *deck, const char *unused);
