#pragma once

#include "base/error.h"
#include "fleet/mistakes.h"
#include "fleet/positions.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>

/* One file of a fleet: its text, read as JSON, with the places of what stands
 * in it. */

/* How far templates were looked at, for the search for circles. */
enum document_mark {
    DOCUMENT_MARK_NONE,
    DOCUMENT_MARK_WALKED, /* what it builds on is being looked at */
    DOCUMENT_MARK_DONE,
};

/* A member of "guests" or "templates". */
struct document_entry {
    struct place place;
    json_t *fields; /* borrowed from the document; any type */
    enum document_mark mark;
};

struct document {
    char *path;      /* owned; absolute */
    char *shown;     /* owned; for messages */
    char *directory; /* owned; absolute: where paths in it start */
    char *content;   /* owned */
    size_t len;
    bool has_identity; /* device and inode are known */
    dev_t device;
    ino_t inode;
    json_t *root;                /* owned; any type */
    struct positions *positions; /* owned */
    struct mistakes_text text;   /* for mistakes that are found in it */
    bool has_duplicates;         /* names were given twice in one object */

    struct place at_defaults;
    struct place at_templates;
    struct place at_guests;
    struct place at_include;
    json_t *defaults;                 /* borrowed from root; or NULL */
    struct document_entry *templates; /* owned; in the file's order */
    size_t template_count;
    struct document_entry *guests; /* owned; in the file's order */
    size_t guest_count;

    struct document **includes; /* owned array of the fleet's documents; NULL
                                 * where one could not be read */
    size_t include_count;
    struct document **visible; /* owned array: what it includes, and what that
                                * does, each once, and itself at the end */
    size_t visible_count;
};

/* Reads a file: a regular one of at most FLEET_FILE_MAX_BYTES. shown: its name
 * in messages. The members defaults, templates and guests are taken where they
 * are objects; what is wrong with the file is for the caller to tell, but for
 * what keeps it from being read and for its syntax: then it is NULL, with
 * error. */
struct document *document_open(const char *path, const char *shown,
                               struct error *error);

/* The same from a text; path need not be there. */
struct document *document_new(const char *path, const char *shown,
                              const char *text, size_t len,
                              struct error *error);
void document_free(struct document *document);

/* The template of a name in this file, or NULL. */
const struct document_entry *document_template(const struct document *document,
                                               const char *name);

/* The directory of an absolute path; the caller frees it. */
char *document_directory_of(const char *path);
