#pragma once

#include "tui/selection.h"

struct deck;

/* Asks for a file and saves a part of a console to it; one that exists is
 * replaced only after another question. */
void copy_save_ask(struct deck *deck, const char *target,
                   const struct selection_extent *extent);
/* Forgets what was asked. */
void copy_save_finish(struct deck *deck);
