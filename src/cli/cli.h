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

enum cli_deck_flags {
    CLI_DECK_SINGLE = 1 << 0,    /* one console without the deck's furniture */
    CLI_DECK_READ_ONLY = 1 << 1, /* nothing is typed, no guest acted on */
};

/* Opens the deck until the operator leaves it. focus: a guest or console, or
 * NULL. flags: enum cli_deck_flags. */
int cli_run_deck(struct cli *cli, const char *focus, unsigned flags);

/* Whether the deck can be opened: both standard streams are a terminal. */
bool cli_check_terminal(struct error *error);
