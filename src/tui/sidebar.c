#include "tui/sidebar.h"

#include "base/utf8.h"
#include "tui/draw.h"
#include "tui/state.h"

#include <stdio.h>
#include <string.h>

/* Columns beside the name: mark of the current one, glyph, two blanks. */
#define SIDEBAR_LEFT_COLS 3
/* An uptime, with the blank before it. */
#define SIDEBAR_UPTIME_COLS 7
/* A name that leaves room for everything beside it in a usual sidebar. */
#define SIDEBAR_NAME_COLS 8
/* A state's label, with the blank before it. */
#define SIDEBAR_STATE_COLS 9
/* The mark for activity or bell, with the blank before it. */
#define SIDEBAR_MARK_COLS 2
/* The mark for company, with the blank before it. */
#define SIDEBAR_COMPANY_COLS 2
/* Where a note's text begins after its key. */
#define SIDEBAR_KEY_COLS 3
/* Rows that are no guest: the heading. */
#define SIDEBAR_HEADING_ROWS 1

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

void
sidebar_format_uptime(int64_t uptime_ms, char *text, size_t size)
{
    if (uptime_ms < 0)
        uptime_ms = 0;
    if (uptime_ms < MINUTE_MS)
        (void)snprintf(text, size, "%ds", (int)(uptime_ms / 1000));
    else if (uptime_ms < HOUR_MS)
        (void)snprintf(text, size, "%dm", (int)(uptime_ms / MINUTE_MS));
    else if (uptime_ms < DAY_MS)
        (void)snprintf(text, size, "%dh%02dm", (int)(uptime_ms / HOUR_MS),
                       (int)(uptime_ms % HOUR_MS / MINUTE_MS));
    else if (uptime_ms < 100 * DAY_MS)
        (void)snprintf(text, size, "%dd%02dh", (int)(uptime_ms / DAY_MS),
                       (int)(uptime_ms % DAY_MS / HOUR_MS));
    else
        (void)snprintf(text, size, "%dd", (int)(uptime_ms / DAY_MS) % 100000);
}

int64_t
sidebar_round_up_ms(int64_t moment_ms)
{
    return (moment_ms + 999) / 1000 * 1000;
}

int64_t
sidebar_uptime_lasts_ms(int64_t uptime_ms)
{
    int64_t unit = 1000;
    if (uptime_ms < 0)
        return -uptime_ms + unit;
    if (uptime_ms >= DAY_MS)
        unit = HOUR_MS;
    else if (uptime_ms >= MINUTE_MS)
        unit = MINUTE_MS;
    return unit - uptime_ms % unit;
}

int
sidebar_wanted_cols(const struct sidebar_row *rows, size_t count)
{
    int widest = SIDEBAR_NAME_COLS;
    for (size_t i = 0; i < count; i++) {
        int cols = (int)utf8_text_cols(rows[i].name, strlen(rows[i].name));
        if (cols > widest)
            widest = cols;
    }
    return SIDEBAR_LEFT_COLS + widest + SIDEBAR_STATE_COLS +
           SIDEBAR_UPTIME_COLS + SIDEBAR_MARK_COLS;
}

size_t
sidebar_capacity(int rows)
{
    return rows > SIDEBAR_HEADING_ROWS ? (size_t)(rows - SIDEBAR_HEADING_ROWS)
                                       : 0;
}

size_t
sidebar_scroll(size_t top, size_t selected, size_t count, size_t capacity)
{
    if (capacity == 0)
        return 0;
    if (selected < top)
        top = selected;
    if (selected >= top + capacity)
        top = selected - capacity + 1;
    if (count <= capacity)
        top = 0;
    else if (top > count - capacity)
        top = count - capacity;
    return top;
}

/* A pen with the colours of top where it has any, on those of base. The
 * caller unrefs it. */
static TickitPen *
pen_over(const TickitPen *top, const TickitPen *base)
{
    TickitPen *pen = tickit_pen_clone(top);
    tickit_pen_copy(pen, base, false);
    return pen;
}

/* The marks at the right, the one that matters most first. */
static const struct mark {
    unsigned flag;
    enum theme_role role;
    const char *text;
    const char *ascii;
} marks[] = {
    {SIDEBAR_ALERT_CRITICAL, THEME_ALERT_CRITICAL, "▲", "A"},
    {SIDEBAR_ALERT_WARNING, THEME_ALERT_WARNING, "▲", "A"},
    {SIDEBAR_BELL, THEME_BELL, "!", "!"},
    {SIDEBAR_SILENT, THEME_SILENCE, "~", "~"},
    {SIDEBAR_ALERT_INFO, THEME_ALERT_INFO, "△", "i"},
    {SIDEBAR_ACTIVITY, THEME_ACTIVITY, "•", "*"},
};
#define MARKS_COUNT (sizeof(marks) / sizeof(*marks))

/* NULL: the row has none. */
static const struct mark *
row_mark(const struct sidebar_row *row)
{
    for (size_t i = 0; i < MARKS_COUNT; i++) {
        if (row->flags & marks[i].flag)
            return &marks[i];
    }
    return NULL;
}

struct row_pens {
    TickitPen *base;
    TickitPen *state;
    TickitPen *muted;
    TickitPen *mark;
};

static void
init_pens(struct row_pens *pens, const struct theme *theme,
          const struct sidebar_row *row, bool is_selected)
{
    enum theme_role base = THEME_SIDEBAR;
    if (is_selected)
        base = THEME_SIDEBAR_SELECTED;
    else if (row->flags & SIDEBAR_CURRENT)
        base = THEME_SIDEBAR_CURRENT;
    pens->base = tickit_pen_ref(theme_pen(theme, base));
    if (is_selected) {
        /* colours on a coloured bar would not be readable */
        pens->state = tickit_pen_ref(pens->base);
        pens->muted = tickit_pen_ref(pens->base);
        pens->mark = tickit_pen_ref(pens->base);
        return;
    }
    const struct mark *shown = row_mark(row);
    enum theme_role mark = shown ? shown->role : THEME_ACTIVITY;
    enum theme_role state = state_info(row->state)->role;
    pens->state = pen_over(theme_pen(theme, state), pens->base);
    pens->muted = pen_over(theme_pen(theme, THEME_MUTED), pens->base);
    pens->mark = pen_over(theme_pen(theme, mark), pens->base);
}

static void
finish_pens(struct row_pens *pens)
{
    tickit_pen_unref(pens->base);
    tickit_pen_unref(pens->state);
    tickit_pen_unref(pens->muted);
    tickit_pen_unref(pens->mark);
}

/* Draws what stands at the right: state and uptime, or, where there is little
 * room, whichever says more. Returns where it begins. */
static int
draw_facts(TickitRenderBuffer *rb, const struct sidebar_model *model,
           const struct sidebar_row *row, const struct row_pens *pens, int line,
           int cols)
{
    const struct state_info *state = state_info(row->state);
    int col = cols - SIDEBAR_MARK_COLS;
    const char *text = row->label ? row->label : state->label;
    bool is_running = !row->label && strcmp(state->name, "running") == 0;
    bool has_uptime = row->started_ms > 0 && !state->has_ended;
    /* all rows alike, so that the columns stay columns */
    bool is_wide = cols >= sidebar_wanted_cols(model->rows, model->count);

    if (has_uptime && (is_wide || is_running)) {
        char uptime[16];
        if (row->pasted)
            (void)snprintf(uptime, sizeof(uptime), "%d%%", row->pasted - 1);
        else
            sidebar_format_uptime(model->now_ms - row->started_ms, uptime,
                                  sizeof(uptime));
        col -= (int)strlen(uptime);
        draw_text(rb, line, col, SIDEBAR_UPTIME_COLS, pens->muted, uptime);
        if (is_wide)
            col = cols - SIDEBAR_MARK_COLS - SIDEBAR_UPTIME_COLS;
    }
    if (is_wide || !has_uptime || !is_running) {
        int label = (int)strlen(text);
        col -= label;
        draw_text(rb, line, col, label, pens->state, text);
    }
    return col;
}

/* The name, and behind it a sign that somebody else is there. */
static void
draw_name(TickitRenderBuffer *rb, const struct theme *theme,
          const struct sidebar_row *row, const struct row_pens *pens,
          bool is_selected, int line, int cols)
{
    bool is_loud = row->flags & SIDEBAR_TYPED;
    bool has_company = is_loud || row->flags & SIDEBAR_WATCHED;
    int col = SIDEBAR_LEFT_COLS;
    if (has_company)
        cols -= SIDEBAR_COMPANY_COLS;
    col += draw_text(rb, line, col, cols, pens->base, row->name);
    if (!has_company || cols < 1)
        return;
    TickitPen *pen = pen_over(
        theme_pen(theme, is_loud ? THEME_ACCENT : THEME_MUTED), pens->base);
    draw_text(rb, line, col + 1, 1, is_selected ? pens->base : pen, "@");
    tickit_pen_unref(pen);
}

static void
draw_row(TickitRenderBuffer *rb, const struct theme *theme,
         const struct sidebar_model *model, size_t index, int line, int cols)
{
    const struct sidebar_row *row = &model->rows[index];
    const struct state_info *state = state_info(row->state);
    bool has_unicode = model->flags & SIDEBAR_UNICODE;
    bool is_selected = index == model->selected && model->flags & SIDEBAR_FOCUS;
    struct row_pens pens;
    init_pens(&pens, theme, row, is_selected);

    draw_fill(rb, line, 0, cols, pens.base);
    if (row->flags & SIDEBAR_CURRENT)
        draw_text(rb, line, 0, 1, pens.base, has_unicode ? "▌" : ">");
    draw_text(rb, line, 1, 1, pens.state, state_glyph(state, has_unicode));
    if (row->flags & SIDEBAR_MARKED)
        draw_text(rb, line, 2, 1,
                  row->flags & SIDEBAR_REACHED
                      ? theme_pen(theme, THEME_STATUS_ALARM)
                      : pens.base,
                  has_unicode ? "✓" : "*");
    int facts = draw_facts(rb, model, row, &pens, line, cols);
    draw_name(rb, theme, row, &pens, is_selected, line,
              facts - SIDEBAR_LEFT_COLS - 1);
    const struct mark *mark = row_mark(row);
    if (mark)
        draw_text(rb, line, cols - 1, 1, pens.mark,
                  has_unicode ? mark->text : mark->ascii);
    finish_pens(&pens);
}

/* Of the notes that are no headings. */
static int
widest_key(const struct sidebar_note *notes, size_t count)
{
    int widest = 0;
    for (size_t i = 0; i < count; i++) {
        const char *key = notes[i].text ? notes[i].key : NULL;
        int cols = key ? (int)utf8_text_cols(key, strlen(key)) : 0;
        widest = cols > widest ? cols : widest;
    }
    return widest;
}

static void
draw_notes(TickitRenderBuffer *rb, const struct theme *theme,
           const struct sidebar_model *model, const struct sidebar_note *notes,
           size_t count, int line, int cols)
{
    bool has_focus = model->flags & SIDEBAR_FOCUS;
    TickitPen *muted = theme_pen(theme, THEME_MUTED);
    TickitPen *key = theme_pen(theme, has_focus ? THEME_ACTIVITY : THEME_MUTED);
    TickitPen *text = theme_pen(theme, has_focus ? THEME_SIDEBAR : THEME_MUTED);
    const char *stroke = model->flags & SIDEBAR_UNICODE ? "─" : "-";
    int key_cols = widest_key(notes, count) + 1;
    if (key_cols < SIDEBAR_KEY_COLS)
        key_cols = SIDEBAR_KEY_COLS;
    for (size_t i = 0; i < count; i++, line++) {
        if (!notes[i].text) {
            draw_repeat(rb, line, 0, cols, theme_pen(theme, THEME_BORDER),
                        stroke);
            draw_format(rb, line, 1, cols - 1, muted, " %s ", notes[i].key);
            continue;
        }
        int col = 1;
        if (notes[i].key) {
            draw_text(rb, line, col, cols - col, key, notes[i].key);
            col += key_cols;
        }
        draw_text(rb, line, col, cols - col, text, notes[i].text);
    }
}

/* What stands below the list, as far as there is room. */
static void
draw_bottom(TickitRenderBuffer *rb, const struct theme *theme,
            const struct sidebar_model *model, int rows, int cols)
{
    int used = SIDEBAR_HEADING_ROWS + (int)model->count + 1;
    int keys = (int)model->key_count;
    int facts = (int)model->fact_count;
    if (model->count == 0 || used + keys > rows)
        return;
    draw_notes(rb, theme, model, model->keys, model->key_count, rows - keys,
               cols);
    if (used + keys + facts > rows)
        return;
    draw_notes(rb, theme, model, model->facts, model->fact_count,
               rows - keys - facts, cols);
}

void
sidebar_draw(TickitRenderBuffer *rb, const struct theme *theme,
             const struct sidebar_model *model, int rows, int cols)
{
    TickitPen *heading = theme_pen(theme, THEME_SIDEBAR_HEADING);
    draw_fill(rb, 0, 0, cols, heading);

    size_t capacity = sidebar_capacity(rows);
    bool is_partial = model->count > capacity;
    char count[32];
    (void)snprintf(count, sizeof(count), is_partial ? "%zu/%zu" : "%zu",
                   is_partial ? model->selected + 1 : model->count,
                   model->count);
    int count_col = cols - (int)strlen(count) - 1;
    draw_text(rb, 0, 1, count_col - 2, heading, model->heading);
    draw_text(rb, 0, count_col, cols - count_col, theme_pen(theme, THEME_MUTED),
              count);

    for (size_t i = 0; i < capacity; i++) {
        int line = (int)i + SIDEBAR_HEADING_ROWS;
        if (model->top + i < model->count)
            draw_row(rb, theme, model, model->top + i, line, cols);
        else
            draw_fill(rb, line, 0, cols, theme_pen(theme, THEME_SIDEBAR));
    }
    draw_bottom(rb, theme, model, rows, cols);
}
