#pragma once

#include "cli/command.h"

/* `guestmux --help`. */
void help_print_all(void);
/* `guestmux NAME --help`. */
void help_print_command(const struct command *command);
void help_print_version(void);

/* The manual's command and option tables, in scdoc's syntax. */
void help_print_manual(void);
