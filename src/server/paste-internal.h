#pragma once

#include "server/paste-text.h"
#include "server/paste.h"
#include "server/peer.h"
#include "server/server-internal.h"

/* One paste at work, shared by `paste*.c`. */

struct expect;

enum paste_state {
    PASTE_STATE_WAITING, /* behind another one */
    PASTE_STATE_RUNNING,
    PASTE_STATE_DONE,
    PASTE_STATE_CANCELLED,
    PASTE_STATE_FAILED,
};

/* What the guest has to do before more is typed. */
enum paste_await {
    PASTE_AWAIT_NOTHING,
    PASTE_AWAIT_ECHO,
    PASTE_AWAIT_PROMPT,
};

struct paste {
    struct paste *next;    /* in the server's list, oldest first */
    struct server *server; /* borrowed */
    struct guest *guest;   /* borrowed: told when it goes */
    size_t console;
    int64_t id;
    enum paste_state state;
    struct paste_text text;
    struct paste_pace pace;
    struct paste_meter meter;
    int64_t total_bytes;

    enum paste_await await;
    struct paste_echo echo;
    struct expect *prompt; /* owned; while it is awaited */
    size_t line_left;      /* bytes of the present line still to be typed */
    struct buffer line;    /* that line, for its echo */

    int64_t owner;             /* the peer that began it */
    const struct peer *source; /* borrowed: owes pieces; NULL: all are here */
    struct request *request;   /* owned; waits for room or for the end */
    unsigned request_flags;    /* enum paste_flags */
    struct buffer typed;       /* what was typed meanwhile */

    struct loop_defer *step;  /* owned: the next turn goes on */
    struct loop_timer *delay; /* owned: until more may be typed */
    struct loop_timer *limit; /* owned: of what is awaited */
    struct loop_timer *tell;  /* owned: the next PASTE event */
};

/* paste.c: a paste that runs ----------------------------------------------- */

/* Its turn has come. */
void paste_begin(struct paste *paste);
/* Goes on in the next loop turn. */
void paste_go_on(struct paste *paste);
/* Takes it off the list, tells, answers, frees. error: why it failed, or NULL.
 */
void paste_finish(struct paste *paste, enum paste_state state,
                  const struct error *error);
/* It failed after a part of it was typed; those behind it are not typed. */
void paste_fail(struct paste *paste, struct error *error);
/* The same, and types nothing more. */
void paste_drop(struct paste *paste, struct error *error);
/* Says before error how far it came: what was typed already is in the guest. */
void paste_tell_progress(const struct paste *paste, struct error *error);
/* Takes back what the guest has not taken yet, and ends the brackets. */
void paste_break_off(struct paste *paste);
/* Answers a client that waits to send its next piece, if there is room. */
void paste_answer_room(struct paste *paste);
/* Answers whoever waits. */
void paste_answer(struct paste *paste);
void paste_on_limit(void *data);
void paste_on_step(void *data);
void paste_on_tell(void *data);

/* paste-queue.c ------------------------------------------------------------ */

/* The console's first paste, which runs; or NULL. */
struct paste *paste_find(const struct server *server, const struct guest *guest,
                         size_t console);
/* What the text comes to, as far as it is known. */
int64_t paste_total_bytes(const struct paste *paste);
json_t *paste_describe(const struct paste *paste, const char *problem);
/* Begins the one that waited, once those before it are gone. */
void paste_begin_next(struct server *server, const struct guest *guest,
                      size_t console);
/* Frees it without telling anybody. */
void paste_free(struct paste *paste);

/* paste-ends.c: those that ended between two pieces ------------------------ */

/* Its client, which owes more pieces, is to hear why it ended (NULL: it was
 * cancelled) when it sends the next one. */
void paste_note_end(const struct paste *paste, const struct error *error);
/* Says why there is no paste of that id. Returns false. */
bool paste_refuse_piece(const struct server *server, int64_t id,
                        struct error *error);
