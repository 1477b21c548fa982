#pragma once

#include "console/line.h"
#include "console/pattern.h"
#include "server/search.h"

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* One line looked at, and told. */
struct search_line {
    const struct search_options *options; /* borrowed */
    struct pattern *pattern;              /* borrowed */
    struct line_reader reader;            /* owned: of the line */
    struct line_reader around;            /* owned: of its context */
    uint64_t top; /* the number of the screen's first row */
    int end;      /* behind the last row that holds something */
};

void search_line_finish(struct search_line *search);

/* What the API tells of a line that matches: a new reference without the guest
 * and the console; NULL when it does not match. *ret_bytes grows by about its
 * size. With SEARCH_COUNT any value stands for it. */
json_t *search_line_look(struct search_line *search, const struct line *line,
                         size_t *ret_bytes);
