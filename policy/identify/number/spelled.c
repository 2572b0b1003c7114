#include "policy/identify/number/spelled.h"

#include <string.h>

#include "policy/text/word_hash.h"

enum { TOKENS_MAX = 40, SMALL = 4 };

/* What a word adds. */
static const struct {
    const char *word, *digits;
} numerals[] = {
    {"zero", "0"},      {"one", "1"},       {"two", "2"},      {"three", "3"},
    {"four", "4"},      {"five", "5"},      {"six", "6"},      {"seven", "7"},
    {"eight", "8"},     {"nine", "9"},      {"oh", "0"},       {"o", "0"},
    {"nought", "0"},    {"naught", "0"},    {"niner", "9"},    {"fife", "5"},
    {"ten", "10"},      {"eleven", "11"},   {"twelve", "12"},  {"thirteen", "13"},
    {"fourteen", "14"}, {"fifteen", "15"},  {"sixteen", "16"}, {"seventeen", "17"},
    {"eighteen", "18"}, {"nineteen", "19"}, {"twenty", "20"},  {"thirty", "30"},
    {"forty", "40"},    {"fifty", "50"},    {"sixty", "60"},   {"seventy", "70"},
    {"eighty", "80"},   {"ninety", "90"},
};
static const struct word_table numeral_words = WORD_TABLE(numerals);

static const char *numeral_of(const char *text, size_t length, uint32_t hash)
{
    const uint32_t row = word_table_row(&numeral_words, hash, text, length);
    return row == 0 ? NULL : numerals[row - 1].digits;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool add(struct spelled *out, const char *digits, size_t length)
{
    if (out->length + length > SPELLED_DIGITS_MAX) {
        return false;
    }
    memcpy(out->digits + out->length, digits, length);
    out->length += (uint32_t)length;
    out->digits[out->length] = 0;
    return true;
}

/* "seventy" before "three" is a 7. */
static void join_tens(struct spelled *out, const char *digits)
{
    const uint32_t length = out->length;
    const bool is_unit = digits[1] == 0 && digits[0] != '0';
    if (is_unit && length >= 2 && out->digits[length - 1] == '0'
        && out->digits[length - 2] >= '2') {
        out->length--;
    }
}

/* A lexeme of digits and numerals, as "4five6": false if anything else is in it. */
static bool add_mixed(struct spelled *out, const char *text, size_t length)
{
    size_t i = 0;
    while (i < length) {
        size_t run = i + 1;
        while (run < length && is_digit(text[run]) == is_digit(text[i])) {
            run++;
        }
        const char *digits = text + i;
        if (!is_digit(text[i])) {
            digits = numeral_of(text + i, run - i, (uint32_t)word_hash(text + i, run - i));
        }
        if (!digits || !add(out, digits, is_digit(text[i]) ? run - i : strlen(digits))) {
            return false;
        }
        i = run;
    }
    return true;
}

struct token {
    bool is_word, was_ten;
};

static bool add_word(struct spelled *out, const char *text, const struct lexeme *lexeme,
                     struct token *token)
{
    const char *digits = numeral_of(text, lexeme->folded_bytes, lexeme->hash);
    if (!digits) {
        return false;
    }
    if (token->was_ten) {
        join_tens(out, digits);
    }
    token->was_ten = digits[1] == '0' && digits[0] >= '2';
    return add(out, digits, strlen(digits));
}

/* One lexeme, or "double five". Returns the index behind, or 0. */
static uint32_t read_token(struct cursor *cursor, uint32_t index, struct token *token,
                           struct spelled *out)
{
    if (!cursor_is_alnum(cursor, index)) {
        return 0;
    }
    const struct window_view *view = &cursor->reading->view;
    uint32_t times = 1;
    if (cursor_is(cursor, index, "double") || cursor_is(cursor, index, "triple")) {
        times = cursor_is(cursor, index, "double") ? 2 : 3;
        if (!cursor_is_class(cursor, index + 1, LEXEME_SPACE)
            || !cursor_is_alnum(cursor, index + 2)) {
            return 0;
        }
        index += 2;
    }
    const struct lexeme *lexeme = &view->lexemes[index];
    const char *text = lexeme_text(view, index);
    bool is_added = true;
    for (uint32_t i = 0; i < times && is_added; i++) {
        is_added = lexeme->class == LEXEME_WORD ? add_word(out, text, lexeme, token)
                                                : lexeme->folded_bytes <= SMALL * 4
                                                      && add_mixed(out, text, lexeme->folded_bytes);
    }
    token->is_word = lexeme->class != LEXEME_NUMBER;
    return is_added ? index + 1 : 0;
}

/* The index of the next token behind what stands between two, or 0. A comma or full stop is only
 * looked over once some words were read. */
static uint32_t next_token(struct cursor *cursor, uint32_t index, const struct spelled *so_far)
{
    const char mark = cursor_mark(cursor, index);
    const bool has_words = so_far->words > 1;
    if (mark == '-' || (has_words && (mark == ',' || mark == '.' || mark == '/'))) {
        index++;
        while (mark == '.' && cursor_mark(cursor, index) == '.') {
            index++;
        }
    } else if (mark != ' ' && !(mark == '\n' && has_words)) {
        return 0;
    }
    if (mark == '\n') {
        index++;
    }
    index = cursor_skip_spaces(cursor, index);
    const bool is_dash = mark == ' ' && cursor_mark(cursor, index) == '-'; /* "4 - 5" */
    return is_dash ? cursor_skip_spaces(cursor, index + 1) : index;
}

static void note_token(struct spelled *out, uint32_t from, int *value, int *step)
{
    int now = 0;
    for (uint32_t i = from; i < out->length && i < from + 3; i++) {
        now = now * 10 + (out->digits[i] - '0');
        out->is_small = out->is_small && out->digits[i] <= '0' + SMALL;
    }
    if (out->tokens == 2) {
        *step = now - *value;
        out->is_counting = *step == 1 || *step == -1;
    } else if (out->tokens > 2) {
        out->is_counting = out->is_counting && now - *value == *step;
    }
    *value = now;
}

bool spelled_read(struct cursor *cursor, uint32_t index, struct spelled *out)
{
    out->length = out->end = out->words = out->tokens = 0;
    out->digits[0] = 0;
    out->is_counting = false;
    out->is_small = true;
    struct token token = {false, false};
    int value = 0;
    int step = 0;
    while (out->tokens < TOKENS_MAX) {
        const uint32_t from = out->length;
        const uint32_t end = read_token(cursor, index, &token, out);
        if (end == 0) {
            out->length = from < out->length ? from : out->length;
            out->digits[out->length] = 0;
            break;
        }
        out->end = end;
        out->tokens++;
        out->words += token.is_word;
        note_token(out, from < out->length ? from : out->length - 1, &value, &step);
        index = next_token(cursor, end, out);
        if (index == 0) {
            break;
        }
    }
    return out->tokens > 0;
}
