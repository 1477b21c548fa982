/* The codec with a hostile peer's bytes: the same messages and faults however
 * they are split, never more memory than the limit, every message an object
 * that goes over the wire again. The first byte says how. */

#include "wire/codec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_LINE_BYTES 256

static void
expect(int is_true)
{
    if (!is_true)
        abort();
}

/* What is written must be read as the same. */
static void
check_round_trip(const json_t *message)
{
    struct buffer line = {0};
    struct codec codec;
    json_t *again = NULL;
    struct error error = {0};
    codec_encode(message, &line);
    expect(memchr(line.data, '\n', line.len) == line.data + line.len - 1);
    codec_init(&codec, SIZE_MAX / 2);
    codec_feed(&codec, line.data, line.len);
    expect(codec_next(&codec, &again, &error) == CODEC_RESULT_MESSAGE);
    expect(json_equal(message, again));
    json_decref(again);
    expect(codec_next(&codec, &again, &error) == CODEC_RESULT_NONE);
    codec_finish(&codec);
    buffer_finish(&line);
}

/* Everything that comes out, as text. */
static void
take_all(struct codec *codec, struct buffer *out)
{
    for (;;) {
        json_t *message = NULL;
        struct error error = {0};
        enum codec_result result = codec_next(codec, &message, &error);
        if (result == CODEC_RESULT_NONE)
            return;
        if (result == CODEC_RESULT_FAULT) {
            expect(!message && error.code && error.text[0]);
            buffer_append_text(out, error.text);
            buffer_append_byte(out, '\n');
            continue;
        }
        expect(json_is_object(message) && !error.code);
        check_round_trip(message);
        codec_encode(message, out);
        json_decref(message);
    }
}

static struct buffer
decode(const char *bytes, size_t len, size_t piece)
{
    struct codec codec;
    struct buffer out = {0};
    codec_init(&codec, MAX_LINE_BYTES);
    for (size_t at = 0; at < len; at += piece) {
        size_t now = len - at < piece ? len - at : piece;
        codec_feed(&codec, bytes + at, now);
        take_all(&codec, &out);
        expect(codec.line.len - codec.start <= MAX_LINE_BYTES);
    }
    codec_finish(&codec);
    return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *bytes = (const char *)data + 1;
    struct buffer whole = decode(bytes, size - 1, size - 1);
    struct buffer split = decode(bytes, size - 1, data[0] % 32 + 1u);
    expect(whole.len == split.len);
    expect(!whole.len || !memcmp(whole.data, split.data, whole.len));
    buffer_finish(&whole);
    buffer_finish(&split);
    return 0;
}
