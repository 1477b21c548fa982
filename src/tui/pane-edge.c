#include "tui/pane-edge.h"

#include "tui/deck-internal.h"
#include "tui/pane.h"

bool
pane_edge_at(const struct pane *pane, int row, struct pane_edge *ret_edge)
{
    int rows = pane->view.console_rows;
    int cols = pane->view.console_cols;
    bool has_unicode = pane->deck->has_unicode;
    /* a size that was just asked for is not there yet: no edge comes and goes
     * when a pane is resized */
    if (!pane->has_frame || pane->copy || pane->awaits_size || row > rows)
        return false;
    bool has_right = cols < pane->rect.cols;
    if (row < rows && !has_right)
        return false;
    *ret_edge = (struct pane_edge){
        .col = row < rows ? cols : 0,
        .cols = row < rows  ? 0
                : has_right ? cols
                            : pane->rect.cols,
        .stroke = has_unicode ? "─" : "-",
        .corner = !has_right    ? NULL
                  : row < rows  ? has_unicode ? "│" : "|"
                  : has_unicode ? "┘"
                                : "+",
    };
    return true;
}
