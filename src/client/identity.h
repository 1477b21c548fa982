#pragma once

#include <stdbool.h>

#include <jansson.h>

struct connection;

/* Who this client is, for the others that look at the same consoles. */

/* "anna@pts/3", with where it came from by ssh: "anna@pts/3 from 10.0.0.5"; or
 * what GUESTMUX_NAME says. The caller frees it. */
char *identity_name(void);

/* client-set's arguments that say so. New reference. */
json_t *identity_arguments(const char *program, bool is_readonly);

/* Tells the server name, program ("deck", "send" …) and whether it only looks.
 */
void identity_tell(struct connection *connection, const char *program,
                   bool is_readonly);
