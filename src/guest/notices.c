#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "guest/guest-internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ms between two notices of the same text. */
#define REPEAT_MS 10000u
/* Columns of a notice. */
#define MAX_COLS 400u
/* Notices that wait at once: a guest may make QEMU send events without end. */
#define MAX_WAITING 16

static bool
is_repeated(const struct guest *guest, const char *text)
{
    return guest->last_notice && !strcmp(guest->last_notice, text) &&
           clock_monotonic_ms() - guest->last_notice_ms < REPEAT_MS;
}

void
guest_notice(struct guest *guest, const char *level, const char *format, ...)
{
    int waiting = 0;
    struct notice **end = &guest->notices;
    for (; *end; end = &(*end)->next)
        waiting++;
    if (waiting >= MAX_WAITING || guest->is_dead)
        return;
    va_list args;
    va_start(args, format);
    char *raw = xvasprintf(format, args);
    va_end(args);
    char *text = text_printable(raw, strlen(raw), MAX_COLS, TEXT_ONE_LINE);
    free(raw);
    if (is_repeated(guest, text)) {
        free(text);
        return;
    }
    free(guest->last_notice);
    guest->last_notice = xstrdup(text);
    guest->last_notice_ms = clock_monotonic_ms();
    struct notice *notice = xcalloc(1, sizeof(*notice));
    notice->level = level;
    notice->text = text;
    *end = notice;
    loop_defer_request(guest->defer);
}

void
notices_deliver(struct guest *guest)
{
    const struct guest_context *context = guest->context;
    while (!guest->is_dead && guest->notices) {
        struct notice *notice = guest->notices;
        guest->notices = notice->next;
        if (context->handlers->on_notice)
            context->handlers->on_notice(context->data, guest, notice->level,
                                         notice->text);
        free(notice->text);
        free(notice);
    }
}

void
notices_free(struct guest *guest)
{
    while (guest->notices) {
        struct notice *notice = guest->notices;
        guest->notices = notice->next;
        free(notice->text);
        free(notice);
    }
    free(guest->last_notice);
    guest->last_notice = NULL;
}
