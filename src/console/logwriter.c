#include "console/logwriter.h"

#include "base/xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct logwriter {
    int fd;       /* owned; O_APPEND */
    uint64_t end; /* the log's size */
    uint64_t gap; /* bytes missed at its end */
};

struct logwriter *
logwriter_open(const char *path, struct error *error)
{
    struct stat status;
    int fd = open(path,
                  O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK |
                      O_NOCTTY | O_CLOEXEC,
                  0600);
    if (fd < 0) {
        error_set_errno(error, errno, "cannot open the console log %s", path);
        return NULL;
    }
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        error_set(error, ERROR_CODE_INVALID, "%s is no regular file", path);
        close(fd);
        return NULL;
    }
    struct logwriter *writer = xcalloc(1, sizeof(*writer));
    writer->fd = fd;
    writer->end = (uint64_t)status.st_size;
    return writer;
}

void
logwriter_close(struct logwriter *writer)
{
    if (!writer)
        return;
    close(writer->fd);
    free(writer);
}

uint64_t
logwriter_end(const struct logwriter *writer)
{
    return writer->end;
}

uint64_t
logwriter_gap(const struct logwriter *writer)
{
    return writer->gap;
}

struct logwriter_result
logwriter_append(struct logwriter *writer, const char *bytes, size_t len)
{
    struct logwriter_result result = {0};
    int errnum = 0;
    while (result.written < len) {
        ssize_t n =
            write(writer->fd, bytes + result.written, len - result.written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errnum = n < 0 ? errno : ENOSPC;
            break;
        }
        result.written += (size_t)n;
    }
    writer->end += result.written;
    if (result.written > 0) {
        result.gap = writer->gap;
        writer->gap = 0;
    }
    if (result.written < len) {
        result.errnum = writer->gap == 0 ? errnum : 0;
        writer->gap += len - result.written;
    }
    return result;
}
