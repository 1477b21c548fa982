#include "fleet/layers.h"

#include "base/xalloc.h"

#include <stdlib.h>

void
layers_add(struct layers *layers, struct layer layer)
{
    for (size_t i = 0; i < layers->count; i++) {
        if (layers->items[i].fields == layer.fields)
            return;
    }
    layers->items =
        xreallocarray(layers->items, layers->count + 1, sizeof(*layers->items));
    layers->items[layers->count++] = layer;
}

void
layers_finish(struct layers *layers)
{
    free(layers->items);
    *layers = (struct layers){0};
}

/* How many of the steps, the last one first, lead to something in fields. */
static size_t
follow(const json_t *fields, const struct place *const *steps, size_t depth)
{
    const json_t *value = fields;
    size_t reach = 0;
    for (; reach < depth; reach++) {
        const struct place *step = steps[depth - 1 - reach];
        value = step->key ? json_object_get(value, step->key)
                          : json_array_get(value, step->index);
        if (!value || json_is_null(value))
            break;
    }
    return reach;
}

const struct layer *
layers_find(const struct layers *layers, const struct place *place,
            struct layers_spot *spot)
{
    const struct place *steps[LAYERS_MAX_DEPTH];
    size_t depth = 0;
    const struct place *at = place;
    for (; at && at != layers->place && depth < LAYERS_MAX_DEPTH;
         at = at->parent)
        steps[depth++] = at;
    if (at != layers->place || layers->count == 0)
        return NULL;
    const struct layer *found = &layers->items[layers->count - 1];
    size_t farthest = 0;
    for (size_t i = layers->count; i-- > 0;) {
        size_t reach = follow(layers->items[i].fields, steps, depth);
        if (reach > farthest) {
            farthest = reach;
            found = &layers->items[i];
        }
    }
    spot->place = found->place;
    for (size_t i = 0; i < depth; i++) {
        const struct place *step = steps[depth - 1 - i];
        spot->steps[i] = (struct place){spot->place, step->key, step->index};
        spot->place = &spot->steps[i];
    }
    return found;
}

void
layers_patch(json_t *target, const json_t *patch)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)patch, name, value)
    {
        if (json_is_null(value)) {
            (void)json_object_del(target, name);
        } else if (json_is_object(value)) {
            json_t *inner = json_object_get(target, name);
            if (!json_is_object(inner)) {
                inner = json_object();
                json_object_set_new(target, name, inner);
            }
            layers_patch(inner, value);
        } else {
            json_object_set_new(target, name, json_deep_copy(value));
        }
    }
}
