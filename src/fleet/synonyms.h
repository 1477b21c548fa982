#pragma once

#include <stddef.h>

/* What other programs call a field: "mem" is "memory" here, "vcpus" is "smp".
 * The name among count names that a word means, or NULL. names: borrowed, as is
 * the result. */
const char *synonym_find(const char *word, const char *const *names,
                         size_t count);
