#pragma once

#include <stddef.h>
#include <stdint.h>

/* Finds many texts in a console's raw bytes in one pass, whatever their case
 * (an Aho-Corasick automaton). Colours and other control sequences within a
 * text are looked through; any other control character ends it. */
struct sieve;

/* Where a scan is: carries over from one piece of bytes to the next. Zeroed at
 * the beginning. */
struct sieve_state {
    uint16_t node;
    uint8_t skip; /* inside an escape sequence */
};

/* A text and the bits that finding it gives. */
struct sieve_text {
    const char *text; /* lower case ASCII, borrowed for the call */
    uint64_t bits;
};

/* Most texts. */
#define SIEVE_MAX_TEXTS 1024

/* Of a long text only a part is looked for: what is found is a guess that has
 * to be looked at. NULL when there are too many texts. */
struct sieve *sieve_new(const struct sieve_text *texts, size_t count);
void sieve_free(struct sieve *sieve);

/* Looks at bytes up to the end of the first text in them. Returns how many were
 * looked at; *ret_bits: of what ended there; 0 when nothing did. */
size_t sieve_scan(const struct sieve *sieve, struct sieve_state *state,
                  const char *bytes, size_t len, uint64_t *ret_bits);
