#pragma once

#include "base/error.h"
#include "base/paths.h"
#include "cli/options.h"
#include "client/connection.h"

#include <stdbool.h>
#include <stddef.h>

/* The subcommands: one row each, in a file of its own. Help, the manual's
 * tables and the shell completions come from the rows. */

/* What the program exits with; documented in guestmux(1). */
enum command_exit {
    COMMAND_DONE = 0,
    COMMAND_FAILED = 1,
    COMMAND_USAGE = 2,
    COMMAND_TIMEOUT = 3,
    COMMAND_INTERRUPTED = 130, /* 128 + SIGINT, as shells count */
};

/* One run of the program. */
struct cli {
    const struct command *command; /* borrowed */
    struct options options;        /* owned */
    struct paths paths;            /* owned */
    char *executable;              /* owned: this program's path */
};

enum command_flags {
    COMMAND_HIDDEN = 1 << 0,        /* not in the lists */
    COMMAND_RAW_ARGUMENTS = 1 << 1, /* what follows the first argument is no
                                     * option of ours */
    COMMAND_NO_PATHS = 1 << 2,      /* runs without directories (help, check) */
    COMMAND_CONFIRMS = 1 << 3,      /* takes --yes */
};

/* What an argument is, for completion. */
enum command_argument {
    COMMAND_ARGUMENT_NONE,
    COMMAND_ARGUMENT_GUEST,
    COMMAND_ARGUMENT_GUESTS, /* each of them */
    COMMAND_ARGUMENT_FILE,
    COMMAND_ARGUMENT_METHOD,
    COMMAND_ARGUMENT_COMMAND,
};

struct command {
    const char *name;
    const char *alias;   /* another name, or NULL */
    const char *usage;   /* what follows the name */
    const char *summary; /* one line, no full stop */
    const char *text;    /* more, for --help and the manual; may be NULL */
    const struct option *options;
    size_t option_count;
    int min_arguments;
    int max_arguments; /* -1: any number */
    unsigned flags;
    enum command_argument argument;
    int (*run)(struct cli *cli); /* returns enum command_exit */
};

/* Rows of an option table and their count, for a command's row. */
#define COMMAND_OPTIONS(table)                                                 \
    .options = (table), .option_count = sizeof(table) / sizeof((table)[0])

/* All of them, sorted by name. */
extern const struct command *const commands[];
extern const size_t commands_count;

/* By name or alias; NULL for an unknown one, with the nearest name in error. */
const struct command *commands_find(const char *name, struct error *error);

/* The options that every command takes. */
extern const struct option commands_global_options[];
extern const size_t commands_global_option_count;
