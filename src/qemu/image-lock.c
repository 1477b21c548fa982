#include "qemu/image-lock.h"

#include "qemu/holder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* QEMU's block/file-posix.c: who writes has a lock on the byte of that
 * permission, who does not share writing on another. */
#define BIT_WRITE 1
#define LOCK_PERMISSION 100
#define LOCK_NOT_SHARED 200

/* Whether somebody has a lock on a byte. */
static bool
is_locked(int fd, off_t at)
{
    struct flock lock = {
        .l_type = F_WRLCK,
        .l_whence = SEEK_SET,
        .l_start = at,
        .l_len = 1,
    };
    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool
image_lock_check(const char *path, bool is_writer, const char *besides,
                 struct error *error)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return true;
    bool is_written = is_locked(fd, LOCK_PERMISSION + BIT_WRITE);
    bool is_kept = is_writer && is_locked(fd, LOCK_NOT_SHARED + BIT_WRITE);
    bool ok = !is_written && !is_kept;
    bool is_known = fstat(fd, &info) == 0;
    (void)close(fd); /* it is not us */
    struct holder holder = {0};
    if (!ok && is_known)
        holder_of_file(info.st_dev, info.st_ino, &holder);
    bool is_own = holder.guest && besides && !strcmp(holder.guest, besides);
    if (!ok && !is_own) {
        char *who = holder_text(&holder);
        error_set(error, ERROR_CODE_STATE,
                  is_written ? "%s is in use by %s, which writes to it"
                             : "%s is in use by %s, which lets nobody write "
                               "to it",
                  path, who);
        free(who);
    }
    holder_finish(&holder);
    return ok || is_own;
}
