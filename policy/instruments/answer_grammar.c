#include "policy/instruments/answer_grammar.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *key;
    enum answer_role role;
} lists[] = {
    {"weak", ROLE_WEAK},        {"days", ROLE_DAYS},
    {"weekly", ROLE_WEEKLY},    {"negations", ROLE_NEGATION},
    {"turns", ROLE_TURN},       {"corrections", ROLE_CORRECTION},
    {"unclear", ROLE_UNCLEAR},  {"fillers", ROLE_FILLER},
    {"declines", ROLE_DECLINE}, {"declines_alone", ROLE_DECLINE_ALONE},
};
enum { LIST_COUNT = sizeof lists / sizeof lists[0] };

static const char *const keys[] = {
    "options", "weak",    "numbers",     "days",    "weekly",   "ranges",         "negations",
    "turns",   "unclear", "corrections", "fillers", "declines", "declines_alone", NULL};

struct source {
    const struct yaml_tree *tree;
    struct answer_grammar *grammar;
    struct failure *failure;
};

/* A word: letters and digits, with "/" between alternatives and at most one "?" at the end. */
static bool is_pattern_word(const char *word, size_t length, bool *is_optional)
{
    *is_optional = length > 1 && word[length - 1] == '?';
    length -= *is_optional;
    bool was_letter = false;
    for (size_t i = 0; i < length; i++) {
        const bool is_letter =
            (word[i] >= 'a' && word[i] <= 'z') || (word[i] >= '0' && word[i] <= '9');
        if (!is_letter && (word[i] != '/' || !was_letter)) {
            return false;
        }
        was_letter = is_letter;
    }
    return was_letter;
}

static bool is_pattern(const char *pattern)
{
    uint32_t words = 0, optional = 0;
    while (words <= ANSWER_PATTERN_WORDS_MAX) {
        const size_t length = strcspn(pattern, " ");
        bool is_optional;
        if (!is_pattern_word(pattern, length, &is_optional)) {
            return false;
        }
        words++;
        optional += is_optional;
        if (pattern[length] == '\0') {
            break;
        }
        pattern += length + 1;
    }
    return words <= ANSWER_PATTERN_WORDS_MAX && optional <= ANSWER_OPTIONAL_MAX && optional < words;
}

static enum status add_phrases(const struct source *source, const struct yaml_node *list,
                               enum answer_role role, uint32_t option)
{
    struct answer_grammar *grammar = source->grammar;
    if (list && !yaml_is_list(list)) {
        return yaml_wrong(source->tree, list, source->failure, "must be a list of phrases");
    }
    for (size_t i = 0; i < yaml_count(list); i++) {
        const struct yaml_node *node = yaml_at(list, i, NULL);
        const char *pattern = yaml_text(node);
        if (!pattern || !is_pattern(pattern)) {
            return yaml_wrong(source->tree, node, source->failure,
                              "a phrase is 1 to %d words of a-z, 0-9 with one space between; a/b: "
                              "either; a?: may be missing, at most %d and not all",
                              ANSWER_PATTERN_WORDS_MAX, ANSWER_OPTIONAL_MAX);
        }
        if (grammar->phrase_count == ANSWER_PHRASES_MAX) {
            return yaml_wrong(source->tree, node, source->failure, "more than %d phrases",
                              ANSWER_PHRASES_MAX);
        }
        grammar->phrases[grammar->phrase_count++] =
            (struct answer_phrase){.pattern = pattern, .role = role, .option = option};
    }
    return STATUS_OK;
}

static enum status add_options(const struct source *source, const struct yaml_node *list,
                               uint32_t option_count)
{
    if (!yaml_is_list(list) || yaml_count(list) != option_count) {
        return yaml_wrong(source->tree, list, source->failure,
                          "\"options\" must be a list of phrases for each of %u options",
                          option_count);
    }
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < option_count; i++) {
        status = add_phrases(source, yaml_at(list, i, NULL), ROLE_OPTION, i);
    }
    return status;
}

static enum status add_numbers(const struct source *source, const struct yaml_node *list)
{
    if (list && (!yaml_is_list(list) || yaml_count(list) > ANSWER_NUMBERS_MAX)) {
        return yaml_wrong(source->tree, list, source->failure,
                          "\"numbers\" must be a list of at most %d words", ANSWER_NUMBERS_MAX);
    }
    for (size_t i = 0; i < yaml_count(list); i++) {
        const struct yaml_node *node = yaml_at(list, i, NULL);
        const char *word = yaml_text(node);
        if (!word || word[0] == '\0' || word[strspn(word, "abcdefghijklmnopqrstuvwxyz")] != '\0') {
            return yaml_wrong(source->tree, node, source->failure, "a number is one word of a-z");
        }
        source->grammar->numbers[source->grammar->number_count++] = word;
    }
    return STATUS_OK;
}

/* A [from, to] of days for each option, in their order. */
static enum status add_ranges(const struct source *source, const struct yaml_node *list,
                              uint32_t option_count)
{
    for (size_t i = 0; i <= ANSWER_DAYS; i++) {
        source->grammar->option_of_days[i] = -1;
    }
    if (list && (!yaml_is_list(list) || yaml_count(list) != option_count)) {
        return yaml_wrong(source->tree, list, source->failure,
                          "\"ranges\" must be a list of [from, to] for each of %u options",
                          option_count);
    }
    for (size_t i = 0; i < yaml_count(list); i++) {
        const struct yaml_node *node = yaml_at(list, i, NULL);
        int64_t from, to;
        if (!yaml_is_list(node) || yaml_count(node) != 2
            || !yaml_integer(yaml_at(node, 0, NULL), 0, ANSWER_DAYS, &from)
            || !yaml_integer(yaml_at(node, 1, NULL), from, ANSWER_DAYS, &to)) {
            return yaml_wrong(source->tree, node, source->failure,
                              "a range is [from, to], days from 0 to %d", ANSWER_DAYS);
        }
        for (int64_t day = from; day <= to; day++) {
            source->grammar->option_of_days[day] = (int32_t)i;
        }
    }
    return STATUS_OK;
}

static enum status fill(const struct source *source, const struct yaml_node *map,
                        uint32_t option_count)
{
    if (!yaml_is_map(map)) {
        return yaml_wrong(source->tree, map, source->failure, "answers must be a map");
    }
    enum status status = yaml_allow(source->tree, map, keys, source->failure);
    if (status == STATUS_OK) {
        status = add_options(source, yaml_get(map, "options"), option_count);
    }
    for (size_t i = 0; status == STATUS_OK && i < LIST_COUNT; i++) {
        status = add_phrases(source, yaml_get(map, lists[i].key), lists[i].role, 0);
    }
    if (status == STATUS_OK) {
        status = add_numbers(source, yaml_get(map, "numbers"));
    }
    if (status == STATUS_OK) {
        status = add_ranges(source, yaml_get(map, "ranges"), option_count);
    }
    return status;
}

enum status answer_grammar_create(const struct yaml_tree *tree, const struct yaml_node *map,
                                  uint32_t option_count, struct answer_grammar **out,
                                  struct failure *failure)
{
    struct answer_grammar *grammar = calloc(1, sizeof *grammar);
    if (!grammar) {
        return fail(failure, STATUS_IO, "no memory");
    }
    grammar->option_count = option_count;
    const struct source source = {.tree = tree, .grammar = grammar, .failure = failure};
    const enum status status = fill(&source, map, option_count);
    if (status == STATUS_OK) {
        *out = grammar;
        grammar = NULL;
    }
    answer_grammar_destroy(grammar);
    return status;
}

void answer_grammar_destroy(struct answer_grammar *grammar)
{
    free(grammar);
}
