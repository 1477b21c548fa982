#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Lines that a search found (the API's, of scrollback or log), printed as grep
 * prints them: "n1:line", "n1-line before it", "--" between groups. */
struct found {
    int64_t before; /* lines of context that were asked for */
    int64_t after;
    int64_t base; /* number of a log's line 0 */
    bool is_json;
    bool is_count;
    bool is_names;
    bool is_numbered;
    bool has_offsets; /* of matching lines, in a log */
    /* of the present console */
    int64_t offset; /* of the line at hand */
    int64_t count;
    int64_t printed; /* number of the last line printed; INT64_MIN: none */
    bool has_group;  /* something was printed before, of any console */
    json_t *behind;  /* owned: lines behind the last match, to be printed … */
    int64_t behind_base; /* … with that base */
};

/* A console's lines begin. */
void found_begin(struct found *found);
void found_print(struct found *found, const char *target, const json_t *line);
/* … and end: what is left is printed; its count or name, when these are wanted.
 */
void found_end(struct found *found, const char *target);
