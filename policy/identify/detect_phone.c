/* detect_phone.c - PHONE and FAX: numbers of the North American plan, international ones, those of
 * other countries, vanity letters, digits spelled out or spaced. Any area code counts: where the
 * shape is that of a phone, it is one. Shapes that other numbers have too need a word around them.
 */
#include <string.h>

#include "policy/identify/date/calendar.h"
#include "policy/identify/detector.h"
#include "policy/identify/phone/phone_words.h"
#include "policy/identify/phone/spelled_digits.h"
#include "policy/identify/words/glance.h"
#include "policy/identify/words/number_words.h"
#include "policy/identify/words/plain_words.h"

enum {
    GROUPS_MAX = 8,
    DIGITS_MIN = 7,
    DIGITS_MAX = 15, /* E.164 */
    NATIONAL_MAX = 13,
    EXTENSION_DIGITS_MAX = 6
};

struct groups {                /* of digits, as they were written */
    uint32_t ends[GROUPS_MAX]; /* index after each */
    uint8_t lengths[GROUPS_MAX];
    char marks[GROUPS_MAX]; /* in front of each: ' ', '-', '.', '/' ..., ')' behind "(123)", 0 */
    uint32_t count, total;
    bool has_paren; /* the first stands in parentheses */
    bool has_plus;
};

/* ---- groups of digits ---------------------------------------------------------------------- */

/* Between two groups: the index of the next group, 0: none. Sets the mark. */
static uint32_t separator(struct cursor *cursor, uint32_t index, char *mark)
{
    uint32_t next = glance_spaces(cursor, index);
    const bool is_spaced = next != index;
    *mark = is_spaced ? ' ' : '\0';
    const char found = glance_mark(cursor, next, "-./_~*|");
    if (found != '\0') {
        *mark = found;
        const uint32_t twice = glance_mark(cursor, next + 1, "-_~*|") == found; /* "415--555" */
        const uint32_t behind = next + 1 + twice;
        next = glance_spaces(cursor, behind);
        const bool is_sentence_end = !is_spaced && next != behind; /* "0966. 5" */
        return is_sentence_end && found == '.' ? 0 : next;
    }
    return next == index ? 0 : next;
}

/* "(0)", "(598)": the digits inside; end is the index after the parenthesis. */
static bool paren_group(struct cursor *cursor, uint32_t index, struct glance_digits *digits)
{
    return cursor_is(cursor, index, "(") && glance_digits(cursor, index + 1, digits)
           && digits->count <= 5 && cursor_is(cursor, index + 2, ")");
}

static void push(struct groups *groups, uint32_t length, uint32_t end, char mark)
{
    groups->lengths[groups->count] = (uint8_t)length;
    groups->ends[groups->count] = end;
    groups->marks[groups->count] = mark;
    groups->count++;
    groups->total += length;
}

/* One more group at index, if the total stays within the limit. */
static uint32_t add_group(struct cursor *cursor, uint32_t index, char mark, struct groups *groups)
{
    struct glance_digits digits;
    if (groups->count == GROUPS_MAX) {
        return 0;
    }
    if (paren_group(cursor, index, &digits) && groups->total + digits.count <= DIGITS_MAX) {
        push(groups, digits.count, index + 3, mark);
        groups->has_paren |= groups->count <= 2;
        return index + 3;
    }
    if (glance_digits(cursor, index, &digits) && digits.count <= DIGITS_MAX
        && groups->total + digits.count <= DIGITS_MAX) {
        push(groups, digits.count, index + 1, mark);
        return index + 1;
    }
    return 0;
}

/* Behind a parenthesis nothing needs to stand before the next group. */
static uint32_t next_group(struct cursor *cursor, uint32_t index, const struct groups *groups,
                           char *mark)
{
    const uint32_t next = separator(cursor, index, mark);
    if (next != 0) {
        return next;
    }
    const bool after_paren = groups->count > 0 && cursor_is(cursor, index - 1, ")");
    *mark = after_paren ? ')' : '\0';
    return after_paren || cursor_is(cursor, index, "(") ? index : 0;
}

/* ---- extension ----------------------------------------------------------------------------- */

/* "3560x4587", "x12", "ext12": where the letters of an extension end; 0: no such lexeme. */
static uint32_t extension_letters(const char *text, uint32_t length, uint32_t from)
{
    static const char *const forms[] = {"extension", "ext", "x"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const uint32_t bytes = (uint32_t)strlen(forms[i]);
        if (length - from >= bytes && memcmp(text + from, forms[i], bytes) == 0) {
            return from + bytes;
        }
    }
    return 0;
}

/* A MIXED of `digits` digits, an extension's letters and its digits. */
static bool is_with_extension(struct cursor *cursor, uint32_t index, uint32_t digits)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    if (!lexeme || lexeme->class != LEXEME_MIXED || lexeme->folded_bytes <= digits) {
        return false;
    }
    const char *text = lexeme_text(&cursor->reading->view, index);
    for (uint32_t i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    const uint32_t rest = extension_letters(text, lexeme->folded_bytes, digits);
    return rest != 0 && lexeme->folded_bytes > rest
           && lexeme->folded_bytes - rest <= EXTENSION_DIGITS_MAX && text[rest] >= '0'
           && text[rest] <= '9';
}

/* " ext. 12", ", x12", " x 12", " #12": the index after it, or the index itself. */
static uint32_t extension(struct cursor *cursor, uint32_t index)
{
    struct glance_digits digits;
    uint32_t next = glance_spaces(cursor, index);
    if (next == index && cursor_is(cursor, next, ",")) {
        next = glance_spaces(cursor, next + 1);
    }
    if (is_with_extension(cursor, next, 0)) {
        return next + 1;
    }
    if (!(glance_word(cursor, next, &phone_words) & PHONE_WORDS_EXTENSION)) {
        return index;
    }
    next++;
    if (glance_mark(cursor, next, ".:") != '\0') {
        next++;
    }
    next = glance_spaces(cursor, next);
    return glance_digits(cursor, next, &digits) && digits.count <= EXTENSION_DIGITS_MAX ? next + 1
                                                                                        : index;
}

/* ---- the words around ---------------------------------------------------------------------- */

/* Nothing touches the end that would make it a part of something longer. */
static bool ends_well(struct cursor *cursor, uint32_t end)
{
    return !glance_goes_on(cursor, end, "-./:@") && glance_mark(cursor, end, "%@") == '\0';
}

static struct finding found(struct cursor *cursor, uint32_t end)
{
    if (end == 0) {
        return glance_finding(cursor, 0, POLICY_PHONE);
    }
    end = extension(cursor, end);
    const bool is_fax = phone_words_is_fax(cursor, cursor->reading->view.at, end);
    return glance_finding(cursor, end, is_fax ? POLICY_FAX : POLICY_PHONE);
}

/* ---- North America ------------------------------------------------------------------------- */

/* The last four digits, which may carry an extension: "0966", "0966x45". */
static uint32_t last_four(struct cursor *cursor, uint32_t index)
{
    struct glance_digits digits;
    if (glance_digits(cursor, index, &digits)) {
        return digits.count == 4 ? index + 1 : 0;
    }
    return is_with_extension(cursor, index, 4) ? index + 1 : 0;
}

/* 586-7565, 586 7565, 5867565. */
static uint32_t seven(struct cursor *cursor, uint32_t index, char *mark)
{
    struct glance_digits digits;
    if (is_with_extension(cursor, index, 7)) {
        return index + 1;
    }
    if (!glance_digits(cursor, index, &digits)) {
        return 0;
    }
    *mark = '\0';
    if (digits.count == 7) {
        return index + 1;
    }
    const uint32_t next = digits.count == 3 ? separator(cursor, index + 1, mark) : 0;
    return next == 0 ? 0 : last_four(cursor, next);
}

/* An area code of three digits, also in parentheses, and seven more. */
static uint32_t ten(struct cursor *cursor, uint32_t index)
{
    struct groups groups = {0};
    char mark = '\0';
    const uint32_t end = add_group(cursor, index, '\0', &groups);
    if (end == 0 || groups.lengths[0] != 3) {
        return 0;
    }
    uint32_t next = next_group(cursor, end, &groups, &mark);
    if (next != 0) {
        return seven(cursor, next, &mark);
    }
    if (glance_mark(cursor, end, ",") == '\0') {
        return 0;
    }
    next = glance_spaces(cursor, end + 1); /* "area code 798, 586-7565" */
    const uint32_t last = seven(cursor, next, &mark);
    return mark == '-' ? last : 0;
}

/* 1 and a separator, or nothing: where the area code may begin. */
static uint32_t after_one(struct cursor *cursor, uint32_t index)
{
    char mark = '\0';
    if (!cursor_is(cursor, index, "1") && !cursor_is(cursor, index, "01")) {
        return 0;
    }
    const uint32_t next = separator(cursor, index + 1, &mark);
    if (next != 0) {
        return next;
    }
    return cursor_is(cursor, index + 1, "(") ? index + 1 : 0;
}

/* 7985867565 and 17985867565: ten digits, unless the words in front make them something else. */
static uint32_t ten_solid(struct cursor *cursor, uint32_t index)
{
    struct glance_digits digits;
    const bool is_ten =
        glance_digits(cursor, index, &digits)
        && (digits.count == 10
            || (digits.count == 11 && *lexeme_text(&cursor->reading->view, index) == '1'));
    if (!is_ten && !is_with_extension(cursor, index, 10)) {
        return 0;
    }
    return phone_words_before(cursor, index) == PHONE_WORDS_OTHER ? 0 : index + 1;
}

static uint32_t american(struct cursor *cursor, uint32_t at)
{
    const uint32_t code = after_one(cursor, at);
    uint32_t end = code == 0 ? ten(cursor, at) : ten(cursor, code);
    if (end == 0) {
        end = ten_solid(cursor, code == 0 ? at : code);
    }
    return end != 0 && ends_well(cursor, end) ? end : 0;
}

/* 586-7565 by its shape; 586 7565 and 5867565 where a phone is spoken of. */
static uint32_t local(struct cursor *cursor, uint32_t at)
{
    char mark = '\0';
    const uint32_t end = seven(cursor, at, &mark);
    if (end == 0 || !ends_well(cursor, end) || plain_words_unit_follows(cursor, end)) {
        return 0;
    }
    const bool is_known = mark == '-' && phone_words_before(cursor, at) != PHONE_WORDS_OTHER;
    return is_known || phone_words_around(cursor, at, end) ? end : 0;
}

/* ---- letters ------------------------------------------------------------------------------- */

static bool is_toll_free(struct cursor *cursor, uint32_t index)
{
    struct glance_digits digits;
    if (!glance_digits(cursor, index, &digits) || digits.count != 3) {
        return false;
    }
    const uint32_t code = digits.value;
    return code / 100 == 8 && code / 10 % 10 == code % 10 && code != 811; /* 800, 833 .. 888 */
}

/* "FLOWERS", "273-TALK", "GET-HELP": 7 to 12 letters and digits, joined by hyphens. */
static uint32_t vanity_tail(struct cursor *cursor, uint32_t index, bool is_free)
{
    uint32_t total = 0;
    uint32_t letters = 0;
    uint32_t end = 0;
    for (uint32_t i = 0; i < 4; i++) {
        const struct lexeme *part = cursor_lexeme(cursor, index);
        if (!part
            || (part->class != LEXEME_WORD && part->class != LEXEME_NUMBER
                && part->class != LEXEME_MIXED)
            || part->letter_case == CASE_CAPITAL) {
            break;
        }
        total += part->folded_bytes;
        letters += part->class != LEXEME_NUMBER ? part->folded_bytes : 0;
        end = index + 1;
        if (total >= DIGITS_MIN || glance_mark(cursor, end, "-.") == '\0') {
            break;
        }
        index = end + 1;
    }
    return letters >= (is_free ? 1U : 3U) && total >= DIGITS_MIN && total <= NATIONAL_MAX ? end : 0;
}

/* 1-800-FLOWERS, 305-555-CARS. */
static uint32_t vanity(struct cursor *cursor, uint32_t at)
{
    struct groups groups = {0};
    const uint32_t code = after_one(cursor, at);
    const uint32_t area = code == 0 ? at : code;
    const uint32_t end = add_group(cursor, area, '\0', &groups);
    if (end == 0 || groups.lengths[0] != 3) {
        return 0;
    }
    const bool is_free = is_toll_free(cursor, groups.has_paren ? area + 1 : area);
    uint32_t next = glance_mark(cursor, end, "-.") != '\0' ? end + 1 : 0;
    if (next == 0 && (is_free || groups.has_paren)) {
        next = glance_spaces(cursor, end);
        const struct lexeme *word = next == end ? NULL : cursor_lexeme(cursor, next);
        if (!word || word->letter_case != CASE_UPPER) {
            return 0;
        }
    }
    if (next == 0 || (!is_free && !cursor_is_class(cursor, next, LEXEME_NUMBER))) {
        return 0;
    }
    return vanity_tail(cursor, next, is_free);
}

/* ---- other countries ----------------------------------------------------------------------- */

/* Digits and groups as long as they go on; an extension may hang on the last. */
static void read_groups(struct cursor *cursor, uint32_t index, uint32_t total_max,
                        struct groups *groups)
{
    char mark = '\0';
    uint32_t end = add_group(cursor, index, '\0', groups);
    while (end != 0 && groups->count < GROUPS_MAX && groups->total < total_max) {
        const uint32_t next = next_group(cursor, end, groups, &mark);
        struct glance_digits digits;
        const bool fits = next != 0
                          && (paren_group(cursor, next, &digits)
                              || (glance_digits(cursor, next, &digits) && digits.count > 0))
                          && groups->total + digits.count <= total_max;
        end = fits ? add_group(cursor, next, mark, groups) : 0;
    }
}

/* "(+44) 20 7946 0958" from the parenthesis on. */
static uint32_t international_in_paren(struct cursor *cursor, uint32_t index)
{
    struct groups groups = {0};
    struct glance_digits digits;
    if (!cursor_is(cursor, index + 1, "+") || !glance_digits(cursor, index + 2, &digits)
        || digits.count > 4 || !cursor_is(cursor, index + 3, ")")) {
        return 0;
    }
    read_groups(cursor, glance_spaces(cursor, index + 4), DIGITS_MAX - digits.count, &groups);
    return groups.total + digits.count >= DIGITS_MIN && groups.count > 0
               ? groups.ends[groups.count - 1]
               : 0;
}

/* Behind "+": a country's code and the rest, 7 to 15 digits. */
static uint32_t international(struct cursor *cursor, uint32_t index)
{
    struct groups groups = {0};
    if (cursor_is(cursor, index, "1")) { /* its groups are known, so that nothing is added */
        const uint32_t code = after_one(cursor, index);
        const uint32_t end = code == 0 ? 0 : ten(cursor, code);
        if (end != 0) {
            return end;
        }
    }
    read_groups(cursor, index, DIGITS_MAX, &groups);
    return groups.total >= DIGITS_MIN ? groups.ends[groups.count - 1] : 0;
}

/* "00" or "011" and a country's code. */
static bool is_international_prefix(struct cursor *cursor, uint32_t index)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, index);
    const char *text = lexeme_text(&cursor->reading->view, index);
    const uint32_t length = lexeme->folded_bytes;
    return (length >= 2 && memcmp(text, "00", 2) == 0 && (length == 2 || text[2] != '0'))
           || (length == 3 && memcmp(text, "011", 3) == 0);
}

static bool has_lengths(const struct groups *groups, uint32_t a, uint32_t b, uint32_t c)
{
    return groups->count == 3 && groups->lengths[0] == a && groups->lengths[1] == b
           && groups->lengths[2] == c;
}

/* Shapes of dates, SSN, ZIP+4 and addresses of machines. */
static bool is_other_shape(const struct groups *groups)
{
    if (has_lengths(groups, 3, 2, 4) || has_lengths(groups, 2, 2, 4) || has_lengths(groups, 1, 2, 4)
        || has_lengths(groups, 2, 1, 4) || has_lengths(groups, 4, 2, 2)
        || has_lengths(groups, 4, 1, 2) || has_lengths(groups, 1, 1, 4)) {
        return !groups->has_paren;
    }
    if (groups->count == 2 && groups->lengths[0] == 5 && groups->lengths[1] == 4) {
        return true;
    }
    return groups->count == 4 && groups->marks[1] == '.' && groups->marks[2] == '.'
           && groups->marks[3] == '.';
}

/* One mark throughout; the first may differ ("089/1234 567", "(08) 8747 6301"). */
static bool is_even(const struct groups *groups)
{
    for (uint32_t i = 2; i < groups->count; i++) {
        if (groups->marks[i] != groups->marks[1] && groups->marks[i] != ' '
            && groups->marks[i] != '-') {
            return false;
        }
    }
    return groups->count < 2 || groups->marks[1] != '/' || groups->count == 2
           || groups->marks[2] != '/';
}

/* "056 590 36 33", "0490 75 40 81", "(08) 8747 6301": a trunk 0 or parentheses say what it is. */
static bool is_phone_shape(struct cursor *cursor, uint32_t at, const struct groups *groups)
{
    if (groups->has_paren) {
        return groups->count >= 2 && groups->lengths[0] >= 2;
    }
    const char *text = lexeme_text(&cursor->reading->view, at);
    const bool has_trunk = text[0] == '0' && (groups->lengths[0] < 2 || text[1] != '0');
    return has_trunk && groups->count >= 2 && groups->lengths[0] >= 2 && groups->lengths[0] <= 5
           && groups->total >= 9;
}

static uint32_t national(struct cursor *cursor, uint32_t at)
{
    struct groups groups = {0};
    read_groups(cursor, at, NATIONAL_MAX, &groups);
    if (groups.total < DIGITS_MIN || groups.lengths[0] < (groups.count > 2 ? 1 : 2)) {
        return 0;
    }
    const uint32_t end = groups.ends[groups.count - 1];
    if (!ends_well(cursor, end) || is_other_shape(&groups) || !is_even(&groups)) {
        return 0;
    }
    if (groups.count == 1 && groups.total > 11) {
        return 0;
    }
    if (is_phone_shape(cursor, at, &groups)
        && phone_words_before(cursor, at) != PHONE_WORDS_OTHER) {
        return end;
    }
    return !plain_words_unit_follows(cursor, end) && phone_words_around(cursor, at, end) ? end : 0;
}

/* ---- detector ------------------------------------------------------------------------------ */

static struct finding numbers(struct cursor *cursor, uint32_t at)
{
    uint32_t end = american(cursor, at);
    if (end == 0) {
        end = vanity(cursor, at);
    }
    if (end == 0 && cursor_is(cursor, at, "(")) {
        end = international_in_paren(cursor, at);
    }
    if (end == 0 && cursor_is_class(cursor, at, LEXEME_NUMBER)
        && is_international_prefix(cursor, at)) {
        end = international(cursor, at);
    }
    if (end == 0) {
        end = spelled_digits_match(cursor, at);
    }
    if (end == 0) {
        end = national(cursor, at);
    }
    return found(cursor, end != 0 ? end : local(cursor, at));
}

struct finding detect_phone(const struct reading *reading)
{
    struct cursor cursor = {.reading = reading};
    const uint32_t at = reading->view.at;
    const struct lexeme *first = cursor_lexeme(&cursor, at);
    if (first && first->class == LEXEME_WORD && !glance_word(&cursor, at, &number_words)) {
        return glance_finding(&cursor, 0, POLICY_PHONE); /* no digit that is said */
    }
    if (!first || first->class == LEXEME_SPACE || first->class == LEXEME_BREAK
        || first->class == LEXEME_GLYPH || glance_is_tail(&cursor, at, "-./:_")
        || (at > 0 && glance_mark(&cursor, at - 1, "$#=") != '\0')) {
        return glance_finding(&cursor, 0, POLICY_PHONE);
    }
    if (first->class == LEXEME_WORD) {
        return found(&cursor, spelled_digits_match(&cursor, at));
    }
    if (first->class == LEXEME_MARK) {
        if (cursor_is(&cursor, at, "+")) {
            const uint32_t next = glance_spaces(&cursor, at + 1);
            const uint32_t end = international(&cursor, next);
            return found(&cursor, end != 0 && ends_well(&cursor, end) ? end : 0);
        }
        if (!cursor_is(&cursor, at, "(")) {
            return glance_finding(&cursor, 0, POLICY_PHONE);
        }
    }
    return numbers(&cursor, at);
}
