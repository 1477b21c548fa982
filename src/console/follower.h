#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

/* Follows log files as they grow, by inotify and pread: no wake-up while
 * nothing is written, and a flood in one file is read in slices, so that it
 * starves neither the loop nor the others. A file is only ever read. */
struct follower;

/* What the followers of one loop share: two inotify descriptors (one for hot
 * files, read at once, one for cold ones, read at most every
 * FOLLOWER_COLD_PAUSE_MS), the queue of those with more to read, and the
 * buffer they read into. */
struct follower_set;

/* ms; 256 consoles that get a few bytes at a time cost 28 % of a core when read
 * at once and 2.6 % like this. */
#define FOLLOWER_COLD_PAUSE_MS 10
/* ms; a hot file that grows without pause is read this often. */
#define FOLLOWER_HOT_PAUSE_MS 3
/* Reads of hot files at once, in a row, before they are spaced. */
#define FOLLOWER_HOT_CREDIT 32

/* Bytes a file is read at once, and all cold files together in one turn of
 * the loop (about 1 ms of interpreting). */
#define FOLLOWER_SLICE_BYTES (64u << 10)
#define FOLLOWER_TURN_BYTES (128u << 10)

struct follower_set *follower_set_new(uv_loop_t *loop, struct error *error);
/* After its followers. */
void follower_set_free(struct follower_set *set);

/* Somebody types: what hot files get next is read at once. */
void follower_set_typed(struct follower_set *set);

enum follower_pace {
    FOLLOWER_PACE_COLD,
    FOLLOWER_PACE_HOT,
    FOLLOWER_PACE_COUNT
};

/* Every handler may free the follower. */
struct follower_handlers {
    /* The next bytes of the file. */
    void (*on_bytes)(void *data, const char *bytes, size_t len);
    /* Called when all that the file holds was read. */
    void (*on_caught_up)(void *data);
    /* The file became shorter than what was read (reading goes on at its
     * present end), was moved or removed (reading goes on in what is open), or
     * cannot be read. */
    void (*on_trouble)(void *data, const struct error *error);
};

/* Opens path (made 0600 when missing; a regular file, no symlink) and starts
 * to read at offset, on the loop's next turn. */
struct follower *follower_new(struct follower_set *set, const char *path,
                              uint64_t offset,
                              const struct follower_handlers *handlers,
                              void *data, struct error *error);
void follower_free(struct follower *follower);

void follower_set_pace(struct follower *follower, enum follower_pace pace);

/* Offset behind the last byte handed out. */
uint64_t follower_offset(const struct follower *follower);

/* Goes on elsewhere: offset, from the file's beginning. */
void follower_seek(struct follower *follower, uint64_t offset);

/* The file's present size. */
uint64_t follower_end(const struct follower *follower);

/* How many more bytes its file system takes from us; UINT64_MAX when it says
 * nothing about that. */
uint64_t follower_free_bytes(const struct follower *follower);

/* Wall clock, ms, of the log's last change; 0: not known. */
int64_t follower_changed_ms(const struct follower *follower);

/* Whether path still names the file that is followed. */
bool follower_is_current(const struct follower *follower);

/* Where a text begins first at offset or in the slice behind it; UINT64_MAX:
 * not there. */
uint64_t follower_find_text(const struct follower *follower, uint64_t offset,
                            const char *text);

/* Finds the beginning of a line at or soon behind offset. */
uint64_t follower_find_line(const struct follower *follower, uint64_t offset);
