#pragma once

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How fast a paste goes: for boot loaders and devices that lose what comes too
 * fast. */

/* Characters (bytes) and lines a second at most. */
#define PASTE_MAX_CPS 1000000
#define PASTE_MAX_LPS 10000
/* ms; how long an echo or a prompt is waited for when nobody says. */
#define PASTE_WAIT_MS 30000

struct paste_pace {
    int64_t cps; /* 0: any number */
    int64_t lps;
    bool waits_for_echo;
    char *prompt;       /* PCRE2, awaited before each line; owned; or NULL */
    int64_t timeout_ms; /* of each wait; 0: no limit */
};

void paste_pace_finish(struct paste_pace *pace);
/* Whether it goes line by line. */
bool paste_pace_has_lines(const struct paste_pace *pace);

/* Characters a second, metered. Zero-initialise it. */
struct paste_meter {
    uint64_t at_ms;  /* monotonic, of the last look; 0: none yet */
    uint64_t credit; /* thousandths of a character */
};

/* How many characters may go now, of len; *ret_wait_ms: after how long the next
 * may, when it is none. cps 0: all. */
size_t paste_meter_allow(struct paste_meter *meter, int64_t cps,
                         uint64_t now_ms, size_t len, uint64_t *ret_wait_ms);

/* A line's echo: its printable characters but blanks appear in the output, in
 * their order, then a line end. What is printed in between, and how the
 * guest's editor draws it, does not matter. */
struct paste_echo {
    struct buffer wanted; /* owned */
    size_t seen;
    bool is_in_escape; /* in a control sequence of the output */
    bool is_in_csi;
};

void paste_echo_finish(struct paste_echo *echo);
/* Begins to wait for the echo of line; false when it has none (nothing to
 * see). */
bool paste_echo_expect(struct paste_echo *echo, const char *line, size_t len);
/* Takes output; true once the echo is complete. */
bool paste_echo_feed(struct paste_echo *echo, const char *bytes, size_t len);
