#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "base/loop.h"
#include "base/paths.h"
#include "console/console.h"
#include "guest/guest.h"
#include "server/cloud-progress.h"
#include "server/order.h"
#include "server/restart.h"
#include "server/stages.h"
#include "server/watch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <jansson.h>
#include <uv.h>

/* What the files of this folder share. */

struct buffers;
struct fleet_reading;
struct lans;
struct listener;
struct peer;
struct view;
struct waiter;
struct paste;

/* One guest with what the server keeps about it. Times are monotonic, ms; 0:
 * never. */
struct member_console {
    uint64_t activity_sent_ms; /* the last GUEST_ACTIVITY */
    uint64_t bell_sent_ms;     /* the last CONSOLE_BELL */
    bool is_activity_due;
    struct watch_console watch;   /* owned: watch_finish_consoles */
    struct stages_console stages; /* owned: stages_finish_console */
    struct cloud_progress cloud;  /* owned: cloud_progress_finish */
    int64_t holder;         /* the client that alone may type; 0: all may */
    int64_t typist;         /* the client that typed last; 0: none did */
    uint64_t typed_ms;      /* when it did */
    uint64_t told_ms;       /* the last CONSOLE_CLIENTS */
    bool is_clients_due;    /* another one */
    bool is_typing_settled; /* that somebody types was dealt with */
    bool was_shared;        /* more than one client knew of it then */
};
struct member {
    struct guest *guest;             /* owned */
    struct member_console *consoles; /* owned: console_count */
    size_t console_count;
    char *told_state;         /* owned: in the last GUEST_CHANGED, or NULL */
    uint64_t changed_sent_ms; /* the last GUEST_CHANGED */
    bool is_change_due;
    struct ruleset *rules;     /* a reference; NULL: not needed yet */
    json_t *console_addresses; /* owned: cloud-init's table */
    json_t *kept_addresses;    /* owned: what an earlier server heard */
    bool is_save_due;          /* of addresses */
    char *recorded_state;      /* owned: the journal's last */
    bool is_state_known;       /* this server has recorded one */
    bool is_running;           /* silence counts */
    struct stages_member stages;
    struct order_member order;     /* owned: order_release */
    struct restart_member restart; /* owned: restart_finish */
};

struct server {
    uv_loop_t loop;
    const struct paths *paths; /* borrowed: the caller's */
    unsigned flags;            /* enum server_flags */
    int64_t started_ms;        /* wall clock */
    rlim_t file_limit;         /* RLIMIT_NOFILE as it was at the start */
    struct guest_context context;
    struct console_hub *hub;   /* owned */
    struct own_log *own_log;   /* owned; NULL: stderr is not ours */
    struct watch *watch;       /* owned */
    struct stages *stages;     /* owned */
    int timeline_count;        /* under way */
    struct listener *listener; /* owned */
    struct member **members;   /* owned, in order of definition */
    size_t member_count;
    struct buffers *buffers; /* owned: what was copied */
    struct lans *lans;       /* owned: the fleets' own networks */
    struct ports *ports;     /* owned: the host's ports that guests have */
    struct peer *peers;      /* owned: linked list */
    size_t peer_count;
    struct view *views;            /* owned by their peers: linked list */
    struct waiter *waiters;        /* owned by their requests: linked list */
    struct paste *pastes;          /* owned: linked list, oldest first */
    struct paste_ends *paste_ends; /* owned: why pieces come too late */
    int64_t next_view_id;
    struct buffer frame_line;             /* owned: the frame being written */
    uint64_t search_count;                /* searches under way */
    unsigned log_search_count;            /* … in logs, each in a thread */
    unsigned fleet_reading_count;         /* fleet files, each in a thread */
    struct fleet_reading *fleet_readings; /* owned: those that wait; list */
    int64_t next_peer_id;
    uint64_t use_count;               /* uses of views */
    uint64_t clients_due_ms;          /* when clients_timer fires; 0: never */
    struct loop_timer *clients_timer; /* owned: CONSOLE_CLIENTS that are due */
    int64_t next_paste_id;
    struct loop_timer *frame_timer;     /* owned: the next frame that is due */
    uint64_t frame_due_ns;              /* monotonic: when that is */
    struct loop_timer *activity_timer;  /* owned: late GUEST_ACTIVITY */
    struct loop_timer *change_timer;    /* owned: late GUEST_CHANGED */
    struct loop_timer *idle_timer;      /* owned: leaving when useless */
    struct loop_timer *addresses_timer; /* owned: addresses are written */
    struct loop_defer *order_defer;     /* owned: what waits is looked at */
    struct loop_defer *peer_sweep;      /* owned: frees closed peers */
    uv_signal_t signals[3];
    bool is_stopping;
};

/* --- server.c --------------------------------------------------------------
 */

/* Leaves at the end of this loop turn; the guests go on. */
void server_stop(struct server *server);

/* To be called when a peer or guest went: arms or stops the idle timer. */
void server_check_idle(struct server *server);

/* Sends an event to every peer that subscribed. data is stolen. */
void server_emit(struct server *server, const char *name, json_t *data);

/* A NOTICE, and an alert unless level is "info". guest: name or NULL; text: fit
 * to show. */
void server_notice(struct server *server, const char *level, const char *guest,
                   const char *text);

/* --- registry.c ------------------------------------------------------------
 */

extern const struct guest_handlers registry_guest_handlers;

/* Takes a guest in. */
void registry_add(struct server *server, struct guest *guest);
/* Frees it and closes what looks at it. */
void registry_remove(struct server *server, struct guest *guest);
void registry_free_all(struct server *server);

/* Finds a guest by name; on failure error (NotFound) names the nearest. */
struct guest *registry_find(struct server *server, const char *name,
                            struct error *error);

/* Finds "guest" or "guest:console". */
struct guest *registry_find_console(struct server *server, const char *name,
                                    size_t *ret_index, struct error *error);
struct member *registry_member(struct server *server,
                               const struct guest *guest);
/* Fired by activity_timer: sends the GUEST_ACTIVITYs that are due. */
void registry_send_activity(void *server);
/* Fired by change_timer: sends the GUEST_CHANGEDs that are due. */
void registry_send_changes(void *server);
/* Gives a guest another definition (spec: the guest's), with new consoles. */
bool registry_update(struct server *server, struct guest *guest,
                     struct spec *spec, struct error *error);
/* The same for a definition that needs no restart (guest_take_live). */
bool registry_take_live(struct server *server, struct guest *guest,
                        struct spec *spec, struct error *error);
/* Tells clients that something about the guest changed; soon, when it is not
 * its state. */
void registry_note_change(struct server *server, struct member *member);
/* The API's guest object. New reference. */
json_t *registry_describe(struct server *server, struct guest *guest);
/* The array of guest objects. New reference. */
json_t *registry_list(struct server *server);
