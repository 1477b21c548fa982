#pragma once

#include "cli/command.h"

#include <stdbool.h>

/* `console --plain`: a console as lines of text, without taking the screen
 * over. */

/* Prints the console's screen, then what the guest prints, made harmless; sends
 * what comes on standard input. Ends with the prefix key and d, at the end of
 * the input, or with the guest. Returns the exit status. */
int plain_run(struct cli *cli, const char *console, bool is_readonly);
