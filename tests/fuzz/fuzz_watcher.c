/* Alert rules on output of any content: what is found must not depend on how
 * the bytes were cut, and must be what the rules say of the lines. */
#include "server/watcher.h"

#include <assert.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Beyond this lines are cut where the pieces end. */
#define MAX_BYTES 3000

static const char rules_text[] =
    "{\"rules\": ["
    "{\"name\": \"panic\", \"pattern\": \"Kernel panic\"},"
    "{\"name\": \"login\", \"pattern\": \"\\\\blogin: ?$\"},"
    "{\"name\": \"any\", \"pattern\": \"^\\\\d+$\"},"
    "{\"name\": \"case\", \"pattern\": \"(?i)oops|bug:\"}]}";

static void
on_match(void *data, const struct watcher_match *match)
{
    struct buffer *told = data;
    buffer_printf(told, "%zu %" PRIu64 " ", match->rule, match->offset);
    buffer_append(told, match->line, match->len);
    buffer_append_byte(told, '\n');
}

static void
on_give_up(void *data, size_t rule)
{
    (void)data;
    (void)rule;
}

static const struct watcher_handlers handlers = {on_match, on_give_up};

static void
feed(struct ruleset *rules, const char *bytes, size_t size, size_t piece,
     struct buffer *told)
{
    struct watcher watcher;
    watcher_init(&watcher, rules);
    for (size_t at = 0; at < size; at += piece) {
        size_t len = piece < size - at ? piece : size - at;
        (void)watcher_feed(&watcher, bytes + at, len, at, 0, &handlers, told);
    }
    watcher_settle(&watcher, 0, &handlers, told);
    watcher_finish(&watcher);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct alert_file file = {0};
    struct buffer problems = {0};
    struct buffer whole = {0};
    struct buffer pieces = {0};
    if (size == 0 || size > MAX_BYTES)
        return 0;
    bool ok = alert_file_parse(&file, "rules", rules_text,
                               sizeof(rules_text) - 1, NULL);
    assert(ok);
    struct ruleset_layer layer = {&file.rules, "user"};
    struct ruleset *rules = ruleset_new(&layer, 1, &problems);
    feed(rules, (const char *)data, size, size, &whole);
    feed(rules, (const char *)data, size, 1 + data[0] % 7, &pieces);
    assert(whole.len == pieces.len);
    assert(!whole.len || memcmp(whole.data, pieces.data, whole.len) == 0);
    buffer_finish(&whole);
    buffer_finish(&pieces);
    buffer_finish(&problems);
    ruleset_unref(rules);
    alert_file_finish(&file);
    /* the same bytes as rules */
    (void)alert_file_parse(&file, "f", (const char *)data, size, NULL);
    alert_file_finish(&file);
    return 0;
}
