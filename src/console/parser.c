#include "console/parser.h"

#include "base/utf8.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum state {
    GROUND,
    ESCAPE,
    ESCAPE_INTERMEDIATE,
    CSI_ENTRY,
    CSI_PARAM,
    CSI_INTERMEDIATE,
    CSI_IGNORE,
    DCS_ENTRY,
    DCS_PARAM,
    DCS_INTERMEDIATE,
    DCS_PASSTHROUGH,
    DCS_IGNORE,
    OSC_STRING, /* OSC and screen's title */
    ANY_STRING, /* SOS, PM, APC */
    STATE_COUNT
};

enum action {
    NONE,
    EXECUTE,
    COLLECT,
    PARAM,
    PREFIX,
    ESCAPED, /* dispatch of an escape sequence */
    CONTROL, /* dispatch of a control sequence */
    HOOK,    /* a device control string's final byte */
    BEGIN,   /* a string */
    PUT,
    END, /* a string, as it should */
    ACTION_COUNT
};

enum class {
    C_CONTROL, /* C0 but the four below */
    C_LINEFEED,
    C_BELL,   /* the last of those that only are executed */
    C_CANCEL, /* CAN, SUB */
    C_ESCAPE,
    C_INTER, /* 20-2F */
    C_DIGIT,
    C_COLON,
    C_SEMI,
    C_PREFIX, /* < = > ? */
    C_FINAL,  /* 40-7E but those below */
    C_DCS,    /* P */
    C_CSI,    /* [ */
    C_OSC,    /* ] */
    C_STRING, /* X ^ _ */
    C_TITLE,  /* k */
    C_DELETE,
    C_HIGH, /* 80-FF */
    CLASS_COUNT
};

#define X4(x) x, x, x, x
#define X8(x) X4(x), X4(x)
#define X16(x) X8(x), X8(x)
#define X64(x) X16(x), X16(x), X16(x), X16(x)

static const unsigned char classes[256] = {
    /* 00 */ X4(C_CONTROL),
    C_CONTROL,
    C_CONTROL,
    C_CONTROL,
    C_BELL,
    /* 08 */ C_CONTROL,
    C_CONTROL,
    C_LINEFEED,
    X4(C_CONTROL),
    C_CONTROL,
    /* 10 */ X8(C_CONTROL),
    /* 18 */ C_CANCEL,
    C_CONTROL,
    C_CANCEL,
    C_ESCAPE,
    X4(C_CONTROL),
    /* 20 */ X16(C_INTER),
    /* 30 */ X8(C_DIGIT),
    C_DIGIT,
    C_DIGIT,
    C_COLON,
    C_SEMI,
    X4(C_PREFIX),
    /* 40 */ X16(C_FINAL),
    /* 50 */ C_DCS,
    C_FINAL,
    C_FINAL,
    C_FINAL,
    X4(C_FINAL),
    /* 58 */ C_STRING,
    C_FINAL,
    C_FINAL,
    C_CSI,
    C_FINAL,
    C_OSC,
    C_STRING,
    C_STRING,
    /* 60 */ X8(C_FINAL),
    C_FINAL,
    C_FINAL,
    C_FINAL,
    C_TITLE,
    X4(C_FINAL),
    /* 70 */ X8(C_FINAL),
    X4(C_FINAL),
    C_FINAL,
    C_FINAL,
    C_FINAL,
    C_DELETE,
    /* 80 */ X64(C_HIGH),
    X64(C_HIGH)};

/* One transition: the action above, the next state below. */
#define GO(action, state) ((action) << 4 | (state))
/* The finals of an escape sequence that do not introduce anything, and the
 * classes that are finals everywhere else. */
#define ALL_FINALS(go)                                                         \
    [C_FINAL] = (go), [C_DCS] = (go), [C_CSI] = (go), [C_OSC] = (go),          \
    [C_STRING] = (go), [C_TITLE] = (go)
#define ALL_PARAMS(go)                                                         \
    [C_DIGIT] = (go), [C_COLON] = (go), [C_SEMI] = (go), [C_PREFIX] = (go)
/* Controls within a sequence are executed; CAN and SUB end it. */
#define SEQUENCE(state)                                                        \
    [C_CONTROL] = GO(EXECUTE, state), [C_LINEFEED] = GO(EXECUTE, state),       \
    [C_BELL] = GO(EXECUTE, state), [C_CANCEL] = GO(EXECUTE, GROUND),           \
    [C_ESCAPE] = GO(NONE, ESCAPE), [C_DELETE] = GO(NONE, state),               \
    [C_HIGH] = GO(NONE, state)
/* Controls before a device control string's final are ignored. */
#define PREAMBLE(state)                                                        \
    [C_CONTROL] = GO(NONE, state), [C_LINEFEED] = GO(NONE, state),             \
    [C_BELL] = GO(NONE, state), [C_CANCEL] = GO(EXECUTE, GROUND),              \
    [C_ESCAPE] = GO(NONE, ESCAPE), [C_DELETE] = GO(NONE, state),               \
    [C_HIGH] = GO(NONE, state)
#define TEXT(action, state)                                                    \
    [C_INTER] = GO(action, state), ALL_PARAMS(GO(action, state)),              \
    ALL_FINALS(GO(action, state)), [C_HIGH] = GO(action, state)

static const unsigned char transitions[STATE_COUNT][CLASS_COUNT] = {
    [GROUND] = {[C_CONTROL] = GO(EXECUTE, GROUND),
                [C_LINEFEED] = GO(EXECUTE, GROUND),
                [C_BELL] = GO(EXECUTE, GROUND),
                [C_CANCEL] = GO(NONE, GROUND),
                [C_ESCAPE] = GO(NONE, ESCAPE),
                TEXT(NONE, GROUND),
                [C_DELETE] = GO(NONE, GROUND)},
    [ESCAPE] =
        {SEQUENCE(ESCAPE), [C_INTER] = GO(COLLECT, ESCAPE_INTERMEDIATE),
         ALL_PARAMS(GO(ESCAPED, GROUND)), [C_FINAL] = GO(ESCAPED, GROUND),
         [C_DCS] = GO(NONE, DCS_ENTRY), [C_CSI] = GO(NONE, CSI_ENTRY),
         [C_OSC] = GO(BEGIN, OSC_STRING), [C_TITLE] = GO(BEGIN, OSC_STRING),
         [C_STRING] = GO(BEGIN, ANY_STRING)},
    [ESCAPE_INTERMEDIATE] = {SEQUENCE(ESCAPE_INTERMEDIATE),
                             [C_INTER] = GO(COLLECT, ESCAPE_INTERMEDIATE),
                             ALL_PARAMS(GO(ESCAPED, GROUND)),
                             ALL_FINALS(GO(ESCAPED, GROUND))},
    [CSI_ENTRY] =
        {SEQUENCE(CSI_ENTRY), [C_INTER] = GO(COLLECT, CSI_INTERMEDIATE),
         [C_DIGIT] = GO(PARAM, CSI_PARAM), [C_COLON] = GO(PARAM, CSI_PARAM),
         [C_SEMI] = GO(PARAM, CSI_PARAM), [C_PREFIX] = GO(PREFIX, CSI_PARAM),
         ALL_FINALS(GO(CONTROL, GROUND))},
    [CSI_PARAM] =
        {SEQUENCE(CSI_PARAM), [C_INTER] = GO(COLLECT, CSI_INTERMEDIATE),
         [C_DIGIT] = GO(PARAM, CSI_PARAM), [C_COLON] = GO(PARAM, CSI_PARAM),
         [C_SEMI] = GO(PARAM, CSI_PARAM), [C_PREFIX] = GO(NONE, CSI_IGNORE),
         ALL_FINALS(GO(CONTROL, GROUND))},
    [CSI_INTERMEDIATE] =
        {SEQUENCE(CSI_INTERMEDIATE), [C_INTER] = GO(COLLECT, CSI_INTERMEDIATE),
         ALL_PARAMS(GO(NONE, CSI_IGNORE)), ALL_FINALS(GO(CONTROL, GROUND))},
    [CSI_IGNORE] = {SEQUENCE(CSI_IGNORE), [C_INTER] = GO(NONE, CSI_IGNORE),
                    ALL_PARAMS(GO(NONE, CSI_IGNORE)),
                    ALL_FINALS(GO(NONE, GROUND))},
    [DCS_ENTRY] =
        {PREAMBLE(DCS_ENTRY), [C_INTER] = GO(COLLECT, DCS_INTERMEDIATE),
         [C_DIGIT] = GO(PARAM, DCS_PARAM), [C_COLON] = GO(PARAM, DCS_PARAM),
         [C_SEMI] = GO(PARAM, DCS_PARAM), [C_PREFIX] = GO(PREFIX, DCS_PARAM),
         ALL_FINALS(GO(HOOK, DCS_PASSTHROUGH))},
    [DCS_PARAM] =
        {PREAMBLE(DCS_PARAM), [C_INTER] = GO(COLLECT, DCS_INTERMEDIATE),
         [C_DIGIT] = GO(PARAM, DCS_PARAM), [C_COLON] = GO(PARAM, DCS_PARAM),
         [C_SEMI] = GO(PARAM, DCS_PARAM), [C_PREFIX] = GO(BEGIN, DCS_IGNORE),
         ALL_FINALS(GO(HOOK, DCS_PASSTHROUGH))},
    [DCS_INTERMEDIATE] =
        {PREAMBLE(DCS_INTERMEDIATE), [C_INTER] = GO(COLLECT, DCS_INTERMEDIATE),
         ALL_PARAMS(GO(BEGIN, DCS_IGNORE)),
         ALL_FINALS(GO(HOOK, DCS_PASSTHROUGH))},
    [DCS_PASSTHROUGH] =
        {TEXT(PUT, DCS_PASSTHROUGH), [C_CONTROL] = GO(PUT, DCS_PASSTHROUGH),
         [C_LINEFEED] = GO(PUT, DCS_PASSTHROUGH),
         [C_BELL] = GO(PUT, DCS_PASSTHROUGH), [C_CANCEL] = GO(EXECUTE, GROUND),
         [C_ESCAPE] = GO(END, ESCAPE), [C_DELETE] = GO(NONE, DCS_PASSTHROUGH)},
    [DCS_IGNORE] =
        {TEXT(PUT, DCS_IGNORE),
         [C_CONTROL] = GO(PUT, DCS_IGNORE), [C_LINEFEED] = GO(PUT, DCS_IGNORE),
         [C_BELL] = GO(PUT, DCS_IGNORE), [C_CANCEL] = GO(EXECUTE, GROUND),
         [C_ESCAPE] = GO(NONE, ESCAPE), [C_DELETE] = GO(NONE, DCS_IGNORE)},
    /* No OSC has a line feed in it: one that does was never ended, and what
     * follows is for the operator's eyes. */
    [OSC_STRING] =
        {TEXT(PUT, OSC_STRING),
         [C_CONTROL] = GO(NONE, OSC_STRING), [C_LINEFEED] = GO(EXECUTE, GROUND),
         [C_BELL] = GO(END, GROUND), [C_CANCEL] = GO(EXECUTE, GROUND),
         [C_ESCAPE] = GO(END, ESCAPE), [C_DELETE] = GO(NONE, OSC_STRING)},
    [ANY_STRING] =
        {TEXT(PUT, ANY_STRING),
         [C_CONTROL] = GO(PUT, ANY_STRING), [C_LINEFEED] = GO(PUT, ANY_STRING),
         [C_BELL] = GO(PUT, ANY_STRING), [C_CANCEL] = GO(EXECUTE, GROUND),
         [C_ESCAPE] = GO(END, ESCAPE), [C_DELETE] = GO(NONE, ANY_STRING)},
};

static_assert(STATE_COUNT <= 16 && ACTION_COUNT <= 16,
              "a transition fits into a byte");

void
parser_init(struct parser *parser, const struct parser_handlers *handlers,
            void *data)
{
    *parser = (struct parser){.handlers = handlers, .data = data};
}

void
parser_reset(struct parser *parser)
{
    parser->state = GROUND;
    parser->utf8_len = 0;
}

int
parser_is_idle(const struct parser *parser)
{
    return parser->state == GROUND && parser->utf8_len == 0;
}

/* Sequences --------------------------------------------------------------- */

static void
start_sequence(struct parser *parser)
{
    struct parser_sequence *sequence = &parser->sequence;
    sequence->prefix = 0;
    sequence->intermediates[0] = 0;
    sequence->count = 0;
    sequence->is_sub = 0;
    parser->intermediate_count = 0;
}

static void
collect(struct parser *parser, char byte)
{
    if (parser->intermediate_count < PARSER_MAX_INTERMEDIATES) {
        unsigned at = parser->intermediate_count;
        parser->sequence.intermediates[at] = byte;
        parser->sequence.intermediates[at + 1] = 0;
    }
    if (parser->intermediate_count <= PARSER_MAX_INTERMEDIATES)
        parser->intermediate_count++;
}

static inline bool
is_digit(char byte)
{
    return (unsigned char)(byte - '0') <= 9;
}

static inline int32_t
add_digit(int32_t value, char digit)
{
    value = value * 10 + (digit - '0');
    return value < PARSER_MAX_VALUE ? value : PARSER_MAX_VALUE;
}

/* count one beyond the maximum says: more parameters than there is room. */
static void
add_param_byte(struct parser *parser, char byte)
{
    struct parser_sequence *sequence = &parser->sequence;
    if (sequence->count == 0) {
        sequence->params[0] = PARSER_OMITTED;
        sequence->count = 1;
    }
    if (sequence->count > PARSER_MAX_PARAMS)
        return;
    if (is_digit(byte)) {
        int32_t *param = &sequence->params[sequence->count - 1];
        *param = add_digit(*param < 0 ? 0 : *param, byte);
        return;
    }
    if (sequence->count == PARSER_MAX_PARAMS) {
        sequence->count++;
        return;
    }
    if (byte == ':')
        sequence->is_sub |= 1u << sequence->count;
    sequence->params[sequence->count++] = PARSER_OMITTED;
}

static void
finish_sequence(struct parser *parser, char final)
{
    if (parser->sequence.count > PARSER_MAX_PARAMS)
        parser->sequence.count = PARSER_MAX_PARAMS;
    parser->sequence.final = final;
}

static void
dispatch_control(struct parser *parser, char final)
{
    finish_sequence(parser, final);
    if (parser->intermediate_count <= PARSER_MAX_INTERMEDIATES)
        parser->handlers->on_csi(parser->data, &parser->sequence);
}

static void
dispatch_escape(struct parser *parser, char final)
{
    if (parser->intermediate_count <= PARSER_MAX_INTERMEDIATES)
        parser->handlers->on_escape(parser->data,
                                    parser->sequence.intermediates, final);
}

/* Strings ----------------------------------------------------------------- */

static enum parser_string
string_kind(char introducer)
{
    switch (introducer) {
    case ']':
        return PARSER_STRING_OSC;
    case 'X':
        return PARSER_STRING_SOS;
    case '^':
        return PARSER_STRING_PM;
    case '_':
        return PARSER_STRING_APC;
    case 'k':
        return PARSER_STRING_TITLE;
    default:
        return PARSER_STRING_DCS;
    }
}

static void
begin_string(struct parser *parser, enum parser_string kind)
{
    parser->string_kind = (unsigned char)kind;
    parser->string_total = 0;
    parser->string_len = 0;
}

static void
hook(struct parser *parser, char final)
{
    finish_sequence(parser, final);
    begin_string(parser, PARSER_STRING_DCS);
    if (parser->intermediate_count > PARSER_MAX_INTERMEDIATES)
        parser->state = DCS_IGNORE;
}

static void
end_string(struct parser *parser)
{
    enum parser_string kind = parser->string_kind;
    parser->string[parser->string_len] = 0;
    parser->handlers->on_string(parser->data, kind,
                                kind == PARSER_STRING_DCS ? &parser->sequence
                                                          : NULL,
                                parser->string, parser->string_len);
}

/* The Linux console's palette sequences have no terminator: ESC ] R, and
 * ESC ] P with seven hexadecimal digits (console_codes(4)). */
static bool
is_linux_palette_end(const struct parser *parser)
{
    return parser->string_kind == PARSER_STRING_OSC &&
           ((parser->string[0] == 'R' && parser->string_len == 1) ||
            (parser->string[0] == 'P' && parser->string_len == 8));
}

static void
put(struct parser *parser, char byte)
{
    if (parser->string_len < PARSER_STRING_BYTES)
        parser->string[parser->string_len++] = byte;
    if (++parser->string_total >= PARSER_STRING_LIMIT_BYTES ||
        is_linux_palette_end(parser))
        parser->state = GROUND;
}

/* ------------------------------------------------------------------------- */

static void
step(struct parser *parser, char byte)
{
    unsigned char class = classes[(unsigned char)byte];
    unsigned char go = transitions[parser->state][class];
    enum state next = go & 0x0F;
    parser->state = (unsigned char)next;
    switch ((enum action)(go >> 4)) {
    case EXECUTE:
        if (class != C_CANCEL)
            parser->handlers->on_control(parser->data, (unsigned char)byte);
        break;
    case COLLECT:
        collect(parser, byte);
        break;
    case PARAM:
        add_param_byte(parser, byte);
        break;
    case PREFIX:
        parser->sequence.prefix = byte;
        break;
    case ESCAPED:
        dispatch_escape(parser, byte);
        break;
    case CONTROL:
        dispatch_control(parser, byte);
        break;
    case HOOK:
        hook(parser, byte);
        break;
    case BEGIN:
        begin_string(parser, string_kind(byte));
        break;
    case PUT:
        put(parser, byte);
        break;
    case END:
        end_string(parser);
        break;
    case NONE:
    case ACTION_COUNT:
        break;
    }
    if (class == C_ESCAPE)
        start_sequence(parser);
}

/* Text -------------------------------------------------------------------- */

/* A bit at the top of each byte of word that ends a run of printable bytes:
 * below 20, or 7F. Exact up to the first such byte. */
static inline uint64_t
find_controls(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t highs = ones << 7;
    uint64_t below = (word - ones * 0x20) & ~word & highs;
    uint64_t delete = word ^ (ones * 0x7F);
    return below | ((delete - ones) & ~delete &highs);
}

static size_t
printable_bytes(const char *bytes, size_t len)
{
    size_t at = 0;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; at + sizeof(uint64_t) <= len; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof(word));
        uint64_t found = find_controls(word);
        if (found)
            return at + (size_t)__builtin_ctzll(found) / 8;
    }
#endif
    while (at < len && (unsigned char)bytes[at] >= 0x20 && bytes[at] != 0x7F)
        at++;
    return at;
}

/* How many bytes at the end of a run are the start of a character that is not
 * whole yet: 0 to 3. */
static size_t
unfinished_bytes(const char *bytes, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        unsigned char byte = (unsigned char)bytes[len - back];
        if (byte < 0x80)
            return 0;
        if (byte >= 0xC0) {
            uint32_t codepoint = 0;
            return utf8_decode(bytes + len - back, back, &codepoint) ? 0 : back;
        }
    }
    return 0;
}

/* Completes a character that the write before cut. Returns how many bytes of
 * this one went into it. */
static size_t
finish_character(struct parser *parser, const char *bytes, size_t len)
{
    size_t taken = 0;
    while (taken < len) {
        if (((unsigned char)bytes[taken] & 0xC0) != 0x80)
            break;
        parser->utf8[parser->utf8_len++] = bytes[taken++];
        uint32_t codepoint = 0;
        if (utf8_decode(parser->utf8, parser->utf8_len, &codepoint))
            break;
        if (taken == len)
            return taken;
    }
    size_t have = parser->utf8_len;
    parser->utf8_len = 0;
    parser->handlers->on_print(parser->data, parser->utf8, have);
    return taken;
}

/* Takes the run of printable bytes at the start; returns its length. */
static size_t
take_text(struct parser *parser, const char *bytes, size_t len)
{
    size_t run = printable_bytes(bytes, len);
    if (run < len) {
        if (run)
            parser->handlers->on_print(parser->data, bytes, run);
        return run;
    }
    size_t rest = unfinished_bytes(bytes, run);
    if (run > rest)
        parser->handlers->on_print(parser->data, bytes, run - rest);
    memcpy(parser->utf8, bytes + run - rest, rest);
    parser->utf8_len = (unsigned char)rest;
    return run;
}

/* Skips what follows more parameters than there is room. */
static size_t
skip_params(const char *bytes, size_t len)
{
    size_t at = 0;
    while (at < len && bytes[at] >= '0' && bytes[at] <= ';')
        at++;
    return at;
}

/* Takes the digits and separators of a control sequence: add_param_byte for
 * many. */
static size_t
take_params(struct parser *parser, const char *bytes, size_t len)
{
    struct parser_sequence *sequence = &parser->sequence;
    unsigned count = sequence->count ? sequence->count : 1;
    int32_t value = PARSER_OMITTED;
    size_t at = 0;
    if (!len || bytes[0] < '0' || bytes[0] > ';')
        return 0;
    parser->state = CSI_PARAM;
    if (count > PARSER_MAX_PARAMS)
        return skip_params(bytes, len);
    if (sequence->count)
        value = sequence->params[count - 1];
    for (; at < len; at++) {
        if (is_digit(bytes[at])) {
            value = value < 0 ? 0 : value;
            do
                value = add_digit(value, bytes[at++]);
            while (at < len && is_digit(bytes[at]));
            if (at == len)
                break;
        }
        if (bytes[at] != ';' && bytes[at] != ':')
            break;
        sequence->params[count - 1] = value;
        if (count == PARSER_MAX_PARAMS) {
            sequence->count = count + 1;
            return at + skip_params(bytes + at, len - at);
        }
        if (bytes[at] == ':')
            sequence->is_sub |= 1u << count;
        count++;
        value = PARSER_OMITTED;
    }
    sequence->params[count - 1] = value;
    sequence->count = count;
    return at;
}

/* Takes parameters, and the final byte that mostly follows them. */
static size_t
take_sequence(struct parser *parser, const char *bytes, size_t len)
{
    size_t at = take_params(parser, bytes, len);
    if (at < len && bytes[at] >= 0x40 && bytes[at] < 0x7F) {
        parser->state = GROUND;
        dispatch_control(parser, bytes[at++]);
    }
    return at;
}

/* The short ways of what comes most: they do what step does for every byte.
 * Returns how many bytes were taken. */
static size_t
take_common(struct parser *parser, const char *bytes, size_t len)
{
    if (parser->state == CSI_PARAM || parser->state == CSI_ENTRY)
        return take_sequence(parser, bytes, len);
    if (parser->state != GROUND)
        return 0;
    size_t at = take_text(parser, bytes, len);
    for (; at < len; at++) {
        if (classes[(unsigned char)bytes[at]] > C_BELL)
            break;
        parser->handlers->on_control(parser->data, (unsigned char)bytes[at]);
    }
    if (at + 1 < len && bytes[at] == '\033' && bytes[at + 1] == '[') {
        start_sequence(parser);
        parser->state = CSI_ENTRY;
        at += 2;
        at += take_sequence(parser, bytes + at, len - at);
    }
    return at;
}

void
parser_feed(struct parser *parser, const char *bytes, size_t len)
{
    size_t at = 0;
    if (parser->utf8_len && len)
        at = finish_character(parser, bytes, len);
    while (at < len) {
        size_t taken = take_common(parser, bytes + at, len - at);
        at += taken;
        if (!taken)
            step(parser, bytes[at++]);
    }
}
