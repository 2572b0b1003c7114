/* Numbers that are known by their form or arithmetic. Where a form alone may be something else, a
 * word to the left must speak of it; a form that nothing else has (3-2-4, 4-4-4-4) is hidden even
 * where its arithmetic fails, since a patient's typing error identifies no less. What is left, long
 * numbers of no known form, is detect_secret's. */
#include <string.h>

#include "policy/identify/cursor.h"
#include "policy/identify/number/check_digits.h"
#include "policy/identify/number/spelled.h"

enum {
    SOCIAL_WORDS = 7,
    LAST_FOUR_WORDS = 8,
    CARD_WORDS = 8,
    SPOKEN_MIN = 7, /* digits, when said in words */
    SPACED_MIN = 8, /* digits, when written one by one */
    CARD_MIN = 12,
    CARD_MAX = 19
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

WORD_LIST(social_words, "ssn", "ssns", "ss", "social", "itin", "tin", "ein", "fein", "sin",
          "taxpayer", "nino", "tax");
WORD_LIST(social_sure, "ssn", "ssns", "social", "itin", "taxpayer", "nino", "ss");
WORD_LIST(card_words, "card", "cards", "visa", "mastercard", "amex", "debit", "credit", "discover",
          "maestro", "cc", "jcb", "diners", "unionpay", "express", "charge");
WORD_LIST(code_words, "cvv", "cvc", "cvv2", "cvc2", "cid", "csc");
WORD_LIST(bank_words, "routing", "aba", "rtn", "transit", "wire", "bank");
WORD_LIST(iban_words, "iban", "transfer", "wire", "bank", "sepa", "account");

/* A run of digits in groups: "451 73 4283". */
struct groups {
    char digits[CURSOR_CODE_BYTES + 1];
    uint32_t count, length;
    uint32_t sizes[CURSOR_GROUPS], ends[CURSOR_GROUPS];
    char joiners[CURSOR_GROUPS]; /* in front of the group */
};

/* A letter o or l among digits stands for 0 or 1. */
static bool add_group(const struct window_view *view, uint32_t index, struct groups *out)
{
    const struct lexeme *lexeme = &view->lexemes[index];
    const char *text = lexeme_text(view, index);
    if (out->count == CURSOR_GROUPS || lexeme->class == LEXEME_WORD
        || out->length + lexeme->folded_bytes > CURSOR_CODE_BYTES) {
        return false;
    }
    for (uint32_t i = 0; i < lexeme->folded_bytes; i++) {
        const char c = (char)(text[i] == 'o'                     ? '0'
                              : text[i] == 'l' || text[i] == 'i' ? '1'
                                                                 : text[i]);
        if (c < '0' || c > '9') {
            return false;
        }
        out->digits[out->length + i] = c;
    }
    out->length += lexeme->folded_bytes;
    out->digits[out->length] = 0;
    out->sizes[out->count] = lexeme->folded_bytes;
    out->ends[out->count++] = index + 1;
    return true;
}

static bool read_groups(struct cursor *cursor, uint32_t index, struct groups *out)
{
    char joiner = 0;
    *out = (struct groups){.count = 0};
    while (cursor_is_alnum(cursor, index)) {
        if (!add_group(&cursor->reading->view, index, out)) {
            break;
        }
        out->joiners[out->count - 1] = joiner;
        joiner = cursor_mark(cursor, index + 1);
        const bool was_slash = out->joiners[out->count - 1] == '/'; /* 7/10 is done */
        if (joiner == 0 || !strchr(" -./", joiner) || (was_slash && joiner != '/')) {
            break;
        }
        index += 2;
        if (joiner == '-' && cursor_mark(cursor, index) == ' ') {
            break;
        }
        if (joiner == ' ' && cursor_mark(cursor, index) == '-'
            && cursor_mark(cursor, index + 1) == ' ') {
            joiner = '-'; /* "123 - 45 - 6789" */
            index += 2;
        }
    }
    return out->count > 0;
}

/* The groups begin with these sizes, all joined alike. Returns how many groups, or 0. */
static uint32_t has_shape(const struct groups *groups, const char *sizes)
{
    const uint32_t count = (uint32_t)strlen(sizes);
    if (groups->count < count) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (groups->sizes[i] != (uint32_t)(sizes[i] - '0')
            || (i > 1 && groups->joiners[i] != groups->joiners[1])) {
            return 0;
        }
    }
    const bool goes_on = groups->count > count && groups->joiners[count] == '-';
    return goes_on ? 0 : count;
}

static struct finding is_groups(const struct cursor *cursor, const struct groups *groups,
                                uint32_t count, enum policy_kind kind)
{
    return FINDING_IS(kind, groups->ends[count - 1] - cursor->reading->view.at);
}

static const struct finding nothing = {.verdict = FINDING_NO};

static struct finding social(const struct cursor *cursor, const struct groups *groups)
{
    const bool is_spoken = cursor_has_context(cursor, &social_words, SOCIAL_WORDS);
    const bool is_issued =
        groups->length >= 9
        && (check_digits_ssn(groups->digits, 9) || check_digits_itin(groups->digits, 9));
    if (has_shape(groups, "324") && (is_spoken || is_issued || groups->joiners[1] == '-')) {
        return is_groups(cursor, groups, 3, POLICY_SSN);
    }
    if (has_shape(groups, "27") && groups->joiners[1] == '-') {
        return is_groups(cursor, groups, 2, POLICY_SSN);
    }
    const bool is_bare = groups->sizes[0] == 9 && (groups->count == 1 || groups->joiners[1] == ' ');
    if (is_bare && check_digits_routing(groups->digits, 9)
        && cursor_has_context(cursor, &bank_words, SOCIAL_WORDS)) {
        return is_groups(cursor, groups, 1, POLICY_ACCT);
    }
    if (is_bare && is_spoken) {
        return is_groups(cursor, groups, 1, POLICY_SSN);
    }
    if (!cursor_has_context(cursor, &social_sure, SOCIAL_WORDS)) {
        return nothing;
    }
    uint32_t length = 0;
    for (uint32_t i = 0; i < groups->count && groups->joiners[i] != '/'; i++) {
        length += groups->sizes[i];
        if (length >= 8 && length <= 11) { /* any grouping, and a digit too few */
            return is_groups(cursor, groups, i + 1, POLICY_SSN);
        }
    }
    return nothing;
}

WORD_LIST(end_words, "ending", "ends");

WORD_LIST(four_words, "four", "4", "digits");

WORD_LIST(last_words, "last", "final");

WORD_LIST(masks, "xxx", "xx", "xxxx");

WORD_LIST(money_words, "account", "acct", "checking", "savings", "bank");

/* 1234 of "last four of my social", "xxx-xx-1234", "card ending in 1234". */
static struct finding last_four(const struct cursor *cursor, const struct groups *groups)
{
    if (groups->sizes[0] != 4) {
        return nothing;
    }
    const uint32_t at = cursor->reading->view.at;
    uint32_t left = 0;
    const char mark = cursor_left_mark(cursor, at);
    const bool is_starred = mark == '*' || (mark == '-' && cursor_left_mark(cursor, at - 1) == '*');
    const bool is_masked = is_starred
                           || (mark == '-' && cursor_left_word(cursor, at, &left)
                               && cursor_left_is_any(cursor, left, &masks));
    const bool is_last = cursor_has_context(cursor, &end_words, 3)
                         || (cursor_has_context(cursor, &last_words, LAST_FOUR_WORDS)
                             && cursor_has_context(cursor, &four_words, LAST_FOUR_WORDS));
    const bool is_social = cursor_has_context(cursor, &social_sure, LAST_FOUR_WORDS);
    const bool is_card = cursor_has_context(cursor, &card_words, LAST_FOUR_WORDS)
                         || cursor_has_context(cursor, &money_words, 4);
    if (is_masked || (is_last && (is_social || is_card))) {
        const bool is_ssn = is_social || (is_masked && mark == '-' && !is_card);
        return is_groups(cursor, groups, 1, is_ssn ? POLICY_SSN : POLICY_ACCT);
    }
    return nothing;
}

static struct finding card(const struct cursor *cursor, const struct groups *groups)
{
    static const char *const shapes[] = {"4444", "44443", "465", "4443", "464", "44442", "44441"};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        const uint32_t count = has_shape(groups, shapes[COUNT(shapes) - 1 - i]);
        if (count > 0) {
            return is_groups(cursor, groups, count, POLICY_ACCT);
        }
    }
    const uint32_t length = groups->sizes[0];
    const bool is_spoken = cursor_has_context(cursor, &card_words, CARD_WORDS);
    if (length >= CARD_MIN && length <= CARD_MAX
        && (is_spoken || check_digits_card(groups->digits, length))) {
        return is_groups(cursor, groups, 1, POLICY_ACCT);
    }
    const bool is_code = (length == 3 || length == 4) && cursor_has_context(cursor, &code_words, 3);
    return is_code ? is_groups(cursor, groups, 1, POLICY_ACCT) : nothing;
}

/* Forms of other countries and offices, and of devices. */
static struct finding other_shape(const struct cursor *cursor, const struct groups *groups)
{
    static const struct {
        const char *sizes;
        enum policy_kind kind;
        bool needs_digits; /* a check digit or a hyphen, as spaced numbers may be a list */
    } shapes[] = {
        {"2661", POLICY_DEV, false}, /* IMEI */
        {"333", POLICY_SSN, true},   /* social insurance, tax file: CA, AU, FR */
        {"444", POLICY_SSN, false},  /* Aadhaar; member cards */
        {"4424", POLICY_ACCT, true},    {"451", POLICY_HPB, true}, /* Medicare: AU */
        {"1222332", POLICY_SSN, false},                            /* INSEE: FR */
        {"1222333", POLICY_SSN, false},
    };
    for (size_t i = 0; i < COUNT(shapes); i++) {
        const uint32_t count = has_shape(groups, shapes[i].sizes);
        const bool is_sure = !shapes[i].needs_digits || groups->joiners[count > 0] == '-'
                             || check_digits_luhn(groups->digits, 9);
        if (count > 0 && is_sure) {
            return is_groups(cursor, groups, count, shapes[i].kind);
        }
    }
    const bool is_npi =
        groups->sizes[0] == 10 && groups->digits[0] == '1' && check_digits_npi(groups->digits, 10);
    return is_npi ? is_groups(cursor, groups, 1, POLICY_LIC) : nothing;
}

static struct finding from_groups(struct cursor *cursor, uint32_t at)
{
    static struct finding (*const steps[])(const struct cursor *cursor,
                                           const struct groups *groups) = {social, last_four, card,
                                                                           other_shape};
    struct groups groups;
    if (cursor_left_mark(cursor, at) == '$' || !read_groups(cursor, at, &groups)) {
        return nothing;
    }
    for (size_t i = 0; i < COUNT(steps); i++) {
        const struct finding finding = steps[i](cursor, &groups);
        if (finding.verdict == FINDING_YES) {
            return finding;
        }
    }
    return nothing;
}

/* "nineteen ninety one nineteen ninety two" */
static bool are_years(const struct spelled *run)
{
    for (uint32_t i = 0; i < run->length; i += 4) {
        if (memcmp(run->digits + i, "19", 2) != 0 && memcmp(run->digits + i, "20", 2) != 0) {
            return false;
        }
    }
    return run->length % 4 == 0 && run->tokens < run->length;
}

/* Digits said or spaced: "zero one eight eight", "0 1 8 8". */
static struct finding said(struct cursor *cursor, uint32_t at)
{
    struct spelled run;
    if (!spelled_read(cursor, at, &run) || run.tokens < 2 + (run.words == 0)) {
        const bool is_one = run.tokens == 1 && run.words == 1 && run.length >= SPOKEN_MIN;
        if (!is_one) {
            return nothing;
        }
    }
    const bool is_spoken = cursor_has_context(cursor, &social_sure, SOCIAL_WORDS);
    if ((run.is_counting || are_years(&run)) && !is_spoken) {
        return nothing;
    }
    const bool is_spaced = run.words == 0 && run.length <= run.tokens + 1;
    const bool is_enough = run.words > 1 || (run.words == 1 && run.tokens < 3)
                               ? run.length >= SPOKEN_MIN
                               : is_spaced && run.length >= SPACED_MIN;
    if (!is_enough || (run.is_small && run.words == 0 && !is_spoken)) {
        return nothing;
    }
    const bool is_ssn = run.length == 9 && (is_spoken || check_digits_ssn(run.digits, 9));
    return FINDING_IS(is_ssn ? POLICY_SSN : POLICY_CODE, run.end - at);
}

/* "GB82 WEST 1234 5698 7654 32", with or without spaces. */
static struct finding iban(struct cursor *cursor, uint32_t at)
{
    const struct window_view *view = &cursor->reading->view;
    const char *text = lexeme_text(view, at);
    const size_t length = view->lexemes[at].folded_bytes;
    const size_t wanted = check_digits_iban_length(text, length);
    if (wanted == 0 || length < 4 || !check_digits_are_digits(text + 2, 2)
        || (length != wanted && length != 4)) {
        return nothing;
    }
    char joined[CURSOR_CODE_BYTES];
    size_t used = 0;
    uint32_t index = at;
    while (cursor_is_alnum(cursor, index) && used + view->lexemes[index].folded_bytes <= wanted) {
        memcpy(joined + used, lexeme_text(view, index), view->lexemes[index].folded_bytes);
        used += view->lexemes[index].folded_bytes;
        index++;
        const char joiner = (char)(used < wanted ? cursor_mark(cursor, index) : 0);
        if (joiner != ' ' && joiner != '-') {
            break;
        }
        index++;
    }
    const bool is_spoken = cursor_has_context(cursor, &iban_words, CARD_WORDS);
    const bool is_valid = used == wanted && (is_spoken || check_digits_iban(joined, used));
    return is_valid ? FINDING_IS(POLICY_ACCT, index - at) : nothing;
}

static bool is_letters_digits(const char *text, size_t length, size_t letters)
{
    for (size_t i = 0; i < letters && i < length; i++) {
        if (text[i] < 'a' || text[i] > 'z') {
            return false;
        }
    }
    return letters < length && check_digits_are_digits(text + letters, length - letters);
}

/* "QQ123456C" of the United Kingdom. */
static bool is_national_insurance(const char *text, size_t length)
{
    return length == 9 && text[8] >= 'a' && text[8] <= 'd' && is_letters_digits(text, 8, 2);
}

WORD_LIST(insurance_words, "nino", "insurance", "ni");

/* "QQ 12 34 56 C", where it is spoken of. */
static struct finding national_insurance(struct cursor *cursor, uint32_t at)
{
    const struct lexeme *lexeme = &cursor->reading->view.lexemes[at];
    if (lexeme->folded_bytes != 2 || (lexeme->letter_case != CASE_UPPER && lexeme->word != 0)
        || !cursor_has_context(cursor, &insurance_words, SOCIAL_WORDS)) {
        return nothing;
    }
    struct groups groups;
    const uint32_t first = cursor_skip_spaces(cursor, at + 1);
    if (!read_groups(cursor, first, &groups) || groups.length != 6) {
        return nothing;
    }
    uint32_t end = groups.ends[groups.count - 1];
    const uint32_t letter = cursor_skip_spaces(cursor, end);
    if (cursor_is_class(cursor, letter, LEXEME_WORD)
        && cursor->reading->view.lexemes[letter].folded_bytes == 1) {
        end = letter + 1;
    }
    return FINDING_IS(POLICY_SSN, end - at);
}

/* "1EG4" of "1EG4 TE5 MK73". */
static bool has_medicare_head(const char *text, size_t length)
{
    return length == 4 && text[0] > '0' && text[0] <= '9' && text[1] >= 'a' && text[1] <= 'z'
           && text[3] >= '0' && text[3] <= '9';
}

static struct finding from_code(struct cursor *cursor, uint32_t at)
{
    struct cursor_code code;
    struct finding finding = iban(cursor, at);
    const struct lexeme *lexeme = &cursor->reading->view.lexemes[at];
    const bool is_headed =
        has_medicare_head(lexeme_text(&cursor->reading->view, at), lexeme->folded_bytes);
    if (finding.verdict == FINDING_YES || cursor->is_starved
        || !cursor_code(cursor, at, is_headed ? "- " : "-", &code)) {
        return finding;
    }
    const uint32_t first = code.groups[0].length;
    uint32_t length = 0;
    for (uint32_t i = 0; i < code.group_count && length < 11; i++) {
        length += code.groups[i].length;
        if (length == 11 && check_digits_mbi(code.text, length)) {
            return FINDING_IS(POLICY_HPB, code.groups[i].end - at);
        }
        if (length == 9 && is_national_insurance(code.text, length)) {
            return FINDING_IS(POLICY_SSN, code.groups[i].end - at);
        }
    }
    if (check_digits_vin_shape(code.text, first)) {
        return FINDING_IS(POLICY_VEH, 1);
    }
    if (first == 9
        && is_letters_digits(code.text, first, 2)) { /* of the DEA; its digit may be wrong */
        return FINDING_IS(POLICY_LIC, 1);
    }
    return from_groups(cursor, at); /* o18-84-6246 */
}

/* "(01)00861234567890(17)260131(21)A1", a device identifier of GS1. */
static struct finding device(struct cursor *cursor, uint32_t at)
{
    enum { PARTS_MAX = 8, ITEM_DIGITS = 14 };
    uint32_t index = at;
    for (int parts = 0; parts < PARTS_MAX && cursor_mark(cursor, index) == '('; parts++) {
        const bool is_part = parts == 0 ? cursor_is(cursor, index + 1, "01")
                                        : cursor_is_class(cursor, index + 1, LEXEME_NUMBER);
        if (!is_part || cursor_mark(cursor, index + 2) != ')'
            || !cursor_is_alnum(cursor, index + 3)) {
            break;
        }
        if (parts == 0 && cursor->reading->view.lexemes[index + 3].folded_bytes != ITEM_DIGITS) {
            break;
        }
        struct cursor_code code;
        if (!cursor_code(cursor, index + 3, "-./", &code)) {
            break;
        }
        index = code.end;
    }
    return index > at ? FINDING_IS(POLICY_DEV, index - at) : nothing;
}

struct finding detect_number(const struct reading *reading)
{
    struct cursor cursor = {.reading = reading};
    const uint32_t at = reading->view.at;
    struct finding finding = nothing;
    switch ((enum lexeme_class)reading->view.lexemes[at].class) {
    case LEXEME_NUMBER:
        finding = from_groups(&cursor, at);
        break;
    case LEXEME_MIXED:
        finding = from_code(&cursor, at);
        break;
    case LEXEME_MARK:
        return cursor_answer(&cursor,
                             cursor_mark(&cursor, at) == '(' ? device(&cursor, at) : nothing);
    case LEXEME_WORD:
        finding = national_insurance(&cursor, at);
        break;
    case LEXEME_SPACE:
    case LEXEME_BREAK:
    case LEXEME_GLYPH:
        return nothing;
    }
    if (finding.verdict == FINDING_NO && !cursor.is_starved) {
        finding = said(&cursor, at);
    }
    return cursor_answer(&cursor, finding);
}
