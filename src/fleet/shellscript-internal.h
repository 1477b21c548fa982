#pragma once

#include "base/buffer.h"
#include "fleet/shellscript.h"

#include <stdbool.h>
#include <stddef.h>

/* A script being read; shared by shellscript*.c. */

/* A growing list of words. */
struct script_words {
    char **items; /* owned, NULL-terminated; NULL while empty */
    size_t count;
    size_t capacity;
};

struct script_variable {
    char *name;                 /* owned */
    struct script_words values; /* one, but for arrays */
    char *problem;              /* owned: why its value is not known, or NULL */
    char *remark;   /* owned: what is to be said where it is used, or NULL */
    unsigned depth; /* of the block that set it so; 0: of none */
    bool is_exported;
};

/* Loops over known words within each other that are read again. */
#define SCRIPT_MAX_LOOPS 8

struct script_loop {
    char *name;                /* owned: its variable */
    struct script_words words; /* a turn for each */
    size_t turn;
    unsigned depth;
    size_t body_at; /* 0: not come to yet */
    unsigned body_line;
};

/* Ends of here-documents that a line has: more are refused. */
#define SCRIPT_MAX_HEREDOCS 8

struct script_reader {
    const char *text; /* borrowed; terminated */
    size_t at;
    unsigned line;
    struct shellscript *script; /* owned until it is handed over */
    struct script_variable *variables;
    size_t variable_count;
    /* The command that is being read. */
    struct script_words words;
    struct script_words assignments;
    struct script_words notes;
    char *problem; /* owned; of the command, or of the value being read */
    unsigned command_line;
    unsigned depth; /* of conditions, loops, functions */
    struct script_loop loops[SCRIPT_MAX_LOOPS];
    size_t loop_count;
    /* The word that is being read. */
    struct buffer word;
    bool has_word;     /* "" is a word too */
    bool is_quoted;    /* some of it */
    bool keeps_blanks; /* a value: expansions are not split */
    bool is_chained;   /* the command stands behind && or || */
    bool has_nothing;  /* what was expanded last has no words at all */
    bool is_value;     /* what is read is a variable's */
    char *remark;      /* owned: on that value, or NULL */
    size_t bytes;      /* of all words so far */
    char *heredocs[SCRIPT_MAX_HEREDOCS]; /* owned */
    size_t heredoc_count;
    struct error *error;
    shellscript_text_fn find_text; /* NULL: texts are just words */
    unsigned nesting;              /* of texts within each other */
    unsigned texts;                /* that were read so far */
    bool has_arguments;            /* it is a text with a $1 */
    bool exports_all;              /* set -a */
    unsigned *lines;               /* owned: where each word begins */
    size_t line_capacity;
    unsigned word_line;
};

void script_add(struct script_words *words, char *word);
void script_words_finish(struct script_words *words);

/* Notes the first problem of a command or value. */
void script_problem(struct script_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Says something of a command, once, or of the value being read: then where
 * that is used. */
void script_remark(struct script_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Fails with the line. */
bool script_fault(struct script_reader *reader, enum error_code code,
                  const char *text);
bool script_is_blank(char c);

/* Appends to the word; false at the limit, with the error set. */
bool script_put(struct script_reader *reader, const char *text, size_t len);
/* The word is complete, if there is one. */
bool script_end_word(struct script_reader *reader);

/* Reads one word into the buffer, for those that are no words of a command. */
bool script_read_word(struct script_reader *reader);

/* shellscript-blocks.c: whether a word only begins or ends something. */
bool script_take_reserved(struct script_reader *reader, const char *word);
/* A command is complete. True: it is the head of a loop that is read for each
 * of its words, and needs no telling. */
bool script_begin_block(struct script_reader *reader);
/* Behind "for", at "((": the head of a loop that counts. */
bool script_begin_counting(struct script_reader *reader);
void script_blocks_finish(struct script_reader *reader);

/* shellscript-redirect.c: "> log", "2>&1", "<<EOF": left out, with its number
 * and its target. */
bool script_read_redirection(struct script_reader *reader);
/* At the beginning of a line: steps over the here-documents before it. */
void script_skip_heredocs(struct script_reader *reader);

/* shellscript-nested.c: a word was added, which began at word_line. */
void script_note_line(struct script_reader *reader);
/* "export NAME", "set -a": a command is complete. */
void script_take_exports(struct script_reader *reader);
/* Whether what is assigned here is exported at once. */
bool script_is_exporting(const struct script_reader *reader);
/* What the texts in the command's words would run; NULL: nothing. */
struct shellscript *script_read_texts(struct script_reader *reader);
/* Reads all of it. */
bool script_read_all(struct script_reader *reader);
void script_finish(struct script_reader *reader);

/* shellscript-calculate.c: behind a $: puts the value of "((…))" or "(seq …)".
 * False: only a shell can tell it. *ret_ok: within the limit. */
bool script_calculate(struct script_reader *reader, bool *ret_ok);

/* Puts a value into the word. Outside of quotes its blanks end words. */
bool script_put_value(struct script_reader *reader, const char *value,
                      bool is_quoted);
/* NULL: not set. name: of len bytes. */
struct script_variable *script_find(struct script_reader *reader,
                                    const char *name, size_t len);

/* shellscript-expand.c: at a $, moves behind the expansion. Inside of double
 * quotes values are not split. */
bool script_expand(struct script_reader *reader, bool is_quoted, int depth);
/* Steps over what a substitution would run: "$(…)", "`…`", "(…)". */
void script_skip_nested(struct script_reader *reader, char open, char close);

enum script_set_flags {
    SCRIPT_SET_APPEND = 1 << 0, /* += */
    SCRIPT_SET_ARRAY = 1 << 1,  /* =(…) */
    SCRIPT_SET_TURN = 1 << 2,   /* a loop's variable */
    SCRIPT_SET_EXPORT = 1 << 3, /* programs get it */
};

/* Sets a variable, of a name of len bytes. values: moved. problem: moved, or
 * NULL. */
void script_set(struct script_reader *reader, const char *name, size_t len,
                unsigned flags, struct script_words *values, char *problem);
size_t script_name_length(const char *text);

/* At a quote. */
bool script_read_quoted(struct script_reader *reader);
