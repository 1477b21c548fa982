#include "console/terminal-internal.h"

/* Modes that only are a bit. */
static const struct {
    uint16_t number;
    bool is_private;
    unsigned bit;
} bits[] = {
    {4, false, MODE_INSERT},
    {20, false, TERMINAL_MODE_NEWLINE},
    {1, true, TERMINAL_MODE_APPLICATION_CURSOR},
    {3, true, MODE_COLUMNS},
    {5, true, TERMINAL_MODE_REVERSE_SCREEN},
    {6, true, MODE_ORIGIN},
    {7, true, TERMINAL_MODE_AUTOWRAP},
    {9, true, TERMINAL_MODE_MOUSE_PRESS},
    {12, true, MODE_BLINK},
    {25, true, MODE_CURSOR},
    {42, true, MODE_NATIONAL},
    {45, true, MODE_REVERSE_WRAP},
    {66, true, TERMINAL_MODE_APPLICATION_KEYPAD},
    {69, true, MODE_MARGINS},
    {1000, true, TERMINAL_MODE_MOUSE_CLICK},
    {1002, true, TERMINAL_MODE_MOUSE_DRAG},
    {1003, true, TERMINAL_MODE_MOUSE_MOVE},
    {1004, true, TERMINAL_MODE_FOCUS},
    {1005, true, TERMINAL_MODE_MOUSE_UTF8},
    {1006, true, TERMINAL_MODE_MOUSE_SGR},
    {1007, true, TERMINAL_MODE_ALTERNATE_SCROLL},
    {1015, true, TERMINAL_MODE_MOUSE_URXVT},
    {2004, true, TERMINAL_MODE_BRACKETED_PASTE},
    {2026, true, TERMINAL_MODE_SYNCHRONIZED},
};

/* One of the four excludes the others. */
#define MOUSE_MODES                                                            \
    ((unsigned)TERMINAL_MODE_MOUSE_PRESS | TERMINAL_MODE_MOUSE_CLICK |         \
     TERMINAL_MODE_MOUSE_DRAG | TERMINAL_MODE_MOUSE_MOVE)

static unsigned
find_bit(bool is_private, int number)
{
    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
        if (bits[i].number == number && bits[i].is_private == is_private)
            return bits[i].bit;
    return 0;
}

static void
blank_alternate(struct terminal *terminal)
{
    struct grid *grid = &terminal->alternate.grid;
    for (int row = 0; row < grid->rows; row++)
        terminal_blank_row(terminal, grid->row[row]);
}

static void
show_alternate(struct terminal *terminal)
{
    struct grid *grid = &terminal->alternate.grid;
    if (!grid->rows) {
        grid_init(grid, terminal->rows, terminal->cols);
        blank_alternate(terminal);
    }
    terminal->grid = grid;
    terminal->version++;
}

static void
show_main(struct terminal *terminal)
{
    terminal->grid = &terminal->main.grid;
    terminal->version++;
}

/* 47, 1047 and 1049 (XTerm control sequences, DECSET). */
static void
switch_screen(struct terminal *terminal, int number, bool is_set)
{
    bool is_alternate = terminal->grid == &terminal->alternate.grid;
    if (is_set && !is_alternate) {
        if (number == 1049)
            terminal_save_cursor(terminal);
        show_alternate(terminal);
        if (number == 1049)
            blank_alternate(terminal);
    } else if (!is_set && is_alternate) {
        if (number == 1047)
            blank_alternate(terminal);
        show_main(terminal);
    }
    if (!is_set && number == 1049)
        terminal_restore_cursor(terminal);
}

/* DECCOLM (VT510 manual): the screen is cleared, its margins are gone. Its
 * columns stay as many as they are: a serial line's are not the guest's. */
static void
change_columns(struct terminal *terminal, bool was_set, bool is_set)
{
    if (was_set == is_set)
        return;
    terminal_reset_margins(terminal);
    terminal_move_to(terminal, 0, 0);
    terminal_erase_display(terminal, 2);
}

/* before: the modes as they were. */
static void
set_private(struct terminal *terminal, int number, bool is_set, unsigned before)
{
    switch (number) {
    case 3:
        change_columns(terminal, before & MODE_COLUMNS, is_set);
        break;
    case 69:
        terminal_allow_margins(terminal, is_set);
        break;
    case 47:
    case 1047:
    case 1049:
        switch_screen(terminal, number, is_set);
        break;
    case 1048:
        if (is_set)
            terminal_save_cursor(terminal);
        else
            terminal_restore_cursor(terminal);
        break;
    case 6:
        terminal_address(terminal, 0, 0);
        break;
    default:
        break;
    }
}

/* The end of synchronized output. */
static void
end_frame(struct terminal *terminal)
{
    if ((terminal->write_flags & TERMINAL_WRITE_LIVE) && terminal->handlers &&
        terminal->handlers->on_frame)
        terminal->handlers->on_frame(terminal->data);
}

static void
set_mode(struct terminal *terminal, bool is_private, int number, bool is_set)
{
    unsigned bit = find_bit(is_private, number);
    unsigned before = terminal->modes;
    if (bit & MOUSE_MODES)
        terminal->modes &= ~MOUSE_MODES;
    terminal->modes &= ~bit;
    if (is_set)
        terminal->modes |= bit;
    if (is_private)
        set_private(terminal, number, is_set, before);
    if (bit == TERMINAL_MODE_SYNCHRONIZED && before & bit && !is_set)
        end_frame(terminal);
}

static void
set_all(struct terminal *terminal, const struct parser_sequence *sequence,
        bool is_set)
{
    for (unsigned i = 0; i < sequence->count; i++)
        set_mode(terminal, sequence->prefix == '?', sequence->params[i],
                 is_set);
}

void
terminal_set_modes(struct terminal *terminal,
                   const struct parser_sequence *sequence)
{
    set_all(terminal, sequence, true);
}

void
terminal_reset_modes(struct terminal *terminal,
                     const struct parser_sequence *sequence)
{
    set_all(terminal, sequence, false);
}

int
terminal_mode_state(const struct terminal *terminal, bool is_private,
                    int number)
{
    unsigned bit = find_bit(is_private, number);
    if (bit)
        return terminal->modes & bit ? 1 : 2;
    if (is_private && (number == 47 || number == 1047 || number == 1049))
        return terminal->grid == &terminal->alternate.grid ? 1 : 2;
    return 0;
}

/* DECSTR (VT510 manual); the autowrap mode goes to what a reset makes it, as
 * XTerm has it. */
void
terminal_soft_reset(struct terminal *terminal)
{
    terminal->modes &=
        ~((unsigned)MODE_INSERT | MODE_ORIGIN |
          TERMINAL_MODE_APPLICATION_CURSOR | TERMINAL_MODE_APPLICATION_KEYPAD |
          MODE_REVERSE_WRAP | MODE_MARGINS | MODE_NATIONAL);
    terminal->modes |= MODE_CURSOR | TERMINAL_MODE_AUTOWRAP;
    terminal_reset_margins(terminal);
    terminal->pen = (struct style){0};
    terminal->is_pen_stale = true;
    for (int i = 0; i < CHARSET_SLOTS; i++)
        terminal->charsets[i] = CHARSET_ASCII;
    terminal->locked = 0;
    terminal->single = -1;
    terminal->is_pending = false;
    struct saved_cursor *saved = terminal->grid == &terminal->main.grid
                                     ? &terminal->main.saved
                                     : &terminal->alternate.saved;
    *saved = (struct saved_cursor){0};
}
