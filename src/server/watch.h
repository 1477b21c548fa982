#pragma once

#include "server/alerts.h"
#include "server/journal.h"
#include "server/ruleset.h"
#include "server/watcher.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* What the server watches for while nobody looks: lines that alert rules match,
 * silence, guests that change their state. What comes of it: alerts, records in
 * the journal, commands that are run. */
struct watch;
struct server;
struct member;
struct member_console;
struct request;
struct method;
struct peer;

/* What is kept about a console. Zeroed is an unwatched one. */
struct watch_console {
    struct watcher watcher; /* its rules are NULL until it prints something */
    uint64_t output_ms;     /* monotonic: the last output, or when the silence
                             * began to count */
    int silence_s;          /* 0: silence is not watched for */
    bool is_settling;       /* an unfinished line waits */
    bool is_silent;
    bool is_activity_wanted; /* the next output is an alert, once */
};

/* ms; an unfinished line that stood for so long is tried as it is. */
#define WATCH_SETTLE_MS 200

/* Reads the journal and the rules. What is wrong with them is an alert. */
struct watch *watch_new(struct server *server);
void watch_free(struct watch *watch);

/* A guest came, with its first consoles. */
void watch_member_added(struct server *server, struct member *member);
/* It goes. */
void watch_member_removed(struct server *server, struct member *member);
/* Its definition is another one. */
void watch_member_updated(struct server *server, struct member *member);
/* Something about it changed: its state may have. */
void watch_member_changed(struct server *server, struct member *member);
/* Frees what is kept about count consoles. */
void watch_finish_consoles(struct member_console *consoles, size_t count);

/* Live output of a console. */
void watch_output(struct server *server, struct member *member, size_t index,
                  const char *bytes, size_t len, uint64_t offset);

/* Something of our own to tell: an alert, unless level is "info". guest: name
 * or NULL. */
void watch_notice(struct server *server, const char *level, const char *guest,
                  const char *text);
/* The same with a rule's name of our own. */
void watch_raise(struct server *server, const char *guest, const char *console,
                 const char *rule, int severity, const char *text);

/* The rules that count for a guest. Borrowed. */
struct ruleset *watch_rules(struct server *server, struct member *member);
/* Those of guests without rules of their own. Borrowed. */
struct ruleset *watch_common_rules(const struct server *server);
/* Reads the user's rules again; returns their problems, "" when there are none.
 * Borrowed. */
const char *watch_reload(struct server *server);
const char *watch_problems(const struct server *server);
/* What the user's file (or the program's own) says beside rules. */
const struct alert_file *watch_settings(const struct server *server);

struct alerts *watch_alerts(const struct server *server);
const struct journal *watch_journal(const struct server *server);

/* --- lifecycle.c: the journal's records ------------------------------------
 */

/* Adds a record and tells the clients. record: stolen. */
void lifecycle_record(struct server *server, json_t *record);
void lifecycle_state(struct server *server, struct member *member);
void lifecycle_removed(struct server *server, const struct member *member);
/* The peer of a request had a method run that has a deed. */
void lifecycle_deed(struct server *server, const struct peer *peer,
                    const struct method *method, const json_t *arguments);
/* Who a peer is: "root, pts/3, guestmux[123]". The caller frees it. */
char *lifecycle_who(const struct peer *peer);
/* Alerts cleared or seen: their ids, so that the next server knows. ids:
 * borrowed. */
void lifecycle_cleared(struct server *server, const struct peer *peer,
                       json_t *ids);
void lifecycle_seen(struct server *server, json_t *ids);

/* --- silence.c -------------------------------------------------------------
 */

/* Fired by the timer: tells of the consoles that are silent now. */
void silence_check(void *server);
/* How long a console may be silent, s; 0: as long as it likes. */
void silence_set(struct server *server, struct member *member, size_t index,
                 int silence_s);
/* It printed something. */
void silence_output(struct server *server, struct member *member, size_t index);
/* Its guest may run or not run any more. */
void silence_state(struct server *server, struct member *member);
