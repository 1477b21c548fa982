#include "tui/term-driver.h"

#include "base/buffer.h"
#include "base/xalloc.h"
#include "tui/term-cells.h"
#include "tui/term-entry.h"
#include "tui/term-looks.h"
#include "tui/term-modes.h"
#include "tui/term-output.h"
#include "tui/term-pen.h"
#include "tui/term-restore.h"
#include "tui/term-text.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include <tickit-termdrv.h>

/* Terminals wider than this are drawn up to here. */
#define TERM_COLS_MAX 1024
#define TERM_ROWS_MAX 512

struct term {
    TickitTermDriver driver;   /* first: libtickit hands it back */
    TickitTerm *tickit;        /* owned */
    SCREEN *screen;            /* owned */
    FILE *in;                  /* owned */
    struct term_output output; /* owned: a stream of its own on out_fd */
    struct term_looks looks;   /* owned */
    struct term_pen pen;       /* libtickit's */
    struct term_pen ink_pen;   /* term_put's */
    struct term_cells cells;   /* owned: what was drawn */
    struct term_modes modes;
    int rows;
    int cols;
    int row; /* where the next cell goes */
    int col;
    bool is_cursor_wanted;
    bool is_cursor_shown;
    bool has_unicode;
    bool is_linux_vt;
};

static struct term *
term_of(TickitTermDriver *driver)
{
    return (struct term *)driver;
}

void
term_put(struct term *term, int row, int col, int end,
         const struct term_ink *ink, const char *text, size_t len)
{
    struct term_spot spot = {row, col, end < term->cols ? end : term->cols};
    term_pen_set_ink(&term->ink_pen, &term->looks, ink);
    term_text_put(&term->cells, &spot, &term->ink_pen, text, len);
}

void
term_fill(struct term *term, int row, int col, int end,
          const struct term_ink *ink)
{
    cchar_t blank;
    term_pen_set_ink(&term->ink_pen, &term->looks, ink);
    term_pen_cell(&term->ink_pen, L' ', &blank);
    term_cells_fill(&term->cells, row, col, end - col, &blank);
}

static bool
driver_print(TickitTermDriver *driver, const char *text, size_t len)
{
    struct term *term = term_of(driver);
    struct term_spot spot = {term->row, term->col, term->cols};
    term_text_put(&term->cells, &spot, &term->pen, text, len);
    term->col = spot.col;
    return true;
}

static bool
driver_goto_abs(TickitTermDriver *driver, int line, int col)
{
    struct term *term = term_of(driver);
    if (line >= 0)
        term->row = line;
    if (col >= 0)
        term->col = col;
    return true;
}

static bool
driver_move_rel(TickitTermDriver *driver, int downward, int rightward)
{
    struct term *term = term_of(driver);
    term->row += downward;
    term->col += rightward;
    return true;
}

static bool
driver_scrollrect(TickitTermDriver *driver, const TickitRect *rect,
                  int downward, int rightward)
{
    /* libtickit paints the rectangle anew; curses finds the scroll itself */
    (void)driver;
    (void)rect;
    (void)downward;
    (void)rightward;
    return false;
}

static bool
driver_erasech(TickitTermDriver *driver, int count, TickitMaybeBool moveend)
{
    struct term *term = term_of(driver);
    cchar_t blank;
    if (count > term->cols - term->col)
        count = term->cols - term->col;
    term_pen_cell(&term->pen, L' ', &blank);
    term_cells_fill(&term->cells, term->row, term->col, count, &blank);
    if (moveend == TICKIT_YES)
        term->col += count;
    return true;
}

static bool
driver_clear(TickitTermDriver *driver)
{
    struct term *term = term_of(driver);
    cchar_t blank;
    setcchar(&blank, L" ", A_NORMAL, 0, NULL);
    for (int row = 0; row < term->rows; row++)
        term_cells_fill(&term->cells, row, 0, term->cols, &blank);
    return true;
}

static bool
driver_chpen(TickitTermDriver *driver, const TickitPen *delta,
             const TickitPen *final)
{
    struct term *term = term_of(driver);
    (void)delta;
    term_pen_set(&term->pen, &term->looks, final);
    return true;
}

static bool
driver_getctl_int(TickitTermDriver *driver, TickitTermCtl ctl, int *value)
{
    const struct term *term = term_of(driver);
    switch (ctl) {
    case TICKIT_TERMCTL_COLORS:
        /* libtickit's own reduction stays out: curses_colour does it */
        *value = 256;
        return true;
    case TICKIT_TERMCTL_CURSORVIS:
        *value = term->is_cursor_wanted;
        return true;
    default:
        return false;
    }
}

static bool
driver_setctl_int(TickitTermDriver *driver, TickitTermCtl ctl, int value)
{
    struct term *term = term_of(driver);
    if (ctl == TICKIT_TERMCTL_CURSORVIS)
        term->is_cursor_wanted = value != 0;
    return true;
}

static bool
driver_setctl_str(TickitTermDriver *driver, TickitTermCtl ctl,
                  const char *value)
{
    (void)driver;
    (void)ctl;
    (void)value;
    return true;
}

static void
driver_destroy(TickitTermDriver *driver)
{
    /* the driver is the term, and outlives libtickit's part of it */
    (void)driver;
}

static TickitTermDriverVTable driver_vtable = {
    .destroy = driver_destroy,
    .print = driver_print,
    .goto_abs = driver_goto_abs,
    .move_rel = driver_move_rel,
    .scrollrect = driver_scrollrect,
    .erasech = driver_erasech,
    .clear = driver_clear,
    .chpen = driver_chpen,
    .getctl_int = driver_getctl_int,
    .setctl_int = driver_setctl_int,
    .setctl_str = driver_setctl_str,
};

/* curses draws what the locale can say. Containers and ssh often come without
 * any locale while the terminal speaks UTF-8, as today's do: then UTF-8 it is.
 * A locale that names another charset is believed. */
static bool
choose_charset(void)
{
    (void)setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
        return true;
    const char *current = setlocale(LC_CTYPE, NULL);
    if (current && strcmp(current, "C") != 0 && strcmp(current, "POSIX") != 0)
        return false;
    return setlocale(LC_CTYPE, "C.UTF-8") || setlocale(LC_CTYPE, "en_US.UTF-8");
}

static bool
open_streams(struct term *term, int in_fd, int out_fd, struct error *error)
{
    int in_copy = fcntl(in_fd, F_DUPFD_CLOEXEC, 3);
    int out_copy = fcntl(out_fd, F_DUPFD_CLOEXEC, 3);
    if (in_copy >= 0)
        term->in = fdopen(in_copy, "r");
    if (out_copy >= 0)
        term->output.stream = fdopen(out_copy, "w");
    if (term->in && term->output.stream)
        return true;
    return error_set_errno(error, errno, "cannot open the terminal");
}

static void
take_modes(struct term *term)
{
    raw();
    noecho();
    nonl();
    term_modes_take(&term->modes);
}

/* What gives the terminal back after a crash. */
static void
arm_restore(struct term *term)
{
    char show[128];
    const char *format = tigetstr("Ss");
    const char *cnorm = tigetstr("cnorm");
    term->modes.has_shapes = format && format != (char *)-1;
    (void)snprintf(show, sizeof(show), "%s%s", cnorm ? cnorm : "",
                   term->modes.has_shapes ? TERM_RESTORE_SHAPE : "");
    term_restore_arm(tigetstr("sgr0"), show, tigetstr("rmcup"));
}

static int
at_most(int size, int max)
{
    return size < max ? size : max;
}

/* The terminal's size, or 0 by 0: no more than is drawn. */
static void
get_size(int fd, int *ret_rows, int *ret_cols)
{
    struct winsize size = {0};
    *ret_rows = *ret_cols = 0;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
        return;
    *ret_rows = at_most(size.ws_row, TERM_ROWS_MAX);
    *ret_cols = at_most(size.ws_col, TERM_COLS_MAX);
}

/* Sets a variable of the environment for a moment. Returns what it was, for
 * restore_variable, which frees it. */
static char *
set_variable(const char *name, const char *value)
{
    const char *own = getenv(name);
    char *before = own ? xstrdup(own) : NULL;
    (void)setenv(name, value, 1);
    return before;
}

static void
restore_variable(const char *name, char *before)
{
    if (before)
        (void)setenv(name, before, 1);
    else
        (void)unsetenv(name);
    free(before);
}

/* newterm() in the size that is drawn: curses would have cells for all that a
 * terminal says it has. */
static SCREEN *
sized_screen(struct term *term, const char *type)
{
    static const char *const names[] = {"LINES", "COLUMNS"};
    int sizes[2];
    char *before[2] = {NULL, NULL};
    get_size(term->modes.out_fd, &sizes[0], &sizes[1]);
    for (size_t i = 0; i < 2 && sizes[0]; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "%d", sizes[i]);
        before[i] = set_variable(names[i], text);
    }
    SCREEN *screen = newterm(type, term->output.stream, term->in);
    for (size_t i = 0; i < 2 && sizes[0]; i++)
        restore_variable(names[i], before[i]);
    return screen;
}

/* newterm() with the type's entry as term-entry.h would have it. */
static SCREEN *
new_screen(struct term *term, const char *type)
{
    struct buffer patched = {0};
    SCREEN *screen = NULL;
    if (term_entry_find(type, &patched)) {
        char *before = set_variable("TERMINFO", patched.data);
        screen = sized_screen(term, type);
        restore_variable("TERMINFO", before);
    }
    buffer_finish(&patched);
    return screen ? screen : sized_screen(term, type);
}

static bool
start_curses(struct term *term, const char *type, struct error *error)
{
    /* the terminal is raw, no key stops us; and curses asks for the signal's
     * handler twice a frame unless it is ignored */
    (void)signal(SIGTSTP, SIG_IGN);
    term->screen = new_screen(term, type);
    if (!term->screen)
        return error_set(error, ERROR_CODE_NOT_FOUND,
                         type && type[0]
                             ? "terminal type '%s' is not known here: set TERM "
                               "to one that terminfo has, for example "
                               "xterm-256color"
                             : "the terminal's type is not known%s: set TERM "
                               "to one that terminfo has, for example "
                               "xterm-256color",
                         type ? type : "");
    if (!tigetstr("cup") || !tigetstr("clear")) {
        endwin();
        return error_set(error, ERROR_CODE_INVALID,
                         "terminal type '%s' cannot position its cursor: use "
                         "the commands (guestmux --help), or set TERM",
                         type ? type : "");
    }
    intrflush(stdscr, FALSE);
    typeahead(-1); /* a frame is drawn whole, whatever is typed meanwhile */
    scrollok(stdscr, FALSE);
    idlok(stdscr, TRUE); /* rows that only moved are scrolled */
    leaveok(stdscr, FALSE);
    if (has_colors() && start_color() == OK) {
        use_default_colors();
        term->pen.colours = COLORS < 8 ? 0 : COLORS;
    }
    term->is_cursor_shown = true;
    return true;
}

/* What terminfo says of keys where libtermkey knows better without:
 *
 * - It reads what follows kmous as the three bytes of the oldest mouse reports.
 *   XTerm's entry may have the beginning of SGR's there ("ESC [ <").
 * - Its entry calls F5 with Shift kf17 ("ESC [ 15 ; 2 ~"), and so on. */
static const char *
get_terminfo(const char *name, const char *value, void *data)
{
    (void)data;
    if (value && strcmp(name, "key_mouse") == 0 &&
        strncmp(value, "\033[<", 3) == 0)
        return NULL;
    if (value && strncmp(name, "key_f", 5) == 0 && strchr(value, ';'))
        return NULL;
    return value;
}

static const struct TickitTerminfoHook terminfo_hook = {.getstr = get_terminfo};

struct term *
term_open(int in_fd, int out_fd, const char *type, struct error *error)
{
    if (!type)
        type = getenv("TERM");
    if (!isatty(in_fd) || !isatty(out_fd)) {
        error_set(error, ERROR_CODE_INVALID,
                  "the deck needs a terminal on standard input and output");
        return NULL;
    }

    struct term *term = xcalloc(1, sizeof(*term));
    term->modes.out_fd = out_fd;
    term->pen.pair_fg = term->pen.pair_bg = -1;
    term->is_linux_vt = type && strncmp(type, "linux", 5) == 0;
    term->has_unicode = choose_charset();
    term_restore_save(in_fd, out_fd);
    if (!open_streams(term, in_fd, out_fd, error) ||
        !start_curses(term, type, error)) {
        term_close(term);
        return NULL;
    }
    take_modes(term);
    arm_restore(term);
    if (term->has_unicode && term_output_prepare(&term->output))
        term->looks.extras = term_extras_find(type);
    term->looks.is_direct = term->pen.colours >= TERM_COLOURS_DIRECT;
    term->ink_pen = term->pen;

    term->driver.vtable = &driver_vtable;
    term->driver.name = "ncursesw";
    struct TickitTermBuilder builder = {
        .termtype = type,
        .open = TICKIT_NO_OPEN,
        .driver = &term->driver,
        .ti_hook = &terminfo_hook,
    };
    term->tickit = tickit_term_build(&builder);
    term_update_size(term);
    return term;
}

void
term_close(struct term *term)
{
    if (!term)
        return;
    if (term->tickit)
        tickit_term_unref(term->tickit);
    if (term->screen) {
        if (term->tickit) {
            term_modes_give_back(&term->modes);
            /* leaves the cursor on a line of its own */
            curs_set(1);
            endwin();
        }
        delscreen(term->screen);
    }
    term_restore_disarm();
    term_cells_finish(&term->cells);
    if (term->in)
        (void)fclose(term->in);
    term_output_finish(&term->output);
    term_looks_finish(&term->looks);
    free(term);
}

TickitTerm *
term_tickit(struct term *term)
{
    return term->tickit;
}

void
term_pen_look(struct term *term, TickitPen *pen, const struct term_look *look)
{
    int number = term_looks_number(&term->looks, look);
    int font = tickit_pen_get_int_attr(pen, TICKIT_PEN_ALTFONT);
    if (!number)
        return;
    tickit_pen_set_int_attr(pen, TICKIT_PEN_ALTFONT, font | TERM_FONT_LOOK);
    if (!tickit_pen_has_attr(pen, TICKIT_PEN_FG))
        tickit_pen_set_colour_attr(pen, TICKIT_PEN_FG, -1);
    tickit_pen_set_colour_attr_rgb8(pen, TICKIT_PEN_FG,
                                    (TickitPenRGB8){
                                        .g = (uint8_t)(number >> 8),
                                        .b = (uint8_t)(number & 0xFF),
                                    });
}

unsigned
term_looks_generation(const struct term *term)
{
    return term->looks.generation;
}

struct term_abilities
term_abilities(const struct term *term)
{
    return (struct term_abilities){
        .colours = term->pen.colours,
        .has_unicode = term->has_unicode,
        .is_linux_vt = term->is_linux_vt,
    };
}

/* Looks that no cell has any more are forgotten. */
static void
give_looks_back(struct term *term)
{
    bool *is_used = xcalloc(TERM_LOOKS_MAX + 1, sizeof(*is_used));
    term_cells_mark_looks(&term->cells, is_used);
    term_looks_keep(&term->looks, is_used);
    free(is_used);
}

void
term_flush(struct term *term)
{
    term_cells_flush(&term->cells);
    if (term->is_cursor_wanted)
        move(term->row, term->col);
    if (!term->is_cursor_wanted && term->is_cursor_shown)
        curs_set(0);
    wnoutrefresh(stdscr);
    term_output_update(&term->output, &term->looks);
    if (term->is_cursor_wanted)
        term_modes_show_shape(&term->modes);
    if (term->is_cursor_wanted && !term->is_cursor_shown)
        curs_set(1);
    term->is_cursor_shown = term->is_cursor_wanted;
    if (term_looks_are_many(&term->looks))
        give_looks_back(term);
}

bool
term_is_writable(const struct term *term)
{
    struct pollfd descriptor = {.fd = term->modes.out_fd, .events = POLLOUT};
    return poll(&descriptor, 1, 0) != 0;
}

bool
term_update_size(struct term *term)
{
    int rows = 0;
    int cols = 0;
    get_size(term->modes.out_fd, &rows, &cols);
    if (!rows) {
        rows = at_most(term->rows ? term->rows : LINES, TERM_ROWS_MAX);
        cols = at_most(term->cols ? term->cols : COLS, TERM_COLS_MAX);
    }
    if (rows == term->rows && cols == term->cols)
        return false;
    term->rows = rows;
    term->cols = cols;
    resizeterm(rows, cols);
    term_cells_resize(&term->cells, rows, cols);
    tickit_term_set_size(term->tickit, rows, cols);
    return true;
}

void
term_redraw(struct term *term)
{
    take_modes(term);
    clearok(curscr, TRUE);
}

void
term_bell(struct term *term)
{
    (void)term;
    beep();
}

void
term_notify(struct term *term, const char *text, bool is_777)
{
    char clean[128];
    size_t len = 0;
    if (!term_is_writable(term))
        return;
    for (; text[len] && len + 1 < sizeof(clean); len++) {
        bool is_fine =
            text[len] >= 0x20 && text[len] < 0x7F && text[len] != ';';
        clean[len] = is_fine ? text[len] : '?';
    }
    clean[len] = '\0';
    char *sequence = is_777 ? xasprintf("\033]777;notify;guestmux;%s\a", clean)
                            : xasprintf("\033]9;guestmux: %s\a", clean);
    term_modes_write(term->modes.out_fd, sequence);
    free(sequence);
}

void
term_set_mouse(struct term *term, bool is_on)
{
    term_modes_set_mouse(&term->modes, is_on);
}

void
term_set_tracking(struct term *term, enum term_tracking tracking)
{
    term_modes_set_tracking(&term->modes, tracking);
}

void
term_set_cursor_shape(struct term *term, int shape)
{
    term->modes.shape_wanted = shape;
}
