#include "config.h"
#include "console/terminal-internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Answers have a fixed form with numbers of ours: nothing of the guest's text
 * comes back to it as typing. */

/* Most bytes of one answer. */
#define REPLY_BYTES 192
/* Bytes of other output that earn a byte of answers: who only asks gets no
 * more than the burst, who also prints (a shell that asks at each prompt) is
 * answered for good. */
#define REPLY_OUTPUT_BYTES 4

bool
terminal_spend_reply(struct terminal *terminal, size_t bytes)
{
    uint64_t earned = terminal->text_bytes / REPLY_OUTPUT_BYTES;
    terminal->text_bytes = 0;
    uint64_t room = TERMINAL_REPLY_BURST_BYTES - terminal->allowance;
    terminal->allowance += (size_t)(earned < room ? earned : room);
    if (bytes > terminal->allowance)
        return false;
    terminal->allowance -= bytes;
    return true;
}

static void __attribute__((format(printf, 2, 3)))
reply(struct terminal *terminal, const char *format, ...)
{
    if (!(terminal->write_flags & TERMINAL_WRITE_LIVE) || !terminal->handlers ||
        !terminal->handlers->on_reply)
        return;
    char text[REPLY_BYTES];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof(text) ||
        !terminal_spend_reply(terminal, (size_t)len))
        return;
    terminal->handlers->on_reply(terminal->data, text, (size_t)len);
}

/* DA1: a VT220 with ANSI colour. sequence: NULL for DECID. */
void
terminal_device_attributes(struct terminal *terminal,
                           const struct parser_sequence *sequence)
{
    if (!sequence || terminal_param(sequence, 0, 0) == 0)
        reply(terminal, "\033[?62;22c");
}

void
terminal_secondary_attributes(struct terminal *terminal,
                              const struct parser_sequence *sequence)
{
    if (terminal_param(sequence, 0, 0) == 0)
        reply(terminal, "\033[>1;10;0c");
}

void
terminal_tertiary_attributes(struct terminal *terminal,
                             const struct parser_sequence *sequence)
{
    if (terminal_param(sequence, 0, 0) == 0)
        reply(terminal, "\033P!|00000000\033\\");
}

static void
report_cursor(struct terminal *terminal, const char *prefix)
{
    reply(terminal, "\033[%s%d;%dR", prefix,
          terminal_addressed_row(terminal) + 1,
          terminal_addressed_col(terminal) + 1);
}

void
terminal_status_report(struct terminal *terminal,
                       const struct parser_sequence *sequence)
{
    switch (terminal_param(sequence, 0, 0)) {
    case 5:
        reply(terminal, "\033[0n");
        break;
    case 6:
        report_cursor(terminal, "");
        break;
    default:
        break;
    }
}

/* The DEC forms of DSR (VT420 manual, chapter 11). */
void
terminal_private_report(struct terminal *terminal,
                        const struct parser_sequence *sequence)
{
    switch (terminal_param(sequence, 0, 0)) {
    case 6: /* DECXCPR */
        report_cursor(terminal, "?");
        break;
    case 15: /* no printer */
        reply(terminal, "\033[?13n");
        break;
    case 25: /* user-defined keys are locked */
        reply(terminal, "\033[?21n");
        break;
    case 26: /* keyboard: North American, ready */
        reply(terminal, "\033[?27;1;0;0n");
        break;
    default:
        break;
    }
}

void
terminal_request_mode(struct terminal *terminal,
                      const struct parser_sequence *sequence)
{
    bool is_private = sequence->prefix == '?';
    int number = terminal_param(sequence, 0, 0);
    reply(terminal, "\033[%s%d;%d$y", is_private ? "?" : "", number,
          terminal_mode_state(terminal, is_private, number));
}

/* XTWINOPS: only the size in characters; titles are never reported, nothing
 * is resized. */
void
terminal_window_report(struct terminal *terminal,
                       const struct parser_sequence *sequence)
{
    switch (terminal_param(sequence, 0, 0)) {
    case 18:
        reply(terminal, "\033[8;%d;%dt", terminal->rows, terminal->cols);
        break;
    case 19:
        reply(terminal, "\033[9;%d;%dt", terminal->rows, terminal->cols);
        break;
    default:
        break;
    }
}

/* XTVERSION. */
void
terminal_report_version(struct terminal *terminal,
                        const struct parser_sequence *sequence)
{
    if (terminal_param(sequence, 0, 0) == 0)
        reply(terminal, "\033P>|guestmux(%s)\033\\", GUESTMUX_VERSION);
}

/* DECREQTPARM: no parity, 8 bits, 38400 both ways, as XTerm says. */
void
terminal_report_parameters(struct terminal *terminal,
                           const struct parser_sequence *sequence)
{
    int what = terminal_param(sequence, 0, 0);
    if (what <= 1)
        reply(terminal, "\033[%d;1;1;128;128;1;0x", what + 2);
}

/* DECRQSS. */
void
terminal_request_setting(struct terminal *terminal, const char *setting)
{
    char sgr[STYLE_SGR_BYTES];
    if (strcmp(setting, "m") == 0) {
        style_to_sgr(&terminal->pen, sgr);
        reply(terminal, "\033P1$r%sm\033\\", sgr);
    } else if (strcmp(setting, "r") == 0) {
        reply(terminal, "\033P1$r%d;%dr\033\\", terminal->top + 1,
              terminal->bottom + 1);
    } else if (strcmp(setting, "s") == 0) {
        reply(terminal, "\033P1$r%d;%ds\033\\", terminal->left + 1,
              terminal->right + 1);
    } else if (strcmp(setting, " q") == 0) {
        reply(terminal, "\033P1$r%d q\033\\", terminal->cursor_shape);
    } else if (strcmp(setting, "\"p") == 0) {
        reply(terminal, "\033P1$r62;1\"p\033\\");
    } else if (strcmp(setting, "\"q") == 0) {
        reply(terminal, "\033P1$r0\"q\033\\");
    } else {
        reply(terminal, "\033P0$r\033\\");
    }
}
