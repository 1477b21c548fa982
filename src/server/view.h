#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* A client's look at one console: which rows it has, and what it still has to
 * get. A view is sent at most every VIEW_FRAME_MS, at most VIEW_MAX_UNACKED
 * frames are unacknowledged, and what is sent is always the newest state: a
 * slow client skips frames. So a view costs the server at most two frames of
 * its size in the peer's queue, and its stamps (16 bytes a row). */
struct view;
struct server;
struct guest;
struct peer;

/* Shortest time between two frames of a view, ms: 60 a second, as the design
 * says. */
#define VIEW_FRAME_MS 16
/* … and after one in which all rows were new: nobody reads that, and each frame
 * costs the server, the client and the terminal. (While a row is left, more
 * frames are cheaper for the terminal, which scrolls by half a screen at most.)
 */
#define VIEW_FLOOD_FRAME_MS 33
#define VIEW_MAX_UNACKED 2
/* How long a guest's synchronized output (mode 2026) holds frames back at most,
 * ms; terminals take 100 to 1000. */
#define VIEW_HOLD_MS 150

struct view_options {
    int rows;
    int cols;
    bool is_focused;  /* the keyboard is held ready */
    bool is_resizing; /* the console takes the view's size */
    bool is_away;     /* the keyboard is at another program: not told to guests
                       * that ask for focus reports */
};

/* Opens a view, which belongs to the peer; nothing is sent before view_start.
 */
struct view *view_open(struct server *server, struct peer *peer,
                       struct guest *guest, size_t console,
                       const struct view_options *options);
void view_start(struct view *view);
int64_t view_id(const struct view *view);
void view_close(struct view *view);
void view_close_of_peer(struct server *server, struct peer *peer);

size_t view_count_of_peer(const struct server *server, const struct peer *peer);
/* What the peer looks at: [{"guest", "console", "focus"}]. New reference. */
json_t *view_list_of_peer(const struct server *server, const struct peer *peer);
bool view_is_open(const struct server *server, const struct peer *peer,
                  const struct guest *guest, size_t console);
/* How many peers look at a console; the first max of them go to ret_peers. */
size_t view_watchers(const struct server *server, const struct guest *guest,
                     size_t console, const struct peer **ret_peers, size_t max);

/* The peer's view of that number; NULL with error. */
struct view *view_find(struct server *server, const struct peer *peer,
                       int64_t id, struct error *error);

struct view_options view_options(const struct view *view);
void view_set_options(struct view *view, const struct view_options *options);
/* Shows rows further back: rows from the newest, 0 is live. Sent with the next
 * frame, as view_pin: view_set_options, which follows, brings it. */
void view_scroll(struct view *view, int64_t rows);
/* Shows the rows from that absolute one on and stays with them. */
void view_pin(struct view *view, uint64_t row);
/* For a view smaller than the console: its upper left corner, or -1. */
void view_pan(struct view *view, int row, int col);
/* Shows the console as it was when its log ended at offset; the screen follows
 * once it is replayed. What the console is now does not matter meanwhile. */
bool view_go_to(struct view *view, uint64_t offset, struct error *error);
/* Where its log ended at that time. */
uint64_t view_find_moment(const struct view *view, int64_t wall_ms);
/* Back to the present. */
void view_go_live(struct view *view);
void view_ack(struct view *view, int64_t frame);
/* The cell of the console's screen that a live view shows at a place; it may
 * lie outside of the screen. False while there is none. */
bool view_find_cell(const struct view *view, int row, int col, int *ret_row,
                    int *ret_col);
/* NULL when it was removed. */
struct guest *view_guest(const struct view *view, size_t *ret_console);

/* The peer typed into this console: its view decides about the size, and shows
 * the cursor. */
void view_on_typing(struct server *server, const struct peer *peer,
                    const struct guest *guest, size_t console);
void view_on_screen(struct server *server, const struct guest *guest,
                    size_t console);
/* The guest ended a synchronized frame: views that may get one get it now, for
 * what follows begins the next one. */
void view_on_frame(struct server *server, const struct guest *guest,
                   size_t console);
void view_on_guest_change(struct server *server, struct guest *guest);
void view_forget_guest(struct server *server, const struct guest *guest);
/* The guest's consoles go, and others come in their places. */
void view_leave_consoles(struct server *server, const struct guest *guest);
void view_enter_consoles(struct server *server, const struct guest *guest);
/* Fired by frame_timer: sends what is due. */
void view_send_due(void *server);
