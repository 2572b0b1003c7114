/* zip_code.c - see zip_code.h. */
#include "policy/identify/address/zip_code.h"

#include "policy/identify/address/post_code.h"
#include "policy/identify/address/street_words.h"
#include "policy/identify/date/calendar.h"
#include "policy/identify/phone/phone_words.h"
#include "policy/identify/words/glance.h"
#include "policy/identify/words/plain_words.h"

enum {
    TOLD = 1,     /* zip, postcode */
    PLACE = 2,    /* in, near: a place follows */
    LINK = 4,     /* between "zip" and the code */
    STATE = 16,   /* of the United States, in capitals */
    LOWER = 64,   /* a state's letters that are no word */
    ABROAD = 128, /* a state of Australia: four digits follow */
    AREA = 256    /* behind: "the 66521 area" */
};

/* clang-format off */
static const struct word_entry entries[] = {
    {"act", ABROAD}, {"ak", STATE | LOWER}, {"al", STATE}, {"ar", STATE},
    {"area", PLACE | LINK | AREA}, {"around", PLACE}, {"at", PLACE}, {"az", STATE | LOWER},
    {"ca", STATE | LOWER}, {"cap", TOLD}, {"co", STATE}, {"code", LINK}, {"codes", LINK},
    {"ct", STATE}, {"dc", STATE}, {"de", STATE}, {"eircode", TOLD}, {"fl", STATE | LOWER},
    {"from", PLACE}, {"ga", STATE | LOWER}, {"hi", STATE}, {"ia", STATE}, {"id", STATE},
    {"il", STATE | LOWER}, {"in", PLACE | STATE}, {"is", LINK}, {"its", LINK},
    {"ks", STATE | LOWER}, {"ky", STATE | LOWER}, {"la", STATE}, {"ma", STATE}, {"md", STATE},
    {"me", STATE}, {"mi", STATE}, {"mn", STATE | LOWER}, {"mo", STATE}, {"ms", STATE},
    {"mt", STATE}, {"my", LINK}, {"nc", STATE | LOWER}, {"nd", STATE}, {"ne", STATE},
    {"near", PLACE}, {"nh", STATE | LOWER}, {"nj", STATE | LOWER}, {"nm", STATE | LOWER},
    {"nsw", ABROAD}, {"nt", ABROAD}, {"nv", STATE | LOWER}, {"ny", STATE | LOWER}, {"of", LINK},
    {"oh", STATE}, {"ok", STATE}, {"or", STATE}, {"pa", STATE}, {"pincode", TOLD}, {"plz", TOLD},
    {"postal", TOLD}, {"postalcode", TOLD}, {"postcode", TOLD}, {"postcodes", TOLD}, {"pr", STATE},
    {"qld", ABROAD}, {"region", AREA}, {"ri", STATE | LOWER}, {"s", LINK}, {"sa", ABROAD},
    {"sc", STATE | LOWER}, {"sd", STATE}, {"tas", ABROAD}, {"the", LINK}, {"tn", STATE | LOWER},
    {"to", PLACE}, {"tx", STATE | LOWER}, {"ut", STATE | LOWER}, {"va", STATE}, {"vic", ABROAD},
    {"vt", STATE | LOWER}, {"wa", STATE | LOWER | ABROAD}, {"was", LINK}, {"wi", STATE | LOWER},
    {"wv", STATE | LOWER}, {"wy", STATE | LOWER}, {"zip", TOLD | AREA}, {"zip5", TOLD},
    {"zipcode", TOLD | AREA}, {"zipcodes", TOLD},
};
/* clang-format on */
const struct word_table zip_code_words = WORD_TABLE(entries);

enum { LABEL_LEXEMES = 6, ZIP_DIGITS = 5, WORDS_OF_PLACE = 4, ROUND = 1000 };

static uint32_t left_is(const struct cursor *cursor, uint32_t index, uint32_t bits)
{
    return glance_left_word(cursor, index, &zip_code_words) & bits;
}

/* "zip code is", "ZIP:", a key "zip" in quotes: the words in front say it. */
static bool is_told(const struct cursor *cursor, uint32_t at)
{
    static const struct glance_tell tell = {&zip_code_words, TOLD, LINK, LABEL_LEXEMES, ":#='\"_"};
    return glance_left_tell(cursor, at, &tell) != GLANCE_NOTHING;
}

/* The lexicon knows it as a place, and grammar does not as a word. */
static bool has_place_entry(const struct cursor *cursor, uint32_t index)
{
    const struct lexeme *lexeme = &cursor->reading->view.lexemes[index];
    const struct lexicon *lexicon = cursor->reading->terms->lexicon;
    return lexicon && lexeme->word != 0 && lexicon_entry(lexicon, lexeme->word)->place > 0
           && !glance_word_at(&cursor->reading->view, index, &plain_words_grammatical);
}

static bool is_state(const struct cursor *cursor, uint32_t index)
{
    const struct lexeme *lexeme = &cursor->reading->view.lexemes[index];
    const struct lexicon *lexicon = cursor->reading->terms->lexicon;
    if (lexicon && lexeme->word != 0 && lexeme->letter_case != CASE_LOWER
        && lexeme->folded_bytes > 2) {
        return (lexicon_entry(lexicon, lexeme->word)->flags & LEXICON_STATE) != 0;
    }
    const uint32_t found = glance_word_at(&cursor->reading->view, index, &zip_code_words);
    if (!(found & STATE) || lexeme->letter_case == CASE_UPPER || (found & LOWER)) {
        return (found & STATE) != 0;
    }
    const uint32_t city = glance_left(cursor, index); /* "portland or 97201" */
    return city != GLANCE_NOTHING && has_place_entry(cursor, city);
}

/* A place: one of the lexicon in capitals, or any word but a label behind "in". */
static bool is_place(const struct cursor *cursor, uint32_t index)
{
    const struct lexeme *lexeme = &cursor->reading->view.lexemes[index];
    if (left_is(cursor, index, PLACE)) {
        const struct window_view *view = &cursor->reading->view;
        const bool is_label = (glance_word_at(view, index, &phone_words) & PHONE_WORDS_OTHER)
                              || (glance_word_at(view, index, &street_words) & STREET_UNIT);
        const bool is_capital = lexeme->class == LEXEME_WORD && lexeme->letter_case != CASE_LOWER;
        return !is_label && (is_capital || has_place_entry(cursor, index));
    }
    return lexeme->letter_case != CASE_LOWER && has_place_entry(cursor, index);
}

/* One to four words behind a comma, "Unit B, Red Oak": a place in an address. */
static bool is_behind_comma(const struct cursor *cursor, uint32_t at, bool *has_lower)
{
    const struct window_view *view = &cursor->reading->view;
    uint32_t left = at;
    *has_lower = false;
    for (uint32_t i = 0; i <= WORDS_OF_PLACE; i++) {
        left = glance_left(cursor, left);
        if (left == GLANCE_NOTHING) {
            return false;
        }
        const struct lexeme *lexeme = &view->lexemes[left];
        if (lexeme_is(view, left, ",")) {
            return i > 0;
        }
        if (lexeme->class == LEXEME_MARK
            && (lexeme_is(view, left, ".") || lexeme_is(view, left, "-")
                || lexeme_is(view, left, "'"))) {
            continue; /* "St. Louis", "Winston-Salem" */
        }
        if (lexeme->class != LEXEME_WORD) {
            return false;
        }
        const bool is_lower = lexeme->letter_case == CASE_LOWER;
        if (glance_word_at(view, left, &phone_words) & PHONE_WORDS_OTHER
            || (is_lower && glance_word_at(view, left, &plain_words_grammatical)
                && !glance_word_at(view, left, &street_words))) {
            return false;
        }
        *has_lower |= is_lower;
    }
    return false;
}

/* Five digits: is there a place in front, and nothing that they count behind? */
static bool is_zip_here(struct cursor *cursor, uint32_t at, uint32_t end, uint32_t value)
{
    const uint32_t left = glance_left(cursor, at);
    bool has_lower = false;
    if (is_told(cursor, at)) {
        return true;
    }
    if (left == GLANCE_NOTHING) {
        return false;
    }
    const struct window_view *view = &cursor->reading->view;
    if (is_state(cursor, left)) {
        return true;
    }
    if (lexeme_is(view, left, ",") || lexeme_is(view, left, ".")) { /* "Denver, 80202", "N.Y." */
        const uint32_t word = glance_left(cursor, left);
        return word != GLANCE_NOTHING && (is_state(cursor, word) || is_place(cursor, word))
               && plain_words_sentence_follows(cursor, end);
    }
    const bool is_here = is_place(cursor, left) || is_behind_comma(cursor, at, &has_lower)
                         || (left_is(cursor, at, PLACE) && value % ROUND != 0);
    return is_here && !(has_lower && value % ROUND == 0)
           && plain_words_sentence_follows(cursor, end);
}

/* " area", or behind a comma, at the start of a line or after "in" a capital place: "10115 Berlin".
 */
static bool place_follows(struct cursor *cursor, uint32_t at, uint32_t end)
{
    const uint32_t next = glance_spaces(cursor, end);
    if (next == end || !cursor_is_class(cursor, next, LEXEME_WORD)) {
        return false;
    }
    if (glance_word(cursor, next, &zip_code_words) & AREA) {
        return true;
    }
    const uint32_t left = glance_left_on_line(cursor, at);
    const bool may_open = left == GLANCE_NOTHING || left_is(cursor, at, PLACE)
                          || lexeme_is(&cursor->reading->view, left, ",");
    return may_open && glance_is_capital(cursor, next) && has_place_entry(cursor, next);
}

/* A line of two capital letters, a state, stands above a code that has its own line. */
static bool is_state_line(const struct cursor *cursor, uint32_t above)
{
    if (above == GLANCE_NOTHING) {
        return false;
    }
    const struct lexeme *lexeme = &cursor->reading->view.lexemes[above];
    return lexeme->class == LEXEME_WORD && lexeme->folded_bytes == 2
           && lexeme->letter_case == CASE_UPPER
           && glance_left_on_line(cursor, above) == GLANCE_NOTHING;
}

/* A line of capital words and the code, as the last of an address: "United Kingdom 89800". */
static bool is_address_line(struct cursor *cursor, uint32_t at, uint32_t end)
{
    uint32_t left = at;
    for (uint32_t i = 0; i <= WORDS_OF_PLACE; i++) {
        const uint32_t next = glance_left_on_line(cursor, left);
        if (next == GLANCE_NOTHING || glance_mark(cursor, next, ">|*?") != '\0') {
            const uint32_t after = glance_spaces(cursor, end);
            const struct lexeme *behind = cursor_lexeme(cursor, after);
            const uint32_t above = glance_left(cursor, left);
            return (i > 0 ? above != GLANCE_NOTHING : is_state_line(cursor, above))
                   && (!behind || behind->class == LEXEME_BREAK);
        }
        const struct lexeme *lexeme = &cursor->reading->view.lexemes[next];
        if (lexeme->class != LEXEME_WORD || lexeme->letter_case == CASE_LOWER
            || glance_word_at(&cursor->reading->view, next, &phone_words) & PHONE_WORDS_OTHER) {
            return false;
        }
        left = next;
    }
    return false;
}

/* "-1234" behind five digits. */
static uint32_t four_more(struct cursor *cursor, uint32_t index)
{
    struct glance_digits digits;
    const bool has_four = glance_mark(cursor, index, "-") != '\0'
                          && glance_digits(cursor, index + 1, &digits) && digits.count == 4;
    return has_four && !glance_goes_on(cursor, index + 2, "-./") ? index + 2 : 0;
}

/* Behind "zip:" any code: "880", "394 13", "75534-030", "7412 SL". */
static uint32_t told_code(struct cursor *cursor, uint32_t at)
{
    struct glance_digits digits;
    if (!glance_digits(cursor, at, &digits) || digits.count < 3 || digits.count > 9) {
        return 0;
    }
    const uint32_t next =
        glance_mark(cursor, at + 1, "-") != '\0' ? at + 2 : glance_spaces(cursor, at + 1);
    if (next == at + 1 || digits.count > ZIP_DIGITS) {
        return at + 1;
    }
    const bool is_more = glance_digits(cursor, next, &digits) && digits.count <= 4;
    const struct lexeme *letters = cursor_lexeme(cursor, next);
    const bool is_letters = letters && letters->class == LEXEME_WORD && letters->folded_bytes == 2
                            && letters->letter_case == CASE_UPPER;
    return is_more || is_letters ? next + 1 : at + 1;
}

/* "in Arendal 4844": four digits that are no year. */
static bool is_short_code_here(struct cursor *cursor, uint32_t at,
                               const struct glance_digits *digits)
{
    const uint32_t left = glance_left(cursor, at);
    return digits->value >= 1000 && !calendar_is_year(digits) && left != GLANCE_NOTHING
           && cursor->reading->view.lexemes[left].letter_case != CASE_LOWER
           && left_is(cursor, left, PLACE) && is_place(cursor, left)
           && !glance_goes_on(cursor, at + 1, "-./:,")
           && plain_words_sentence_follows(cursor, at + 1);
}

static uint32_t by_digits(struct cursor *cursor, uint32_t at)
{
    struct glance_digits digits;
    if (!glance_digits(cursor, at, &digits) || digits.count < 3 || digits.count > 9) {
        return 0;
    }
    if (is_told(cursor, at)) {
        return told_code(cursor, at);
    }
    if (digits.count == 4 && left_is(cursor, at, ABROAD)) { /* "NSW 2000" */
        const uint32_t left = glance_left(cursor, at);
        return cursor->reading->view.lexemes[left].letter_case == CASE_UPPER ? at + 1 : 0;
    }
    if (digits.count == 4 && is_short_code_here(cursor, at, &digits)) {
        return at + 1;
    }
    if (digits.count != ZIP_DIGITS) {
        return 0;
    }
    const uint32_t whole = four_more(cursor, at + 1);
    if (whole != 0) {
        return whole;
    }
    if (glance_goes_on(cursor, at + 1, "-./:,")) {
        return 0;
    }
    const bool is_code = is_zip_here(cursor, at, at + 1, digits.value)
                         || place_follows(cursor, at, at + 1)
                         || is_address_line(cursor, at, at + 1);
    return is_code ? at + 1 : 0;
}

uint32_t zip_code_match(struct cursor *cursor, uint32_t at)
{
    if (glance_is_tail(cursor, at, "-./:,#_")
        || (at > 0 && glance_mark(cursor, at - 1, "$#-_") != '\0')) {
        return 0;
    }
    const uint32_t end = by_digits(cursor, at);
    return end != 0 ? end : post_code_match(cursor, at);
}
