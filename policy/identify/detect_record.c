/* Numbers that a word to the left says what they are ("MRN", "member id", "his plate is"), numbers
 * with such a word as prefix (MR52508528), and a tenant's own formats. record_labels.c has the
 * words. A value has digits; what a clinic writes all day (doses, dates, scores, ICD codes) is
 * none. */
#include <string.h>

#include "policy/identify/cursor.h"
#include "policy/identify/number/check_digits.h"
#include "policy/identify/number/record_labels.h"

enum {
    LOOKS_MAX = 28,    /* lexemes to the left */
    STRANGERS_MAX = 6, /* words that are no connectors between label and value */
    GROUP_MAX = 6,     /* characters of groups that a space may join */
    BARE_MIN = 6       /* of what is called a number, but of nothing */
};

static const struct finding nothing = {.verdict = FINDING_NO};

struct context {
    const struct record_label *label; /* NULL: none */
    bool is_explicit;                 /* ":", "is" between the two */
    bool is_numbered;                 /* "#", "number", "id" */
    bool has_id, has_number;          /* "id", or "number", stands there, of whatever */
};

/* One lexeme that is no word, between label and value. False: the label cannot be behind it. */
static bool look_over(const struct cursor *cursor, uint32_t index, uint32_t strangers,
                      struct context *context)
{
    switch (cursor_left_mark(cursor, index + 1)) {
    case '#':
        context->is_numbered = true;
        return true;
    case ':':
    case '=':
        context->is_explicit = true;
        return true;
    case ' ':
    case '\'':
    case '"':
    case '(':
    case ')':
    case '-':
    case '/':
    case ',':
    case '[':
    case '*':
    case '|':
        return true;
    case '\n': /* a form: the value in the line below */
        return strangers == 0;
    case '.': { /* "no. 5"; not the end of a sentence */
        uint32_t before = 0;
        return cursor_left(cursor, index, &before)
               && cursor->reading->view.lexemes[before].folded_bytes <= 4;
    }
    default:
        return false;
    }
}

static bool is_label(const struct cursor *cursor, uint32_t index, const struct record_label *label)
{
    uint32_t before = 0;
    if (!lexeme_is(&cursor->reading->view, index, label->word)) {
        return false;
    }
    return !label->before
           || (cursor_left_word(cursor, index, &before)
               && lexeme_is(&cursor->reading->view, before, label->before));
}

static const struct record_label *label_at(const struct cursor *cursor, uint32_t index,
                                           uint32_t strangers)
{
    const struct window_view *view = &cursor->reading->view;
    const struct record_label *labels = record_labels.rows;
    uint32_t row = cursor_row(view, index, &record_labels);
    for (; row > 0 && row <= record_labels.count; row++) { /* a word has several rows */
        const struct record_label *label = &labels[row - 1];
        if (label->strangers >= strangers && is_label(cursor, index, label)) {
            return label;
        }
    }
    return NULL;
}

static struct context context_of(const struct cursor *cursor, uint32_t strangers_max)
{
    struct context context = {NULL, false, false, false, false};
    uint32_t strangers = 0;
    uint32_t index = cursor->reading->view.at;
    for (int looks = 0; looks < LOOKS_MAX && cursor_left(cursor, index, &index); looks++) {
        const struct lexeme *lexeme = &cursor->reading->view.lexemes[index];
        if (lexeme->class != LEXEME_WORD) {
            if (lexeme->class == LEXEME_NUMBER || lexeme->class == LEXEME_MIXED) {
                strangers++;
            } else if (!look_over(cursor, index, strangers, &context)) {
                break;
            }
            continue;
        }
        context.label = label_at(cursor, index, strangers);
        if (context.label) {
            return context;
        }
        const enum record_link link = record_link_of(&cursor->reading->view, index);
        context.is_explicit = context.is_explicit || link == RECORD_LINK_SAYS;
        context.is_numbered = context.is_numbered || link == RECORD_LINK_NUMBER;
        const bool is_name = link == RECORD_LINK_NUMBER && strangers == 0;
        context.has_id =
            context.has_id || (is_name && lexeme_is(&cursor->reading->view, index, "id"));
        context.has_number =
            context.has_number || (is_name && lexeme_is(&cursor->reading->view, index, "number"));
        strangers += link == RECORD_LINK_NONE;
        if (strangers > strangers_max) {
            break;
        }
    }
    if (context.has_id || context.has_number) {
        context.label = context.has_id ? &record_id_label : &record_number_label;
    }
    return context;
}

/* ---- the value ------------------------------------------------------------------------------ */

/* Groups behind a space belong to it only while all are short, as in "1234 567 890". */
static void cut_at_space(struct cursor_code *code)
{
    uint32_t length = 0;
    uint32_t digits = 0;
    uint32_t used = 0;
    for (uint32_t i = 0; i < code->group_count; i++) {
        const struct cursor_group *group = &code->groups[i];
        const bool is_headed = i == 1 && code->groups[0].class == LEXEME_WORD; /* XEA 123456789 */
        const bool is_last = i > 1 && i + 1 == code->group_count;              /* 2123 45670 1 */
        const bool is_apart =
            group->joiner == ' '
            && (code->groups[i - 1].length > GROUP_MAX || (group->length < 2 && !is_last)
                || (group->length > GROUP_MAX && !is_headed));
        if (is_apart) {
            break;
        }
        for (uint32_t c = 0; c < group->length; c++) {
            digits += code->text[length + c] >= '0' && code->text[length + c] <= '9';
        }
        length += group->length;
        code->end = group->end;
        used++;
    }
    code->group_count = used;
    code->length = length;
    code->text[length] = 0;
    code->digits = digits;
    code->letters = length - digits;
}

static bool is_century(const char *text)
{
    return memcmp(text, "19", 2) == 0 || memcmp(text, "20", 2) == 0;
}

static bool is_year(const struct cursor_code *code)
{
    return code->letters == 0 && code->length == 4 && is_century(code->text);
}

/* Digits joined by what joins dates, decimals, scores and ranges. */
static bool is_plain_quantity(const struct cursor_code *code)
{
    if (code->letters > 0) {
        return false;
    }
    for (uint32_t i = 1; i < code->group_count; i++) {
        if (code->groups[i].joiner == '/' || (code->groups[i].joiner == '.' && code->length < 9)) {
            return true;
        }
    }
    const bool is_range = code->group_count == 2 && code->length < 8 && code->groups[0].length <= 3
                          && code->groups[1].length <= 3;
    return is_range || (code->group_count > 2 && code->length == code->group_count);
}

/* "20mg", "5th", "2000iu", "10am", "1990s": digits and then a short word. */
static bool is_measure(const struct cursor_code *code)
{
    uint32_t digits = 0;
    while (digits < code->length && code->text[digits] >= '0' && code->text[digits] <= '9') {
        digits++;
    }
    return digits > 0 && digits < code->length && code->group_count == 1
           && record_is_unit(code->text + digits, code->length - digits);
}

/* "F33.1", "296.32": ICD-10 and DSM. */
static bool is_diagnosis(const struct cursor_code *code)
{
    const bool is_icd = code->letters == 1 && code->text[0] >= 'a' && code->length >= 3
                        && code->length <= 5 && code->groups[0].length == 3;
    return is_icd
           && (code->group_count == 1 || (code->group_count == 2 && code->groups[1].joiner == '.'));
}

static bool has_unit_behind(struct cursor *cursor, uint32_t end)
{
    if (cursor_mark(cursor, end) != ' ' || !cursor_is_class(cursor, end + 1, LEXEME_WORD)) {
        return false;
    }
    const struct window_view *view = &cursor->reading->view;
    return record_is_unit(lexeme_text(view, end + 1), view->lexemes[end + 1].folded_bytes);
}

/* "36-year-old", "Apache-2.0": a number beside an ordinary word. */
static bool is_phrase(const struct cursor_code *code)
{
    bool has_word = false;
    for (uint32_t i = 0; i < code->group_count; i++) {
        has_word =
            has_word
            || (code->groups[i].class == LEXEME_WORD && code->groups[i].length > (i == 0 ? 4 : 2));
    }
    return has_word && code->digits < 4;
}

static bool is_plate(const struct cursor_code *code)
{
    return code->length >= 5 && code->length <= 8 && code->letters >= 1 && code->digits >= 2;
}

static bool fits(struct cursor *cursor, const struct cursor_code *code,
                 const struct context *context)
{
    const bool is_strong = context->label->is_strong;
    const bool is_numbered = context->is_numbered || code->text[0] == '0';
    if (code->digits < 2 || code->length < 4 || is_plain_quantity(code) || is_measure(code)
        || is_diagnosis(code) || is_phrase(code)
        || (is_year(code) && !(is_strong && (context->is_explicit || context->is_numbered)))) {
        return false;
    }
    if (context->label == &record_number_label && code->length < BARE_MIN) {
        return false;
    }
    if (context->label->is_plate) {
        return is_plate(code) || check_digits_vin_shape(code->text, code->length);
    }
    if (code->letters == 0) {
        const uint32_t least = is_strong || is_numbered ? 4 : context->is_explicit ? 5 : 6;
        return code->length >= least && (code->length > 5 || !has_unit_behind(cursor, code->end));
    }
    return is_strong || is_numbered || context->is_explicit || code->length >= 6
           || (code->length >= 5 && code->digits >= 3);
}

/* ---- what may stand at `at` ----------------------------------------------------------------- */

static struct finding with_context(struct cursor *cursor, uint32_t at, uint32_t strangers_max)
{
    const struct context context = context_of(cursor, strangers_max);
    struct cursor_code code;
    if (!context.label || !cursor_code(cursor, at, "-./_ ", &code)) {
        return nothing;
    }
    cut_at_space(&code);
    return fits(cursor, &code, &context) ? FINDING_IS(context.label->kind, code.end - at) : nothing;
}

static struct finding by_context(struct cursor *cursor, uint32_t at)
{
    return with_context(cursor, at, STRANGERS_MAX);
}

/* Letters that begin a value: "FZT-7462", "ABC 123". Ordinary words are left after one look. */
static struct finding by_context_word(struct cursor *cursor, uint32_t at)
{
    const struct lexeme *lexeme = &cursor->reading->view.lexemes[at];
    const char joiner = cursor_mark(cursor, at + 1);
    if (lexeme->folded_bytes > GROUP_MAX || (joiner != '-' && joiner != ' ' && joiner != '/')) {
        return nothing;
    }
    const bool may_be = joiner == '-'
                        || (lexeme->folded_bytes < GROUP_MAX
                            && (lexeme->letter_case == CASE_UPPER || !lexeme->word));
    const bool is_initial = lexeme->folded_bytes == 1 && lexeme->letter_case == CASE_UPPER;
    if (!may_be
        || (!is_initial && record_link_of(&cursor->reading->view, at) != RECORD_LINK_NONE)) {
        return nothing;
    }
    return with_context(cursor, at, joiner == ' ' ? 0 : STRANGERS_MAX);
}

/* "MR52508528", "SN3AC8FDF4FF2B", "LCSW-85279". */
static struct finding by_prefix(struct cursor *cursor, uint32_t at)
{
    const struct window_view *view = &cursor->reading->view;
    const struct lexeme *lexeme = &view->lexemes[at];
    const char *text = lexeme_text(view, at);
    const bool is_word = lexeme->class == LEXEME_WORD;
    size_t length = 0;
    enum policy_kind kind = POLICY_CODE;
    if (is_word && cursor_mark(cursor, at + 1) != '-') {
        return nothing;
    }
    if (!record_prefix(text, lexeme->folded_bytes, &length, &kind)
        || (is_word && length != lexeme->folded_bytes)) {
        return nothing;
    }
    struct cursor_code code;
    if (!cursor_code(cursor, at, "-", &code)) {
        return nothing;
    }
    const uint32_t rest = code.length - (uint32_t)length;
    const bool is_number =
        rest == code.digits && rest >= 4 && (rest > 4 || !is_century(code.text + length));
    const bool is_hex = rest >= 6 && code.digits >= 3;
    return is_number || is_hex ? FINDING_IS(kind, code.end - at) : nothing;
}

/* "AB12 CDE" or "123 ABC", where a vehicle is spoken of. */
static struct finding by_spaced_plate(struct cursor *cursor, uint32_t at)
{
    const struct window_view *view = &cursor->reading->view;
    const char *text = lexeme_text(view, at);
    const uint32_t length = view->lexemes[at].folded_bytes;
    const bool is_british =
        length == 4 && text[0] >= 'a' && text[1] >= 'a' && check_digits_are_digits(text + 2, 2);
    if (!is_british && !((length == 3 || length == 4) && check_digits_are_digits(text, length))) {
        return nothing;
    }
    const struct context context = context_of(cursor, STRANGERS_MAX);
    if (!context.label || context.label->kind != POLICY_VEH
        || !cursor_is_class(cursor, at + 1, LEXEME_SPACE)
        || !cursor_is_class(cursor, at + 2, LEXEME_WORD)) {
        return nothing;
    }
    const struct lexeme *letters = &view->lexemes[at + 2];
    const bool are_letters =
        letters->folded_bytes == 3
        && (letters->letter_case == CASE_UPPER || is_british || letters->word == 0);
    return are_letters ? FINDING_IS(POLICY_VEH, 3) : nothing;
}

/* Shapes that say what they are without a word. */
static struct finding by_shape(struct cursor *cursor, uint32_t at)
{
    const struct window_view *view = &cursor->reading->view;
    const char *text = lexeme_text(view, at);
    const size_t length = view->lexemes[at].folded_bytes;
    size_t letters = 0;
    while (letters < length && text[letters] >= 'a' && text[letters] <= 'z') {
        letters++;
    }
    const bool is_plain = check_digits_are_digits(text + letters, length - letters);
    if (is_plain && letters == 3 && length >= 11 && length <= 15) {
        return FINDING_IS(POLICY_HPB, 1);
    }
    if (is_plain && letters == 1 && length >= 8 && length <= 9) {
        return FINDING_IS(POLICY_LIC, 1);
    }
    const bool is_plate_shape = length == 7 && check_digits_are_digits(text, 1)
                                && check_digits_are_digits(text + 4, 3) && text[1] >= 'a'
                                && text[2] >= 'a' && text[3] >= 'a';
    return is_plate_shape && view->lexemes[at].letter_case == CASE_UPPER ? FINDING_IS(POLICY_VEH, 1)
                                                                         : nothing;
}

/* A device's label is part of what is hidden: "UDI 860464236288416", "serial no. 3AC8-FD". */
static struct finding by_device_label(struct cursor *cursor, uint32_t at)
{
    uint32_t index = at + 1;
    if (cursor_is(cursor, at, "s")) { /* S/N */
        if (cursor_mark(cursor, index) != '/' || !cursor_is(cursor, index + 1, "n")) {
            return nothing;
        }
        index += 2;
    } else if (!record_is_device_label(&cursor->reading->view, at)) {
        return nothing;
    }
    for (int looks = 0; looks < 8; looks++) {
        const char mark = cursor_mark(cursor, index);
        const bool is_link = cursor_is_class(cursor, index, LEXEME_WORD)
                             && record_link_of(&cursor->reading->view, index) != RECORD_LINK_NONE;
        if (!is_link && (mark == 0 || !strchr(" :#=.-", mark))) {
            break;
        }
        index++;
    }
    struct cursor_code code;
    if (!cursor_code(cursor, index, "-./", &code) || code.digits < 3 || code.length < 5
        || is_plain_quantity(&code) || is_measure(&code)) {
        return nothing;
    }
    return FINDING_IS(POLICY_DEV, code.end - at);
}

/* ---- a tenant's formats --------------------------------------------------------------------- */

static bool shape_fits(char shape, char c)
{
    const bool is_digit = c >= '0' && c <= '9';
    const bool is_letter = c >= 'a' && c <= 'z';
    switch (shape) {
    case 'A':
        return is_letter;
    case '9':
        return is_digit;
    case 'X':
        return is_digit || is_letter;
    default:
        return c == (char)(shape >= 'A' && shape <= 'Z' ? shape - 'A' + 'a' : shape);
    }
}

/* How many lexemes the shape takes, 0: it does not fit. */
static uint32_t match_format(struct cursor *cursor, uint32_t at, const char *shape)
{
    const struct window_view *view = &cursor->reading->view;
    uint32_t index = at;
    while (*shape != 0) {
        const struct lexeme *lexeme = cursor_lexeme(cursor, index);
        if (!lexeme) {
            return 0;
        }
        const char *text = lexeme->class == LEXEME_SPACE ? " " : lexeme_text(view, index);
        const uint32_t length = lexeme->class == LEXEME_SPACE ? 1 : lexeme->folded_bytes;
        for (uint32_t i = 0; i < length; i++, shape++) {
            if (*shape == 0 || !shape_fits(*shape, text[i])) {
                return 0;
            }
        }
        index++;
    }
    return index - at;
}

static struct finding by_format(struct cursor *cursor, uint32_t at)
{
    const struct detector_terms *terms = cursor->reading->terms;
    for (uint32_t i = 0; terms && i < terms->format_count; i++) {
        const uint32_t count = match_format(cursor, at, terms->formats[i].shape);
        if (count > 0 || cursor->is_starved) {
            return FINDING_IS(terms->formats[i].kind, count);
        }
    }
    return nothing;
}

struct finding detect_record(const struct reading *reading)
{
    static const cursor_step of_words[] = {by_format, by_device_label, by_prefix, by_context_word,
                                           NULL};
    static const cursor_step of_numbers[] = {by_format, by_spaced_plate, by_context, NULL};
    static const cursor_step of_mixed[] = {by_format, by_spaced_plate, by_context,
                                           by_prefix, by_shape,        NULL};
    static const cursor_step of_marks[] = {by_format, NULL};
    static const cursor_step *const steps_of[] = {
        [LEXEME_WORD] = of_words,  [LEXEME_NUMBER] = of_numbers, [LEXEME_MIXED] = of_mixed,
        [LEXEME_MARK] = of_marks,  [LEXEME_SPACE] = NULL,        [LEXEME_BREAK] = NULL,
        [LEXEME_GLYPH] = of_marks,
    };
    return cursor_first(reading, steps_of[reading->view.lexemes[reading->view.at].class]);
}
