#include "server/search-text.h"

#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* Of a longer line so much in front of the first match. */
#define LEAD_BYTES ((size_t)1024)

static size_t
to_character(const struct search_text *text, size_t at)
{
    while (at > 0 && at < text->bytes &&
           ((unsigned char)text->text[at] & 0xC0) == 0x80)
        at--;
    return at;
}

/* Adds the line's text up to a place. Returns the columns. */
static size_t
show(struct search_text *text, size_t to)
{
    if (to > text->end)
        to = text->end;
    if (to <= text->at)
        return 0;
    char *shown =
        text_printable(text->text + text->at, to - text->at, 0, TEXT_ONE_LINE);
    size_t cols = utf8_text_cols(shown, strlen(shown));
    buffer_append_text(&text->out, shown);
    free(shown);
    text->at = to;
    text->cols += cols;
    return cols;
}

void
search_text_begin(struct search_text *text, const char *line, size_t bytes,
                  size_t first)
{
    *text = (struct search_text){.text = line, .bytes = bytes, .end = bytes};
    if (bytes > SEARCH_TEXT_MAX_BYTES) {
        if (first > LEAD_BYTES)
            text->start = to_character(text, first - LEAD_BYTES);
        if (bytes - text->start > SEARCH_TEXT_MAX_BYTES)
            text->end = to_character(text, text->start + SEARCH_TEXT_MAX_BYTES);
    }
    text->at = text->start;
    buffer_append_text(&text->out, text->start ? "…" : "");
    text->cols = text->start ? 1 : 0;
}

json_t *
search_text_match(struct search_text *text, const struct pattern_match *match)
{
    if (match->start < text->at || match->start > text->end)
        return NULL;
    (void)show(text, match->start);
    size_t col = text->cols;
    size_t cols = show(text, match->end);
    return json_pack("[I,I]", (json_int_t)col, (json_int_t)cols);
}

json_t *
search_text_end(struct search_text *text)
{
    (void)show(text, text->end);
    if (text->end < text->bytes)
        buffer_append_text(&text->out, "…");
    json_t *value = json_from_bytes(text->out.data, text->out.len);
    buffer_finish(&text->out);
    return value;
}

void
search_tell_skipped(const struct pattern *pattern, json_t *answer)
{
    unsigned skipped = pattern_overruns(pattern);
    if (skipped)
        json_object_set_new(answer, "skipped", json_integer(skipped));
}
