#include "tui/layout.h"

struct grid {
    int rows;
    int cols;
};

static int
min_int(int a, int b)
{
    return a < b ? a : b;
}

static int
max_int(int a, int b)
{
    return a > b ? a : b;
}

/* How many panes of the least size an area holds, at least one. */
static struct grid
largest_grid(const struct layout_rect *area)
{
    return (struct grid){
        .rows = max_int(1, area->rows / LAYOUT_PANE_ROWS_MIN),
        .cols = max_int(1, (area->cols + 1) / (LAYOUT_PANE_COLS_MIN + 1)),
    };
}

/* tmux's tiled layout: rows and columns grow in turn until all panes fit. */
static struct grid
choose_grid(int count, struct grid largest)
{
    struct grid grid = {1, 1};
    while (grid.rows * grid.cols < count) {
        if (grid.rows < largest.rows)
            grid.rows++;
        if (grid.rows * grid.cols < count && grid.cols < largest.cols)
            grid.cols++;
        if (grid.rows == largest.rows && grid.cols == largest.cols)
            break;
    }
    return grid;
}

/* The start and size of part index of count parts of size, with gap between. */
static void
share(int size, int gap, int count, int index, int *ret_start, int *ret_size)
{
    int free = size - gap * (count - 1);
    int each = free / count;
    int extra = free % count; /* one more for each of the first ones */
    *ret_start = index * (each + gap) + min_int(index, extra);
    *ret_size = each + (index < extra);
}

static void
tile(struct layout *layout, const struct layout_rect *area, struct grid grid)
{
    int count = (int)layout->count;
    grid.rows = (count + grid.cols - 1) / grid.cols;
    for (int i = 0; i < count; i++) {
        int row = i / grid.cols;
        /* the last row's panes share its whole width */
        int in_row = min_int(grid.cols, count - row * grid.cols);
        struct layout_rect *rect = &layout->panes[i];
        share(area->rows, 0, grid.rows, row, &rect->row, &rect->rows);
        share(area->cols, 1, in_row, i % grid.cols, &rect->col, &rect->cols);
        rect->row += area->row;
        rect->col += area->col;
    }
}

static void
place_panes(struct layout *layout, const struct layout_request *request,
            const struct layout_rect *area)
{
    layout->page_count = 1;
    if (request->pane_count == 0 || area->cols <= 0)
        return;
    size_t focus = request->focus < request->pane_count ? request->focus : 0;
    if (request->flags & (LAYOUT_ZOOMED | LAYOUT_BARE)) {
        layout->first = focus;
        layout->count = 1;
        layout->panes[0] = *area;
        return;
    }
    struct grid largest = largest_grid(area);
    size_t capacity = (size_t)largest.rows * (size_t)largest.cols;
    if (capacity > LAYOUT_PANES_MAX)
        capacity = LAYOUT_PANES_MAX;
    layout->page_count = (request->pane_count + capacity - 1) / capacity;
    layout->page = focus / capacity;
    layout->first = layout->page * capacity;
    layout->count = request->pane_count - layout->first;
    if (layout->count > capacity)
        layout->count = capacity;
    tile(layout, area, choose_grid((int)layout->count, largest));
}

/* Cuts the sidebar off the left of area. */
static void
place_sidebar(struct layout *layout, const struct layout_request *request,
              struct layout_rect *area)
{
    bool has_focus = request->flags & LAYOUT_SIDEBAR_FOCUS;
    bool is_wide = request->cols >= LAYOUT_SIDEBAR_SCREEN_COLS;
    bool is_wanted = request->flags & LAYOUT_SIDEBAR &&
                     !(request->flags & LAYOUT_ZOOMED) && is_wide;
    if (request->flags & LAYOUT_BARE || (!has_focus && !is_wanted))
        return;
    layout->sidebar = *area;
    if (request->cols < LAYOUT_SIDEBAR_ALONE_COLS) {
        area->cols = 0;
        return;
    }
    /* at most a quarter of the screen, but enough to read a name */
    int cols = min_int(request->sidebar_cols, request->cols / 4);
    cols = min_int(max_int(cols, LAYOUT_SIDEBAR_COLS_MIN),
                   LAYOUT_SIDEBAR_COLS_MAX);
    layout->sidebar.cols = cols;
    area->col = cols + 1;
    area->cols -= cols + 1;
}

void
layout_compute(struct layout *layout, const struct layout_request *request)
{
    *layout = (struct layout){0};
    if (request->rows < LAYOUT_ROWS_MIN || request->cols < LAYOUT_COLS_MIN) {
        layout->is_too_small = true;
        return;
    }
    struct layout_rect area = {.rows = request->rows, .cols = request->cols};
    if (!(request->flags & LAYOUT_BARE)) {
        area.rows--;
        layout->status = (struct layout_rect){
            .row = area.rows,
            .rows = 1,
            .cols = request->cols,
        };
    }
    place_sidebar(layout, request, &area);
    place_panes(layout, request, &area);
}
