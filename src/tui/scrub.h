#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <tickit.h>

/* A pane that shows its console's past: the server replays the record up to a
 * moment, and this goes from moment to moment, by keys or by playing. */
struct deck;
struct pane;
struct scrub;

/* Begins at the record's end, paused; nothing when it does so already. */
void scrub_open(struct pane *pane);
/* The same at a moment. */
void scrub_open_at(struct pane *pane, int64_t at_ms);
/* Back to the present. */
void scrub_close(struct pane *pane);
/* The same without telling the server: the view is gone. */
void scrub_forget(struct pane *pane);

/* Goes by so many ms, to the record's ends at most. */
void scrub_step(struct pane *pane, int64_t ms);
/* To the record's first moment, or to its end as it is by now. */
void scrub_to_start(struct pane *pane);
void scrub_to_end(struct pane *pane);
/* To the beginning of the next boot, or of the one before. */
void scrub_to_boot(struct pane *pane, bool is_next);
/* Plays, or pauses. */
void scrub_play(struct pane *pane);
/* steps: how many speeds faster. */
void scrub_change_speed(struct pane *pane, int steps);

/* Scrolls up by rows (down when negative) in the scrollback of that moment. */
void scrub_scroll(struct pane *pane, long rows);

/* A frame told which moment it shows: one of the past, or the present (also
 * when nobody asked for it: the guest has other consoles now). */
void scrub_on_moment(struct pane *pane, bool is_past);

/* " past: 2026-03-01 14:05:30, 4m12s ago ", or as much of it as goes into so
 * many columns; for the pane's title. */
void scrub_format(const struct pane *pane, int cols, char *text, unsigned size);
bool scrub_is_playing(const struct pane *pane);
/* Time, boot, speed and a bar, from one column to another of the status line.
 * Returns the columns used. */
int scrub_draw_bar(const struct pane *pane, TickitRenderBuffer *rb, int from,
                   int to);
