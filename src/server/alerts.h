#pragma once

#include "fleet/alert-rules.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <uv.h>

/* What an operator should look at: a bounded list. The same thing that happens
 * again within a minute is the same alert, with a count. */
struct alerts;

/* Most alerts of one guest, and of all. */
#define ALERTS_MAX_PER_GUEST 100
#define ALERTS_MAX 1000
/* ms; after so long without it, the same thing is another alert. */
#define ALERTS_JOIN_MS 60000
/* ms between two words about a count that grows. */
#define ALERTS_TELL_MS 1000

struct alert {
    int64_t id;
    int64_t first_ms; /* wall clock */
    int64_t last_ms;
    char *guest;     /* owned; NULL: the server's own */
    char *console;   /* owned; NULL: the guest's own */
    char *rule;      /* owned: a rule's name, or one of our own */
    char *message;   /* owned; of ours, or of QEMU's words made fit to show */
    char *line;      /* owned: the guest's line, fit to show; NULL: none */
    uint64_t offset; /* of the line in the console's log */
    uint64_t count;
    int severity;
    bool is_seen;
    uint64_t recorded; /* its count when ALERTS_DOUBLED was told last */
    bool is_due;       /* its count is to be told */
};

/* What happened; all borrowed for the call. */
struct alert_report {
    const char *guest;
    const char *console;
    const char *rule;
    const char *message;
    const char *line;
    uint64_t offset;
    int severity;
};

enum alerts_news {
    ALERTS_NEW,
    ALERTS_GREW,    /* its count did: at most once a second */
    ALERTS_DOUBLED, /* the same, and it is twice what it was at the last one */
};

struct alerts_handlers {
    void (*on_alert)(void *data, const struct alert *alert,
                     enum alerts_news news);
};

struct alerts *alerts_new(uv_loop_t *loop,
                          const struct alerts_handlers *handlers, void *data);
void alerts_free(struct alerts *alerts);

/* Adds it or joins it with one of the last minute. Borrowed: the alert. */
const struct alert *alerts_raise(struct alerts *alerts,
                                 const struct alert_report *report);

/* Puts one back that an earlier server had: its API object. Nothing is told. */
void alerts_restore(struct alerts *alerts, const json_t *object);

/* Which ones are meant. */
struct alerts_choice {
    const char *guest; /* NULL: of all */
    int64_t id;        /* 0: any */
    int64_t since_ms;  /* last_ms is not before */
    int severity;      /* at least; ALERT_UNSET: all */
};

/* Their API objects, oldest first. New reference. */
json_t *alerts_list(const struct alerts *alerts,
                    const struct alerts_choice *choice);
/* Takes them off; the array of their ids. New reference. */
json_t *alerts_clear(struct alerts *alerts, const struct alerts_choice *choice);
/* Notes that somebody looked; the ids of those that had not been seen. */
json_t *alerts_see(struct alerts *alerts, const struct alerts_choice *choice);

/* The API's object. New reference. */
json_t *alert_to_json(const struct alert *alert);
