/* spelled_digits.c - see spelled_digits.h. */
#include "policy/identify/phone/spelled_digits.h"

#include "policy/identify/phone/phone_words.h"
#include "policy/identify/words/glance.h"
#include "policy/identify/words/number_words.h"

enum {
    DIGITS_MIN = 7,
    DIGITS_MAX = 20,  /* an account or card, read out */
    WRITTEN_MAX = 4,  /* digits of one group among words: "seven nine eight 586" */
    SINGLES_MIN = 4,  /* of the tokens, as "fifty five" may also count something */
    SINGLES_TOLD = 3, /* where a phone is spoken of */
    ANSWER_MAX = 4    /* of a questionnaire's items */
};

struct spelled {
    uint32_t total, tokens;
    uint32_t words;   /* of the tokens: as words */
    uint32_t singles; /* one digit each */
    uint32_t largest; /* digit */
    uint32_t last;
    bool rises, falls; /* by one from token to token: someone counts */
    bool has_comma;
};

static void add(struct spelled *spelled, uint32_t value, uint32_t digits)
{
    if (spelled->tokens > 0) {
        spelled->rises = spelled->rises && value == spelled->last + 1;
        spelled->falls = spelled->falls && value + 1 == spelled->last;
    }
    spelled->last = value;
    spelled->largest = value > spelled->largest ? value : spelled->largest;
    spelled->total += digits;
    spelled->tokens++;
    spelled->singles += digits == 1;
}

/* One token: a word, "double five", or a short group of digits. */
static uint32_t token(struct cursor *cursor, uint32_t index, struct spelled *spelled)
{
    struct glance_digits digits;
    uint32_t value = 0;
    if (glance_digits(cursor, index, &digits)) {
        if (digits.count > WRITTEN_MAX) {
            return 0;
        }
        add(spelled, digits.value, digits.count);
        return index + 1;
    }
    if (glance_word(cursor, index, &number_words) == 0) {
        return 0;
    }
    uint32_t end = number_words_digit(cursor, index, &value) ? index + 1 : 0;
    if (end != 0) {
        add(spelled, value, 1);
        const uint32_t next = cursor_is_class(cursor, end, LEXEME_SPACE) ? end + 1 : end;
        if (next != end && cursor_is(cursor, next, "hundred")) { /* eight hundred: 800 */
            spelled->total += 2;
            end = next + 1;
        }
    } else if ((end = number_words_pair(cursor, index, &value)) != 0) {
        add(spelled, value, 2);
    } else {
        const uint32_t times = number_words_repeat(cursor, index);
        const uint32_t next = times == 0 ? 0 : glance_spaces(cursor, index + 1);
        if (next == 0 || !number_words_digit(cursor, next, &value)) {
            return 0;
        }
        add(spelled, value, times);
        end = next + 1;
    }
    spelled->words++;
    return end;
}

WORD_LIST(said, "dash", "hyphen", "dot", "then", "space", "period");

/* Spaces, and one of "-.,", "dash" or "then": where the next token may begin. */
static uint32_t gap(struct cursor *cursor, uint32_t index, struct spelled *spelled)
{
    uint32_t next = glance_spaces(cursor, index);
    const char mark = glance_mark(cursor, next, "-.,");
    if (mark != '\0') {
        next = glance_spaces(cursor, next + 1);
    }
    spelled->has_comma |= mark == ',';
    if (next != index && cursor_is_any(cursor, next, &said)) {
        next = glance_spaces(cursor, next + 1);
    }
    return next == index ? 0 : next;
}

static bool is_number(struct cursor *cursor, uint32_t at, const struct spelled *spelled)
{
    if (spelled->total < DIGITS_MIN || spelled->total > DIGITS_MAX || spelled->rises
        || spelled->falls) {
        return false;
    }
    const bool is_told =
        (phone_words_before(cursor, at) & (PHONE_WORDS_PHONE | PHONE_WORDS_FAX)) != 0;
    if (spelled->singles < (is_told ? SINGLES_TOLD : SINGLES_MIN)) {
        return false;
    }
    if (spelled->words >= 2) {
        return true;
    }
    if (spelled->singles != spelled->tokens) {
        return false;
    }
    return is_told || (!spelled->has_comma && spelled->largest > ANSWER_MAX);
}

uint32_t spelled_digits_match(struct cursor *cursor, uint32_t at)
{
    struct spelled spelled = {.rises = true, .falls = true};
    uint32_t end = token(cursor, at, &spelled);
    if (end == 0) {
        return 0;
    }
    for (;;) {
        struct spelled tried = spelled;
        const uint32_t next = spelled.total > DIGITS_MAX ? 0 : gap(cursor, end, &tried);
        const uint32_t after = next == 0 ? 0 : token(cursor, next, &tried);
        if (after == 0) {
            break;
        }
        const bool is_group = tried.words == 0 && tried.singles != tried.tokens
                              && tried.tokens > 2; /* written groups: not spelled */
        if (is_group) {
            return 0;
        }
        spelled = tried;
        end = after;
    }
    return is_number(cursor, at, &spelled) ? end : 0;
}
