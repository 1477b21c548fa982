#pragma once

#include "base/buffer.h"
#include "fleet/alert-rules.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The alert rules that count for a guest: the program's own, the user's and the
 * guest's, joined by name, with a sieve that tells which of them may match. */
struct ruleset;
struct sieve;

/* PCRE2 match steps per line and rule. */
#define RULESET_MATCH_LIMIT 20000
/* Lines on which a rule may reach that limit; then it is given up. */
#define RULESET_MAX_OVERRUNS 16

/* Rules of one origin. */
struct ruleset_layer {
    const struct alert_rules *rules; /* borrowed for the call; NULL: none */
    const char *source;              /* constant: "default", "user", "guest" */
};

struct rule {
    char *name;     /* owned */
    char *pattern;  /* owned */
    char *message;  /* owned */
    char **run;     /* owned words; NULL: none */
    int severity;   /* enum alert_severity */
    int timeout_s;  /* of the command */
    bool is_prompt; /* tried only on lines that are not ended */
    const char *source;
};

/* Joins layers, the first one lowest. What cannot count (a rule without a
 * pattern, too many rules) is told in problems, one a line. */
struct ruleset *ruleset_new(const struct ruleset_layer *layers, size_t count,
                            struct buffer *problems);
struct ruleset *ruleset_ref(struct ruleset *set);
void ruleset_unref(struct ruleset *set);

size_t ruleset_count(const struct ruleset *set);
const struct rule *ruleset_rule(const struct ruleset *set, size_t index);

/* Finds in raw bytes what the rules cannot match without: bit i for rule i. */
const struct sieve *ruleset_sieve(const struct ruleset *set);
/* The rules that no sieve can help: they are tried on every line. */
uint64_t ruleset_always(const struct ruleset *set);
/* The rules that are tried only on lines that are not ended. */
uint64_t ruleset_prompts(const struct ruleset *set);

/* Whether a rule matches a line of plain text (valid UTF-8). *ret_gave_up: the
 * rule took too long for the last time, and is tried no more. */
bool ruleset_matches(struct ruleset *set, size_t index, const char *line,
                     size_t len, bool *ret_gave_up);
