#pragma once

#include "cli/command.h"

/* The program: reads the command line, runs the subcommand, tells what went
 * wrong. Returns the exit status. */
int cli_main(int argc, char **argv);

/* Prints "guestmux: text" (made fit to show) to stderr; returns the exit status
 * that fits the error. */
int cli_fail(const struct error *error);

/* The same for a wrong use: tells where the help is, returns COMMAND_USAGE. */
int cli_fail_usage(const struct cli *cli, const struct error *error);

/* Prints a remark to stderr: "guestmux: text". */
void cli_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A connected descriptor to the server that -L and --host name, started when
 * asked to; -1 on failure. */
int cli_connect(const struct cli *cli, enum connection_start start,
                struct error *error);

/* Opens the deck until the operator leaves it. focus: a guest, or NULL. */
int cli_run_deck(struct cli *cli, const char *focus, bool is_single);

/* Whether the deck can be opened: both standard streams are a terminal. */
bool cli_check_terminal(struct error *error);
