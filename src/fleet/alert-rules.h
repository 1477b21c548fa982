#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* Alert rules: which lines of a console's text are worth a word. They stand in
 * alerts.json (the program's own and the user's) and in a guest's "alerts". */

enum alert_severity {
    ALERT_INFO,
    ALERT_WARNING,
    ALERT_CRITICAL,
    ALERT_SEVERITY_COUNT
};

/* Where a severity can be missing: a rule does not say it; nothing rings. */
#define ALERT_UNSET (-1)

/* Most rules of one file or guest, and of all that count for a guest. */
#define ALERT_RULES_MAX 64
/* Longest pattern and message, bytes. */
#define ALERT_PATTERN_MAX_BYTES 1024
#define ALERT_MESSAGE_MAX_BYTES 200
/* A command's time limit, s. */
#define ALERT_TIMEOUT_S 30
#define ALERT_MAX_TIMEOUT_S 3600

/* One rule. What it does not say comes from the rule of its name in the layer
 * below: the guest's, the user's, the program's own. */
struct alert_rule {
    char *name;    /* owned */
    char *pattern; /* owned; PCRE2; NULL: not said */
    char *message; /* owned; NULL: not said */
    char **run;    /* owned words, NULL-terminated; NULL: not said; without a
                    * word: none after all */
    int severity;  /* enum alert_severity or ALERT_UNSET */
    int timeout_s; /* 0: not said */
    int prompt;    /* only on lines that are not ended: 0, 1 or ALERT_UNSET */
    bool is_off;   /* "enabled": false */
};

struct alert_rules {
    struct alert_rule *items; /* owned */
    size_t count;
};

/* What an alerts.json says. */
struct alert_file {
    struct alert_rules rules;
    int bell;           /* from this severity on the deck rings its terminal's
                         * bell; or ALERT_UNSET */
    int notify;         /* … sends the terminal a desktop notification */
    bool is_notify_777; /* by OSC 777 instead of OSC 9 */
};

void alert_rules_finish(struct alert_rules *rules);
void alert_file_finish(struct alert_file *file);

const char *alert_severity_name(int severity);
bool alert_severity_parse(const char *text, int *ret_severity);

/* Reads an alerts.json's content. file: its path, for the messages. What is
 * wrong is told in error, one mistake a line with its place, and false
 * returned; what is right counts all the same. */
bool alert_file_parse(struct alert_file *result, const char *file,
                      const char *text, size_t len, struct error *error);
