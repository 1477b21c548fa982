#pragma once

#include <stdbool.h>

struct pane;

/* The edge of a console that is smaller than its pane: a soft line to the right
 * of its last column and below its last row. */

/* What of it stands in one row: a stroke, cols times from col on, and a corner
 * behind it; NULL: none. */
struct pane_edge {
    int col;
    int cols;
    const char *stroke;
    const char *corner;
};

/* The edge's part in a row of the pane (0: the console's first); false when
 * there is none. */
bool pane_edge_at(const struct pane *pane, int row, struct pane_edge *ret_edge);
