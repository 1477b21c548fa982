#include "tui/scrub.h"

#include "base/clock.h"
#include "base/xalloc.h"
#include "tui/deck-internal.h"
#include "tui/draw.h"
#include "tui/pane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ms between two moments while it plays. */
#define TICK_MS 100
/* ms behind a boot's beginning in which "the boot before" is another one. */
#define BOOT_SLACK_MS 1500
#define BOOTS_MAX 4096
/* Columns of the bar. */
#define BAR_MIN_COLS 8
#define BAR_MAX_COLS 60

/* How fast it plays, in quarters. */
static const int speeds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096};
#define SPEED_NORMAL 2
#define SPEED_COUNT ((int)(sizeof(speeds) / sizeof(speeds[0])))

/* What a key asks for that has to wait for the server's answer to another. */
enum scrub_wish {
    SCRUB_WISH_SCROLL,
    SCRUB_WISH_STEP,
    SCRUB_WISH_START,
    SCRUB_WISH_END,
    SCRUB_WISH_BOOT,
    SCRUB_WISH_PLAY,
};

struct wish {
    enum scrub_wish kind;
    int64_t argument;
};

/* More are not kept: nobody types so far ahead. */
#define WISHES_MAX 64

struct scrub {
    struct pane *pane; /* borrowed: the owner */
    int64_t first_ms;  /* of the record; 0: not known yet */
    int64_t last_ms;
    int64_t *boots; /* owned: ms when each began */
    size_t boot_count;
    int64_t moment_ms; /* where the operator is */
    int64_t wanted_ms; /* where to begin; 0: at the record's end */
    int64_t asked_ms;  /* what the server was asked for last */
    int64_t scroll;    /* rows back from that moment's screen */
    struct loop_timer *timer;
    uint64_t tick_ms; /* monotonic: when it played last */
    int speed;        /* index */
    bool is_waiting;  /* for the screen of asked_ms */
    bool is_asking;   /* what the record has */
    bool is_playing;
    struct wish wishes[WISHES_MAX]; /* oldest first */
    size_t wish_count;
};

static void ask_record(struct scrub *scrub);
static void do_wishes(struct scrub *scrub);

/* Moments ------------------------------------------------------------------ */

static void
show_changes(const struct scrub *scrub)
{
    pane_title_changed(scrub->pane);
    status_changed(scrub->pane->deck);
}

/* One moment at a time: a key that repeats asks for the next one when the
 * screen of the one before is there. */
static void
ask_moment(struct scrub *scrub)
{
    if (scrub->is_waiting || scrub->asked_ms == scrub->moment_ms)
        return;
    scrub->is_waiting = true;
    scrub->asked_ms = scrub->moment_ms;
    scrub->scroll = 0;
    pane_change_view(scrub->pane, json_pack("{s:I}", "moment-ms",
                                            (json_int_t)scrub->moment_ms));
}

static void
go_to(struct scrub *scrub, int64_t ms)
{
    if (scrub->first_ms == 0)
        return;
    if (ms > scrub->last_ms)
        ms = scrub->last_ms;
    if (ms < scrub->first_ms)
        ms = scrub->first_ms;
    scrub->moment_ms = ms;
    ask_moment(scrub);
    show_changes(scrub);
}

void
scrub_on_moment(struct pane *pane, bool is_past)
{
    struct scrub *scrub = pane->scrub;
    if (!scrub)
        return;
    if (is_past) {
        scrub->is_waiting = false;
        ask_moment(scrub);
        do_wishes(scrub);
    } else if (scrub->asked_ms) {
        /* before anything was asked for, it is the answer to an earlier leave
         */
        scrub_forget(pane);
        pane_changed(pane);
        status_changed(pane->deck);
    }
}

/* Playing ------------------------------------------------------------------ */

static void
pause_playing(struct scrub *scrub)
{
    scrub->is_playing = false;
    loop_timer_stop(scrub->timer);
}

static void
on_tick(void *data)
{
    struct scrub *scrub = data;
    uint64_t now = clock_monotonic_ms();
    int64_t past_ms = (int64_t)(now - scrub->tick_ms);
    scrub->tick_ms = now;
    loop_timer_start(scrub->timer, TICK_MS);
    /* when the server cannot follow, time waits for it */
    if (!scrub->is_waiting)
        go_to(scrub, scrub->moment_ms + past_ms * speeds[scrub->speed] / 4);
    if (scrub->moment_ms < scrub->last_ms)
        return;
    pause_playing(scrub);
    show_changes(scrub);
}

static void
play(struct scrub *scrub)
{
    if (scrub->is_playing) {
        pause_playing(scrub);
    } else if (scrub->moment_ms >= scrub->last_ms) {
        status_message(scrub->pane->deck, DECK_INFO,
                       "this is the end of the record: go back first");
    } else {
        scrub->is_playing = true;
        scrub->tick_ms = clock_monotonic_ms();
        loop_timer_start(scrub->timer, TICK_MS);
    }
    show_changes(scrub);
}

void
scrub_change_speed(struct pane *pane, int steps)
{
    struct scrub *scrub = pane->scrub;
    if (!scrub)
        return;
    scrub->speed += steps;
    if (scrub->speed < 0)
        scrub->speed = 0;
    if (scrub->speed >= SPEED_COUNT)
        scrub->speed = SPEED_COUNT - 1;
    show_changes(scrub);
}

/* Going -------------------------------------------------------------------- */

static void
go_to_boot(struct scrub *scrub, bool is_next)
{
    int64_t found = is_next ? scrub->last_ms : scrub->first_ms;
    for (size_t i = 0; i < scrub->boot_count; i++) {
        int64_t ms = scrub->boots[i];
        if (is_next && ms > scrub->moment_ms) {
            found = ms;
            break;
        }
        if (!is_next && ms < scrub->moment_ms - BOOT_SLACK_MS)
            found = ms;
    }
    go_to(scrub, found);
}

static void
scroll_by(struct scrub *scrub, int64_t rows)
{
    struct pane *pane = scrub->pane;
    if (scrub->is_playing)
        pause_playing(scrub);
    int64_t scroll = scrub->scroll + rows;
    if (scroll > pane->view.history)
        scroll = pane->view.history;
    if (scroll < 0)
        scroll = 0;
    if (scroll == scrub->scroll)
        return;
    scrub->scroll = scroll;
    pane_change_view(pane, json_pack("{s:I}", "scroll", (json_int_t)scroll));
    show_changes(scrub);
}

static void
do_wish(struct scrub *scrub, const struct wish *wish)
{
    switch (wish->kind) {
    case SCRUB_WISH_SCROLL:
        scroll_by(scrub, wish->argument);
        break;
    case SCRUB_WISH_STEP:
        go_to(scrub, scrub->moment_ms + wish->argument);
        break;
    case SCRUB_WISH_START:
        go_to(scrub, scrub->first_ms);
        break;
    case SCRUB_WISH_END:
        pause_playing(scrub);
        ask_record(scrub);
        break;
    case SCRUB_WISH_BOOT:
        go_to_boot(scrub, wish->argument > 0);
        break;
    case SCRUB_WISH_PLAY:
        play(scrub);
        break;
    }
}

/* Whether the server said all that the wish builds upon: what the record has,
 * and for rows above a screen that screen. */
static bool
is_possible(const struct scrub *scrub, const struct wish *wish)
{
    return scrub->first_ms > 0 && !scrub->is_asking &&
           (wish->kind != SCRUB_WISH_SCROLL || !scrub->is_waiting);
}

static void
do_wishes(struct scrub *scrub)
{
    while (scrub->wish_count > 0 && is_possible(scrub, &scrub->wishes[0])) {
        struct wish wish = scrub->wishes[0];
        scrub->wish_count--;
        memmove(&scrub->wishes[0], &scrub->wishes[1],
                scrub->wish_count * sizeof(wish));
        do_wish(scrub, &wish);
    }
}

/* Keys count in their order, however late the server is. */
static void
add_wish(struct pane *pane, enum scrub_wish kind, int64_t argument)
{
    struct scrub *scrub = pane->scrub;
    if (!scrub || scrub->wish_count == WISHES_MAX)
        return;
    scrub->wishes[scrub->wish_count++] =
        (struct wish){.kind = kind, .argument = argument};
    do_wishes(scrub);
}

void
scrub_play(struct pane *pane)
{
    add_wish(pane, SCRUB_WISH_PLAY, 0);
}

void
scrub_step(struct pane *pane, int64_t ms)
{
    add_wish(pane, SCRUB_WISH_STEP, ms);
}

void
scrub_to_start(struct pane *pane)
{
    add_wish(pane, SCRUB_WISH_START, 0);
}

void
scrub_to_end(struct pane *pane)
{
    add_wish(pane, SCRUB_WISH_END, 0);
}

void
scrub_to_boot(struct pane *pane, bool is_next)
{
    add_wish(pane, SCRUB_WISH_BOOT, is_next ? 1 : -1);
}

void
scrub_scroll(struct pane *pane, long rows)
{
    add_wish(pane, SCRUB_WISH_SCROLL, rows);
}

/* The record --------------------------------------------------------------- */

static void
take_boots(struct scrub *scrub, const json_t *boots, int64_t start)
{
    size_t index = 0;
    json_t *boot = NULL;
    free(scrub->boots);
    scrub->boots = xcalloc(json_array_size(boots) + 1, sizeof(*scrub->boots));
    scrub->boot_count = 0;
    json_array_foreach(boots, index, boot)
    {
        int64_t offset = json_integer_value(json_object_get(boot, "offset"));
        int64_t ms = json_integer_value(json_object_get(boot, "ms"));
        if (offset >= start && ms > 0 && scrub->boot_count < BOOTS_MAX)
            scrub->boots[scrub->boot_count++] = ms;
    }
}

/* The reply to console-record: what there is, and its end is where to go. */
static void
on_record(void *user, json_t *value, const struct error *error)
{
    struct pane *pane = user;
    struct scrub *scrub = pane->scrub;
    if (!scrub)
        return; /* left meanwhile */
    scrub->is_asking = false;
    int64_t first_ms = json_integer_value(json_object_get(value, "first-ms"));
    int64_t last_ms = json_integer_value(json_object_get(value, "last-ms"));
    if (error || first_ms <= 0 || last_ms <= 0) {
        status_message(pane->deck, error ? DECK_ERROR : DECK_INFO, "%s: %s",
                       pane->target,
                       error ? error->text : "nothing is recorded yet");
        scrub_close(pane);
        return;
    }
    scrub->first_ms = first_ms;
    scrub->last_ms = last_ms > first_ms ? last_ms : first_ms;
    take_boots(scrub, json_object_get(value, "boots"),
               json_integer_value(json_object_get(value, "start")));
    if (scrub->boot_count > 0 && scrub->boots[0] < scrub->first_ms)
        scrub->first_ms = scrub->boots[0];
    scrub->asked_ms = 0;
    int64_t wanted_ms = scrub->wanted_ms;
    scrub->wanted_ms = 0;
    go_to(scrub, wanted_ms ? wanted_ms : scrub->last_ms);
    do_wishes(scrub);
}

static void
ask_record(struct scrub *scrub)
{
    struct pane *pane = scrub->pane;
    scrub->is_asking = pane->deck->connection != NULL;
    if (scrub->is_asking)
        connection_execute(pane->deck->connection, "console-record",
                           json_pack("{s:s}", "guest", pane->target), on_record,
                           pane);
}

void
scrub_open(struct pane *pane)
{
    scrub_open_at(pane, 0);
}

void
scrub_open_at(struct pane *pane, int64_t at_ms)
{
    struct deck *deck = pane->deck;
    if (pane->scrub && at_ms)
        go_to(pane->scrub, at_ms);
    if (pane->scrub || pane->state != PANE_OPEN || !deck->connection)
        return;
    struct scrub *scrub = xcalloc(1, sizeof(*scrub));
    scrub->pane = pane;
    scrub->speed = SPEED_NORMAL;
    scrub->wanted_ms = at_ms;
    scrub->timer = loop_timer_new(&deck->loop, on_tick, scrub);
    pane->scrub = scrub;
    ask_record(scrub);
    pane_changed(pane);
    status_changed(deck);
}

void
scrub_forget(struct pane *pane)
{
    struct scrub *scrub = pane->scrub;
    if (!scrub)
        return;
    pane->scrub = NULL;
    loop_timer_free(scrub->timer);
    free(scrub->boots);
    free(scrub);
}

void
scrub_close(struct pane *pane)
{
    if (!pane->scrub)
        return;
    scrub_forget(pane);
    pane_change_view(pane, json_pack("{s:i}", "moment", -1));
    pane_changed(pane);
    pane_update_cursor(pane);
    status_changed(pane->deck);
}

/* Showing ------------------------------------------------------------------ */

/* "2026-03-01 14:05:30". */
static void
format_time(int64_t ms, char *text, size_t size)
{
    struct tm when;
    time_t seconds = (time_t)(ms / 1000);
    if (!localtime_r(&seconds, &when) ||
        strftime(text, size, "%Y-%m-%d %H:%M:%S", &when) == 0)
        text[0] = '\0';
}

void
scrub_format(const struct pane *pane, int cols, char *text, unsigned size)
{
    char when[40];
    char back[40];
    const struct scrub *scrub = pane->scrub;
    (void)snprintf(text, size, " past ");
    if (scrub->first_ms == 0)
        return;
    format_time(scrub->moment_ms, when, sizeof(when));
    const char *blank = strchr(when, ' ');
    const char *clock = blank ? blank + 1 : when;
    clock_format_duration((clock_wall_ms() - scrub->moment_ms) / 1000, back,
                          sizeof(back));
    /* the longest that fits, all in ASCII */
    char longer[3][96];
    (void)snprintf(longer[0], sizeof(longer[0]), " past: %s ", clock);
    (void)snprintf(longer[1], sizeof(longer[1]), " past: %s, %s ago ", clock,
                   back);
    (void)snprintf(longer[2], sizeof(longer[2]), " past: %s, %s ago ", when,
                   back);
    for (size_t i = 0; i < 3 && (int)strlen(longer[i]) <= cols; i++)
        (void)snprintf(text, size, "%s", longer[i]);
}

bool
scrub_is_playing(const struct pane *pane)
{
    return pane->scrub && pane->scrub->is_playing;
}

/* "boot 2/3"; nothing with one boot or none. */
static void
format_boot(const struct scrub *scrub, char *text, size_t size)
{
    size_t number = 0;
    while (number < scrub->boot_count &&
           scrub->boots[number] <= scrub->moment_ms)
        number++;
    text[0] = '\0';
    if (scrub->boot_count > 1)
        (void)snprintf(text, size, "boot %zu/%zu ", number ? number : 1,
                       scrub->boot_count);
}

static void
format_speed(const struct scrub *scrub, bool has_unicode, char *text,
             size_t size)
{
    const char *glyph = scrub->is_playing ? "▶" : "❚❚";
    if (!has_unicode)
        glyph = scrub->is_playing ? ">" : "||";
    int quarters = speeds[scrub->speed];
    if (quarters < 4)
        (void)snprintf(text, size, "%s 1/%dx ", glyph, 4 / quarters);
    else
        (void)snprintf(text, size, "%s %dx ", glyph, quarters / 4);
}

static void
draw_track(const struct scrub *scrub, TickitRenderBuffer *rb, int from,
           int cols)
{
    const struct deck *deck = scrub->pane->deck;
    TickitPen *status = theme_pen(deck->theme, THEME_STATUS);
    TickitPen *done = theme_pen(deck->theme, THEME_STATUS_PAST);
    double whole = (double)(scrub->last_ms - scrub->first_ms);
    double gone = (double)(scrub->moment_ms - scrub->first_ms);
    int at = whole > 0 ? (int)(gone * (cols - 1) / whole + 0.5) : cols - 1;
    draw_repeat(rb, 0, from, cols, status, deck->has_unicode ? "─" : "-");
    draw_repeat(rb, 0, from, at, status, deck->has_unicode ? "━" : "=");
    for (size_t i = 0; i < scrub->boot_count && whole > 0; i++) {
        double boot = (double)(scrub->boots[i] - scrub->first_ms);
        int col = (int)(boot * (cols - 1) / whole + 0.5);
        if (col >= 0 && col < cols)
            draw_text(rb, 0, from + col, 1, status,
                      deck->has_unicode ? "┃" : "|");
    }
    draw_fill(rb, 0, from + at, 1, done);
}

int
scrub_draw_bar(const struct pane *pane, TickitRenderBuffer *rb, int from,
               int to)
{
    char text[160];
    char when[40];
    char boot[64];
    char speed[40];
    const struct scrub *scrub = pane->scrub;
    const struct deck *deck = pane->deck;
    TickitPen *status = theme_pen(deck->theme, THEME_STATUS);
    if (scrub->first_ms == 0)
        return 0;
    format_time(scrub->moment_ms, when, sizeof(when));
    format_boot(scrub, boot, sizeof(boot));
    format_speed(scrub, deck->has_unicode, speed, sizeof(speed));
    const char *clock = strchr(when, ' '); /* the title has the date */
    (void)snprintf(text, sizeof(text), "%s %s%s", clock ? clock : "", boot,
                   speed);
    int col = from + draw_text(rb, 0, from, to - from, status, text);
    /* half of what is left: the keys want to be seen too */
    int cols = (to - col) / 2;
    if (cols > BAR_MAX_COLS)
        cols = BAR_MAX_COLS;
    if (cols < BAR_MIN_COLS)
        return col - from;
    draw_track(scrub, rb, col, cols);
    return col + cols + 1 - from;
}
