#pragma once

#include "base/error.h"

#include <stdbool.h>

/* Prints the completion script for "bash", "zsh" or "fish", made from the
 * command table. */
bool completion_print(const char *shell, struct error *error);
