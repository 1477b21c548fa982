#include "tui/motion.h"

/* What a step over the text came to. */
enum step {
    STEP_DONE,
    STEP_END,     /* there is nothing further */
    STEP_MISSING, /* the row is not at hand */
};

/* What the phases of a motion are. */
enum phase {
    PHASE_LEAVE,  /* off the place where it began */
    PHASE_BLANKS, /* over what separates */
    PHASE_WORD,   /* to the word's other end */
};

void
motion_begin(struct motion *motion, enum motion_kind kind, bool is_long,
             const struct place *from)
{
    *motion = (struct motion){
        .kind = kind,
        .is_long = is_long,
        .at = *from,
        .seen = *from,
        .phase = PHASE_LEAVE,
        .class = ROW_BLANK,
    };
}

/* A walk over the text: the motion, its text, and the row that it lacks. */
struct walk {
    struct motion *motion;
    const struct motion_text *text;
    int64_t missing;
};

static const struct row_text *
row_of(struct walk *walk, int64_t row)
{
    const struct row_text *text = walk->text->row(walk->text->data, row);
    if (!text)
        walk->missing = row;
    return text;
}

static enum row_class
class_of(const struct walk *walk, const struct row_text *row, int col)
{
    enum row_class class = row_text_class(row, col);
    return walk->motion->is_long && class == ROW_SIGN ? ROW_WORD : class;
}

/* The class at a place. A column behind the text is a blank. */
static enum step
look(struct walk *walk, const struct place *at, enum row_class *ret_class)
{
    const struct row_text *row = row_of(walk, at->row);
    if (!row)
        return STEP_MISSING;
    *ret_class = class_of(walk, row, at->col);
    return STEP_DONE;
}

/* The place after. A row that is not full to its edge ends in a blank: a word
 * goes on in the next row only from there. */
static enum step
step_on(struct walk *walk, const struct place *from, struct place *to)
{
    const struct row_text *row = row_of(walk, from->row);
    if (!row)
        return STEP_MISSING;
    int end = row_text_end(row);
    if (from->col < end &&
        (row_text_tail(row, from->col) < end || end < row->cols)) {
        *to = (struct place){from->row, row_text_tail(row, from->col)};
        return STEP_DONE;
    }
    if (from->row >= walk->text->last)
        return STEP_END;
    *to = (struct place){from->row + 1, 0};
    return row_of(walk, to->row) ? STEP_DONE : STEP_MISSING;
}

/* The place before; the blank behind a row's text is one. */
static enum step
step_back(struct walk *walk, const struct place *from, struct place *to)
{
    const struct row_text *row = row_of(walk, from->row);
    if (!row)
        return STEP_MISSING;
    int end = row_text_end(row);
    if (from->col > end) {
        *to = (struct place){from->row, end};
        return STEP_DONE;
    }
    if (from->col > 0) {
        *to = (struct place){from->row, row_text_head(row, from->col - 1)};
        return STEP_DONE;
    }
    if (from->row <= walk->text->first)
        return STEP_END;
    row = row_of(walk, from->row - 1);
    if (!row)
        return STEP_MISSING;
    end = row_text_end(row);
    *to = (struct place){from->row - 1,
                         end < row->cols ? end : row_text_head(row, end - 1)};
    return STEP_DONE;
}

typedef enum step (*step_fn)(struct walk *walk, const struct place *from,
                             struct place *to);

/* Steps while the class is, or is not, the wanted one; ends on the first place
 * that is otherwise. */
static enum step
skip(struct walk *walk, step_fn step, enum row_class wanted)
{
    struct motion *motion = walk->motion;
    for (;;) {
        enum row_class class = ROW_BLANK;
        enum step result = look(walk, &motion->at, &class);
        if (result != STEP_DONE || class != wanted)
            return result;
        if (class != ROW_BLANK)
            motion->seen = motion->at;
        struct place to;
        result = step(walk, &motion->at, &to);
        if (result != STEP_DONE)
            return result;
        motion->at = to;
    }
}

/* Steps on while the next place is of the word's class; ends on the word's last
 * place. */
static enum step
finish_word(struct walk *walk, step_fn step)
{
    struct motion *motion = walk->motion;
    for (;;) {
        struct place to;
        enum row_class class = ROW_BLANK;
        enum step result = step(walk, &motion->at, &to);
        if (result == STEP_DONE)
            result = look(walk, &to, &class);
        if (result == STEP_MISSING)
            return result;
        if (result == STEP_END || class != motion->class)
            return STEP_DONE;
        motion->at = to;
    }
}

static enum step
run_word_next(struct walk *walk)
{
    struct motion *motion = walk->motion;
    enum step result = STEP_DONE;
    if (motion->phase == PHASE_LEAVE) {
        if (motion->class == ROW_BLANK)
            result = look(walk, &motion->at, &motion->class);
        if (result == STEP_DONE && motion->class != ROW_BLANK)
            result = skip(walk, step_on, motion->class);
        if (result != STEP_DONE)
            return result;
        motion->phase = PHASE_BLANKS;
    }
    return skip(walk, step_on, ROW_BLANK);
}

/* To the far end of a word: forwards its last character, backwards its
 * first. */
static enum step
run_word_end(struct walk *walk, step_fn step)
{
    struct motion *motion = walk->motion;
    enum step result = STEP_DONE;
    if (motion->phase == PHASE_LEAVE) {
        struct place to;
        result = step(walk, &motion->at, &to);
        if (result != STEP_DONE)
            return result;
        motion->at = to;
        motion->phase = PHASE_BLANKS;
    }
    if (motion->phase == PHASE_BLANKS) {
        result = skip(walk, step, ROW_BLANK);
        if (result == STEP_DONE)
            result = look(walk, &motion->at, &motion->class);
        if (result != STEP_DONE)
            return result;
        motion->phase = PHASE_WORD;
    }
    return finish_word(walk, step);
}

/* To the blank row behind the next rows with text, in a direction. */
static enum step
run_paragraph(struct walk *walk, int direction)
{
    struct motion *motion = walk->motion;
    int64_t edge = direction > 0 ? walk->text->last : walk->text->first;
    for (;;) {
        const struct row_text *row = row_of(walk, motion->at.row);
        if (!row)
            return STEP_MISSING;
        bool is_blank = row_text_end(row) == 0;
        motion->at.col = 0;
        if (!is_blank)
            motion->phase = PHASE_WORD;
        else if (motion->phase == PHASE_WORD)
            return STEP_DONE;
        if (motion->at.row == edge)
            return STEP_DONE;
        motion->at.row += direction;
    }
}

bool
motion_run(struct motion *motion, const struct motion_text *text,
           int64_t *ret_row)
{
    struct walk walk = {.motion = motion, .text = text};
    enum step result = STEP_DONE;
    switch (motion->kind) {
    case MOTION_WORD_NEXT:
        result = run_word_next(&walk);
        break;
    case MOTION_WORD_PREVIOUS:
        result = run_word_end(&walk, step_back);
        break;
    case MOTION_WORD_END:
        result = run_word_end(&walk, step_on);
        break;
    case MOTION_PARAGRAPH_NEXT:
        result = run_paragraph(&walk, 1);
        break;
    case MOTION_PARAGRAPH_PREVIOUS:
        result = run_paragraph(&walk, -1);
        break;
    }
    if (result == STEP_MISSING) {
        *ret_row = walk.missing;
        return false;
    }
    /* no word further on: where the last one was seen */
    if (result == STEP_END)
        motion->at = motion->seen;
    return true;
}
