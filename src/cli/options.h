#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Options of a command line, read by a table. Long names are never guessed from
 * their beginnings; `--` ends the options; those after an argument count too,
 * unless OPTIONS_STOP_AT_ARGUMENT is set. */

enum option_type {
    OPTION_FLAG,    /* takes no value */
    OPTION_TEXT,    /* any text */
    OPTION_INTEGER, /* within min and max */
    OPTION_SECONDS, /* "2.5": kept in ms, within min and max ms */
    OPTION_TYPE_COUNT
};

enum option_flags {
    OPTION_HIDDEN = 1 << 0, /* for the program's own use: not in the help */
};

struct option {
    const char *name;          /* without the dashes */
    char letter;               /* 0: none */
    unsigned char type;        /* enum option_type */
    unsigned char flags;       /* enum option_flags */
    const char *value;         /* what the help calls its value; NULL: flag */
    const char *default_value; /* text of it, NULL: none */
    int64_t min;
    int64_t max;
    const char *summary;
};

/* One table among those that a command line is read by. */
struct option_table {
    const struct option *rows; /* borrowed */
    size_t count;
};

enum options_flags {
    OPTIONS_STOP_AT_ARGUMENT = 1 << 0,
};

/* What a command line said. Zero-initialise it; options_finish frees it. */
struct options {
    struct options_given *given; /* owned */
    size_t given_count;
    const struct option_table *tables; /* borrowed */
    size_t table_count;
    char **arguments; /* owned array of borrowed words, NULL at its end */
    int argument_count;
};

/* Reads argv[0..argc). Fails with ERROR_CODE_INVALID on an unknown option
 * (naming the nearest), a missing or surplus value, and a number out of its
 * range. tables and argv are borrowed as long as options is in use. */
bool options_parse(struct options *options, const struct option_table *tables,
                   size_t table_count, unsigned flags, int argc,
                   char *const *argv, struct error *error);
void options_finish(struct options *options);

/* Whether the option was given. name has to be in the tables, here and in all
 * of the following. */
bool options_has(const struct options *options, const char *name);

/* The last value given, else the default. Borrowed; NULL without either. */
const char *options_text(const struct options *options, const char *name);

/* The same as a number (OPTION_SECONDS: ms); 0 without either. */
int64_t options_number(const struct options *options, const char *name);
