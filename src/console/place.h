#pragma once

#include <stdbool.h>
#include <stdint.h>

/* From a line of a console's log to the rows that it became, and back. Both
 * are worked out from the nearest stop (stops.h): lines that read the same are
 * told apart by counting them from there, in the log and in the terminal, as
 * both are at this moment. */
struct console;

/* Where a line stands, in rows counted from the very first one
 * (terminal_history_dropped ones included). */
struct place_line {
    uint64_t row;
    int rows;
    uint64_t id; /* of its first row */
};

/* The rows of the line that begins at offset in the log. false when they have
 * left the scrollback, or were erased or written over. Reads some KiB of the
 * log. */
bool place_find_row(struct console *console, uint64_t offset,
                    struct place_line *ret_line);

/* Where the text begins of the line that begins at offset, behind sequences
 * that print nothing: that was printed when the line was. offset when it has
 * none. */
uint64_t place_text_offset(const struct console *console, uint64_t offset);

/* Where in the log the line begins that a row is part of. false when there is
 * no such row, nothing on it, or nothing in the log that reads so there. */
bool place_find_offset(struct console *console, uint64_t row,
                       uint64_t *ret_offset);
