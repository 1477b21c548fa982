#pragma once

struct deck;
struct pane;

/* Searching in copy mode: "/", "?", "n", "N". The server looks; what matches in
 * the rows shown is marked. */

/* Asks for a pattern. direction: 1 forward, -1 backward. For copy_mode_do. */
void copy_search_ask(struct pane *pane, int direction);
/* The next match. direction: 1 as asked, -1 the other way. For copy_mode_do. */
void copy_search_next(struct pane *pane, int direction);
/* What "n" and "N" look for from now on, as it was typed. */
void copy_search_set(struct deck *deck, const char *typed);
/* Forgets the pattern. */
void copy_search_finish(struct deck *deck);
