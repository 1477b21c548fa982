#pragma once

#include "base/buffer.h"
#include "cli/command.h"

/* `guestmux --help`. */
void help_print_all(void);
/* `guestmux NAME --help`. */
void help_print_command(const struct command *command);
void help_print_version(void);

/* Calls print for each option that is not hidden: "-f, --file FILE", and what
 * it does and its default. */
void help_each_option(const struct option *options, size_t count,
                      void (*print)(const char *head, const char *text));

/* Appends "-f, --file FILE". */
void help_format_option(const struct option *option, struct buffer *out);
/* Appends the option's summary and its default. */
void help_format_summary(const struct option *option, struct buffer *out);
