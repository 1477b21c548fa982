#pragma once

#include "fleet/document.h"
#include "fleet/positions.h"

#include <stddef.h>

#include <jansson.h>

/* What a guest's fields come from: defaults, templates, its own entry. They are
 * merged into one entry as RFC 7396 (JSON Merge Patch) has it: null takes a
 * member away, objects are merged member by member, everything else takes the
 * place of what was there. */

/* Deepest place that can be told apart. */
#define LAYERS_MAX_DEPTH 32

struct layer {
    const json_t *fields; /* an object; borrowed from the document */
    const struct place *place;
    const struct document *document;
};

struct layers {
    const struct place *place; /* what the merged entry's places begin with */
    struct layer *items;       /* owned; the weakest first, the own last */
    size_t count;
};

/* A place below a layer's. */
struct layers_spot {
    struct place steps[LAYERS_MAX_DEPTH];
    const struct place *place;
};

/* Adds a layer above the others, unless it is there already. */
void layers_add(struct layers *layers, struct layer layer);
void layers_finish(struct layers *layers);

/* The layer that a place of the merged entry comes from, and the place there.
 * What is nowhere is missed in the guest's own entry. NULL: the place is not
 * the merged entry's. */
const struct layer *layers_find(const struct layers *layers,
                                const struct place *place,
                                struct layers_spot *spot);

/* Merges patch into target, both objects. Nothing of patch is shared. */
void layers_patch(json_t *target, const json_t *patch);
