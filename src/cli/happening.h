#pragma once

#include <stdint.h>

#include <jansson.h>

/* What happened, printed for people: a record of the server's journal, or a
 * line of a console with its time. */

/* Prints it on a line of its own: the time, the guest, how bad it is, the text.
 * name_cols: columns that names have. */
void happening_print(const json_t *happening, int name_cols);

/* The columns that the names in an array of them take. */
int happening_name_cols(const json_t *list);
