#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct deck;
struct pane;

/* Pasting: what is asked before, how the text goes to the server, how far it
 * is. */

/* A text longer than this is asked about, bytes, also when it is one line. */
#define PASTING_SMALL_BYTES 4096
/* A guest's tty drops what lies beyond it in one line while it edits lines:
 * N_TTY_BUF_SIZE - 1 (Linux's n_tty). */
#define PASTING_TTY_LINE_MAX 4095

/* Whether it goes at once: one line, and not a long one. */
bool pasting_is_small(const char *bytes, size_t len);

/* Asks how to paste, then pastes to where typing goes now. bytes: copied. */
void pasting_offer(struct deck *deck, const char *bytes, size_t len);

/* Asks for a file, and then how to paste it. */
void pasting_ask_file(struct deck *deck);
/* Asks for a line, and sends it to the marked guests, with Enter and with
 * {name} and {index} filled in. */
void pasting_ask_line(struct deck *deck);

/* A PASTE event. */
void pasting_event(struct deck *deck, const json_t *data);
/* The answer to query-pastes: what was under way before this deck came. */
void pasting_load(struct deck *deck, const json_t *list);

/* How much of what is being pasted to the guest is there, in percent; -1:
 * nothing is. console: NULL: any. */
int pasting_percent(const struct deck *deck, const char *guest,
                    const char *console);
/* Whether something is pasted to where typing goes now. */
bool pasting_is_running(const struct deck *deck);
/* Cancels that; false when there is nothing. */
bool pasting_cancel(struct deck *deck);
void pasting_finish(struct deck *deck);
/* The server is gone, and its pastes with it. */
void pasting_forget(struct deck *deck);
