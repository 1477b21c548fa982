#pragma once

struct deck;

/* What was copied, as the server keeps it: pasting the newest, choosing one. */

/* Pastes the newest buffer into the focused console. */
void buffers_paste(struct deck *deck);
/* Lists them over the deck; the one that is chosen is pasted. */
void buffers_choose(struct deck *deck);
