#pragma once

#include "base/error.h"
#include "server/paste-pace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Pastes: jobs that type a text into a console as fast as the guest takes it,
 * or as slowly as it was asked. One at a time runs on a console, others wait
 * behind it, and so does what is typed meanwhile. A job goes on without the
 * client that began it, unless that client still owes a part of the text. */
struct paste;
struct server;
struct peer;
struct request;
struct guest;

/* Text that waits for one console, over all its pastes; more is refused. */
#define PASTE_MAX_BYTES (4u << 20)
/* One piece of a paste that is sent in pieces. The next is asked for when less
 * than half of this waits. */
#define PASTE_PIECE_MAX_BYTES (1u << 20)
/* Pastes of one console that wait for another. */
#define PASTE_MAX_COUNT 16
/* Typing that waits for a paste's end. */
#define PASTE_MAX_TYPED_BYTES (64u << 10)
/* ms; from one PASTE event of a job to the next. */
#define PASTE_TELL_MS 250

enum paste_brackets {
    PASTE_BRACKETS_AUTO, /* when the guest asked for them, and nothing waits
                          * for what comes back in between */
    PASTE_BRACKETS_ON,
    PASTE_BRACKETS_OFF,
};

enum paste_flags {
    PASTE_MORE = 1 << 0, /* pieces follow: paste_add */
    PASTE_WAIT = 1 << 1, /* answered at its end */
};

struct paste_options {
    struct paste_pace pace; /* copied */
    enum paste_brackets brackets;
    unsigned flags;      /* enum paste_flags */
    int64_t total_bytes; /* of all pieces, as the client says; 0: not known */
};

/* Begins a paste with its first piece. The request is answered with its object:
 * at once, with PASTE_MORE when there is room for the next piece, with
 * PASTE_WAIT at its end. */
bool paste_start(struct request *request, struct guest *guest, size_t console,
                 const struct paste_options *options, const char *bytes,
                 size_t len, struct error *error);

/* Adds a piece to the paste of that id, which this peer began. flags: enum
 * paste_flags. */
bool paste_add(struct request *request, int64_t id, unsigned flags,
               const char *bytes, size_t len, struct error *error);

/* Cancels the console's pastes, or the one of that id (0: all); typing that
 * waited behind them is dropped. Returns how many there were. */
size_t paste_cancel(struct server *server, const struct guest *guest,
                    size_t console, int64_t id);

/* Whether one is under way on the console. */
bool paste_is_active(const struct server *server, const struct guest *guest,
                     size_t console);

/* Lets typing wait until the console's pastes are over: *ret_held. False when
 * too much waits already. */
bool paste_hold_typing(struct server *server, const struct guest *guest,
                       size_t console, const char *bytes, size_t len,
                       bool *ret_held, struct error *error);

/* All of them, as an array of paste objects. New reference. */
json_t *paste_list(const struct server *server);

/* What happens around them. */
void paste_on_input_taken(struct server *server, const struct guest *guest,
                          size_t console);
void paste_on_output(struct server *server, const struct guest *guest,
                     size_t console, const char *bytes, size_t len,
                     uint64_t offset);
void paste_on_guest_change(struct server *server, const struct guest *guest);
/* After a reset the rest would go to firmware, a boot loader's menu or whoever
 * reads next: pastes end, but for those that wait for prompts. */
void paste_on_guest_reset(struct server *server, const struct guest *guest);
/* peer has the console's keyboard for itself: what others paste there ends. */
void paste_on_keyboard_taken(struct server *server, const struct guest *guest,
                             size_t console, const struct peer *peer);
void paste_forget_guest(struct server *server, const struct guest *guest);
/* Breaks off what the peer still owed a part of. */
void paste_forget_peer(struct server *server, const struct peer *peer);
void paste_free_all(struct server *server);
