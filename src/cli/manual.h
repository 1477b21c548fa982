#pragma once

#include "base/error.h"

#include <stdbool.h>

/* Prints a part of the manual that is a table in the program, in scdoc's
 * syntax: "options", "commands", "methods", "roles", "modes", "actions". */
bool manual_print(const char *table, struct error *error);
