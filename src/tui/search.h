#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct deck;
struct pane;
struct records_row;

/* Searching all consoles: a pattern is asked for, and what the server finds
 * fills a list (records.h) whose rows lead to their places. */
struct search;

/* Asks for a pattern; "/…/" is a regular expression, all else plain text. */
void search_ask(struct deck *deck);

/* Whether what was typed is a regular expression: "/…/". */
bool search_is_regex(const char *typed);

/* The arguments "pattern" and "regex" for what was typed. New reference. */
json_t *search_arguments(const char *typed);

/* Goes to where a line that was found stands now in its pane, which has the
 * focus, and marks what was looked for. line: its number. */
void search_jump(struct deck *deck, struct pane *pane, int64_t line);

/* Opens the timeline around a row of the list. */
void search_around(struct deck *deck, const struct records_row *row);

void search_finish(struct deck *deck);
