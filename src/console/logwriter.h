#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends what an fd console prints to its log. A log that cannot grow (disk
 * full) is tried again with every write; what it missed is counted. */
struct logwriter;

/* Opens path (made 0600 when missing; a regular file, no symlink). */
struct logwriter *logwriter_open(const char *path, struct error *error);
void logwriter_close(struct logwriter *writer);

/* The log's size as far as this writer knows. */
uint64_t logwriter_end(const struct logwriter *writer);

/* Bytes missed at its end, not told by a result yet. */
uint64_t logwriter_gap(const struct logwriter *writer);

/* What became of a write. */
struct logwriter_result {
    size_t written; /* bytes of it that are in the log, from its beginning */
    uint64_t gap;   /* bytes missed before it, when it ended a gap */
    int errnum;     /* why the first byte of a gap was not written, or 0 */
};

/* Appends. Either all is written, or a gap begins or goes on. */
struct logwriter_result logwriter_append(struct logwriter *writer,
                                         const char *bytes, size_t len);
