#pragma once

#include "cli/options.h"

/* Option rows that several commands share. */

#define ROW_JSON                                                               \
    {                                                                          \
        .name = "json", .type = OPTION_FLAG,                                   \
        .summary = "print what the server answers as JSON"                     \
    }

#define ROW_YES                                                                \
    {                                                                          \
        .name = "yes", .letter = 'y', .type = OPTION_FLAG,                     \
        .summary = "do it without asking"                                      \
    }

#define ROW_READ_ONLY                                                          \
    {                                                                          \
        .name = "read-only", .letter = 'r', .type = OPTION_FLAG,               \
        .summary = "look only: nothing is typed, no guest is acted on"         \
    }

#define ROW_NO_WAIT                                                            \
    {                                                                          \
        .name = "no-wait", .type = OPTION_FLAG,                                \
        .summary = "return when it has begun, not when it is done"             \
    }

/* The longest time that can be waited for, ms: a day. */
#define ROW_MAX_TIMEOUT_MS 86400000

#define ROW_TIMEOUT(default_text, what)                                        \
    {                                                                          \
        .name = "timeout", .type = OPTION_SECONDS, .value = "SECONDS",         \
        .default_value = (default_text), .max = ROW_MAX_TIMEOUT_MS,            \
        .summary = (what)                                                      \
    }

/* A moment (moment_of_option). */
#define ROW_MOMENT(name_text, letter_code, what)                               \
    {                                                                          \
        .name = (name_text), .letter = (letter_code), .type = OPTION_TEXT,     \
        .value = "TIME", .summary = (what)                                     \
    }

/* A part of a console's record (logreader_read_range). */
#define ROW_SINCE ROW_MOMENT("since", 'S', "what was printed then and later")
#define ROW_UNTIL ROW_MOMENT("until", 'U', "what was printed up to then")
#define ROW_BOOT                                                               \
    {                                                                          \
        .name = "boot", .letter = 'b', .type = OPTION_INTEGER, .value = "N",   \
        .min = -1000000,                                                       \
        .summary = "only one run of the guest: 0 the last one, -1 the one "    \
                   "before it"                                                 \
    }
