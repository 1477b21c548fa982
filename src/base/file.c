#include "base/file.h"

#include "base/buffer.h"
#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES 65536

static bool
read_whole(int fd, size_t max_bytes, struct buffer *content, const char *path,
           struct error *error)
{
    for (;;) {
        buffer_reserve(content, READ_BYTES);
        ssize_t got = read(fd, content->data + content->len, READ_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_errno(error, errno, "cannot read %s", path);
        content->len += (size_t)got;
        content->data[content->len] = '\0';
        if (got == 0)
            return true;
        if (content->len > max_bytes)
            return error_set(error, ERROR_CODE_LIMIT,
                             "%s is larger than %zu bytes", path, max_bytes);
    }
}

/* Opens a file whose reading cannot wait: no pipe, no device. */
static int
open_regular(const char *path, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0)
        error_set_errno(error, errno, "cannot open %s", path);
    else if (S_ISDIR(info.st_mode))
        error_set(error, ERROR_CODE_INVALID, "%s is a directory", path);
    else if (!S_ISREG(info.st_mode))
        error_set(error, ERROR_CODE_INVALID, "%s is no regular file", path);
    else
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

char *
file_read(const char *path, size_t max_bytes, size_t *ret_len,
          struct error *error)
{
    int fd = open_regular(path, error);
    if (fd < 0)
        return NULL;
    struct buffer content = {0};
    bool ok = read_whole(fd, max_bytes, &content, path, error);
    (void)close(fd);
    if (ok) {
        *ret_len = content.len;
        return buffer_steal(&content);
    }
    buffer_finish(&content);
    return NULL;
}

static bool
write_whole(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t put = write(fd, data, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        data += put;
        len -= (size_t)put;
    }
    return true;
}

bool
file_write(const char *path, const char *data, size_t len, unsigned flags,
           struct error *error)
{
    struct stat old;
    if (flags & FILE_PERSONS && lstat(path, &old) == 0 && !S_ISREG(old.st_mode))
        return error_set(error, ERROR_CODE_INVALID,
                         "%s is no regular file, and is left alone", path);
    char *temporary = xasprintf("%s.%d.tmp", path, (int)getpid());
    if (!(flags & FILE_PERSONS)) /* of a process of our pid that was killed */
        (void)unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write_whole(fd, data, len) &&
              (flags & FILE_VOLATILE || fsync(fd) == 0);
    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    ok = ok && rename(temporary, path) == 0;
    if (!ok) {
        error_set_errno(error, errno, "cannot write %s", path);
        if (fd >= 0)
            (void)unlink(temporary);
    }
    free(temporary);
    return ok;
}

bool
file_create(const char *path, const char *data, size_t len, struct error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return error_set(error, ERROR_CODE_EXISTS, "%s exists", path);
    if (fd < 0)
        return error_set_errno(error, errno, "cannot make %s", path);
    bool ok = write_whole(fd, data, len);
    int cause = errno;
    if (close(fd) < 0 && ok) {
        ok = false;
        cause = errno;
    }
    if (ok)
        return true;
    error_set_errno(error, cause, "cannot write %s", path);
    (void)unlink(path);
    return false;
}
