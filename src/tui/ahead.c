#include "tui/ahead.h"

#include "base/xalloc.h"
#include "tui/deck-internal.h"

#include <stdlib.h>
#include <string.h>

struct ahead_event {
    struct input_event event; /* its texts are owned */
    struct ahead_event *next;
};

static void
free_event(struct ahead_event *waiting)
{
    free((char *)waiting->event.name);
    free((char *)waiting->event.bytes);
    free(waiting);
}

static struct ahead_event *
take_first(struct ahead *ahead)
{
    struct ahead_event *first = ahead->first;
    if (!first)
        return NULL;
    ahead->first = first->next;
    if (!ahead->first)
        ahead->last = NULL;
    return first;
}

static void
on_late(void *data)
{
    ahead_release(data);
}

void
ahead_hold(struct deck *deck)
{
    struct ahead *ahead = &deck->ahead;
    if (!deck->keyboard)
        return;
    if (!ahead->timer)
        ahead->timer = loop_timer_new(&deck->loop, on_late, deck);
    loop_timer_start(ahead->timer, AHEAD_MS);
    ahead->is_held = true;
    /* what is not read yet waits there */
    loop_poll_set(deck->keyboard, 0);
}

bool
ahead_take(struct deck *deck, const struct input_event *event)
{
    struct ahead *ahead = &deck->ahead;
    if (!ahead->is_held)
        return false;
    struct ahead_event *waiting = xcalloc(1, sizeof(*waiting));
    waiting->event = *event;
    waiting->event.name = event->name ? xstrdup(event->name) : NULL;
    char *bytes = xmalloc(event->len + 1);
    if (event->len > 0)
        memcpy(bytes, event->bytes, event->len);
    waiting->event.bytes = bytes;
    if (ahead->last)
        ahead->last->next = waiting;
    else
        ahead->first = waiting;
    ahead->last = waiting;
    return true;
}

void
ahead_release(struct deck *deck)
{
    struct ahead *ahead = &deck->ahead;
    struct ahead_event *waiting = NULL;
    if (!ahead->is_held)
        return;
    ahead->is_held = false;
    loop_timer_stop(ahead->timer);
    while (!ahead->is_held && !deck->is_ending &&
           (waiting = take_first(ahead))) {
        typing_take(deck, &waiting->event);
        free_event(waiting);
    }
    typing_flush(deck);
    if (!ahead->is_held && deck->keyboard)
        loop_poll_set(deck->keyboard, UV_READABLE);
}

void
ahead_finish(struct deck *deck)
{
    struct ahead *ahead = &deck->ahead;
    struct ahead_event *waiting = NULL;
    while ((waiting = take_first(ahead)))
        free_event(waiting);
    loop_timer_free(ahead->timer);
    *ahead = (struct ahead){0};
}
