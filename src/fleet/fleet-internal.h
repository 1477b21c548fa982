#pragma once

#include "fleet/document.h"
#include "fleet/fleet.h"
#include "fleet/layers.h"
#include "fleet/mistakes.h"
#include "fleet/variables.h"

#include <jansson.h>

/* A fleet being read, shared by fleet*.c. */

/* Most files of one fleet, and how deep they include each other. */
#define FLEET_MAX_FILES 64
#define FLEET_MAX_DEPTH 16
/* Most bytes of all files of a fleet. */
#define FLEET_MAX_BYTES (16u << 20)
/* Most templates that one entry names, and how deep they build on each other.
 */
#define FLEET_MAX_TEMPLATES 64
/* Most that the entries of all guests may take with their templates merged in,
 * bytes: what a short file can be blown up to. */
#define FLEET_MAX_EXPANDED_BYTES (64u << 20)

struct builder {
    struct fleet *fleet; /* gets documents, guests, origins */
    struct mistakes *mistakes;
    const struct variables *variables;
    json_t *names;   /* owned: each guest's name in lower case -> its number */
    size_t expanded; /* bytes of all entries so far */
    size_t guest_count; /* of all documents, with their counts */
    bool is_incomplete; /* an included file could not be read */
    bool has_circle;    /* templates cannot be resolved */
};

/* Reads what a document includes, and what that includes, into the fleet.
 * stack: the documents that lead to it, it being the last. */
struct include_stack {
    const struct include_stack *below;
    struct document *document;
};
void fleet_read_includes(struct builder *builder,
                         const struct include_stack *stack);

/* Tells what is wrong with a document's templates as such: their names, fields,
 * and those that build on themselves. */
void fleet_check_templates(struct builder *builder, struct document *document);

/* Adds the layers of an entry's "template" and of those that it builds on; the
 * entry's own is not among them. place: the entry's. False when one of them is
 * not known. */
bool fleet_add_templates(struct builder *builder,
                         const struct document *document, const json_t *fields,
                         const struct place *place, struct layers *layers);

/* Adds the layers of the defaults that count for a document's guests: those of
 * the files it includes, then its own. */
void fleet_add_defaults(const struct document *document, struct layers *layers);

/* Reads the guests of a document's entries into the fleet. */
void fleet_read_guests(struct builder *builder, struct document *document);

/* Where something stands, for a message at another place: "line 3, column 5",
 * or with its file when that is another one. The caller frees it. */
char *fleet_spot(const struct document *here, const struct document *there,
                 const struct place *place);
