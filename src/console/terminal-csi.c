#include "console/terminal-internal.h"

#include <stddef.h>

int
terminal_count(const struct parser_sequence *sequence)
{
    int count = terminal_param(sequence, 0, 1);
    return count ? count : 1;
}

int
terminal_place(const struct parser_sequence *sequence, unsigned at)
{
    int place = terminal_param(sequence, at, 1);
    return place ? place - 1 : 0;
}

static void
cuu(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_cursor_up(terminal, terminal_count(sequence));
}

static void
cud(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_cursor_down(terminal, terminal_count(sequence));
}

static void
cuf(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_cursor_forward(terminal, terminal_count(sequence));
}

static void
cub(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_cursor_back(terminal, terminal_count(sequence));
}

static void
cnl(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_cursor_down(terminal, terminal_count(sequence));
    terminal_carriage_return(terminal);
}

static void
cpl(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_cursor_up(terminal, terminal_count(sequence));
    terminal_carriage_return(terminal);
}

static void
cha(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_address(terminal, terminal_addressed_row(terminal),
                     terminal_place(sequence, 0));
}

static void
hpr(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_address(terminal, terminal_addressed_row(terminal),
                     terminal_addressed_col(terminal) +
                         terminal_count(sequence));
}

static void
cup(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_address(terminal, terminal_place(sequence, 0),
                     terminal_place(sequence, 1));
}

static void
vpa(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_address(terminal, terminal_place(sequence, 0),
                     terminal_addressed_col(terminal));
}

static void
vpr(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_address(
        terminal, terminal_addressed_row(terminal) + terminal_count(sequence),
        terminal_addressed_col(terminal));
}

static void
cht(struct terminal *terminal, const struct parser_sequence *sequence)
{
    int last = terminal_end_col(terminal) - 1;
    int col = terminal->col;
    for (int n = terminal_count(sequence); n > 0 && col < last; n--)
        col = tabs_next(&terminal->tabs, col, last);
    if (col != terminal->col) /* else the pending wrap stays, as with HT */
        terminal_move_to(terminal, terminal->row, col);
}

static void
cbt(struct terminal *terminal, const struct parser_sequence *sequence)
{
    int col = terminal->col;
    for (int n = terminal_count(sequence); n > 0 && col > 0; n--)
        col = tabs_previous(&terminal->tabs, col);
    terminal_move_to(terminal, terminal->row, col);
}

static void
tbc(struct terminal *terminal, const struct parser_sequence *sequence)
{
    int what = terminal_param(sequence, 0, 0);
    if (what == 0)
        tabs_unset(&terminal->tabs, terminal->col);
    else if (what == 3)
        tabs_unset_all(&terminal->tabs);
}

static void
decst8c(struct terminal *terminal, const struct parser_sequence *sequence)
{
    if (terminal_param(sequence, 0, 0) == 5)
        tabs_reset(&terminal->tabs);
}

static void
ed(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_erase_display(terminal, terminal_param(sequence, 0, 0));
}

static void
el(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_erase_line(terminal, terminal_param(sequence, 0, 0));
}

static void
ech(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_erase_chars(terminal, terminal_count(sequence));
}

static void
ich(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_insert_chars(terminal, terminal_count(sequence));
}

static void
dch(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_delete_chars(terminal, terminal_count(sequence));
}

static void
il(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_insert_lines(terminal, terminal_count(sequence));
}

static void
dl(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_delete_lines(terminal, terminal_count(sequence));
}

static void
su(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_scroll_up(terminal, terminal->top, terminal->bottom,
                       terminal_count(sequence));
}

/* CSI Ps T; with five parameters it is XTerm's highlight tracking. */
static void
sd(struct terminal *terminal, const struct parser_sequence *sequence)
{
    if (sequence->count <= 1)
        terminal_scroll_down(terminal, terminal->top, terminal->bottom,
                             terminal_count(sequence));
}

static void
rep(struct terminal *terminal, const struct parser_sequence *sequence)
{
    terminal_repeat(terminal, terminal_count(sequence));
}

static void
decstbm(struct terminal *terminal, const struct parser_sequence *sequence)
{
    int top = terminal_place(sequence, 0);
    int last = terminal_param(sequence, 1, 0);
    int bottom =
        last == 0 || last > terminal->rows ? terminal->rows - 1 : last - 1;
    if (top >= bottom)
        return;
    terminal->top = top;
    terminal->bottom = bottom;
    terminal_address(terminal, 0, 0);
}

static void
decscusr(struct terminal *terminal, const struct parser_sequence *sequence)
{
    int shape = terminal_param(sequence, 0, 0);
    if (shape <= 6)
        terminal->cursor_shape = shape;
}

/* SCOSC, and DECSLRM where that is allowed. */
static void
scosc(struct terminal *terminal, const struct parser_sequence *sequence)
{
    if (terminal->modes & MODE_MARGINS)
        terminal_decslrm(terminal, sequence);
    else if (sequence->count == 0)
        terminal_save_cursor(terminal);
}

static void
scorc(struct terminal *terminal, const struct parser_sequence *sequence)
{
    if (sequence->count == 0)
        terminal_restore_cursor(terminal);
}

static void
decstr(struct terminal *terminal, const struct parser_sequence *sequence)
{
    (void)sequence;
    terminal_soft_reset(terminal);
}

struct csi_row {
    char prefix;
    char intermediate;
    char final;
    void (*run)(struct terminal *terminal,
                const struct parser_sequence *sequence);
};

/* Sequences without prefix and intermediate, by their final byte. */
static void (*const plain[])(struct terminal *,
                             const struct parser_sequence *) = {
    ['@' - '@'] = ich,
    ['A' - '@'] = cuu,
    ['B' - '@'] = cud,
    ['C' - '@'] = cuf,
    ['D' - '@'] = cub,
    ['E' - '@'] = cnl,
    ['F' - '@'] = cpl,
    ['G' - '@'] = cha,
    ['H' - '@'] = cup,
    ['I' - '@'] = cht,
    ['J' - '@'] = ed,
    ['K' - '@'] = el,
    ['L' - '@'] = il,
    ['M' - '@'] = dl,
    ['P' - '@'] = dch,
    ['S' - '@'] = su,
    ['T' - '@'] = sd,
    ['X' - '@'] = ech,
    ['Z' - '@'] = cbt,
    ['^' - '@'] = sd,
    ['`' - '@'] = cha,
    ['a' - '@'] = hpr,
    ['b' - '@'] = rep,
    ['c' - '@'] = terminal_device_attributes,
    ['d' - '@'] = vpa,
    ['e' - '@'] = vpr,
    ['f' - '@'] = cup,
    ['g' - '@'] = tbc,
    ['h' - '@'] = terminal_set_modes,
    ['l' - '@'] = terminal_reset_modes,
    ['m' - '@'] = terminal_sgr,
    ['n' - '@'] = terminal_status_report,
    ['r' - '@'] = decstbm,
    ['s' - '@'] = scosc,
    ['t' - '@'] = terminal_window_report,
    ['u' - '@'] = scorc,
    ['x' - '@'] = terminal_report_parameters,
    ['~' - '@'] = NULL,
};

static const struct csi_row others[] = {
    {'?', 0, 'J', ed},
    {'?', 0, 'K', el},
    {'?', 0, 'W', decst8c},
    {'?', 0, 'h', terminal_set_modes},
    {'?', 0, 'l', terminal_reset_modes},
    {'?', 0, 'n', terminal_private_report},
    {'?', '$', 'p', terminal_request_mode},
    {0, '$', 'p', terminal_request_mode},
    {0, '!', 'p', decstr},
    {0, ' ', 'q', decscusr},
    {0, ' ', '@', terminal_scroll_left},
    {0, ' ', 'A', terminal_scroll_right},
    {0, '\'', '}', terminal_decic},
    {0, '\'', '~', terminal_decdc},
    {0, '$', 'v', terminal_deccra},
    {0, '$', 'x', terminal_decfra},
    {0, '$', 'z', terminal_decera},
    {0, '$', '{', terminal_decera},
    {'>', 0, 'c', terminal_secondary_attributes},
    {'=', 0, 'c', terminal_tertiary_attributes},
    {'>', 0, 'q', terminal_report_version},
};

/* SeaBIOS begins with RIS and, at once, DECAWM off: it ends its lines itself
 * and never turns wrapping on again, so that a kernel's long lines would pile
 * up in the last column. With wrapping on its own lines look the same. */
static bool
is_firmware_no_wrap(struct terminal *terminal,
                    const struct parser_sequence *sequence)
{
    bool is_fresh = terminal->is_fresh;
    terminal->is_fresh = false;
    return is_fresh && terminal->row == 0 && terminal->col == 0 &&
           sequence->final == 'l' && sequence->prefix == '?' &&
           sequence->count == 1 && sequence->params[0] == 7;
}

static void
dispatch(struct terminal *terminal, const struct parser_sequence *sequence)
{
    if (!sequence->prefix && !sequence->intermediates[0]) {
        if (plain[sequence->final - '@'])
            plain[sequence->final - '@'](terminal, sequence);
        return;
    }
    if (sequence->intermediates[0] && sequence->intermediates[1])
        return;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (others[i].final == sequence->final &&
            others[i].prefix == sequence->prefix &&
            others[i].intermediate == sequence->intermediates[0]) {
            others[i].run(terminal, sequence);
            return;
        }
}

void
terminal_csi(void *data, const struct parser_sequence *sequence)
{
    struct terminal *terminal = data;
    terminal->single = -1;
    if (!is_firmware_no_wrap(terminal, sequence))
        dispatch(terminal, sequence);
    terminal->last_codepoint = 0;
}
