/* An answer becomes words in the folded view, words become phrases (the longest from the left), and
 * phrases become a verdict. */
#include "policy/instruments/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "policy/text/lexeme.h"

enum { WORD_BYTES = 24, NUMBER_MAX = 99, NO_NUMBER = -1 };

struct word {
    char text[WORD_BYTES]; /* folded, without apostrophes; cut where no phrase is as long */
    int32_t number;        /* NO_NUMBER: it is none */
    bool is_taken;         /* by a phrase that declines */
};

struct words {
    struct word words[ANSWER_WORDS_MAX];
    uint32_t count;
    bool is_long, is_unclear;
};

/* ---- words ----------------------------------------------------------------------------------- */

static int32_t number_of(const struct answer_grammar *grammar, const char *text)
{
    int32_t value = 0;
    size_t digits = 0;
    for (; text[digits] >= '0' && text[digits] <= '9'; digits++) {
        value = value > NUMBER_MAX ? value : value * 10 + (text[digits] - '0');
    }
    if (digits > 0 && text[digits] == '\0') {
        return value;
    }
    for (uint32_t i = 0; i < grammar->number_count; i++) {
        if (strcmp(text, grammar->numbers[i]) == 0) {
            return (int32_t)i;
        }
    }
    return NO_NUMBER;
}

static void add_word(const struct answer_grammar *grammar, struct words *words, const char *text,
                     size_t length)
{
    if (words->count == ANSWER_WORDS_MAX) {
        words->is_long = true;
        return;
    }
    struct word *word = &words->words[words->count++];
    *word = (struct word){.number = NO_NUMBER};
    size_t kept = 0;
    for (size_t i = 0; i < length && kept < WORD_BYTES - 1; i++) {
        if (text[i] != '\'') {
            word->text[kept++] = text[i];
        }
    }
    word->number = number_of(grammar, word->text);
}

/* Pictures say nothing about how often; a letter of a script that no phrase has does. */
static bool is_picture(const char *text, size_t length)
{
    static const struct {
        uint32_t first, last;
    } pictures[] = {{0x2190, 0x2BFF}, {0xFE00, 0xFE0F}, {0x1F000, 0x1FAFF}};
    uint32_t point = 0;
    if (utf8_decode(text, length, &point) == 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof pictures / sizeof pictures[0]; i++) {
        if (point >= pictures[i].first && point <= pictures[i].last) {
            return true;
        }
    }
    return false;
}

/* A question, a share, a comparison; a sign or the eyes of a face in front of the first digit. */
static bool is_unclear_mark(const struct window_view *view, uint32_t index, bool is_first)
{
    const char mark = lexeme_text(view, index)[0];
    if (view->lexemes[index].folded_bytes != 1 || mark == '\0') {
        return false;
    }
    if (strchr("?%+<>$*^=", mark)) {
        return true;
    }
    return is_first && strchr("-:;", mark) && index + 1 < view->count
           && view->lexemes[index + 1].class == LEXEME_NUMBER;
}

/* "3days" is a number and a word. */
static void add_mixed(const struct answer_grammar *grammar, struct words *words, const char *text,
                      size_t length)
{
    size_t digits = 0;
    while (digits < length && text[digits] >= '0' && text[digits] <= '9') {
        digits++;
    }
    if (digits > 0) {
        add_word(grammar, words, text, digits);
    }
    add_word(grammar, words, text + digits, length - digits);
}

/* What the lexeme adds; a last "'s" is an apostrophe and a word that adds nothing. */
static void take_lexeme(const struct answer_grammar *grammar, const struct window_view *view,
                        uint32_t index, struct words *words)
{
    const struct lexeme *lexeme = &view->lexemes[index];
    const char *text = lexeme_text(view, index);
    const bool is_after_apostrophe = index > 0 && lexeme_is(view, index - 1, "'");
    switch ((enum lexeme_class)lexeme->class) {
    case LEXEME_WORD:
        if (!is_after_apostrophe || !lexeme_is(view, index, "s")) {
            add_word(grammar, words, text, lexeme->folded_bytes);
        }
        break;
    case LEXEME_NUMBER:
        add_word(grammar, words, text, lexeme->folded_bytes);
        break;
    case LEXEME_MIXED:
        add_mixed(grammar, words, text, lexeme->folded_bytes);
        break;
    case LEXEME_MARK:
        words->is_unclear |= is_unclear_mark(view, index, words->count == 0);
        break;
    case LEXEME_GLYPH:
        if (!is_picture(text, lexeme->folded_bytes)) {
            add_word(grammar, words, text, lexeme->folded_bytes);
        }
        break;
    case LEXEME_SPACE:
    case LEXEME_BREAK:
        break;
    }
}

/* Every open lexeme; one is kept back for the next round, as the one before it looks at it. */
static void take_open(const struct answer_grammar *grammar, struct window *window,
                      struct words *words)
{
    struct window_view view = window_view(window);
    while (view.at < view.count && (view.has_ended || view.at + 1 < view.count)) {
        take_lexeme(grammar, &view, view.at, words);
        window_release(window);
        view = window_view(window);
    }
}

/* False: no memory. */
static bool read_words(const struct answer_grammar *grammar, const char *text, size_t length,
                       struct words *words)
{
    struct window *window = window_create(NULL);
    if (!window) {
        return false;
    }
    while (length > 0 && !words->is_long) {
        const size_t taken = window_feed(window, text, length);
        text += taken;
        length -= taken;
        take_open(grammar, window, words);
    }
    window_end(window);
    take_open(grammar, window, words);
    window_destroy(window);
    return true;
}

/* ---- phrases --------------------------------------------------------------------------------- */

static const uint32_t NO_MATCH = UINT32_MAX;

static bool is_one_of(const char *alternatives, size_t length, const char *word)
{
    const size_t word_length = strlen(word);
    for (size_t at = 0; at < length;) {
        size_t end = at;
        while (end < length && alternatives[end] != '/') {
            end++;
        }
        if (end - at == word_length && memcmp(alternatives + at, word, word_length) == 0) {
            return true;
        }
        at = end + 1;
    }
    return false;
}

/* The index behind a match of the pattern from a word on. ANSWER_OPTIONAL_MAX bounds how often it
 * forks. */
static uint32_t match(const char *pattern, const struct words *words, uint32_t at)
{
    if (pattern[0] == '\0') {
        return at;
    }
    const size_t length = strcspn(pattern, " ");
    const bool is_optional = pattern[length - 1] == '?';
    const char *rest = pattern + length + (pattern[length] == ' ');
    uint32_t end = NO_MATCH;
    if (at < words->count && is_one_of(pattern, length - is_optional, words->words[at].text)) {
        end = match(rest, words, at + 1);
    }
    return is_optional && end == NO_MATCH ? match(rest, words, at) : end;
}

/* The longest phrase of the roles (bits) at a word; the first of equals. NULL: none, and *end is
 * at. */
static const struct answer_phrase *find_phrase(const struct answer_grammar *grammar,
                                               const struct words *words, uint32_t at,
                                               uint32_t roles, uint32_t *end)
{
    const struct answer_phrase *found = NULL;
    *end = at;
    for (uint32_t i = 0; i < grammar->phrase_count; i++) {
        const struct answer_phrase *phrase = &grammar->phrases[i];
        if (!(roles & 1U << phrase->role)) {
            continue;
        }
        const uint32_t to = match(phrase->pattern, words, at);
        if (to != NO_MATCH && to > *end) {
            found = phrase;
            *end = to;
        }
    }
    return found;
}

struct said {
    enum answer_role role;
    uint32_t option;
};

static struct said days_mean(const struct answer_grammar *grammar, int32_t first, int32_t last)
{
    if (first > ANSWER_DAYS || last > ANSWER_DAYS) {
        return (struct said){.role = ROLE_UNCLEAR};
    }
    const int32_t option = grammar->option_of_days[first];
    if (option < 0 || option != grammar->option_of_days[last]) {
        return (struct said){.role = ROLE_UNCLEAR};
    }
    return (struct said){.role = ROLE_OPTION, .option = (uint32_t)option};
}

/* The second number of "5 or 6", "5-6"; the first one's index if there is none. */
static uint32_t second_number(const struct words *words, uint32_t at)
{
    uint32_t next = at + 1;
    if (next < words->count && is_one_of("or/to/and", 9, words->words[next].text)) {
        next++;
    }
    return next < words->count && words->words[next].number != NO_NUMBER ? next : at;
}

/* One or two numbers in front of a unit are days; a number alone is an option's own. */
static struct said read_number(const struct answer_grammar *grammar, const struct words *words,
                               uint32_t at, uint32_t *end)
{
    enum { UNITS = 1U << ROLE_DAYS | 1U << ROLE_WEEKLY, DAYS_FOR_ONE_A_WEEK = 2 };
    const int32_t first = words->words[at].number;
    uint32_t last = second_number(words, at);
    const struct answer_phrase *unit = find_phrase(grammar, words, last + 1, UNITS, end);
    if (!unit && last != at) {
        last = at;
        unit = find_phrase(grammar, words, last + 1, UNITS, end);
    }
    if (unit) {
        const int32_t times = unit->role == ROLE_WEEKLY ? DAYS_FOR_ONE_A_WEEK : 1;
        return days_mean(grammar, first * times, words->words[last].number * times);
    }
    *end = at + 1;
    const bool is_option = (uint32_t)first < grammar->option_count;
    return (struct said){.role = is_option ? ROLE_OPTION : ROLE_UNKNOWN, .option = (uint32_t)first};
}

/* ---- verdict --------------------------------------------------------------------------------- */

/* What all phrases up to now say. */
struct meaning {
    uint32_t options; /* bits */
    bool is_negated, is_weak, is_unclear, has_unknown, is_refused;
};

static void add_meaning(struct meaning *meaning, struct said said)
{
    switch (said.role) {
    case ROLE_WEAK:
    case ROLE_OPTION:
        meaning->is_unclear |= said.role == ROLE_WEAK && meaning->is_negated;
        meaning->is_weak |= said.role == ROLE_WEAK;
        meaning->options |= meaning->is_negated ? 0 : 1U << said.option;
        break;
    case ROLE_NEGATION:
        meaning->is_negated = true;
        break;
    case ROLE_TURN:
        meaning->is_negated = false;
        break;
    case ROLE_UNCLEAR:
        meaning->is_unclear = true;
        break;
    case ROLE_DECLINE:
    case ROLE_DECLINE_ALONE:
        meaning->is_refused = true;
        break;
    case ROLE_UNKNOWN:
    case ROLE_DAYS:
    case ROLE_WEEKLY:
        meaning->has_unknown = true;
        break;
    case ROLE_FILLER:
    case ROLE_CORRECTION:
        break;
    }
}

/* The longest reading at a word, and the index behind it. */
static struct said read_phrase(const struct answer_grammar *grammar, const struct words *words,
                               uint32_t at, uint32_t *end)
{
    static const uint32_t roles = ~(1U << ROLE_DAYS | 1U << ROLE_WEEKLY | 1U << ROLE_DECLINE);
    struct said said = {.role = ROLE_UNKNOWN};
    if (words->words[at].is_taken) {
        *end = at + 1;
        said.role = ROLE_FILLER;
        return said;
    }
    const struct answer_phrase *phrase = find_phrase(grammar, words, at, roles, end);
    if (phrase) {
        said = (struct said){.role = phrase->role, .option = phrase->option};
    } else {
        *end = at + 1;
    }
    if (words->words[at].number != NO_NUMBER) {
        uint32_t number_end;
        const struct said number = read_number(grammar, words, at, &number_end);
        if (!phrase || number_end > *end) {
            said = number;
            *end = number_end;
        }
    }
    return said;
}

/* A correction takes back what stands before it, unless nothing follows that says anything. */
static struct meaning read_meaning(const struct answer_grammar *grammar, const struct words *words)
{
    struct meaning before = {0}, meaning = {0};
    bool is_corrected = false;
    for (uint32_t at = 0, end; at < words->count; at = end) {
        const struct said said = read_phrase(grammar, words, at, &end);
        if (said.role == ROLE_CORRECTION && (meaning.options != 0 || meaning.has_unknown)) {
            before = meaning;
            meaning = (struct meaning){0};
            is_corrected = true;
        }
        add_meaning(&meaning, said);
    }
    const bool says_something = meaning.options != 0 || meaning.has_unknown || meaning.is_refused;
    return says_something || !is_corrected ? meaning : before;
}

/* True: the person will not answer, whatever else the words are. */
static bool take_declines(const struct answer_grammar *grammar, struct words *words)
{
    bool has_declined = false;
    for (uint32_t at = 0, end; at<words->count; at = end> at ? end : at + 1) {
        has_declined |= find_phrase(grammar, words, at, 1U << ROLE_DECLINE, &end) != NULL;
        for (uint32_t i = at; i < end; i++) {
            words->words[i].is_taken = true;
        }
    }
    return has_declined;
}

static struct answer_reading decide(const struct words *words, const struct meaning *meaning,
                                    bool has_declined)
{
    const bool is_alone = meaning->is_refused && !meaning->is_negated && !meaning->is_unclear
                          && !meaning->has_unknown;
    struct answer_reading reading = {.verdict = ANSWER_UNSURE};
    if ((has_declined || is_alone) && meaning->options == 0) {
        reading.verdict = ANSWER_DECLINED;
        return reading;
    }
    if (has_declined || meaning->is_refused || meaning->has_unknown || meaning->is_unclear
        || words->is_unclear) {
        return reading;
    }
    if (meaning->options != 0 && (meaning->options & (meaning->options - 1)) == 0) {
        reading.verdict = ANSWER_READ;
        reading.is_weak = meaning->is_weak;
        while (meaning->options >> reading.option > 1) {
            reading.option++;
        }
    }
    return reading;
}

struct answer_reading answer_read(const struct answer_grammar *grammar, const char *text,
                                  size_t length)
{
    struct words words = {.count = 0};
    if (!read_words(grammar, text, length, &words) || words.is_long) {
        return (struct answer_reading){.verdict = ANSWER_UNSURE};
    }
    const bool has_declined = take_declines(grammar, &words);
    const struct meaning meaning = read_meaning(grammar, &words);
    return decide(&words, &meaning, has_declined);
}
