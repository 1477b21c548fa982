#pragma once

#include "base/error.h"

#include <stdbool.h>

/* Whether text is a hashed password already, as /etc/shadow has them. */
bool password_is_hashed(const char *text);

/* Hashes a password by SHA-512 ("$6$salt$hash"), which every Linux guest knows,
 * with a salt of its own. Takes some ms. The caller frees it; NULL with
 * error. */
char *password_hash(const char *password, struct error *error);
