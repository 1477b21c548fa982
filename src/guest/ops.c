#include "base/xalloc.h"
#include "guest/guest-internal.h"

#include <stdlib.h>

struct op *
op_new(struct guest *guest, enum op_kind kind, guest_done_fn on_done,
       void *data)
{
    struct op *op = xcalloc(1, sizeof(*op));
    op->guest = guest;
    op->kind = kind;
    op->on_done = on_done;
    op->data = data;
    struct op **end = &guest->ops;
    while (*end)
        end = &(*end)->next;
    *end = op;
    return op;
}

void
op_finish(struct op *op, const json_t *value, const struct error *error)
{
    if (op->is_done)
        return;
    op->is_done = true;
    loop_timer_free(op->limit);
    op->limit = NULL;
    if (error) {
        op->error = xmalloc(sizeof(*op->error));
        *op->error = *error;
    } else {
        op->value = json_incref((json_t *)(uintptr_t)value);
    }
    if (!op->guest->is_dead)
        loop_defer_request(op->guest->defer);
}

void
op_finish_all(struct guest *guest, enum op_kind kind, const struct error *error)
{
    for (struct op *op = guest->ops; op; op = op->next)
        if (op->kind == kind)
            op_finish(op, NULL, error);
}

struct op *
op_take_done(struct guest *guest)
{
    for (struct op **at = &guest->ops; *at; at = &(*at)->next) {
        struct op *op = *at;
        if (!op->is_done)
            continue;
        *at = op->next;
        return op;
    }
    return NULL;
}

void
op_deliver(struct op *op)
{
    if (op->on_reply)
        op->on_reply(op->data, op->value, op->error);
    else if (op->on_done)
        op->on_done(op->data, op->error);
    json_decref(op->value);
    free(op->error);
    free(op->details);
    free(op);
}
