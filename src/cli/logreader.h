#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "cli/options.h"
#include "cli/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Reads one console's log through the API, in pieces that were printed at one
 * time, with what is noted beside it. Offsets are the log's. */

enum logreader_mark_kind {
    LOGREADER_NO_MARK,
    LOGREADER_BOOT, /* a boot begins here */
    LOGREADER_SIZE, /* the console has rows and cols from here on */
    LOGREADER_GAP,  /* bytes are missing here */
};

struct logreader_mark {
    enum logreader_mark_kind kind;
    int64_t offset;
    int64_t ms;
    int64_t bytes; /* of a gap */
    int rows;      /* of a size */
    int cols;
};

/* What is to be read. Zeroed: everything that there is. */
struct logreader_range {
    bool has_since;
    bool has_until;
    bool has_boot;
    int64_t since_ms;
    int64_t until_ms;
    int64_t boot; /* 0: the present one, -1: the one before … */
};

struct logreader {
    struct session *session;          /* borrowed */
    char *target;                     /* owned: GUEST or GUEST:CONSOLE */
    char *guest;                      /* owned: its name */
    char *console;                    /* owned */
    int64_t offset;                   /* of the next byte */
    int64_t end;                      /* where to stop; INT64_MAX: nowhere */
    int64_t size;                     /* the log's, as last told */
    struct logreader_mark first_size; /* the size where it begins */
    /* what was fetched last */
    struct buffer bytes;       /* owned */
    size_t at;                 /* of the next byte in it */
    json_t *answer;            /* owned: with its times and marks */
    size_t stamp;              /* index of the time that counts */
    size_t mark;               /* index of the next mark */
    struct session_call *call; /* a fetch under way, or NULL */
};

/* A mark, or bytes with one time, or neither: there is no more at present. */
struct logreader_piece {
    struct logreader_mark mark;
    const char *bytes; /* borrowed until the next call */
    size_t len;
    int64_t offset;
    int64_t from_ms; /* 0: nothing is known, but to_ms */
    int64_t to_ms;   /* differs: it was printed between the two */
};

/* Reads --since, --until and --boot (ROW_SINCE …). */
bool logreader_read_range(struct logreader_range *range,
                          const struct options *given, int64_t now_ms,
                          struct error *error);

/* target: copied. On failure too logreader_finish is to be called. */
bool logreader_open(struct logreader *reader, struct session *session,
                    const char *target, const struct logreader_range *range,
                    struct error *error);
void logreader_finish(struct logreader *reader);

/* Goes to where the last count lines before the end begin, if that is behind
 * where it stands. */
bool logreader_seek_lines(struct logreader *reader, int64_t count,
                          struct error *error);

/* The next piece of what is there. */
bool logreader_next(struct logreader *reader, struct logreader_piece *ret_piece,
                    struct error *error);

/* Begins to wait for more, wait_ms at most; nothing when it waits already. */
void logreader_wait(struct logreader *reader, int64_t wait_ms);
/* Whether what it waited for came, or the time is over: logreader_next tells
 * which. */
bool logreader_has_waited(const struct logreader *reader);
