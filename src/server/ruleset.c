#include "server/ruleset.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/xalloc.h"
#include "fleet/shellwords.h"
#include "server/needles.h"
#include "server/sieve.h"

#include <stdlib.h>
#include <string.h>

#include <pcre2.h>

/* A rule as it is tried. */
struct trial {
    pcre2_code *code;  /* owned; made when it is first needed */
    unsigned overruns; /* lines that reached the match limit */
};

struct ruleset {
    unsigned refs;
    struct rule rules[ALERT_RULES_MAX];
    struct trial trials[ALERT_RULES_MAX];
    size_t count;
    struct sieve *sieve; /* owned */
    uint64_t always;
    uint64_t prompts;
    pcre2_match_data *match_data; /* owned */
    pcre2_match_context *context; /* owned */
};

/* Joining ------------------------------------------------------------------ */

static void
finish_rule(struct rule *rule)
{
    free(rule->name);
    free(rule->pattern);
    free(rule->message);
    shellwords_free(rule->run);
    *rule = (struct rule){0};
}

static struct rule *
find_rule(struct ruleset *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->rules[i].name, name) == 0)
            return &set->rules[i];
    }
    return NULL;
}

static void
set_text(char **text, const char *value)
{
    if (!value)
        return;
    free(*text);
    *text = xstrdup(value);
}

/* Lets a rule's own words take the place of those below it. */
static void
overlay(struct rule *rule, const struct alert_rule *own, const char *source)
{
    set_text(&rule->name, own->name);
    set_text(&rule->pattern, own->pattern);
    set_text(&rule->message, own->message);
    if (own->severity != ALERT_UNSET)
        rule->severity = own->severity;
    if (own->timeout_s)
        rule->timeout_s = own->timeout_s;
    if (own->prompt != ALERT_UNSET)
        rule->is_prompt = own->prompt;
    if (own->run) {
        shellwords_free(rule->run);
        rule->run = own->run[0] ? shellwords_copy(own->run) : NULL;
    }
    rule->source = source;
}

static void
remove_rule(struct ruleset *set, struct rule *rule)
{
    size_t index = (size_t)(rule - set->rules);
    finish_rule(rule);
    set->count--;
    memmove(rule, rule + 1, (set->count - index) * sizeof(*rule));
    set->rules[set->count] = (struct rule){0};
}

static void
add_problem(struct buffer *problems, const char *source,
            const struct alert_rule *rule, const char *text)
{
    buffer_printf(problems, "%s%s rule \"%s\" %s", problems->len ? "\n" : "",
                  source, rule->name, text);
}

static void
add_rule(struct ruleset *set, const struct alert_rule *own, const char *source,
         struct buffer *problems)
{
    struct rule *rule = find_rule(set, own->name);
    if (own->is_off) {
        if (rule)
            remove_rule(set, rule);
        return;
    }
    if (rule) {
        overlay(rule, own, source);
        return;
    }
    if (!own->pattern) {
        add_problem(problems, source, own,
                    "has no pattern, and none is known by this name");
        return;
    }
    if (set->count == ALERT_RULES_MAX) {
        add_problem(problems, source, own,
                    "is one too many: 64 can count for a guest");
        return;
    }
    rule = &set->rules[set->count++];
    rule->severity = ALERT_WARNING;
    rule->timeout_s = ALERT_TIMEOUT_S;
    overlay(rule, own, source);
    if (!rule->message)
        rule->message = xstrdup(rule->name);
}

static void
make_sieve(struct ruleset *set)
{
    struct needles *needles = xcalloc(set->count + 1, sizeof(*needles));
    struct sieve_text *texts =
        xcalloc(set->count * NEEDLES_MAX + 1, sizeof(*texts));
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        uint64_t bit = UINT64_C(1) << i;
        if (set->rules[i].is_prompt) {
            set->prompts |= bit;
            continue;
        }
        if (!needles_find(&needles[i], set->rules[i].pattern))
            set->always |= bit;
        for (size_t j = 0; j < needles[i].count; j++)
            texts[count++] = (struct sieve_text){needles[i].items[j], bit};
    }
    /* within its limit: 64 rules of 16 texts */
    set->sieve = sieve_new(texts, count);
    if (!set->sieve)
        abort();
    free(texts);
    free(needles);
}

struct ruleset *
ruleset_new(const struct ruleset_layer *layers, size_t count,
            struct buffer *problems)
{
    struct ruleset *set = xcalloc(1, sizeof(*set));
    set->refs = 1;
    for (size_t i = 0; i < count; i++) {
        const struct alert_rules *rules = layers[i].rules;
        for (size_t j = 0; rules && j < rules->count; j++)
            add_rule(set, &rules->items[j], layers[i].source, problems);
    }
    make_sieve(set);
    set->match_data = pcre2_match_data_create(1, NULL);
    set->context = pcre2_match_context_create(NULL);
    if (!set->match_data || !set->context)
        abort();
    pcre2_set_match_limit(set->context, RULESET_MATCH_LIMIT);
    return set;
}

struct ruleset *
ruleset_ref(struct ruleset *set)
{
    set->refs++;
    return set;
}

void
ruleset_unref(struct ruleset *set)
{
    if (!set || --set->refs > 0)
        return;
    for (size_t i = 0; i < set->count; i++) {
        finish_rule(&set->rules[i]);
        pcre2_code_free(set->trials[i].code);
    }
    sieve_free(set->sieve);
    pcre2_match_data_free(set->match_data);
    pcre2_match_context_free(set->context);
    free(set);
}

size_t
ruleset_count(const struct ruleset *set)
{
    return set->count;
}

const struct rule *
ruleset_rule(const struct ruleset *set, size_t index)
{
    return &set->rules[index];
}

const struct sieve *
ruleset_sieve(const struct ruleset *set)
{
    return set->sieve;
}

uint64_t
ruleset_always(const struct ruleset *set)
{
    return set->always;
}

uint64_t
ruleset_prompts(const struct ruleset *set)
{
    return set->prompts;
}

/* Trying ------------------------------------------------------------------- */

/* Most rules never come so far that they are needed: they are made then. */
static bool
prepare(struct ruleset *set, size_t index)
{
    struct trial *trial = &set->trials[index];
    int number = 0;
    PCRE2_SIZE place = 0;
    if (trial->code)
        return true;
    trial->code = pcre2_compile(
        (PCRE2_SPTR)set->rules[index].pattern, PCRE2_ZERO_TERMINATED,
        PCRE2_UTF | PCRE2_MATCH_INVALID_UTF, &number, &place, NULL);
    /* without it (no executable memory) the interpreter does the same */
    if (trial->code)
        (void)pcre2_jit_compile(trial->code, PCRE2_JIT_COMPLETE);
    return trial->code != NULL;
}

bool
ruleset_matches(struct ruleset *set, size_t index, const char *line, size_t len,
                bool *ret_gave_up)
{
    struct trial *trial = &set->trials[index];
    *ret_gave_up = false;
    if (trial->overruns >= RULESET_MAX_OVERRUNS || !prepare(set, index))
        return false;
    int found = pcre2_match(trial->code, (PCRE2_SPTR)line, len, 0, 0,
                            set->match_data, set->context);
    if (found < 0 && found != PCRE2_ERROR_NOMATCH)
        *ret_gave_up = ++trial->overruns == RULESET_MAX_OVERRUNS;
    return found >= 0;
}
