#pragma once

#include <stddef.h>
#include <stdint.h>

/* Takes a guest's bytes apart into text, controls and sequences: Paul
 * Williams' state machine of the DEC terminals (vt100.net/emu/dec_ansi_parser),
 * with UTF-8 in the ground state, so that no byte above 7F is ever a control.
 * Bytes may be split over calls anywhere; every byte costs O(1). */

/* Parameters beyond these are ignored; sub-parameters count. */
#define PARSER_MAX_PARAMS 32
/* Largest parameter; greater ones become this. */
#define PARSER_MAX_VALUE 65535
/* A parameter that was not given. */
#define PARSER_OMITTED (-1)
#define PARSER_MAX_INTERMEDIATES 2
/* Bytes of a string (OSC, DCS …) that are kept; the rest is skipped. */
#define PARSER_STRING_BYTES 4096
/* Bytes after which a string that was not ended is taken to be over, so that
 * it hides no more of the console. */
#define PARSER_STRING_LIMIT_BYTES (64u << 10)

/* What introduced a string. */
enum parser_string {
    PARSER_STRING_OSC,   /* ESC ] */
    PARSER_STRING_DCS,   /* ESC P */
    PARSER_STRING_SOS,   /* ESC X */
    PARSER_STRING_PM,    /* ESC ^ */
    PARSER_STRING_APC,   /* ESC _ */
    PARSER_STRING_TITLE, /* ESC k, as screen and tmux have it */
    PARSER_STRING_COUNT
};

/* A control sequence, or what introduces a device control string. */
struct parser_sequence {
    char prefix;                                      /* one of < = > ?, or 0 */
    char intermediates[PARSER_MAX_INTERMEDIATES + 1]; /* terminated */
    char final;
    unsigned count;  /* parameters */
    uint32_t is_sub; /* bit i: parameter i follows a colon */
    int32_t params[PARSER_MAX_PARAMS];
};

/* All but on_print may be called in any order; none may feed the parser. */
struct parser_handlers {
    /* Printable bytes: no C0 control and no DEL among them, UTF-8 sequences
     * whole unless they are invalid. */
    void (*on_print)(void *data, const char *bytes, size_t len);
    /* A C0 control but ESC, CAN, SUB. */
    void (*on_control)(void *data, unsigned char control);
    /* ESC, intermediates, final. */
    void (*on_escape)(void *data, const char *intermediates, char final);
    void (*on_csi)(void *data, const struct parser_sequence *sequence);
    /* A string that was ended as it should; terminated by a zero byte, at most
     * PARSER_STRING_BYTES. sequence: for DCS, else NULL. */
    void (*on_string)(void *data, enum parser_string kind,
                      const struct parser_sequence *sequence, const char *text,
                      size_t len);
};

struct parser {
    const struct parser_handlers *handlers; /* borrowed */
    void *data;
    unsigned char state;
    unsigned char utf8_len;
    char utf8[4]; /* the start of a character that a write cut */
    unsigned char intermediate_count; /* may exceed the maximum */
    unsigned char string_kind;
    struct parser_sequence sequence;
    size_t string_total; /* bytes of the string so far, skipped ones too */
    size_t string_len;
    char string[PARSER_STRING_BYTES + 1];
};

void parser_init(struct parser *parser, const struct parser_handlers *handlers,
                 void *data);

/* Forgets a sequence that has begun. */
void parser_reset(struct parser *parser);

void parser_feed(struct parser *parser, const char *bytes, size_t len);

/* Whether no sequence or character is under way. */
int parser_is_idle(const struct parser *parser);
