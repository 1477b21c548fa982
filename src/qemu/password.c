#include "qemu/password.h"

#include "base/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <crypt.h>

#define SALT_CHARS 16

bool
password_is_hashed(const char *text)
{
    /* crypt(5): "$id$…$hash", without blanks. */
    const char *second = text[0] == '$' ? strchr(text + 1, '$') : NULL;
    return second && second > text + 1 && second - text <= 4 &&
           strchr(second + 1, '$') && !strpbrk(text, " \t:");
}

char *
password_hash(const char *password, struct error *error)
{
    static const char letters[] =
        "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    unsigned char random[SALT_CHARS];
    char setting[SALT_CHARS + 4] = "$6$";
    while (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        continue;
    for (size_t i = 0; i < SALT_CHARS; i++)
        setting[3 + i] = letters[random[i] % 64];
    /* 32 KiB in libxcrypt: not for a thread's stack. */
    struct crypt_data *data = xcalloc(1, sizeof(*data));
    const char *hash = crypt_r(password, setting, data);
    char *copy = NULL;
    if (hash && hash[0] == '$')
        copy = xstrdup(hash);
    else
        error_set_errno(error, errno ? errno : EINVAL,
                        "cannot hash the password");
    explicit_bzero(data, sizeof(*data));
    free(data);
    return copy;
}
