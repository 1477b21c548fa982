#include "server/paste-pace.h"

#include <stdlib.h>
#include <string.h>

/* ms; characters are sent in groups this far apart, not faster than a timer
 * makes sense. */
#define METER_STEP_MS 10u
#define CREDIT_ONE 1000u

void
paste_pace_finish(struct paste_pace *pace)
{
    free(pace->prompt);
    pace->prompt = NULL;
}

bool
paste_pace_has_lines(const struct paste_pace *pace)
{
    return pace->lps > 0 || pace->waits_for_echo || pace->prompt;
}

size_t
paste_meter_allow(struct paste_meter *meter, int64_t cps, uint64_t now_ms,
                  size_t len, uint64_t *ret_wait_ms)
{
    if (cps <= 0)
        return len;
    uint64_t rate = (uint64_t)cps; /* thousandths per ms */
    /* at most two groups gather: a pause is no reason for a burst */
    uint64_t most = rate * 2 * METER_STEP_MS;
    most = most < CREDIT_ONE ? CREDIT_ONE : most;
    if (!meter->at_ms)
        meter->credit = CREDIT_ONE;
    else
        meter->credit += (now_ms - meter->at_ms) * rate;
    meter->credit = meter->credit < most ? meter->credit : most;
    meter->at_ms = now_ms;
    size_t allowed = (size_t)(meter->credit / CREDIT_ONE);
    if (allowed == 0) {
        uint64_t wait = (CREDIT_ONE - meter->credit + rate - 1) / rate;
        *ret_wait_ms = wait < METER_STEP_MS ? METER_STEP_MS : wait;
        return 0;
    }
    allowed = allowed < len ? allowed : len;
    meter->credit -= allowed * CREDIT_ONE;
    return allowed;
}

/* Echo --------------------------------------------------------------------- */

void
paste_echo_finish(struct paste_echo *echo)
{
    buffer_finish(&echo->wanted);
}

static bool
is_visible(char byte)
{
    return (unsigned char)byte > ' ' && byte != 0x7F;
}

bool
paste_echo_expect(struct paste_echo *echo, const char *line, size_t len)
{
    buffer_reset(&echo->wanted);
    echo->seen = 0;
    echo->is_in_escape = echo->is_in_csi = false;
    for (size_t i = 0; i < len; i++) {
        if (is_visible(line[i]))
            buffer_append_byte(&echo->wanted, line[i]);
    }
    bool has_end = len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n');
    if (!has_end)
        return false; /* a line without an end is the last one */
    buffer_append_byte(&echo->wanted, '\n');
    return true;
}

/* Whether the byte belongs to a control sequence of the output. */
static bool
skip_escape(struct paste_echo *echo, char byte)
{
    if (byte == '\033') {
        echo->is_in_escape = true;
        echo->is_in_csi = false;
        return true;
    }
    if (!echo->is_in_escape)
        return false;
    if (!echo->is_in_csi && byte == '[') {
        echo->is_in_csi = true;
        return true;
    }
    /* the final byte, or what follows ESC */
    if (!echo->is_in_csi || (byte >= 0x40 && byte <= 0x7E))
        echo->is_in_escape = false;
    return true;
}

bool
paste_echo_feed(struct paste_echo *echo, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len && echo->seen < echo->wanted.len; i++) {
        if (skip_escape(echo, bytes[i]))
            continue;
        char wanted = echo->wanted.data[echo->seen];
        echo->seen += bytes[i] == wanted;
    }
    return echo->seen == echo->wanted.len;
}
