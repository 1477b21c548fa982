#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Cuts what the operator's terminal sends into keys, escape sequences and
 * pastes, however the reads split them. Knows no key names beyond single
 * characters: sequences go on to libtickit for theirs. Does no I/O. */

/* How long a lone ESC may be the beginning of a sequence, ms. A terminal sends
 * a sequence in one write; 50 covers a network's packets, and is half of what
 * people feel as slow (tmux's escape-time was 500, its successor 10). */
#define INPUT_ESCAPE_MS 35

/* How long a paste may stay silent before its end is taken for lost, ms. */
#define INPUT_PASTE_MS 3000

/* The longest escape sequence; beyond it the bytes are taken as they are. */
#define INPUT_SEQUENCE_MAX_BYTES 64

/* The largest paste; what goes beyond is dropped, and told. */
#define INPUT_PASTE_MAX_BYTES (4u << 20)

/* "C-M-S-" and a name or a character of UTF-8. */
#define INPUT_NAME_MAX_BYTES 32

enum input_kind {
    INPUT_KEY,      /* name is set */
    INPUT_SEQUENCE, /* an escape sequence for libtickit to name */
    INPUT_PASTE,    /* bytes: all that was pasted */
    INPUT_BYTES,    /* neither: invalid UTF-8 and the like, taken as it is */
};

struct input_event {
    enum input_kind kind;
    const char *name;  /* as keymaps write it: "a", "Space", "C-]", "M-x" */
    const char *bytes; /* what the terminal sent, or the paste's content */
    size_t len;
    bool is_cut; /* a paste over INPUT_PASTE_MAX_BYTES */
};

typedef void (*input_fn)(void *user, const struct input_event *event);

enum input_state {
    INPUT_STATE_GROUND,
    INPUT_STATE_ESCAPE,
    INPUT_STATE_CSI,
    INPUT_STATE_SS3,
    INPUT_STATE_TAIL, /* count more bytes belong to the sequence */
    INPUT_STATE_UTF8,
    INPUT_STATE_PASTE,
};

struct input {
    input_fn on_event;
    void *user; /* borrowed */
    enum input_state state;
    char pending[INPUT_SEQUENCE_MAX_BYTES]; /* the sequence so far */
    size_t pending_len;
    size_t tail;         /* bytes still to come in INPUT_STATE_TAIL */
    struct buffer paste; /* owned */
    size_t paste_match;  /* bytes of the end marker seen */
    bool is_paste_cut;
};

void input_init(struct input *input, input_fn on_event, void *user);
void input_finish(struct input *input);

/* Takes what was read; calls on_event for all that is complete. */
void input_feed(struct input *input, const char *bytes, size_t len);

/* How long to wait for more before input_expire, ms; 0: nothing is pending. */
unsigned input_timeout_ms(const struct input *input);
/* No more came: what is pending is all there is. */
void input_expire(struct input *input);
