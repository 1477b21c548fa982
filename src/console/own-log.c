#include "console/own-log.h"

#include "base/xalloc.h"
#include "console/console-internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct own_log {
    struct console_hub *hub;   /* borrowed */
    struct follower *follower; /* owned; NULL: given up */
    char *path;                /* owned */
    uint64_t max_bytes;
};

/* Whether stderr writes to the file of that path. */
static bool
is_stderr(const char *path)
{
    struct stat ours;
    struct stat named;
    return fstat(STDERR_FILENO, &ours) == 0 && lstat(path, &named) == 0 &&
           S_ISREG(named.st_mode) && ours.st_dev == named.st_dev &&
           ours.st_ino == named.st_ino;
}

static void follow(struct own_log *log);

/* Puts the file aside and writes to a new one. Whoever has stderr from us still
 * writes to the old one, so that nothing is lost that was kept. */
static void
begin_anew(struct own_log *log)
{
    char *old = xasprintf("%s.old", log->path);
    follower_free(log->follower);
    log->follower = NULL;
    if (is_stderr(log->path) && rename(log->path, old) == 0) {
        int fd = open(log->path,
                      O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC |
                          O_NOFOLLOW,
                      0600);
        if (fd >= 0) {
            (void)dup2(fd, STDERR_FILENO);
            (void)close(fd);
            follow(log);
        }
    }
    free(old);
}

static void
on_bytes(void *data, const char *bytes, size_t len)
{
    struct own_log *log = data;
    (void)bytes;
    (void)len;
    if (follower_offset(log->follower) > log->max_bytes)
        begin_anew(log);
}

static void
on_caught_up(void *data)
{
    (void)data;
}

/* Somebody else moved or removed it: it is theirs now. */
static void
on_trouble(void *data, const struct error *error)
{
    (void)data;
    (void)error;
}

static const struct follower_handlers handlers = {
    .on_bytes = on_bytes,
    .on_caught_up = on_caught_up,
    .on_trouble = on_trouble,
};

static void
follow(struct own_log *log)
{
    struct error ignored = {0};
    log->follower = follower_new(log->hub->followers, log->path, 0, &handlers,
                                 log, &ignored);
}

struct own_log *
own_log_new(struct console_hub *hub, const char *path, uint64_t max_bytes)
{
    if (!is_stderr(path))
        return NULL;
    struct own_log *log = xcalloc(1, sizeof(*log));
    log->hub = hub;
    log->path = xstrdup(path);
    log->max_bytes = max_bytes;
    follow(log);
    return log;
}

void
own_log_free(struct own_log *log)
{
    if (!log)
        return;
    follower_free(log->follower);
    free(log->path);
    free(log);
}
