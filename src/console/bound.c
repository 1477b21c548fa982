#include "console/bound.h"

#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the first whole line is looked for. */
#define LINE_BYTES 65536u
/* Holes begin and end at blocks; ext4's, and of most others. */
#define MIN_BLOCK_BYTES UINT64_C(4096)
#define MAX_BLOCK_BYTES (BOUND_MIN_BYTES / 8)

/* One hole on its way, on the pool's thread: it has copies of everything. */
struct job {
    uv_work_t work;
    struct bound *bound; /* NULL: nobody wants to know any more */
    char *path;          /* owned */
    uint64_t to;
    uint64_t kept; /* the file has at least so many bytes behind to */
    int errnum;
};

struct bound {
    uv_loop_t *loop; /* borrowed */
    char *path;      /* owned */
    uint64_t max_bytes;
    bound_trouble_fn on_trouble;
    void *data;
    struct job *job;    /* under way, or NULL */
    uint64_t next;      /* asked for meanwhile */
    uint64_t first;     /* the first byte that is there */
    uint64_t line;      /* the first whole line at or behind it */
    bool is_impossible; /* the file system has no holes */
    bool has_trouble;   /* told already */
};

static int
open_file(const char *path, int mode)
{
    return open(path, mode | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Looking ------------------------------------------------------------------ */

/* Where a file's first byte is that is no hole; its size when all is. */
static uint64_t
find_data(int fd)
{
    off_t data = lseek(fd, 0, SEEK_DATA);
    if (data >= 0)
        return (uint64_t)data;
    struct stat status;
    bool is_hole = errno == ENXIO && fstat(fd, &status) == 0;
    return is_hole ? (uint64_t)status.st_size : 0;
}

/* The line that begins behind the first line end at or after offset. */
static uint64_t
find_line(int fd, uint64_t offset)
{
    if (offset == 0)
        return 0;
    char *bytes = xmalloc(LINE_BYTES);
    ssize_t len = pread(fd, bytes, LINE_BYTES, (off_t)offset);
    const char *end = len > 0 ? memchr(bytes, '\n', (size_t)len) : NULL;
    uint64_t line = end ? offset + (uint64_t)(end - bytes) + 1 : offset;
    free(bytes);
    return line;
}

void
bound_look(struct bound *bound)
{
    int fd = open_file(bound->path, O_RDONLY);
    bound->first = fd >= 0 ? find_data(fd) : 0;
    bound->line = fd >= 0 ? find_line(fd, bound->first) : 0;
    if (fd >= 0)
        close(fd);
}

uint64_t
bound_start(const struct bound *bound)
{
    return bound->line;
}

/* Punching ----------------------------------------------------------------- */

/* The file of that path may be another one by now: the right one is longer. */
static bool
is_long_enough(int fd, const struct job *job)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
           (uint64_t)status.st_size >= job->to + job->kept;
}

/* Returns 0, or why not. */
static int
punch(const struct job *job)
{
    int errnum = 0;
    int fd = open_file(job->path, O_WRONLY);
    if (fd < 0)
        return errno;
    if (!is_long_enough(fd, job))
        errnum = ESTALE;
    else if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                       (off_t)job->to) < 0)
        errnum = errno;
    close(fd);
    return errnum;
}

static void
on_work(uv_work_t *work)
{
    struct job *job = work->data;
    job->errnum = punch(job);
}

static void
job_free(struct job *job)
{
    free(job->path);
    free(job);
}

static void
tell_trouble(struct bound *bound, int errnum)
{
    struct error error = {0};
    bound->is_impossible = errnum == EOPNOTSUPP || errnum == ENOSYS;
    if (bound->has_trouble)
        return;
    bound->has_trouble = true;
    if (bound->is_impossible)
        error_set(&error, ERROR_CODE_IO,
                  "%s grows without limit: its file system cannot free the "
                  "beginning of a file (put the state directory on ext4, XFS, "
                  "Btrfs or tmpfs)",
                  bound->path);
    else
        error_set_errno(&error, errnum, "cannot free the beginning of %s",
                        bound->path);
    if (bound->on_trouble)
        bound->on_trouble(bound->data, &error);
}

static void
on_worked(uv_work_t *work, int status)
{
    struct job *job = work->data;
    struct bound *bound = job->bound;
    int errnum = status < 0 ? ECANCELED : job->errnum;
    job_free(job);
    if (!bound)
        return;
    bound->job = NULL;
    uint64_t next = bound->next;
    bound->next = 0;
    if (!errnum) {
        bound->has_trouble = false;
        bound_cut(bound, next);
        return;
    }
    bound_look(bound);
    if (errnum != ESTALE)
        tell_trouble(bound, errnum);
}

static uint64_t
block_bytes(int fd)
{
    struct stat status;
    uint64_t block = MIN_BLOCK_BYTES;
    if (fstat(fd, &status) == 0 && status.st_blksize > 0)
        block = (uint64_t)status.st_blksize;
    if (block < MIN_BLOCK_BYTES)
        block = MIN_BLOCK_BYTES;
    return block > MAX_BLOCK_BYTES ? MAX_BLOCK_BYTES : block;
}

/* Readers are told where content begins before it begins there: they never see
 * the hole being made. */
static void
begin(struct bound *bound, uint64_t to)
{
    struct job *job = xcalloc(1, sizeof(*job));
    job->work.data = job;
    job->bound = bound;
    job->path = xstrdup(bound->path);
    job->to = to;
    job->kept = bound->max_bytes / 2;
    bound->first = to;
    bound->job = job;
    if (uv_queue_work(bound->loop, &job->work, on_work, on_worked) == 0)
        return;
    bound->job = NULL;
    job_free(job);
}

void
bound_cut(struct bound *bound, uint64_t offset)
{
    if (bound->job && offset > bound->next)
        bound->next = offset;
    if (bound->job || bound->is_impossible ||
        offset < bound->first + MAX_BLOCK_BYTES)
        return;
    int fd = open_file(bound->path, O_RDONLY);
    if (fd < 0)
        return;
    uint64_t to = offset - offset % block_bytes(fd);
    if (to > bound->first) {
        bound->line = find_line(fd, to);
        begin(bound, to);
    }
    close(fd);
}

void
bound_trim(struct bound *bound, uint64_t offset)
{
    uint64_t max = bound->max_bytes;
    if (max > 0 && offset > bound->first && offset - bound->first > max)
        bound_cut(bound, offset - (max - max / 8));
}

/* A bound ------------------------------------------------------------------ */

void
bound_set_max(struct bound *bound, uint64_t max_bytes)
{
    bound->max_bytes =
        max_bytes && max_bytes < BOUND_MIN_BYTES ? BOUND_MIN_BYTES : max_bytes;
}

struct bound *
bound_new(uv_loop_t *loop, const struct bound_config *config)
{
    struct bound *bound = xcalloc(1, sizeof(*bound));
    bound->loop = loop;
    bound->path = xstrdup(config->path);
    bound_set_max(bound, config->max_bytes);
    bound->on_trouble = config->on_trouble;
    bound->data = config->data;
    bound_look(bound);
    return bound;
}

void
bound_free(struct bound *bound)
{
    if (!bound)
        return;
    if (bound->job)
        bound->job->bound = NULL;
    free(bound->path);
    free(bound);
}
