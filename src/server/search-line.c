#include "server/search-line.h"

#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Longest text told of one line, bytes; of a longer one the surroundings of the
 * first match. */
#define TEXT_MAX_BYTES ((size_t)4096)
#define TEXT_LEAD_BYTES ((size_t)1024)
/* Rows told of one match. */
#define SPANS_MAX 64
/* Matches of one line that are looked at. */
#define LOOKS_MAX 1024
/* Bytes that a line costs in an answer beside its text, and a match. */
#define LINE_COST_BYTES 160
#define MATCH_COST_BYTES 48

void
search_line_finish(struct search_line *search)
{
    line_reader_finish(&search->reader);
    line_reader_finish(&search->around);
}

/* The text as it is shown, put together piece by piece. */
struct shown {
    const struct line *line;
    size_t start; /* the part of the line that is told */
    size_t end;
    size_t at;         /* what comes next */
    size_t cols;       /* so far */
    struct buffer out; /* owned */
};

static size_t
to_character(const struct line *line, size_t at)
{
    while (at > 0 && at < line->bytes &&
           ((unsigned char)line->text[at] & 0xC0) == 0x80)
        at--;
    return at;
}

/* Adds the line's text up to a place. Returns the columns. */
static size_t
show(struct shown *shown, size_t to)
{
    if (to > shown->end)
        to = shown->end;
    if (to <= shown->at)
        return 0;
    char *text = text_printable(shown->line->text + shown->at, to - shown->at,
                                0, TEXT_ONE_LINE);
    size_t cols = utf8_text_cols(text, strlen(text));
    buffer_append_text(&shown->out, text);
    free(text);
    shown->at = to;
    shown->cols += cols;
    return cols;
}

static void
show_start(struct shown *shown, const struct line *line, size_t match)
{
    *shown = (struct shown){.line = line, .end = line->bytes};
    if (line->bytes > TEXT_MAX_BYTES) {
        if (match > TEXT_LEAD_BYTES)
            shown->start = to_character(line, match - TEXT_LEAD_BYTES);
        if (line->bytes - shown->start > TEXT_MAX_BYTES)
            shown->end = to_character(line, shown->start + TEXT_MAX_BYTES);
    }
    shown->at = shown->start;
    buffer_append_text(&shown->out, shown->start ? "…" : "");
    shown->cols = shown->start ? 1 : 0;
}

static json_t *
show_end(struct shown *shown)
{
    (void)show(shown, shown->end);
    assert(shown->line);
    if (shown->end < shown->line->bytes)
        buffer_append_text(&shown->out, "…");
    json_t *text = json_from_bytes(shown->out.data, shown->out.len);
    buffer_finish(&shown->out);
    return text;
}

/* Whether a place lies where it was asked for. */
static bool
is_wanted(const struct search_line *search, const struct line_span *place)
{
    const struct search_options *options = search->options;
    if (!(options->flags & SEARCH_HAS_PLACE))
        return true;
    uint64_t row = search->top + (uint64_t)(int64_t)place->row;
    bool is_back = options->flags & SEARCH_BACKWARDS;
    if (row != options->row)
        return is_back ? row < options->row : row > options->row;
    return is_back ? place->col < options->col : place->col > options->col;
}

static json_t *
spans_to_json(const struct search_line *search, const struct line *line,
              const struct pattern_match *match)
{
    struct line_span spans[SPANS_MAX];
    json_t *array = json_array();
    size_t count = line_spans(&search->reader, line, match->start, match->end,
                              spans, SPANS_MAX);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            array, json_pack("[I,i,i]", (json_int_t)search->top + spans[i].row,
                             spans[i].col, spans[i].cols));
    return array;
}

/* Adds a match; what lies outside of the text has no place in it. */
static void
add_match(const struct search_line *search, const struct line *line,
          const struct pattern_match *match, struct shown *shown,
          json_t *matches)
{
    json_t *value = json_object();
    if (match->start >= shown->at && match->start <= shown->end) {
        (void)show(shown, match->start);
        size_t col = shown->cols;
        size_t cols = show(shown, match->end);
        json_object_set_new(
            value, "at", json_pack("[I,I]", (json_int_t)col, (json_int_t)cols));
    }
    json_object_set_new(value, "spans", spans_to_json(search, line, match));
    json_array_append_new(matches, value);
}

/* Lines near one, as [row, text]: in their order. */
static json_t *
context_to_json(struct search_line *search, int row, size_t count,
                bool is_before, size_t *ret_bytes)
{
    json_t *array = json_array();
    int oldest = -(int)terminal_history_rows(search->around.terminal);
    for (; count && row >= oldest && row < search->end; count--) {
        struct line line;
        line_read(&search->around, row, &line);
        struct shown shown;
        show_start(&shown, &line, 0);
        json_t *value = json_pack("[I,o]", (json_int_t)search->top + line.row,
                                  show_end(&shown));
        *ret_bytes += line.bytes + MATCH_COST_BYTES;
        if (is_before)
            json_array_insert_new(array, 0, value);
        else
            json_array_append_new(array, value);
        row = is_before ? line.row - 1 : line.row + line.rows;
    }
    return array;
}

static void
add_context(struct search_line *search, const struct line *line, json_t *value,
            size_t *ret_bytes)
{
    const struct search_options *options = search->options;
    if (options->context_before)
        json_object_set_new(value, "before",
                            context_to_json(search, line->row - 1,
                                            options->context_before, true,
                                            ret_bytes));
    if (options->context_after)
        json_object_set_new(value, "after",
                            context_to_json(search, line->row + line->rows,
                                            options->context_after, false,
                                            ret_bytes));
}

/* The matches from the first one on that are wanted. */
static json_t *
find_matches(struct search_line *search, const struct line *line,
             struct pattern_match match, struct shown *shown)
{
    json_t *matches = json_array();
    bool is_found = true;
    for (int looks = 0; is_found && looks < LOOKS_MAX &&
                        json_array_size(matches) < SEARCH_MAX_MATCHES;
         looks++) {
        struct line_span place = {0};
        (void)line_spans(&search->reader, line, match.start, match.end, &place,
                         1);
        if (is_wanted(search, &place)) {
            if (!json_array_size(matches))
                show_start(shown, line, match.start);
            add_match(search, line, &match, shown, matches);
        }
        /* of empty matches one is enough to say that the line matches */
        if (match.end == match.start)
            break;
        is_found = pattern_find(search->pattern, line->text, line->bytes,
                                match.end, &match) &&
                   match.end > match.start;
    }
    if (json_array_size(matches))
        return matches;
    json_decref(matches);
    return NULL;
}

json_t *
search_line_look(struct search_line *search, const struct line *line,
                 size_t *ret_bytes)
{
    struct pattern_match match;
    if (!pattern_find(search->pattern, line->text, line->bytes, 0, &match))
        return NULL;
    if (search->options->flags & SEARCH_COUNT)
        return json_true();
    struct shown shown = {0};
    json_t *matches = find_matches(search, line, match, &shown);
    if (!matches)
        return NULL;
    json_t *value = json_pack("{s:I,s:i,s:I,s:o,s:o}", "row",
                              (json_int_t)search->top + line->row, "rows",
                              line->rows, "line", (json_int_t)line->id, "text",
                              show_end(&shown), "matches", matches);
    *ret_bytes += LINE_COST_BYTES + line->bytes +
                  json_array_size(matches) * MATCH_COST_BYTES;
    add_context(search, line, value, ret_bytes);
    return value;
}
