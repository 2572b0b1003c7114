#include "policy/identify/number/long_code.h"

#include <string.h>

#include "policy/identify/number/check_digits.h"
#include "policy/identify/number/record_labels.h"

enum {
    DIGITS_MIN = 7,       /* of a number that nothing explains */
    MIXED_DIGITS_MIN = 5, /* beside letters */
    HEX_MIN = 16,
    BASE64_MIN = 24,
    CASED_MIN = 16,     /* letters of both cases and digits */
    PRINTABLE_MIN = 12, /* characters that hexadecimal may spell */
    CUT_MAX = 170
};

static const struct finding nothing = {.verdict = FINDING_NO};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int nibble(char c)
{
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_hex(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (nibble(text[i]) < 0) {
            return false;
        }
    }
    return length > 0;
}

/* Hexadecimal that spells text. */
static bool is_printable(const char *hex, size_t length)
{
    for (size_t i = 0; i + 1 < length; i += 2) {
        const int c = nibble(hex[i]) * 16 + nibble(hex[i + 1]);
        if (c < ' ' || c > '~') {
            return false;
        }
    }
    return length % 2 == 0 && length >= 2 * (size_t)PRINTABLE_MIN;
}

static uint32_t changes(const char *text, size_t length)
{
    uint32_t count = 0;
    for (size_t i = 1; i < length; i++) {
        count += is_digit(text[i]) != is_digit(text[i - 1]);
    }
    return count;
}

/* "2000iu", "100000mg": digits, then a unit. */
static bool is_measure(const char *text, size_t length)
{
    size_t digits = 0;
    while (digits < length && is_digit(text[digits])) {
        digits++;
    }
    return digits > 0 && digits < length && record_is_unit(text + digits, length - digits);
}

/* "C17H21NO4" */
static bool is_formula(const char *text, size_t length)
{
    size_t i = 1;
    while (i < length && is_digit(text[i])) {
        i++;
    }
    return text[0] == 'c' && i > 1 && i + 1 < length && text[i] == 'h' && is_digit(text[i + 1]);
}

/* ---- a run longer than a lexeme -------------------------------------------------------------- */

static struct finding cut_run(struct cursor *cursor, uint32_t at)
{
    const struct window_view *view = &cursor->reading->view;
    const bool goes_on = at > 0 && view->lexemes[at - 1].is_cut;
    if (!view->lexemes[at].is_cut && !goes_on) {
        return nothing;
    }
    uint32_t index = at;
    while (index < at + CUT_MAX && cursor_lexeme(cursor, index) && view->lexemes[index].is_cut) {
        index++;
    }
    index += cursor_is_alnum(cursor, index);
    return FINDING_IS(POLICY_CODE, index > at ? index - at : 1);
}

/* What an image leaves behind a full window: nothing but such lexemes as far as one can see. */
static struct finding deep_run(struct cursor *cursor, uint32_t at)
{
    uint32_t index = at;
    uint32_t left = 0;
    uint32_t count = 0;
    while (cursor_left(cursor, index, &left)) {
        const struct lexeme *lexeme = &cursor->reading->view.lexemes[left];
        const char mark = cursor_left_mark(cursor, index);
        const bool is_word = lexeme->class == LEXEME_WORD || lexeme->class == LEXEME_NUMBER
                             || lexeme->class == LEXEME_MIXED;
        if (!is_word && (mark == 0 || !strchr("+/=-_", mark))) {
            return nothing;
        }
        index = left;
        count++;
    }
    return count >= CURSOR_LEFT ? FINDING_IS(POLICY_CODE, 1) : nothing;
}

/* ---- base64  ----------------------------------------------------------------------------------
 */

/* Letters of both cases, digits, + and / without a blank. What is left of the case is that of each
 * lexeme, so it is not decoded. */
static struct finding base64(struct cursor *cursor, uint32_t at)
{
    struct cursor_code code;
    if (!cursor_code(cursor, at, "+/", &code)) {
        return nothing;
    }
    bool is_cased = false;
    bool has_lower = false;
    bool has_upper = false;
    for (uint32_t i = 0; i < code.group_count; i++) {
        is_cased = is_cased || code.groups[i].letter_case == CASE_MIXED;
        has_lower = has_lower || code.groups[i].letter_case == CASE_LOWER;
        has_upper = has_upper || code.groups[i].letter_case == CASE_UPPER;
    }
    is_cased = is_cased || (has_lower && has_upper && code.digits > 2);
    uint32_t end = code.end;
    while (cursor_mark(cursor, end) == '=') {
        end++;
    }
    const bool is_padded = end > code.end;
    const bool is_long = code.length >= BASE64_MIN || (code.length >= CASED_MIN && code.digits >= 2)
                         || (code.length >= 8 && is_padded);
    return is_cased && is_long && (code.digits > 0 || is_padded)
               ? FINDING_IS(POLICY_SECRET, end - at)
               : nothing;
}

/* ---- one lexeme ------------------------------------------------------------------------------ */

static struct finding single(const struct cursor *cursor, uint32_t at)
{
    const struct window_view *view = &cursor->reading->view;
    const char *text = lexeme_text(view, at);
    const size_t length = view->lexemes[at].folded_bytes;
    uint32_t digits = 0;
    for (size_t i = 0; i < length; i++) {
        digits += is_digit(text[i]);
    }
    const size_t start = length > 2 && memcmp(text, "0x", 2) == 0 ? 2 : 0;
    if (length >= HEX_MIN && is_hex(text + start, length - start)) {
        const bool is_text = is_printable(text + start, length - start);
        return FINDING_IS(is_text ? POLICY_SECRET : POLICY_CODE, 1);
    }
    if (view->lexemes[at].class != LEXEME_MIXED || is_measure(text, length)
        || is_formula(text, length)) {
        return nothing;
    }
    const bool is_code = digits >= MIXED_DIGITS_MIN || (length >= 12 && digits >= 3)
                         || (length >= HEX_MIN && digits >= 2)
                         || (length >= 8 && digits >= 3 && changes(text, length) >= 3)
                         || (length >= 7 && digits >= 4 && changes(text, length) >= 2);
    return is_code ? FINDING_IS(POLICY_CODE, 1) : nothing;
}

/* ---- groups with hyphens --------------------------------------------------------------------- */

static bool has_sizes(const struct cursor_code *code, const char *sizes)
{
    const size_t count = strlen(sizes);
    for (size_t i = 0; i < count && i < code->group_count; i++) {
        if (code->groups[i].length != (uint32_t)(sizes[i] - '0')) {
            return false;
        }
    }
    return code->group_count == count;
}

static bool is_century(const char *text)
{
    return memcmp(text, "19", 2) == 0 || memcmp(text, "20", 2) == 0;
}

/* Digit groups that other detectors look at: telephone numbers, dates, spans of years, of round
 * amounts. */
static bool is_explained(const struct cursor_code *code)
{
    static const char *const shapes[] = {"334", "1334", "34",  "134", "422", "224", "124",
                                         "214", "114",  "421", "412", "411", "234", "2334"};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (has_sizes(code, shapes[i])) {
            return true;
        }
    }
    if (code->group_count != 2) {
        return false;
    }
    const char *second = code->text + code->groups[0].length;
    const bool is_round =
        code->text[code->groups[0].length - 1] == '0' && code->text[code->length - 1] == '0';
    return (has_sizes(code, "44") && is_century(code->text) && is_century(second)) || is_round;
}

static bool is_uuid(const struct cursor_code *code)
{
    return code->length == 32 && code->group_count == 5 && code->groups[0].length == 8
           && code->groups[4].length == 12 && is_hex(code->text, 32);
}

static struct finding grouped(struct cursor *cursor, uint32_t at)
{
    struct cursor_code code;
    if (!cursor_code(cursor, at, "-_", &code) || code.group_count < 2) {
        return nothing;
    }
    const struct finding found = FINDING_IS(POLICY_CODE, code.end - at);
    if (is_uuid(&code)) {
        return found;
    }
    if (code.letters == 0) {
        const bool has_long = code.groups[0].length >= 5 || code.groups[1].length >= 5;
        const bool is_code = code.digits >= DIGITS_MIN
                             && (code.group_count > 2 || has_long || has_sizes(&code, "44"));
        return is_code && !is_explained(&code) ? found : nothing;
    }
    uint32_t mixed = 0; /* groups with a digit, of a size that keys and numbers have */
    for (uint32_t i = 0; i < code.group_count; i++) {
        mixed += code.groups[i].class != LEXEME_WORD && code.groups[i].length >= 4
                 && !(code.groups[i].length == 4 && code.groups[i].class == LEXEME_NUMBER
                      && code.group_count == 2);
    }
    const bool is_short_head = code.groups[0].class != LEXEME_WORD || code.groups[0].length <= 8;
    const bool is_code = (code.digits >= MIXED_DIGITS_MIN && mixed > 0 && is_short_head)
                         || (code.group_count >= 3 && mixed >= 2 && code.length >= 12);
    return is_code ? found : nothing;
}

/* Three groups and more joined by full stops: "123.456.789-09". */
static struct finding dotted(struct cursor *cursor, uint32_t at)
{
    struct cursor_code code;
    if (!cursor_code(cursor, at, ".-", &code) || code.group_count < 3 || code.letters > 0
        || code.digits < 9 || is_explained(&code)) {
        return nothing;
    }
    return FINDING_IS(POLICY_CODE, code.end - at);
}

/* ---- digits alone ---------------------------------------------------------------------------- */

static bool is_amount(struct cursor *cursor, uint32_t at)
{
    const struct window_view *view = &cursor->reading->view;
    uint32_t left = 0;
    if (cursor_left(cursor, at, &left)) {
        const struct lexeme *lexeme = &view->lexemes[left];
        const char mark = cursor_left_mark(cursor, at);
        const bool is_sign =
            lexeme->class == LEXEME_MARK && (mark == '$' || lexeme->folded_bytes > 1);
        const bool is_fraction = (mark == '.' || mark == ',') && left > 0
                                 && view->lexemes[left - 1].class == LEXEME_NUMBER;
        if (is_sign || is_fraction) {
            return true;
        }
    }
    const char *text = lexeme_text(view, at);
    const uint32_t length = view->lexemes[at].folded_bytes;
    const bool is_round = memcmp(text + length - 5, "00000", 5) == 0;
    const bool has_unit =
        cursor_mark(cursor, at + 1) == ' ' && cursor_is_class(cursor, at + 2, LEXEME_WORD)
        && record_is_unit(lexeme_text(view, at + 2), view->lexemes[at + 2].folded_bytes);
    return is_round || (length <= 8 && has_unit);
}

static bool is_telephone(const char *text, size_t length)
{
    const size_t start = length == 11 && text[0] == '1';
    return length - start == 10 && text[start] >= '2' && text[start + 3] >= '2';
}

static struct finding digits(struct cursor *cursor, uint32_t at)
{
    const struct window_view *view = &cursor->reading->view;
    const uint32_t length = view->lexemes[at].folded_bytes;
    if (view->lexemes[at].class != LEXEME_NUMBER || length < DIGITS_MIN || is_amount(cursor, at)) {
        return nothing;
    }
    const char *text = lexeme_text(view, at);
    const enum policy_kind kind = is_telephone(text, length)       ? POLICY_PHONE
                                  : check_digits_ssn(text, length) ? POLICY_SSN
                                                                   : POLICY_CODE;
    return FINDING_IS(kind, 1);
}

static bool is_plain_word(const struct lexeme *lexeme)
{
    return lexeme->class == LEXEME_WORD && !lexeme->is_cut
           && (lexeme->letter_case != CASE_MIXED || lexeme->folded_bytes < 8);
}

struct finding long_code_find(struct cursor *cursor, uint32_t at)
{
    static struct finding (*const steps[])(struct cursor * cursor, uint32_t at) = {
        cut_run, deep_run, base64, grouped, dotted, digits};
    const struct lexeme *lexeme = &cursor->reading->view.lexemes[at];
    const bool goes_on = at > 0 && cursor->reading->view.lexemes[at - 1].is_cut;
    if (is_plain_word(lexeme) && !goes_on) { /* "ABC-12345" */
        const struct finding deep = deep_run(cursor, at);
        return deep.verdict == FINDING_NO && cursor_mark(cursor, at + 1) == '-'
                   ? grouped(cursor, at)
                   : deep;
    }
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const struct finding finding = steps[i](cursor, at);
        if (finding.verdict == FINDING_YES || cursor->is_starved) {
            return finding;
        }
    }
    return single(cursor, at);
}
