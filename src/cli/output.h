#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* What is printed for people and for programs. Text that came from outside is
 * made fit to show here, whoever prints it. */

/* Prints a value as JSON on standard output: indented on a terminal, where
 * everything beyond ASCII is escaped too; else one line. */
void output_json(const json_t *value);

/* Prints foreign text and a line end. */
void output_line(const char *text);

enum output_style {
    OUTPUT_PLAIN,
    OUTPUT_BOLD,
    OUTPUT_DIM,
    OUTPUT_GREEN,
    OUTPUT_YELLOW,
    OUTPUT_RED,
    OUTPUT_STYLE_COUNT
};

/* A table with aligned columns: cells are foreign text, the first row is the
 * head. */
struct output_table;
struct output_table *output_table_new(size_t cols);
/* cells: cols of them, borrowed; NULL is an empty one. */
void output_table_add(struct output_table *table, const char *const *cells);
/* How a cell of the row that was added last looks. */
void output_table_style(struct output_table *table, size_t col,
                        enum output_style style);
/* Prints it to standard output and frees it. */
void output_table_print(struct output_table *table);

/* The sequence that begins a style on standard output: "" unless that is a
 * terminal that may have colours (NO_COLOR and TERM=dumb say no). Borrowed. */
const char *output_style(enum output_style style);
/* A guest state's style. */
enum output_style output_state_style(const char *state);

/* Asks a question on the terminal, "no" preselected. Without a terminal on
 * standard input nobody can be asked: is_default then. */
bool output_confirm(const char *question, bool is_default);

/* Flushes standard output; false when it could not be written (disk full, a
 * reader that left). */
bool output_flush(void);

/* False once standard output is a pipe whose reader left: `… | head`. */
bool output_has_reader(void);
