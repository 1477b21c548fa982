#pragma once

#include "base/buffer.h"
#include "server/ruleset.h"
#include "server/sieve.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Tries the alert rules on what a console prints, live: line by line, as plain
 * text. Most bytes are only looked at by the sieve; a line is cut and the rules
 * are tried on it when something that they cannot match without is in it. An
 * unfinished line (a prompt) is tried when it has stood for a moment.
 *
 * What one console can cost: the sieve's pass, and WATCHER_TRIALS tries a
 * second; lines beyond them are passed over, but for WATCHER_RESERVE tries of
 * each rule: a disk that floods with errors hides no panic. */

/* Tries of a rule on a line, per console and second. */
#define WATCHER_TRIALS 2000
/* Those that each rule has in a second, whatever the others took. */
#define WATCHER_RESERVE 50
/* Raw bytes of a line that are kept; a longer one is taken for several. */
#define WATCHER_LINE_BYTES 4096

struct watcher_match {
    size_t rule;      /* index in the set */
    const char *line; /* plain text, valid UTF-8, terminated */
    size_t len;
    uint64_t offset; /* where the line begins in the log */
};

struct watcher_handlers {
    void (*on_match)(void *data, const struct watcher_match *match);
    /* The rule takes too long; it is tried no more. */
    void (*on_give_up)(void *data, size_t rule);
};

struct watcher {
    struct ruleset *rules; /* a reference */
    struct sieve_state state;
    struct buffer tail;   /* owned: the line under way, as it came */
    uint64_t tail_offset; /* of its first byte */
    uint64_t next_offset; /* of the byte that comes next */
    uint64_t pending;     /* rules to be tried on it */
    uint64_t told;        /* rules that matched it already */
    uint64_t second;      /* which the trials are counted in */
    unsigned trials;
    uint8_t tried[ALERT_RULES_MAX]; /* up to WATCHER_RESERVE */
};

/* rules: a reference is taken. */
void watcher_init(struct watcher *watcher, struct ruleset *rules);
void watcher_finish(struct watcher *watcher);
/* Other rules from now on. */
void watcher_set_rules(struct watcher *watcher, struct ruleset *rules);

/* now_ms: monotonic. The first byte stands at offset of the log. Returns
 * whether an unfinished line waits for watcher_settle. The handlers must not
 * free the watcher. */
bool watcher_feed(struct watcher *watcher, const char *bytes, size_t len,
                  uint64_t offset, uint64_t now_ms,
                  const struct watcher_handlers *handlers, void *data);

/* Tries the unfinished line as it stands. */
void watcher_settle(struct watcher *watcher, uint64_t now_ms,
                    const struct watcher_handlers *handlers, void *data);
