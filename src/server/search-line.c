#include "server/search-line.h"

#include "server/search-text.h"

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
          const struct pattern_match *match, struct search_text *text,
          json_t *matches)
{
    json_t *value = json_object();
    json_t *at = search_text_match(text, match);
    if (at)
        json_object_set_new(value, "at", at);
    json_object_set_new(value, "spans", spans_to_json(search, line, match));
    json_array_append_new(matches, value);
}

/* Lines near one, as [row, text, rows]: in their order. */
static json_t *
context_to_json(struct search_line *search, int row, size_t count,
                bool is_before, size_t *ret_bytes)
{
    json_t *array = json_array();
    int oldest = -(int)terminal_history_rows(search->around.terminal);
    for (; count && row >= oldest && row < search->end; count--) {
        struct line line;
        line_read(&search->around, row, &line);
        struct search_text text;
        search_text_begin(&text, line.text, line.bytes, 0);
        json_t *value = json_pack("[I,o,i]", (json_int_t)search->top + line.row,
                                  search_text_end(&text), line.rows);
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
             struct pattern_match match, struct search_text *text)
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
                search_text_begin(text, line->text, line->bytes, match.start);
            add_match(search, line, &match, text, matches);
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
    struct search_text text = {0};
    json_t *matches = find_matches(search, line, match, &text);
    if (!matches)
        return NULL;
    json_t *value = json_pack("{s:I,s:i,s:I,s:o,s:o}", "row",
                              (json_int_t)search->top + line->row, "rows",
                              line->rows, "line", (json_int_t)line->id, "text",
                              search_text_end(&text), "matches", matches);
    *ret_bytes += LINE_COST_BYTES + line->bytes +
                  json_array_size(matches) * MATCH_COST_BYTES;
    add_context(search, line, value, ret_bytes);
    return value;
}
