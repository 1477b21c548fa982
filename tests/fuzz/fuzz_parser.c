/* The parser with hostile bytes: what it hands on is well-formed, and the same
 * however the bytes are split. The first byte says how. */

#include "base/utf8.h"
#include "console/parser.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A sum over everything that was handed on. */
struct sum {
    uint64_t value;
};

static void
add(struct sum *sum, const void *bytes, size_t len)
{
    const unsigned char *in = bytes;
    for (size_t i = 0; i < len; i++)
        sum->value = (sum->value ^ in[i]) * 0x100000001B3u;
}

static void
expect(int is_true)
{
    if (!is_true)
        abort();
}

static void
on_print(void *data, const char *bytes, size_t len)
{
    expect(len > 0);
    for (size_t i = 0; i < len; i++)
        expect((unsigned char)bytes[i] >= 0x20 && bytes[i] != 0x7F);
    add(data, bytes, len);
}

static void
on_control(void *data, unsigned char control)
{
    expect(control < 0x20 && control != 0x1B);
    add(data, "C", 1);
    add(data, &control, 1);
}

static void
on_escape(void *data, const char *intermediates, char final)
{
    expect(strlen(intermediates) <= PARSER_MAX_INTERMEDIATES);
    add(data, "E", 1);
    add(data, intermediates, strlen(intermediates));
    add(data, &final, 1);
}

static void
add_sequence(struct sum *sum, const struct parser_sequence *sequence)
{
    expect(sequence->count <= PARSER_MAX_PARAMS);
    expect(sequence->final >= 0x40 && sequence->final < 0x7F);
    expect(strlen(sequence->intermediates) <= PARSER_MAX_INTERMEDIATES);
    for (unsigned i = 0; i < sequence->count; i++)
        expect(sequence->params[i] >= PARSER_OMITTED &&
               sequence->params[i] <= PARSER_MAX_VALUE);
    add(sum, &sequence->prefix, 1);
    add(sum, sequence->intermediates, strlen(sequence->intermediates));
    add(sum, &sequence->final, 1);
    add(sum, sequence->params, sequence->count * sizeof(sequence->params[0]));
    add(sum, &sequence->is_sub, sizeof(sequence->is_sub));
}

static void
on_csi(void *data, const struct parser_sequence *sequence)
{
    add(data, "S", 1);
    add_sequence(data, sequence);
}

static void
on_string(void *data, enum parser_string kind,
          const struct parser_sequence *sequence, const char *text, size_t len)
{
    expect(kind < PARSER_STRING_COUNT && len <= PARSER_STRING_BYTES);
    expect(text[len] == 0);
    expect((sequence != NULL) == (kind == PARSER_STRING_DCS));
    add(data, "X", 1);
    if (sequence)
        add_sequence(data, sequence);
    add(data, text, len);
}

static const struct parser_handlers handlers = {.on_print = on_print,
                                                .on_control = on_control,
                                                .on_escape = on_escape,
                                                .on_csi = on_csi,
                                                .on_string = on_string};

static uint64_t
sum_of(const char *bytes, size_t len, size_t piece)
{
    struct sum sum = {0xCBF29CE484222325u};
    struct parser parser;
    parser_init(&parser, &handlers, &sum);
    for (size_t at = 0; at < len; at += piece)
        parser_feed(&parser, bytes + at, len - at < piece ? len - at : piece);
    return sum.value;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t piece = data[0] % 16 + 1u;
    const char *bytes = (const char *)data + 1;
    size_t len = size - 1;
    expect(sum_of(bytes, len, len) == sum_of(bytes, len, piece));
    return 0;
}
