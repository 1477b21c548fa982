#pragma once

#include "base/error.h"
#include "guest/guest.h"

#include <stdbool.h>

/* Start order: guests that wait until others have come far enough ("after",
 * "until"). What waits is held back, told, and kept for the next server; it is
 * given up when the one it waits for ended, or takes too long. */
struct hold;
struct server;
struct member;

/* What is kept about a guest. */
struct order_member {
    struct hold *hold; /* owned; NULL: it does not wait */
    bool is_due;       /* it is about to be started with others */
};

/* Notes that it is to be started in this round: others may wait for it. */
void order_expect(struct member *member);

enum order_flags {
    /* Those that neither run nor are about to are not waited for: without it
     * they are why it is not started. */
    ORDER_WITHOUT_ABSENT = 1 << 0,
};

/* Starts a guest, now or once those it waits for are ready; on_done is called
 * when it is ready, has failed, or was given up. False: it cannot be started,
 * and on_done is not called. */
bool order_start(struct server *server, struct member *member, unsigned flags,
                 guest_done_fn on_done, void *data, struct error *error);

/* It is not started after all (order_expect): who waits for it is told. */
void order_forget(struct server *server, struct member *member);
/* Its definition is another one. */
void order_member_updated(struct server *server, struct member *member);

/* "waiting for control0: login", or NULL. Borrowed. */
const char *order_text(const struct member *member);

/* It waits no more: started by somebody (why NULL), told not to start, or gone.
 * Whether it waited. */
bool order_release(struct server *server, struct member *member,
                   const struct error *why);

/* The member is being freed: who waits is told why. What is kept on disk stays,
 * so that the next server goes on. */
void order_drop(struct member *member, const struct error *why);

/* Something changed with some guest: what waits is looked at in the next loop
 * turn. */
void order_changed(struct server *server);
/* That turn. */
void order_look(void *server);

/* A new server goes on holding what its predecessor held, and with autostart
 * starts the guests that want that. */
void order_resume(struct server *server, bool with_autostart);
