#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A shutdown that this deck began and that ends in force: the time left stands
 * in the status line, and any key stops it. */
struct deck;

/* The operator shuts the guest down. */
void countdown_begin(struct deck *deck, const char *guest);

/* "n1 is forced off in 42s: any key stops that"; false: there is none. */
bool countdown_text(struct deck *deck, char *text, size_t size);

/* A key was pressed; whether it was for this. */
bool countdown_take_key(struct deck *deck);
