#pragma once

/* The terminal's way back after a crash. Signal handlers can reach nothing but
 * statics, so this is the one place that keeps process-wide state: the modes
 * and the few strings that bring the terminal back. */

/* XTerm Control Sequences, "Private Modes": bracketed paste is 2004; focus
 * reports are 1004; mouse
 * buttons with their release are 1000, drags too 1002, all moves 1003, of which
 * the last one set counts, the extended coordinates 1006. */
#define TERM_RESTORE_PASTE_ON "\033[?2004h"
#define TERM_RESTORE_FOCUS_ON "\033[?1004h"
#define TERM_RESTORE_MOUSE_ON "\033[?1000h\033[?1006h"
#define TERM_RESTORE_DRAGS_ON "\033[?1002h"
#define TERM_RESTORE_MOVES_ON "\033[?1003h"
#define TERM_RESTORE_MOUSE_OFF "\033[?1006l\033[?1003l\033[?1002l\033[?1000l"
/* DECSCUSR: the shape that the operator set. */
#define TERM_RESTORE_SHAPE "\033[0 q"
#define TERM_RESTORE_MODES_OFF TERM_RESTORE_MOUSE_OFF "\033[?1004l\033[?2004l"

/* Remembers the modes of the terminal. */
void term_restore_save(int in_fd, int out_fd);
/* From now on a fatal signal restores the terminal before it takes effect.
 * The strings are terminfo's; NULL where the terminal has none. */
void term_restore_arm(const char *normal_pen, const char *show_cursor,
                      const char *leave_screen);
/* Lets fatal signals alone again and puts the saved modes back. */
void term_restore_disarm(void);
