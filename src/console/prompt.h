#pragma once

#include "console/terminal.h"

#include <stdbool.h>

/* Whether a shell waits for a command, as far as its screen tells. Meant to
 * err on the side of "no": what is typed because of it must never go to a
 * password prompt, an editor or a boot loader. */

/* True when the cursor stands behind a shell's prompt ("$ ", "# ", "> ", "% ")
 * with nothing typed; else *ret_why is what is in the way: a constant, to
 * follow "because". */
bool prompt_is_shell(struct terminal *terminal, const char **ret_why);
