#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a console's log does not say by itself: the sizes the emulator had and
 * where boots began, each with its offset in the log, so that a replay shows
 * what an uninterrupted server would show.
 *
 * The file beside the log is only ever appended to, one line a mark:
 *
 *     OFFSET KIND [ARGUMENT [ARGUMENT]] WALL_MS .
 *
 * "0 size 24 80 1700000000000 .", "5120 boot 1700000000000 .",
 * "9000 gap 812 1700000000000 .". A line that is torn (no full stop) or of an
 * unknown kind is passed over. Offsets that go backwards mean that the log was
 * cut: marks that lie beyond are forgotten. */
enum marks_kind {
    MARKS_KIND_SIZE, /* from here on the emulator has rows, cols */
    MARKS_KIND_BOOT, /* here a boot begins */
    MARKS_KIND_GAP,  /* here bytes are missing that could not be logged */
    MARKS_KIND_COUNT
};

struct mark {
    enum marks_kind kind;
    uint64_t offset; /* in the log */
    int rows;        /* of a size */
    int cols;        /* of a size */
    uint64_t bytes;  /* of a gap */
    int64_t wall_ms; /* since the epoch */
};

/* More of a marks file than this is not read (the newest part is), and such a
 * file is written anew, shorter. */
#define MARKS_FILE_MAX_BYTES (1u << 20)

/* The marks of one log, in order: those that the reader has passed, and those
 * that lie ahead of it. */
struct marks;

/* Opens (or makes, 0600) the file and reads all marks. */
struct marks *marks_open(const char *path, struct error *error);
void marks_free(struct marks *marks);

/* Whether any mark of that kind was read or added. */
bool marks_has(const struct marks *marks, enum marks_kind kind);

/* Offset of the newest boot; 0 when there is none. */
uint64_t marks_boot_offset(const struct marks *marks);

/* Writes a mark to the file's end and puts it behind the others. wall_ms 0:
 * now. The mark is added even when writing fails (disk full). */
bool marks_add(struct marks *marks, const struct mark *mark,
               struct error *error);

/* The first mark not yet passed, or NULL. Borrowed until the next call. */
const struct mark *marks_peek(const struct marks *marks);

/* Passes the first mark. */
void marks_pass(struct marks *marks);

/* All of them but the oldest of very many, passed or not: borrowed until the
 * next call that is not const. */
size_t marks_list(const struct marks *marks, const struct mark **ret_items);
