#include "console/times.h"

#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Two numbers of 64 bits, and a block's first byte. */
#define SAMPLE_MAX_BYTES 21
#define BLOCK_MARK 'T'

struct sample {
    uint64_t end;
    int64_t ms;
    bool is_unseen; /* what lies between it and the one before */
};

struct times {
    int fd; /* owned */
    uint64_t max_bytes;
    /* The first sample of each block; those before first_block are gone. */
    struct sample *heads; /* owned: block_count of them */
    size_t block_count;
    size_t capacity;
    size_t first_block;
    size_t at; /* in the last block: where the next sample goes */
    struct sample last;
    bool has_last;
    struct sample waiting; /* not written yet */
    bool is_waiting;
};

/* Numbers ------------------------------------------------------------------ */

static size_t
put_number(unsigned char *bytes, uint64_t value)
{
    size_t len = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[len++] = (unsigned char)(value | 0x80);
    bytes[len++] = (unsigned char)value;
    return len;
}

/* Returns the bytes it took; 0: it is none, or cut off. */
static size_t
take_number(const unsigned char *bytes, size_t len, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len && i < 10; i++) {
        value |= (uint64_t)(bytes[i] & 0x7F) << (7 * i);
        if (bytes[i] & 0x80)
            continue;
        *ret_value = value;
        return i + 1;
    }
    return 0;
}

static uint64_t
fold(int64_t value)
{
    return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

static int64_t
unfold(uint64_t value)
{
    return (int64_t)((value >> 1) ^ (value & 1 ? UINT64_MAX : 0));
}

/* Blocks ------------------------------------------------------------------- */

/* One block being read. */
struct reader {
    unsigned char bytes[TIMES_BLOCK_BYTES];
    size_t len;
    size_t at;
    struct sample sample;
    bool has_sample;
};

/* An index that others wrote into can say anything: it is cut where it stops
 * making sense. */
static bool
is_sane(const struct sample *sample)
{
    return sample->end < (UINT64_C(1) << 62) && sample->ms >= 0 &&
           sample->ms < (INT64_C(1) << 52);
}

static bool
next_sample(struct reader *reader)
{
    uint64_t end = 0;
    uint64_t ms = 0;
    size_t at = reader->at;
    if (!reader->has_sample) {
        if (reader->len == 0 || reader->bytes[0] != BLOCK_MARK)
            return false;
        at = 1;
    }
    size_t taken = take_number(reader->bytes + at, reader->len - at, &end);
    at += taken;
    if (!taken || (reader->has_sample && end == 0))
        return false;
    taken = take_number(reader->bytes + at, reader->len - at, &ms);
    at += taken;
    if (!taken)
        return false;
    struct sample next = {
        .end = end >> 1, .ms = (int64_t)ms, .is_unseen = end & 1};
    if (reader->has_sample) {
        end--;
        next.is_unseen = end & 1;
        next.end = reader->sample.end + (end >> 1);
        next.ms = (int64_t)((uint64_t)reader->sample.ms + (uint64_t)unfold(ms));
    }
    if (!is_sane(&next) ||
        (reader->has_sample && next.end < reader->sample.end))
        return false;
    reader->sample = next;
    reader->has_sample = true;
    reader->at = at;
    return true;
}

static void
read_block(const struct times *times, size_t block, size_t len,
           struct reader *reader)
{
    ssize_t got =
        pread(times->fd, reader->bytes, len, (off_t)block * TIMES_BLOCK_BYTES);
    reader->len = got > 0 ? (size_t)got : 0;
    reader->at = 0;
    reader->has_sample = false;
}

/* Opening ------------------------------------------------------------------ */

static void
add_head(struct times *times, const struct sample *sample)
{
    if (times->block_count == times->capacity) {
        times->capacity = times->capacity ? times->capacity * 2 : 16;
        times->heads =
            xreallocarray(times->heads, times->capacity, sizeof(*times->heads));
    }
    times->heads[times->block_count++] = *sample;
}

void
times_forget(struct times *times)
{
    /* Nothing is read beyond block_count, whatever the file says. */
    (void)!ftruncate(times->fd, 0);
    times->first_block = times->block_count = times->at = 0;
    times->has_last = times->is_waiting = false;
}

/* Reads the first sample of every block, and all of the last one's. */
static void
load(struct times *times)
{
    struct stat status;
    struct reader reader;
    off_t data = lseek(times->fd, 0, SEEK_DATA);
    if (fstat(times->fd, &status) < 0 || data < 0)
        return;
    size_t count =
        ((size_t)status.st_size + TIMES_BLOCK_BYTES - 1) / TIMES_BLOCK_BYTES;
    times->first_block = (size_t)data / TIMES_BLOCK_BYTES;
    struct sample none = {0};
    for (size_t block = 0; block < times->first_block; block++)
        add_head(times, &none);
    for (size_t block = times->first_block; block < count; block++) {
        read_block(times, block, SAMPLE_MAX_BYTES, &reader);
        if (!next_sample(&reader) ||
            (times->has_last && reader.sample.end < times->last.end))
            break;
        add_head(times, &reader.sample);
        times->last = reader.sample;
        times->has_last = true;
    }
    if (!times->has_last) {
        times_forget(times);
        return;
    }
    read_block(times, times->block_count - 1, TIMES_BLOCK_BYTES, &reader);
    while (next_sample(&reader))
        times->last = reader.sample;
    times->at = reader.at;
    /* A torn sample must not be read as part of what comes next. */
    off_t end =
        (off_t)(times->block_count - 1) * TIMES_BLOCK_BYTES + (off_t)times->at;
    if (end < status.st_size && ftruncate(times->fd, end) < 0)
        times_forget(times);
}

struct times *
times_open(const char *path, uint64_t log_bytes, uint64_t max_bytes,
           struct error *error)
{
    struct stat status;
    int fd = open(
        path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
        0600);
    if (fd < 0) {
        error_set_errno(error, errno, "%s", path);
        return NULL;
    }
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        error_set(error, ERROR_CODE_INVALID, "%s is no regular file", path);
        return NULL;
    }
    struct times *times = xcalloc(1, sizeof(*times));
    times->fd = fd;
    times->max_bytes = max_bytes;
    load(times);
    if (times->has_last && times->last.end > log_bytes)
        times_forget(times);
    return times;
}

void
times_free(struct times *times)
{
    if (!times)
        return;
    times_flush(times);
    close(times->fd);
    free(times->heads);
    free(times);
}

/* Writing ------------------------------------------------------------------ */

static size_t
encode(const struct times *times, const struct sample *sample, bool is_first,
       unsigned char *bytes)
{
    size_t len = 0;
    if (is_first) {
        bytes[len++] = BLOCK_MARK;
        len += put_number(bytes + len, sample->end << 1 | sample->is_unseen);
        return len + put_number(bytes + len, (uint64_t)sample->ms);
    }
    uint64_t more = sample->end - times->last.end;
    len += put_number(bytes + len, (more << 1 | sample->is_unseen) + 1);
    return len + put_number(bytes + len, fold(sample->ms - times->last.ms));
}

/* A sample that cannot be written (disk full) is lost; the next one takes its
 * place, and its bytes count as printed then. */
static void
write_sample(struct times *times, const struct sample *sample)
{
    unsigned char bytes[SAMPLE_MAX_BYTES];
    bool is_first = times->block_count == 0 ||
                    times->at + SAMPLE_MAX_BYTES > TIMES_BLOCK_BYTES;
    size_t len = encode(times, sample, is_first, bytes);
    size_t block = is_first ? times->block_count : times->block_count - 1;
    size_t at = is_first ? 0 : times->at;
    off_t place = (off_t)block * TIMES_BLOCK_BYTES + (off_t)at;
    if (pwrite(times->fd, bytes, len, place) != (ssize_t)len)
        return;
    if (is_first)
        add_head(times, sample);
    times->at = at + len;
    times->last = *sample;
    times->has_last = true;
}

void
times_flush(struct times *times)
{
    if (times->is_waiting)
        write_sample(times, &times->waiting);
    times->is_waiting = false;
}

static bool
is_new(const struct times *times, uint64_t end)
{
    return !times->has_last || end > times->last.end;
}

/* Whether a sample of that time is one of its own beside an earlier one. A
 * clock that was put back begins anew. */
static bool
is_apart(int64_t wall_ms, const struct sample *earlier)
{
    return wall_ms < earlier->ms || wall_ms - earlier->ms >= TIMES_PAUSE_MS;
}

bool
times_note(struct times *times, uint64_t end, int64_t wall_ms)
{
    if (end == 0 || !is_new(times, end))
        return times->is_waiting;
    /* A server that was held up is late with what waits: that keeps its own
     * time, and has not the one of what came since. */
    if (times->is_waiting && is_apart(wall_ms, &times->waiting))
        times_flush(times);
    times->waiting = (struct sample){.end = end, .ms = wall_ms};
    times->is_waiting = true;
    if (!times->has_last || is_apart(wall_ms, &times->last))
        times_flush(times);
    return times->is_waiting;
}

void
times_note_unseen(struct times *times, uint64_t end, int64_t wall_ms)
{
    struct sample sample = {.end = end, .ms = wall_ms, .is_unseen = true};
    times_flush(times);
    if (end > 0 && is_new(times, end))
        write_sample(times, &sample);
}

void
times_set_max(struct times *times, uint64_t max_bytes)
{
    times->max_bytes = max_bytes;
}

uint64_t
times_dispensable(struct times *times, uint64_t log_start)
{
    size_t first = times->first_block;
    /* The byte at log_start is told of by the samples behind it. */
    while (first + 1 < times->block_count &&
           times->heads[first + 1].end <= log_start)
        first++;
    size_t max = (size_t)(times->max_bytes / TIMES_BLOCK_BYTES);
    if (max && times->block_count - first > max)
        first = times->block_count - max;
    times->first_block = first;
    return (uint64_t)first * TIMES_BLOCK_BYTES;
}

/* Reading ------------------------------------------------------------------ */

/* A walk over samples, to the one that waits. */
struct walk {
    const struct times *times;
    uint64_t offset;
    times_span_fn each;
    void *data;
    struct sample before;
    bool has_before;
};

static bool
walk_over(struct walk *walk, const struct sample *sample)
{
    const struct sample *before = &walk->before;
    struct times_span span = {
        .start = walk->has_before ? before->end : 0,
        .end = sample->end,
        .from_ms = sample->ms,
        .to_ms = sample->ms,
    };
    if (!walk->has_before)
        span.from_ms =
            sample->is_unseen || walk->times->first_block ? 0 : sample->ms;
    else if (sample->is_unseen && before->ms < sample->ms)
        span.from_ms = before->ms;
    bool goes_on = true;
    if (sample->end > walk->offset)
        goes_on = walk->each(walk->data, &span);
    walk->before = *sample;
    walk->has_before = true;
    return goes_on;
}

/* The last block that begins before the byte is told of. */
static size_t
block_of(const struct times *times, uint64_t offset)
{
    size_t low = times->first_block;
    size_t high = times->block_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (times->heads[middle].end <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void
times_walk(struct times *times, uint64_t offset, times_span_fn each, void *data)
{
    struct walk walk = {
        .times = times, .offset = offset, .each = each, .data = data};
    struct reader reader;
    size_t block = block_of(times, offset);
    for (; block < times->block_count; block++) {
        read_block(times, block, TIMES_BLOCK_BYTES, &reader);
        while (next_sample(&reader)) {
            if (!walk_over(&walk, &reader.sample))
                return;
        }
    }
    if (times->is_waiting)
        (void)walk_over(&walk, &times->waiting);
}

int64_t
times_last_ms(const struct times *times)
{
    if (times->is_waiting)
        return times->waiting.ms;
    return times->has_last ? times->last.ms : 0;
}

uint64_t
times_find(struct times *times, int64_t wall_ms)
{
    struct reader reader;
    uint64_t found = 0;
    size_t block = times->block_count;
    /* From the end: a clock that was set back made later samples look older. */
    while (block > times->first_block && times->heads[block - 1].ms >= wall_ms)
        block--;
    if (block == times->first_block)
        return 0;
    read_block(times, block - 1, TIMES_BLOCK_BYTES, &reader);
    while (next_sample(&reader) && reader.sample.ms < wall_ms)
        found = reader.sample.end;
    if (block == times->block_count && times->is_waiting &&
        times->waiting.ms < wall_ms && found == times->last.end)
        found = times->waiting.end;
    return found;
}
