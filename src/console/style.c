#include "console/style.h"

#include <string.h>

bool
style_is_equal(const struct style *a, const struct style *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}
