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
    /* The word that is being read. */
    struct buffer word;
    bool has_word;                       /* "" is a word too */
    bool is_quoted;                      /* some of it */
    bool keeps_blanks;                   /* a value: expansions are not split */
    size_t bytes;                        /* of all words so far */
    char *heredocs[SCRIPT_MAX_HEREDOCS]; /* owned */
    size_t heredoc_count;
    struct error *error;
};

void script_add(struct script_words *words, char *word);
void script_words_finish(struct script_words *words);

/* Notes the first problem of a command or value. */
void script_problem(struct script_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends to the word; false at the limit, with the error set. */
bool script_put(struct script_reader *reader, const char *text, size_t len);
/* The word is complete, if there is one. */
bool script_end_word(struct script_reader *reader);

/* shellscript-expand.c: at a $, moves behind the expansion. Inside of double
 * quotes values are not split. */
bool script_expand(struct script_reader *reader, bool is_quoted, int depth);
/* Steps over what a substitution would run: "$(…)", "`…`", "(…)". */
void script_skip_nested(struct script_reader *reader, char open, char close);

enum script_set_flags {
    SCRIPT_SET_APPEND = 1 << 0, /* += */
    SCRIPT_SET_ARRAY = 1 << 1,  /* =(…) */
};

/* Sets a variable, of a name of len bytes. values: moved. problem: moved, or
 * NULL. */
void script_set(struct script_reader *reader, const char *name, size_t len,
                unsigned flags, struct script_words *values, char *problem);
size_t script_name_length(const char *text);

/* At a quote. */
bool script_read_quoted(struct script_reader *reader);
