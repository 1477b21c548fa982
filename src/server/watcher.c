#include "server/watcher.h"

#include "console/plain.h"

#include <string.h>

/* One call of watcher_feed or watcher_settle. */
struct look {
    struct watcher *watcher;
    uint64_t now_ms;
    const struct watcher_handlers *handlers;
    void *data;
};

void
watcher_init(struct watcher *watcher, struct ruleset *rules)
{
    *watcher = (struct watcher){.rules = ruleset_ref(rules)};
}

void
watcher_finish(struct watcher *watcher)
{
    ruleset_unref(watcher->rules);
    buffer_finish(&watcher->tail);
    *watcher = (struct watcher){0};
}

void
watcher_set_rules(struct watcher *watcher, struct ruleset *rules)
{
    struct ruleset *old = watcher->rules;
    watcher->rules = ruleset_ref(rules);
    ruleset_unref(old);
    watcher->state = (struct sieve_state){0};
    watcher->pending = watcher->told = 0;
}

/* Trying ------------------------------------------------------------------- */

static bool
take_trial(struct look *look, size_t rule)
{
    struct watcher *watcher = look->watcher;
    uint64_t second = look->now_ms / 1000;
    if (watcher->second != second) {
        watcher->second = second;
        watcher->trials = 0;
        memset(watcher->tried, 0, sizeof(watcher->tried));
    }
    bool is_first = watcher->tried[rule] < WATCHER_RESERVE;
    if (watcher->trials == WATCHER_TRIALS && !is_first)
        return false;
    watcher->trials += watcher->trials < WATCHER_TRIALS;
    watcher->tried[rule] += is_first;
    return true;
}

/* Whether one of the rules may be tried still in this second. */
static bool
has_trial(const struct look *look, uint64_t rules)
{
    const struct watcher *watcher = look->watcher;
    bool has_any = watcher->trials < WATCHER_TRIALS ||
                   watcher->second != look->now_ms / 1000;
    for (size_t i = 0; !has_any && i < ALERT_RULES_MAX; i++)
        has_any = rules >> i & 1 && watcher->tried[i] < WATCHER_RESERVE;
    return has_any;
}

static void
try_rules(struct look *look, const struct plain *plain, uint64_t rules,
          uint64_t offset)
{
    struct watcher *watcher = look->watcher;
    const char *line = plain->line.data ? plain->line.data : "";
    for (size_t i = 0; rules >> i; i++) {
        uint64_t bit = UINT64_C(1) << i;
        bool gave_up = false;
        if (!(rules & bit) || watcher->told & bit || !take_trial(look, i))
            continue;
        if (ruleset_matches(watcher->rules, i, line, plain->line.len,
                            &gave_up)) {
            struct watcher_match match = {i, line, plain->line.len, offset};
            watcher->told |= bit;
            look->handlers->on_match(look->data, &match);
        } else if (gave_up) {
            look->handlers->on_give_up(look->data, i);
        }
        if (i == 63)
            break;
    }
}

/* Cuts raw bytes into lines of plain text and tries rules on each. Where the
 * cursor was moved there can be several. */
static void
try_bytes(struct look *look, struct plain *plain, const char *bytes, size_t len,
          uint64_t rules, uint64_t offset)
{
    size_t at = 0;
    while (at < len) {
        bool is_done = false;
        at += plain_feed(plain, bytes + at, len - at, &is_done);
        if (!is_done)
            break;
        try_rules(look, plain, rules, offset);
        plain_next_line(plain);
    }
}

/* Tries rules on the line under way and the bytes that follow it. */
static void
try_line(struct look *look, const char *bytes, size_t len, uint64_t rules,
         uint64_t offset)
{
    struct watcher *watcher = look->watcher;
    struct plain plain = {0};
    if (!(rules & ~watcher->told))
        return;
    /* the trials are gone: do not even cut it */
    if (!has_trial(look, rules & ~watcher->told))
        return;
    if (watcher->tail.len)
        try_bytes(look, &plain, watcher->tail.data, watcher->tail.len, rules,
                  offset);
    try_bytes(look, &plain, bytes, len, rules, offset);
    if (plain.line.len)
        try_rules(look, &plain, rules, offset);
    plain_finish(&plain);
}

/* Lines -------------------------------------------------------------------- */

static void
begin_line(struct watcher *watcher, uint64_t offset)
{
    buffer_reset(&watcher->tail);
    watcher->tail_offset = offset;
    watcher->state.node = 0;
    watcher->pending = watcher->told = 0;
}

/* Keeps the beginning of a line whose end has not come. One that is too long
 * is tried, and its last part goes on as another. */
static void
keep_tail(struct look *look, const char *bytes, size_t len, uint64_t offset)
{
    struct watcher *watcher = look->watcher;
    if (!watcher->tail.len)
        watcher->tail_offset = offset;
    if (watcher->tail.len + len < 2 * (size_t)WATCHER_LINE_BYTES) {
        buffer_append(&watcher->tail, bytes, len);
        return;
    }
    try_line(look, bytes, len, watcher->pending, watcher->tail_offset);
    watcher->pending = watcher->told = 0;
    size_t all = watcher->tail.len + len;
    size_t dropped = all - WATCHER_LINE_BYTES / 4;
    watcher->tail_offset += dropped;
    size_t old = dropped < watcher->tail.len ? dropped : watcher->tail.len;
    buffer_consume(&watcher->tail, old);
    buffer_append(&watcher->tail, bytes + (dropped - old),
                  len - (dropped - old));
}

/* Looks for what the rules need from at on, up to stop. */
static void
scan_to(struct watcher *watcher, const char *bytes, size_t at, size_t stop)
{
    const struct sieve *sieve = ruleset_sieve(watcher->rules);
    while (at < stop) {
        uint64_t bits = 0;
        at += sieve_scan(sieve, &watcher->state, bytes + at, stop - at, &bits);
        watcher->pending |= bits;
    }
}

bool
watcher_feed(struct watcher *watcher, const char *bytes, size_t len,
             uint64_t offset, uint64_t now_ms,
             const struct watcher_handlers *handlers, void *data)
{
    struct look look = {watcher, now_ms, handlers, data};
    const struct sieve *sieve = ruleset_sieve(watcher->rules);
    uint64_t always = ruleset_always(watcher->rules);
    size_t start = 0; /* of the line under way, as far as it lies in bytes */
    size_t at = 0;
    if (offset != watcher->next_offset)
        begin_line(watcher, offset);
    watcher->next_offset = offset + len;
    while (at < len) {
        watcher->pending |= always;
        if (!watcher->pending)
            at += sieve_scan(sieve, &watcher->state, bytes + at, len - at,
                             &watcher->pending);
        if (!watcher->pending)
            break;
        const char *end = memchr(bytes + at, '\n', len - at);
        size_t stop = end ? (size_t)(end - bytes) : len;
        scan_to(watcher, bytes, at, stop);
        if (!end)
            break;
        const char *before = memrchr(bytes + start, '\n', stop - start);
        if (before) {
            start = (size_t)(before - bytes) + 1;
            buffer_reset(&watcher->tail);
            watcher->told = 0;
        }
        try_line(&look, bytes + start, stop - start, watcher->pending,
                 watcher->tail.len ? watcher->tail_offset : offset + start);
        begin_line(watcher, offset + stop + 1);
        start = at = stop + 1;
    }
    const char *last = memrchr(bytes + start, '\n', len - start);
    if (last) {
        start = (size_t)(last - bytes) + 1;
        buffer_reset(&watcher->tail);
        watcher->told = 0;
    }
    if (start < len)
        keep_tail(&look, bytes + start, len - start, offset + start);
    uint64_t open = watcher->pending | ruleset_prompts(watcher->rules);
    return watcher->tail.len && open & ~watcher->told;
}

void
watcher_settle(struct watcher *watcher, uint64_t now_ms,
               const struct watcher_handlers *handlers, void *data)
{
    struct look look = {watcher, now_ms, handlers, data};
    if (watcher->tail.len)
        try_line(&look, "", 0,
                 watcher->pending | ruleset_prompts(watcher->rules),
                 watcher->tail_offset);
}
