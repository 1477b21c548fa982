#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* What happened to the guests and by whom: records of a few hundred bytes, one
 * JSON object a line, in the state directory and, the newest of them, in
 * memory. A record has "at-ms" (wall clock), "kind" and "text"; most have
 * "guest" and "severity". It survives the server. */
struct journal;

/* Bytes of the newest file; the one before it is kept too, and both together
 * are what is kept in memory. */
#define JOURNAL_FILE_BYTES (1u << 20)
/* Longest record, bytes. */
#define JOURNAL_RECORD_BYTES 8192
/* Most records of one answer. */
#define JOURNAL_MAX_ANSWER 10000

/* Opens (or makes) directory/events.jsonl and reads what is there. An error is
 * only told: the journal works in memory then. */
struct journal *journal_new(const char *directory, struct error *error);
void journal_free(struct journal *journal);

/* Adds a record: stolen. "at-ms" is put in front unless it is there. Returns
 * whether it was written; error is set once per fault. */
bool journal_add(struct journal *journal, json_t *record, struct error *error);

struct journal_query {
    int64_t since_ms;     /* 0: from the first */
    int64_t until_ms;     /* 0: to the last */
    const json_t *guests; /* borrowed array of names; NULL: all */
    const char *kind;     /* NULL: all */
    int severity;         /* at least; ALERT_UNSET: all */
    size_t limit;         /* the newest so many; 0: JOURNAL_MAX_ANSWER */
    bool is_complete;     /* what is no event for people ("seen") too */
};

/* The records that fit, oldest first. New reference. */
json_t *journal_find(const struct journal *journal,
                     const struct journal_query *query);

/* The records of a time as they are kept, one JSON object a line, oldest first
 * and without any limit: for who reads them in a thread. *ret_len: bytes. The
 * caller frees it. */
char *journal_copy(const struct journal *journal, int64_t since_ms,
                   int64_t until_ms, size_t *ret_len);

/* Whether a record fits: for what is followed. */
bool journal_fits(const struct journal_query *query, const json_t *record);

/* The "state" that was recorded for the guest last, or "". The caller frees
 * it. */
char *journal_last_state(const struct journal *journal, const char *guest);
