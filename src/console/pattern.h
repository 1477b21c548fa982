#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* A pattern that an operator or a script chose, for lines of text: compiled
 * once, with limits on what one line may cost, whatever the pattern is. */
struct pattern;

/* Longest pattern, bytes. */
#define PATTERN_MAX_BYTES 4096
/* PCRE2 match steps for one piece of a line. */
#define PATTERN_MATCH_LIMIT 200000u
/* A line longer than this is looked at in pieces, since a pattern can take the
 * square of their length; a match may reach so far into the next piece. */
#define PATTERN_PIECE_BYTES ((size_t)4096)
#define PATTERN_OVERLAP_BYTES ((size_t)1024)
/* Lines on which a pattern may reach its limit; then it is best given up. */
#define PATTERN_MAX_OVERRUNS 16u

enum pattern_flags {
    PATTERN_LITERAL = 1 << 0,     /* plain text, no regular expression */
    PATTERN_INSENSITIVE = 1 << 1, /* upper and lower case are the same */
    PATTERN_SMART = 1 << 2,       /* … unless the pattern has upper case */
};

/* A place in a line, bytes. */
struct pattern_match {
    size_t start;
    size_t end; /* start: an empty match */
};

struct pattern *pattern_new(const char *text, unsigned flags,
                            struct error *error);
void pattern_free(struct pattern *pattern);

/* Finds the first match in a line (UTF-8 or nearly so, without its end) that
 * starts at from or behind. */
bool pattern_find(struct pattern *pattern, const char *line, size_t len,
                  size_t from, struct pattern_match *ret_match);

/* On how many pieces of lines the pattern reached its limit so far: whether
 * those match is not known. */
unsigned pattern_overruns(const struct pattern *pattern);

/* Whether the pattern reached its limit on too many lines: error (may be NULL)
 * says so. */
bool pattern_has_overrun(const struct pattern *pattern, struct error *error);
