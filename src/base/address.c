#include "base/address.h"

#include <string.h>

bool
address_is_loopback(const char *text)
{
    return !strncmp(text, "127.", 4) || !strcmp(text, "::1");
}

bool
address_is_useful(const char *text)
{
    return !address_is_loopback(text) && strncmp(text, "fe80:", 5) != 0;
}
