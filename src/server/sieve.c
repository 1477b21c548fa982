#include "server/sieve.h"

#include "base/xalloc.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Classes of bytes beside those of the texts' characters. */
enum byte_class {
    CLASS_OTHER, /* in no text */
    CLASS_ESCAPE,
    CLASS_FIRST, /* … the texts' characters */
};

/* Where in an escape sequence (ECMA-48, 5.3 and 5.4). The text of a string
 * counts as text: what is found there by mistake is looked at again. */
enum skip {
    SKIP_NONE,
    SKIP_ESCAPE,
    SKIP_INTERMEDIATE,
    SKIP_CONTROL,
};

#define ESCAPE 0x1b

/* Plain bytes are not put through the automaton one by one: any text has one of
 * its runs of GRAM_BYTES at a place that is a multiple of stride, and a table
 * of all such runs' hashes says whether that may be so. */
#define GRAM_BYTES 4u
#define GRAM_BITS 16u

struct sieve {
    uint16_t *next; /* owned: nodes * class_count */
    uint64_t *bits; /* owned: nodes */
    size_t node_count;
    size_t class_count;
    size_t longest; /* of what is looked for, bytes */
    size_t shortest;
    size_t stride; /* 0: some text is too short for that */
    uint8_t classes[256];
    uint8_t grams[(1u << GRAM_BITS) / 8];
};

/* Making ------------------------------------------------------------------- */

/* So much of a text is looked for: its rarest part. */
#define WINDOW_BYTES 8u

/* How rare a character is in what consoles print. */
static int
rarity(char character)
{
    if (character == ' ')
        return 1;
    if (!isalnum((unsigned char)character))
        return 4;
    return strchr("bjkpqvwxyz0123456789", character) ? 3 : 1;
}

static int
rarity_of(const char *text, size_t len)
{
    int sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += rarity(text[i]);
    return sum;
}

/* Writes the part of a text that is looked for. */
static void
choose_window(const char *text, char window[WINDOW_BYTES + 1])
{
    size_t len = strlen(text);
    size_t best = 0;
    for (size_t at = 0; at + WINDOW_BYTES <= len; at++) {
        if (rarity_of(text + at, WINDOW_BYTES) >
            rarity_of(text + best, WINDOW_BYTES))
            best = at;
    }
    len = len < WINDOW_BYTES ? len : WINDOW_BYTES;
    memcpy(window, text + best, len);
    window[len] = '\0';
}

static void
add_classes(struct sieve *sieve, const char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (sieve->classes[byte])
            continue;
        sieve->classes[byte] = (uint8_t)sieve->class_count;
        sieve->classes[toupper(byte)] = (uint8_t)sieve->class_count;
        sieve->class_count++;
    }
}

/* The hash of a run, whatever the case of its letters. */
static uint32_t
hash_gram(const char *bytes)
{
    uint32_t gram = 0;
    memcpy(&gram, bytes, GRAM_BYTES);
    return ((gram | 0x20202020u) * 2654435761u) >> (32 - GRAM_BITS);
}

static void
add_grams(struct sieve *sieve, const char *text)
{
    size_t len = strlen(text);
    sieve->shortest = len < sieve->shortest ? len : sieve->shortest;
    sieve->longest = len > sieve->longest ? len : sieve->longest;
    for (size_t at = 0; at + GRAM_BYTES <= len; at++) {
        uint32_t hash = hash_gram(text + at);
        sieve->grams[hash / 8] |= (uint8_t)(1u << hash % 8);
    }
}

static void
add_text(struct sieve *sieve, const char *text, uint64_t bits)
{
    size_t node = 0;
    for (; *text; text++) {
        uint16_t *next = &sieve->next[node * sieve->class_count +
                                      sieve->classes[(unsigned char)*text]];
        if (!*next)
            *next = (uint16_t)sieve->node_count++;
        node = *next;
    }
    sieve->bits[node] |= bits;
}

/* Makes of the tree an automaton: where no child is, the way goes on from the
 * longest end of what was read that begins a text. Level by level. */
static void
link_nodes(struct sieve *sieve)
{
    size_t width = sieve->class_count;
    uint16_t *queue = xcalloc(sieve->node_count, sizeof(*queue));
    uint16_t *fail = xcalloc(sieve->node_count, sizeof(*fail));
    size_t head = 0;
    size_t tail = 0;
    for (size_t i = 0; i < width; i++) {
        if (sieve->next[i])
            queue[tail++] = sieve->next[i];
    }
    while (head < tail) {
        size_t node = queue[head++];
        const uint16_t *back = &sieve->next[fail[node] * width];
        sieve->bits[node] |= sieve->bits[fail[node]];
        for (size_t i = 0; i < width; i++) {
            uint16_t *next = &sieve->next[node * width + i];
            if (!*next) {
                *next = back[i];
                continue;
            }
            fail[*next] = back[i];
            queue[tail++] = *next;
        }
    }
    free(fail);
    free(queue);
}

struct sieve *
sieve_new(const struct sieve_text *texts, size_t count)
{
    if (count > SIEVE_MAX_TEXTS)
        return NULL;
    struct sieve *sieve = xcalloc(1, sizeof(*sieve));
    char(*windows)[WINDOW_BYTES + 1] = xcalloc(count + 1, sizeof(*windows));
    sieve->class_count = CLASS_FIRST;
    sieve->classes[ESCAPE] = CLASS_ESCAPE;
    sieve->shortest = WINDOW_BYTES;
    for (size_t i = 0; i < count; i++) {
        choose_window(texts[i].text, windows[i]);
        add_classes(sieve, windows[i]);
        add_grams(sieve, windows[i]);
    }
    if (count == 0)
        sieve->longest = sieve->shortest;
    if (sieve->shortest >= GRAM_BYTES)
        sieve->stride = sieve->shortest - GRAM_BYTES + 1;
    size_t most = count * WINDOW_BYTES + 1;
    sieve->next = xcalloc(most * sieve->class_count, sizeof(*sieve->next));
    sieve->bits = xcalloc(most, sizeof(*sieve->bits));
    sieve->node_count = 1;
    for (size_t i = 0; i < count; i++)
        add_text(sieve, windows[i], texts[i].bits);
    link_nodes(sieve);
    free(windows);
    return sieve;
}

void
sieve_free(struct sieve *sieve)
{
    if (!sieve)
        return;
    free(sieve->next);
    free(sieve->bits);
    free(sieve);
}

/* Scanning ----------------------------------------------------------------- */

/* Where the next byte of an escape sequence leads. */
static uint8_t
skip_after(uint8_t skip, unsigned char byte)
{
    bool is_cancel = byte == 0x18 || byte == 0x1a; /* CAN, SUB */
    if (byte == ESCAPE)
        return SKIP_ESCAPE;
    if (byte < 0x20) /* others are carried out, and the sequence goes on */
        return is_cancel ? SKIP_NONE : skip;
    if (skip == SKIP_CONTROL)
        return byte >= 0x40 ? SKIP_NONE : SKIP_CONTROL;
    if (byte < 0x30)
        return SKIP_INTERMEDIATE;
    return skip == SKIP_ESCAPE && byte == '[' ? SKIP_CONTROL : SKIP_NONE;
}

/* Passes the rest of an escape sequence; returns the bytes it took. */
static size_t
skip_sequence(struct sieve_state *state, const char *bytes, size_t len)
{
    uint8_t skip = state->skip;
    size_t at = 0;
    while (at < len && skip != SKIP_NONE) {
        /* parameters, of which a sequence mostly is made */
        while (skip == SKIP_CONTROL && at + 1 < len &&
               (unsigned char)(bytes[at] - 0x20) < 0x20)
            at++;
        skip = skip_after(skip, (unsigned char)bytes[at++]);
    }
    state->skip = skip;
    return at;
}

/* How many plain bytes from the front on no text begins in for sure. */
static size_t
skip_plain(const struct sieve *sieve, const char *bytes, size_t len)
{
    size_t at = 0;
    while (at + GRAM_BYTES <= len) {
        uint32_t hash = hash_gram(bytes + at);
        if (sieve->grams[hash / 8] & 1u << hash % 8)
            break;
        at += sieve->stride;
    }
    /* one may end there, or go on beyond what there is */
    return at >= sieve->longest ? at - sieve->longest + 1 : 0;
}

size_t
sieve_scan(const struct sieve *sieve, struct sieve_state *state,
           const char *bytes, size_t len, uint64_t *ret_bits)
{
    size_t at = skip_sequence(state, bytes, len);
    size_t node = state->node;
    size_t plain_end = at; /* before it, skip_plain is of no use */
    size_t stop = 0;       /* the next escape, once it was looked for */
    *ret_bits = 0;
    while (at < len) {
        if (node == 0 && sieve->stride && at >= plain_end) {
            const char *escape = NULL;
            if (stop <= at) {
                escape = memchr(bytes + at, ESCAPE, len - at);
                stop = escape ? (size_t)(escape - bytes) : len;
            }
            at += skip_plain(sieve, bytes + at, stop - at);
            plain_end = at + sieve->longest < stop ? at + sieve->longest : stop;
            if (at == len)
                break;
        }
        size_t class = sieve->classes[(unsigned char)bytes[at++]];
        if (class == CLASS_ESCAPE) {
            state->skip = SKIP_ESCAPE;
            at += skip_sequence(state, bytes + at, len - at);
            continue;
        }
        node = sieve->next[node * sieve->class_count + class];
        if (sieve->bits[node]) {
            *ret_bits = sieve->bits[node];
            break;
        }
    }
    state->node = (uint16_t)node;
    return at;
}
