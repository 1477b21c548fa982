#pragma once

#include "base/buffer.h"
#include "console/pattern.h"

#include <stddef.h>

#include <jansson.h>

/* A line's text as an answer tells it: fit to show, with the places of its
 * matches in columns. Of a very long line the surroundings of the first match.
 * Matches are added in their order. */
struct search_text {
    const char *text; /* borrowed */
    size_t bytes;
    size_t start; /* the part that is told */
    size_t end;
    size_t at;         /* what comes next */
    size_t cols;       /* so far */
    struct buffer out; /* owned, until the end */
};

/* Longest text that is told whole, bytes. */
#define SEARCH_TEXT_MAX_BYTES ((size_t)4096)

/* first: where the first match starts, or 0. */
void search_text_begin(struct search_text *text, const char *line, size_t bytes,
                       size_t first);
/* [column, columns] of a match; NULL when it lies outside of what is told. */
json_t *search_text_match(struct search_text *text,
                          const struct pattern_match *match);
/* The text; frees what is left. */
json_t *search_text_end(struct search_text *text);

/* Puts "skipped" into a search's answer when there are lines of which it is not
 * known whether they match, since the pattern took too long on them. */
void search_tell_skipped(const struct pattern *pattern, json_t *answer);
