/* number_words.c - see number_words.h. */
#include "policy/identify/words/number_words.h"

#include <string.h>

enum {
    DIGIT = 1 << 8, /* the number itself is in the lower bits */
    TEEN = 2 << 8,
    TENS = 3 << 8,
    ORDINAL = 4 << 8,
    TENS_ORDINAL = 5 << 8,
    REPEAT = 6 << 8,
    HUNDRED = 7 << 8,
    THOUSAND = 8 << 8,
    SORT = 0xFF00,
    VALUE = 0xFF
};

/* clang-format off */
static const struct word_entry entries[] = {
    {"double", REPEAT | 2}, {"eight", DIGIT | 8}, {"eighteen", TEEN | 18},
    {"eighteenth", ORDINAL | 18}, {"eighth", ORDINAL | 8}, {"eighty", TENS | 80},
    {"eleven", TEEN | 11}, {"eleventh", ORDINAL | 11}, {"fifteen", TEEN | 15},
    {"fifteenth", ORDINAL | 15}, {"fifth", ORDINAL | 5}, {"fifty", TENS | 50},
    {"first", ORDINAL | 1}, {"five", DIGIT | 5}, {"forty", TENS | 40}, {"four", DIGIT | 4},
    {"fourteen", TEEN | 14}, {"fourteenth", ORDINAL | 14}, {"fourth", ORDINAL | 4},
    {"fourty", TENS | 40}, {"hundred", HUNDRED}, {"nine", DIGIT | 9}, {"nineteen", TEEN | 19},
    {"nineteenth", ORDINAL | 19}, {"ninety", TENS | 90}, {"ninth", ORDINAL | 9}, {"o", DIGIT | 0},
    {"oh", DIGIT | 0}, {"one", DIGIT | 1}, {"second", ORDINAL | 2}, {"seven", DIGIT | 7},
    {"seventeen", TEEN | 17}, {"seventeenth", ORDINAL | 17}, {"seventh", ORDINAL | 7},
    {"seventy", TENS | 70}, {"six", DIGIT | 6}, {"sixteen", TEEN | 16}, {"sixteenth", ORDINAL | 16},
    {"sixth", ORDINAL | 6}, {"sixty", TENS | 60}, {"ten", TEEN | 10}, {"tenth", ORDINAL | 10},
    {"third", ORDINAL | 3}, {"thirteen", TEEN | 13}, {"thirteenth", ORDINAL | 13},
    {"thirtieth", TENS_ORDINAL | 30}, {"thirty", TENS | 30}, {"thousand", THOUSAND},
    {"three", DIGIT | 3}, {"treble", REPEAT | 3}, {"triple", REPEAT | 3}, {"twelfth", ORDINAL | 12},
    {"twelve", TEEN | 12}, {"twentieth", TENS_ORDINAL | 20}, {"twenty", TENS | 20},
    {"two", DIGIT | 2}, {"zero", DIGIT | 0},
};
/* clang-format on */
const struct word_table number_words = WORD_TABLE(entries);

static bool is_sort(struct cursor *cursor, uint32_t index, uint32_t sort, uint32_t *out)
{
    const uint32_t found = glance_word(cursor, index, &number_words);
    *out = found & VALUE;
    return found != 0 && (found & SORT) == sort;
}

bool number_words_digit(struct cursor *cursor, uint32_t index, uint32_t *out)
{
    return is_sort(cursor, index, DIGIT, out);
}

uint32_t number_words_repeat(struct cursor *cursor, uint32_t index)
{
    uint32_t times = 0;
    return is_sort(cursor, index, REPEAT, &times) ? times : 0;
}

/* The index after one space or hyphen, where the second half of "ninety-two" may stand. */
static uint32_t joint(struct cursor *cursor, uint32_t index)
{
    const bool joins =
        cursor_is_class(cursor, index, LEXEME_SPACE) || glance_mark(cursor, index, "-") != '\0';
    return joins ? index + 1 : 0;
}

uint32_t number_words_pair(struct cursor *cursor, uint32_t index, uint32_t *out)
{
    uint32_t unit = 0;
    if (is_sort(cursor, index, TEEN, out)) {
        return index + 1;
    }
    if (!is_sort(cursor, index, TENS, out)) {
        return 0;
    }
    const uint32_t second = joint(cursor, index + 1);
    if (second != 0 && is_sort(cursor, second, DIGIT, &unit) && unit > 0) {
        *out += unit;
        return second + 1;
    }
    return index + 1;
}

static uint32_t below_hundred(struct cursor *cursor, uint32_t index, uint32_t *out)
{
    return is_sort(cursor, index, DIGIT, out) ? index + 1 : number_words_pair(cursor, index, out);
}

/* " hundred", " hundred and " or " hundred ": the index where the rest may stand. */
static uint32_t after_hundred(struct cursor *cursor, uint32_t index, uint32_t *rest)
{
    uint32_t none = 0;
    if (!is_sort(cursor, index, HUNDRED, &none)) {
        return 0;
    }
    *rest = joint(cursor, index + 1);
    if (*rest != 0 && cursor_is(cursor, *rest, "and")) {
        *rest = joint(cursor, *rest + 1);
    }
    return index + 1;
}

uint32_t number_words_cardinal(struct cursor *cursor, uint32_t index, uint32_t *out)
{
    uint32_t rest = 0;
    uint32_t hundred = index;
    if (cursor_is(cursor, index, "one")) {
        hundred = joint(cursor, index + 1);
    }
    const uint32_t end = hundred == 0 ? 0 : after_hundred(cursor, hundred, &rest);
    if (end == 0) {
        return below_hundred(cursor, index, out);
    }
    const uint32_t whole = rest == 0 ? 0 : below_hundred(cursor, rest, out);
    *out = whole == 0 ? 100 : 100 + *out;
    return whole == 0 ? end : whole;
}

/* "16th": digits and an ending, in one lexeme. */
static bool is_written_ordinal(struct cursor *cursor, uint32_t index, uint32_t *out)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    if (!lexeme || lexeme->class != LEXEME_MIXED || lexeme->folded_bytes < 3
        || lexeme->folded_bytes > 5) {
        return false;
    }
    const char *text = lexeme_text(&cursor->reading->view, index);
    const size_t digits = (size_t)lexeme->folded_bytes - 2;
    *out = 0;
    for (size_t i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        *out = *out * 10 + (uint32_t)(text[i] - '0');
    }
    static const char *const endings[] = {"st", "nd", "rd", "th"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (memcmp(text + digits, endings[i], 2) == 0) {
            return true;
        }
    }
    return false;
}

uint32_t number_words_ordinal(struct cursor *cursor, uint32_t index, uint32_t *out)
{
    uint32_t unit = 0;
    if (is_written_ordinal(cursor, index, out) || is_sort(cursor, index, ORDINAL, out)
        || is_sort(cursor, index, TENS_ORDINAL, out)) {
        return index + 1;
    }
    if (!is_sort(cursor, index, TENS, out)) {
        return 0;
    }
    const uint32_t second = joint(cursor, index + 1);
    if (second != 0 && is_sort(cursor, second, ORDINAL, &unit) && unit < 10) {
        *out += unit;
        return second + 1;
    }
    return 0;
}

/* "two thousand", "two thousand and five", "two thousand twenty one". */
static uint32_t year_of_thousands(struct cursor *cursor, uint32_t index, uint32_t *out)
{
    uint32_t rest = 0;
    const uint32_t thousand = cursor_is(cursor, index, "two") ? joint(cursor, index + 1) : 0;
    if (thousand == 0 || !is_sort(cursor, thousand, THOUSAND, &rest)) {
        return 0;
    }
    uint32_t next = joint(cursor, thousand + 1);
    if (next != 0 && cursor_is(cursor, next, "and")) {
        next = joint(cursor, next + 1);
    }
    const uint32_t end = next == 0 ? 0 : below_hundred(cursor, next, &rest);
    *out = 2000 + (end == 0 ? 0 : rest);
    return end == 0 ? thousand + 1 : end;
}

uint32_t number_words_year(struct cursor *cursor, uint32_t index, uint32_t *out)
{
    uint32_t century = 0;
    uint32_t rest = 0;
    const bool opens =
        is_sort(cursor, index, TEEN, &century) ? century >= 18 : cursor_is(cursor, index, "twenty");
    if (!opens) {
        return year_of_thousands(cursor, index, out);
    }
    const uint32_t next = joint(cursor, index + 1);
    if (next == 0) {
        return 0;
    }
    *out = (century >= 18 ? century : 20) * 100;
    if (is_sort(cursor, next, HUNDRED, &rest)) {
        return next + 1;
    }
    uint32_t end = number_words_pair(cursor, next, &rest);
    if (end == 0 && is_sort(cursor, next, DIGIT, &rest) && rest == 0) { /* nineteen oh five */
        const uint32_t last = joint(cursor, next + 1);
        end = last != 0 && is_sort(cursor, last, DIGIT, &rest) ? last + 1 : 0;
    }
    *out += rest;
    return end;
}
