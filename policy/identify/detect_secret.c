/* Passwords and keys, by a word to the left or by their form, images in the text, and last of all
 * whatever is long and looks issued: digits that are no phone, date or amount, letters and digits
 * mixed, UUIDs, hexadecimal, base64. It fails closed: 45 CFR 164.514 counts any unique number. */
#include <string.h>

#include "policy/identify/cursor.h"
#include "policy/identify/number/long_code.h"
#include "policy/identify/number/record_labels.h"
#include "policy/identify/words/glance.h"

enum {
    RUN_MAX = 180, /* lexemes */
    QUOTED_MAX = 24,
    LABEL_LOOKS = 8,
    TOKEN_MIN = 14 /* characters behind the prefix of a key */
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct finding nothing = {.verdict = FINDING_NO};

enum label { LABEL_NONE, LABEL_PASSWORD, LABEL_VAGUE, LABEL_PIN, LABEL_CODE, LABEL_KEY };

/* clang-format off */
static const struct word_entry label_entries[] = {
    {"password", LABEL_PASSWORD}, {"passwd", LABEL_PASSWORD}, {"pwd", LABEL_PASSWORD},
    {"passcode", LABEL_PASSWORD}, {"passphrase", LABEL_PASSWORD}, {"passwort", LABEL_PASSWORD},
    {"passkey", LABEL_PASSWORD}, {"pw", LABEL_PASSWORD}, {"apikey", LABEL_PASSWORD},
    {"pincode", LABEL_PASSWORD}, {"psk", LABEL_PASSWORD}, {"token", LABEL_VAGUE},
    {"otp", LABEL_PIN}, {"secret", LABEL_VAGUE}, {"credentials", LABEL_VAGUE},
    {"wifi", LABEL_VAGUE}, {"pass", LABEL_VAGUE}, {"pin", LABEL_PIN}, {"pins", LABEL_PIN},
    {"key", LABEL_KEY}, {"keys", LABEL_KEY}, {"code", LABEL_CODE}, {"codes", LABEL_CODE},
};
/* clang-format on */
static const struct word_table label_words = WORD_TABLE(label_entries);

WORD_LIST(code_owners, "verification", "access", "security", "recovery", "login", "auth",
          "authentication", "backup", "unlock", "door", "gate", "confirmation", "factor", "2fa",
          "mfa", "sms", "alarm", "entry", "temporary", "reset");
WORD_LIST(key_owners, "api", "secret", "access", "private", "license", "ssh", "encryption",
          "product", "auth");
WORD_LIST(links, "is", "was", "now", "still", "number", "its", "s", "to", "be", "code", "as", "are",
          "called", "used");
WORD_LIST(stops, "is", "was", "not", "wrong", "expired", "the", "a", "an", "my", "too", "and", "or",
          "for", "to", "in", "on", "it", "that", "reset", "working", "required", "incorrect",
          "invalid", "weak", "strong", "same", "different", "safe", "secure", "private",
          "protected", "saved", "stored", "lost", "never", "always", "hidden", "needed", "blocked",
          "locked", "changed", "something", "hard", "easy", "what");

/* The index behind everything up to a blank or a closing quote, without a sentence's end. */
static uint32_t run_end(struct cursor *cursor, uint32_t index, char quote)
{
    const uint32_t first = index;
    const uint32_t limit = first + (quote != 0 ? QUOTED_MAX : RUN_MAX);
    while (index < limit && cursor_lexeme(cursor, index)) {
        const char mark = cursor_mark(cursor, index);
        const bool is_end =
            quote != 0 ? mark == quote || mark == '\n' : cursor_is_blank(cursor, index);
        if (is_end) {
            break;
        }
        index++;
    }
    while (quote == 0 && index > first + 1) {
        const char mark = cursor_mark(cursor, index - 1);
        if (mark == 0 || !strchr(".,;:!?)]\"'`>", mark)) {
            break;
        }
        index--;
    }
    return index;
}

/* ---- by a word to the left ------------------------------------------------------------------ */

struct left {
    enum label label;
    bool is_marked, is_linked;
    char quote;
};

/* "key" and "code" say it with the word before them. */
static enum label label_at(const struct cursor *cursor, uint32_t index)
{
    const enum label label =
        (enum label)glance_word_at(&cursor->reading->view, index, &label_words);
    uint32_t before = 0;
    if (label != LABEL_KEY && label != LABEL_CODE) {
        return label;
    }
    if (!cursor_left_word(cursor, index, &before)) {
        return LABEL_NONE;
    }
    if (label == LABEL_KEY) {
        return cursor_left_is_any(cursor, before, &key_owners) ? LABEL_PASSWORD : LABEL_NONE;
    }
    return cursor_left_is_any(cursor, before, &code_owners) ? LABEL_CODE : LABEL_NONE;
}

/* False: what stands there ends the look. */
static bool look_over(const struct cursor *cursor, uint32_t index, bool is_first, struct left *left)
{
    const char mark = cursor_left_mark(cursor, index + 1);
    if (mark == '"' || mark == '\'' || mark == '`') {
        left->quote = (char)(is_first ? mark : left->quote);
        return true;
    }
    left->is_marked = left->is_marked || mark == ':' || mark == '=';
    return mark == ':' || mark == '=' || mark == '-' || mark == ' ';
}

static struct left left_of(const struct cursor *cursor)
{
    struct left left = {LABEL_NONE, false, false, 0};
    uint32_t index = cursor->reading->view.at;
    bool is_first = true;
    for (int looks = 0; looks < LABEL_LOOKS && cursor_left(cursor, index, &index); looks++) {
        const struct lexeme *lexeme = &cursor->reading->view.lexemes[index];
        if (lexeme->class == LEXEME_WORD) {
            left.label = label_at(cursor, index);
            if (left.label != LABEL_NONE || !cursor_left_is_any(cursor, index, &links)) {
                return left;
            }
            left.is_linked = true;
        } else if (!look_over(cursor, index, is_first, &left)) {
            return left;
        }
        is_first = false;
    }
    left.label = LABEL_NONE;
    return left;
}

/* What a password has and a word in a sentence has not. */
static bool looks_secret(struct cursor *cursor, uint32_t first, uint32_t end)
{
    const struct window_view *view = &cursor->reading->view;
    const bool is_unknown =
        view->lexemes[first].word == 0 && view->lexemes[first].class == LEXEME_WORD;
    for (uint32_t i = first; i < end && cursor_lexeme(cursor, i); i++) {
        const struct lexeme *lexeme = &view->lexemes[i];
        const char mark = cursor_mark(cursor, i);
        if (lexeme->class == LEXEME_NUMBER || lexeme->class == LEXEME_MIXED
            || lexeme->letter_case == CASE_MIXED || (mark != 0 && strchr("!@#$%^&*_+=", mark))) {
            return true;
        }
    }
    return is_unknown;
}

static struct finding by_label(struct cursor *cursor, uint32_t at)
{
    const struct left left = left_of(cursor);
    if (left.label == LABEL_NONE || cursor_is_any(cursor, at, &stops)
        || cursor_is_any(cursor, at, &links)) {
        return nothing;
    }
    const struct lexeme *lexeme = &cursor->reading->view.lexemes[at];
    if (left.label == LABEL_PIN || left.label == LABEL_CODE) { /* digits, at least some */
        const bool is_code = (lexeme->class == LEXEME_NUMBER || lexeme->class == LEXEME_MIXED)
                             && lexeme->folded_bytes >= 4 && lexeme->folded_bytes <= 12;
        const bool is_parted = lexeme->class == LEXEME_NUMBER && cursor_mark(cursor, at + 1) == '-'
                               && cursor_is_class(cursor, at + 2, LEXEME_NUMBER); /* 204-881 */
        return is_code || (left.label == LABEL_CODE && is_parted)
                   ? FINDING_IS(POLICY_SECRET, run_end(cursor, at, 0) - at)
                   : nothing;
    }
    const bool is_quote = lexeme->class == LEXEME_MARK && cursor_mark(cursor, at) != 0
                          && strchr("\"'`:=([", cursor_mark(cursor, at));
    const bool is_apart = !left.is_marked && !left.is_linked && left.quote == 0;
    const bool is_vague = left.label == LABEL_VAGUE;
    if (is_quote || (is_apart && is_vague) || (is_vague && lexeme->class == LEXEME_MARK)) {
        return nothing;
    }
    const uint32_t end = run_end(cursor, at, left.quote);
    if (is_apart && lexeme->class == LEXEME_WORD && end == at + 1) {
        return nothing; /* "password reset"; not "pw blue$ky" */
    }
    const bool is_secret = (left.label == LABEL_PASSWORD && (left.is_marked || left.quote != 0))
                           || looks_secret(cursor, at, end);
    return is_secret && end > at ? FINDING_IS(POLICY_SECRET, end - at) : nothing;
}

/* ---- by form -------------------------------------------------------------------------------- */

/* "data:image/png;base64,..." */
static struct finding data_url(struct cursor *cursor, uint32_t at)
{
    if (cursor_mark(cursor, at + 1) != ':' || !cursor_is(cursor, at, "data")
        || cursor_is_blank(cursor, at + 2)) {
        return nothing;
    }
    const uint32_t end = run_end(cursor, at + 2, 0);
    const bool has_type = cursor_mark(cursor, at + 3) == '/' || cursor_mark(cursor, at + 2) == ';'
                          || cursor_mark(cursor, at + 2) == ',';
    const bool is_image = cursor_is(cursor, at + 2, "image");
    return has_type ? FINDING_IS(is_image ? POLICY_IMAGE : POLICY_SECRET, end - at) : nothing;
}

/* "-----BEGIN PRIVATE KEY-----"; the lines below are base64, found one by one. */
static struct finding pem(struct cursor *cursor, uint32_t at)
{
    enum { DASHES = 5, WORDS_MAX = 10 };
    for (uint32_t i = 0; i < DASHES; i++) {
        if (cursor_mark(cursor, at + i) != '-') {
            return nothing;
        }
    }
    uint32_t index = at + DASHES;
    if (!cursor_is(cursor, index, "begin") && !cursor_is(cursor, index, "end")) {
        return nothing;
    }
    for (int words = 0; words < WORDS_MAX * 2; words++) {
        if (!cursor_lexeme(cursor, index) || cursor_mark(cursor, index) == '-') {
            break;
        }
        index++;
    }
    while (cursor_mark(cursor, index) == '-') {
        index++;
    }
    return FINDING_IS(POLICY_SECRET, index - at);
}

/* Prefixes of keys that services issue, and what joins them to the rest; 0: nothing does. */
static const struct {
    const char *prefix;
    char joiner;
} keys[] = {
    {"sk", '-'},    {"sk", '_'},   {"pk", '_'},     {"rk", '_'},     {"ghp", '_'},   {"gho", '_'},
    {"ghu", '_'},   {"ghs", '_'},  {"ghr", '_'},    {"github", '_'}, {"glpat", '-'}, {"xoxb", '-'},
    {"xoxp", '-'},  {"xoxa", '-'}, {"xoxs", '-'},   {"xapp", '-'},   {"ya29", '.'},  {"ward", '_'},
    {"whsec", '_'}, {"npm", '_'},  {"hf", '_'},     {"dckr", '_'},   {"shpat", '_'}, {"sg", '.'},
    {"dop", '_'},   {"pypi", '-'}, {"sq0atp", '-'}, {"key", '-'},    {"token", '_'}, {"pat", '_'},
    {"akia", 0},    {"asia", 0},   {"aiza", 0},     {"eyj", 0},
};

static struct finding key(struct cursor *cursor, uint32_t at)
{
    const struct window_view *view = &cursor->reading->view;
    const char *text = lexeme_text(view, at);
    const size_t length = view->lexemes[at].folded_bytes;
    const char joiner = cursor_mark(cursor, at + 1);
    if (length < TOKEN_MIN && joiner != '-' && joiner != '_' && joiner != '.') {
        return nothing;
    }
    for (size_t i = 0; i < COUNT(keys); i++) {
        const size_t prefix = strlen(keys[i].prefix);
        if (keys[i].prefix[0] != text[0] || prefix > length
            || memcmp(text, keys[i].prefix, prefix) != 0) {
            continue;
        }
        const bool fits = keys[i].joiner != 0 ? prefix == length && joiner == keys[i].joiner
                                              : length >= prefix + TOKEN_MIN - 2;
        struct cursor_code code;
        if (fits && cursor_code(cursor, at, "-_.", &code) && code.digits >= 1
            && code.length >= prefix + TOKEN_MIN) {
            return FINDING_IS(POLICY_SECRET, run_end(cursor, at, 0) - at);
        }
    }
    return nothing;
}

WORD_LIST(bearer_words, "bearer", "basic");

/* "Bearer <token>", "Basic <base64>". */
static struct finding bearer(struct cursor *cursor, uint32_t at)
{
    uint32_t left = 0;
    const struct lexeme *lexeme = &cursor->reading->view.lexemes[at];
    const bool is_token = lexeme->folded_bytes >= TOKEN_MIN && cursor_left_word(cursor, at, &left)
                          && cursor_left_is_any(cursor, left, &bearer_words);
    return is_token ? FINDING_IS(POLICY_SECRET, run_end(cursor, at, 0) - at) : nothing;
}

struct finding detect_secret(const struct reading *reading)
{
    static const cursor_step of_words[] = {data_url, by_label, key, bearer, long_code_find, NULL};
    static const cursor_step of_numbers[] = {by_label, long_code_find, NULL};
    static const cursor_step of_marks[] = {pem, by_label, NULL};
    static const cursor_step *const steps_of[] = {
        [LEXEME_WORD] = of_words, [LEXEME_NUMBER] = of_numbers, [LEXEME_MIXED] = of_words,
        [LEXEME_MARK] = of_marks, [LEXEME_SPACE] = NULL,        [LEXEME_BREAK] = NULL,
        [LEXEME_GLYPH] = NULL,
    };
    return cursor_first(reading, steps_of[reading->view.lexemes[reading->view.at].class]);
}
