/* age.c - see age.h. The number alone is found, not the words that show what it is. */
#include "policy/identify/date/age.h"

#include <string.h>

#include "policy/identify/date/calendar.h"
#include "policy/identify/words/glance.h"
#include "policy/identify/words/number_words.h"
#include "policy/identify/words/plain_words.h"

enum { AGE_MIN = CALENDAR_AGE_MAX + 1, AGE_MAX = 120, YEAR_MIN = 1900 };
enum { LABEL_LEXEMES = 8, BIRTH_LEXEMES = 4, SLIP_BYTES_MIN = 5 };

enum {
    AGED = 1,     /* directly before an age: aged, turned */
    IS = 2,       /* between who and how old */
    WHO = 4,      /* of whom an age is told */
    WHOSE = 8,    /* in her nineties */
    YEARS = 16,   /* 92 years ... */
    OLD = 32,     /* ... old */
    BIRTH = 64,   /* born in 1931 */
    LINK = 128,   /* between "born" and the year, "age" and the number */
    DECADE = 256, /* a word that is an age over 89 by itself */
    SHORT = 512,  /* yo: years old, in one word */
    PART = 1024,  /* in her late nineties */
    DIED = 2048,  /* at 97 */
    NOTE = 4096   /* behind "92F", as clinicians write */
};

/* clang-format off */
static const struct word_entry entries[] = {
    {"about", IS | LINK}, {"abuela", WHO}, {"abuelo", WHO}, {"admitted", NOTE}, {"aet", AGED},
    {"age", AGED | OLD}, {"aged", AGED}, {"ages", AGED}, {"almost", IS}, {"already", IS},
    {"am", IS}, {"anos", SHORT}, {"around", LINK}, {"at", LINK}, {"aunt", WHO}, {"auntie", WHO},
    {"away", DIED}, {"b", BIRTH}, {"babushka", WHO}, {"be", IS}, {"being", IS}, {"birth", BIRTH},
    {"birthdate", BIRTH}, {"birthyear", BIRTH}, {"born", BIRTH}, {"boss", WHO}, {"brother", WHO},
    {"bubbe", WHO}, {"centenarian", DECADE}, {"centenarians", DECADE}, {"client", WHO},
    {"cousin", WHO}, {"dad", WHO}, {"daddy", WHO}, {"died", DIED}, {"dob", BIRTH}, {"early", PART},
    {"edad", AGED}, {"father", WHO}, {"female", WHO}, {"fil", WHO}, {"friend", WHO},
    {"gentleman", WHO}, {"godfather", WHO}, {"godmother", WHO}, {"gram", WHO}, {"gramma", WHO},
    {"grammy", WHO}, {"grampa", WHO}, {"gramps", WHO}, {"gran", WHO}, {"grandad", WHO},
    {"granddad", WHO}, {"grandfather", WHO}, {"grandma", WHO}, {"grandmom", WHO},
    {"grandmother", WHO}, {"grandpa", WHO}, {"grandparent", WHO}, {"granny", WHO}, {"guy", WHO},
    {"he", WHO}, {"he'll", IS | WHO}, {"her", WHOSE}, {"here", NOTE},
    {"hes", IS | WHO}, {"his", WHOSE}, {"husband", WHO}, {"hx", NOTE}, {"i", WHO},
    {"i'll", IS | WHO}, {"i'm", IS | WHO}, {"im", IS | WHO}, {"in", LINK}, {"is", IS | LINK},
    {"just", IS}, {"lady", WHO}, {"landlady", WHO}, {"landlord", WHO}, {"late", PART}, {"law", WHO},
    {"lived", DIED}, {"lola", WHO}, {"lolo", WHO}, {"male", WHO}, {"mama", WHO}, {"mamaw", WHO},
    {"man", WHO}, {"meemaw", WHO}, {"memaw", WHO}, {"mid", PART}, {"middle", PART}, {"mil", WHO},
    {"mom", WHO}, {"mommom", WHO}, {"mommy", WHO}, {"mother", WHO}, {"mum", WHO}, {"my", WHOSE},
    {"nan", WHO}, {"nana", WHO}, {"nanny", WHO}, {"nearly", IS}, {"neighbor", WHO},
    {"neighbour", WHO}, {"nonagenarian", DECADE}, {"nonagenarians", DECADE}, {"nonna", WHO},
    {"nonno", WHO}, {"now", IS}, {"o", OLD}, {"of", LINK}, {"old", OLD}, {"oma", WHO}, {"only", IS},
    {"opa", WHO}, {"our", WHOSE}, {"papa", WHO}, {"papaw", WHO}, {"parent", WHO}, {"partner", WHO},
    {"passed", DIED}, {"pastor", WHO}, {"patient", WHO}, {"patientage", AGED}, {"pawpaw", WHO},
    {"person", WHO}, {"pop", WHO}, {"poppop", WHO}, {"pops", WHO}, {"presented", NOTE},
    {"presenting", NOTE}, {"presents", NOTE}, {"priest", WHO}, {"pt", WHO | NOTE},
    {"relative", WHO}, {"resident", WHO}, {"roommate", WHO}, {"s", IS}, {"senior", WHO},
    {"she", WHO}, {"she'll", IS | WHO}, {"shes", IS | WHO}, {"sister", WHO},
    {"spouse", WHO}, {"stepdad", WHO}, {"stepfather", WHO}, {"stepmom", WHO}, {"stepmother", WHO},
    {"supercentenarian", DECADE}, {"survived", DIED}, {"teacher", WHO}, {"tenant", WHO},
    {"the", WHOSE | LINK}, {"their", WHOSE}, {"to", IS}, {"turn", AGED}, {"turned", AGED},
    {"turning", AGED}, {"turns", AGED}, {"uncle", WHO}, {"veteran", WHO}, {"w", NOTE},
    {"was", IS | LINK}, {"who", WHO | NOTE}, {"widow", WHO}, {"widower", WHO}, {"wife", WHO},
    {"will", IS}, {"with", NOTE}, {"woman", WHO}, {"would", IS}, {"y", YEARS},
    {"yaya", WHO}, {"year", YEARS | LINK}, {"yearold", SHORT}, {"years", YEARS | LINK},
    {"yo", SHORT}, {"yob", BIRTH}, {"yold", SHORT}, {"young", OLD}, {"your", WHOSE}, {"yr", YEARS},
    {"yrs", YEARS}, {"yrsold", SHORT},
};
/* clang-format on */
const struct word_table age_words = WORD_TABLE(entries);

static bool is_old(uint32_t value)
{
    return value >= AGE_MIN && value <= AGE_MAX;
}

static uint32_t left_is(const struct cursor *cursor, uint32_t index, uint32_t bits)
{
    return glance_left_word(cursor, index, &age_words) & bits;
}

/* "-", " ", " - " or nothing: the index after it. */
static uint32_t joint(struct cursor *cursor, uint32_t index)
{
    index = glance_spaces(cursor, index);
    return glance_mark(cursor, index, "-") != '\0' ? glance_spaces(cursor, index + 1) : index;
}

/* " years old", "-year-old", " yo", " y/o", " y.o.", " years of age". */
static bool old_follows(struct cursor *cursor, uint32_t index)
{
    uint32_t next = joint(cursor, index);
    const uint32_t found = glance_word(cursor, next, &age_words);
    if (found & SHORT) {
        return true;
    }
    if (!(found & YEARS)) {
        return false;
    }
    next++;
    if (glance_mark(cursor, next, "/.") != '\0') {
        return (glance_word(cursor, next + 1, &age_words) & OLD) != 0;
    }
    next = joint(cursor, next);
    if (cursor_is(cursor, next, "of")) {
        next = glance_spaces(cursor, next + 1);
        return cursor_is(cursor, next, "age");
    }
    return (glance_word(cursor, next, &age_words) & OLD) != 0;
}

/* "98th birthday", "celebrated her 98th." */
static bool is_birthday(struct cursor *cursor, uint32_t at, uint32_t end)
{
    const uint32_t next = glance_spaces(cursor, end);
    if (next != end && (cursor_is(cursor, next, "birthday") || cursor_is(cursor, next, "bday"))) {
        return true;
    }
    const uint32_t whose = glance_left(cursor, at);
    return left_is(cursor, at, WHOSE) && !lexeme_is(&cursor->reading->view, whose, "the")
           && plain_words_sentence_follows(cursor, end);
}

/* A name in front of "is": capitalised, and more often a name than a word. */
static bool is_name(const struct cursor *cursor, uint32_t index)
{
    const struct lexeme *lexeme = &cursor->reading->view.lexemes[index];
    const struct lexicon *lexicon = cursor->reading->terms->lexicon;
    if (!lexicon || lexeme->word == 0 || lexeme->letter_case != CASE_CAPITAL) {
        return false;
    }
    const struct lexicon_entry *entry = lexicon_entry(lexicon, lexeme->word);
    return entry->first > entry->word;
}

/* "my granddmother": of whom, with one slip of the fingers. */
static bool is_slip(const struct cursor *cursor, uint32_t index)
{
    const struct lexeme *lexeme = &cursor->reading->view.lexemes[index];
    if (lexeme->class != LEXEME_WORD || lexeme->folded_bytes < SLIP_BYTES_MIN
        || !left_is(cursor, index, WHOSE)) {
        return false;
    }
    return word_table_find_slip(&age_words, WHO, lexeme_text(&cursor->reading->view, index),
                                lexeme->folded_bytes);
}

/* "my grandmother is", "he's", "Martha was": someone's age may follow. */
static bool someone_is(const struct cursor *cursor, uint32_t at)
{
    uint32_t left = at;
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t found = left_is(cursor, left, IS | WHO | DIED);
        left = glance_left(cursor, left);
        if (left == GLANCE_NOTHING) {
            return false;
        }
        if ((found & (WHO | DIED)) && i > 0) {
            return true;
        }
        if ((found & WHO) && (found & IS)) { /* i'm, shes */
            return true;
        }
        const bool links = (found & IS) || lexeme_is(&cursor->reading->view, left, "'");
        if (!links) {
            return i > 0 && (is_name(cursor, left) || is_slip(cursor, left));
        }
    }
    return false;
}

/* "aged", "age:", "age is", "turned", "age (years):", a key "age" in quotes: in front of an age. */
static bool aged_before(const struct cursor *cursor, uint32_t at, bool *is_label)
{
    static const struct glance_tell tell = {&age_words, AGED, LINK, LABEL_LEXEMES, ":=\"'_()"};
    const uint32_t aged = glance_left_tell(cursor, at, &tell);
    *is_label = false;
    for (uint32_t i = aged; i < at; i++) { /* GLANCE_NOTHING is behind all */
        const char mark = cursor->reading->view.lexemes[i].mark;
        *is_label |= mark == ':' || mark == '=';
    }
    return aged != GLANCE_NOTHING;
}

static bool born_before(const struct cursor *cursor, uint32_t at)
{
    static const struct glance_tell tell = {&age_words, BIRTH, LINK, BIRTH_LEXEMES, NULL};
    return glance_left_tell(cursor, at, &tell) != GLANCE_NOTHING;
}

/* "in her 90s", "in his late nineties". */
static bool whose_before(const struct cursor *cursor, uint32_t at)
{
    uint32_t left = at;
    if (left_is(cursor, left, PART)) {
        left = glance_left(cursor, left);
    }
    const uint32_t whose = glance_left(cursor, left);
    return whose != GLANCE_NOTHING && left_is(cursor, left, WHOSE)
           && !lexeme_is(&cursor->reading->view, whose, "the");
}

/* "died at": an age follows. */
static bool died_at(const struct cursor *cursor, uint32_t at)
{
    const uint32_t left = glance_left(cursor, at);
    return left != GLANCE_NOTHING && lexeme_is(&cursor->reading->view, left, "at")
           && left_is(cursor, left, DIED);
}

/* "my grandpa, 93, lives", "dad (93)": an age between two marks. */
static bool is_aside(struct cursor *cursor, uint32_t at, uint32_t end)
{
    const uint32_t mark = glance_left_on_line(cursor, at);
    const struct window_view *view = &cursor->reading->view;
    if (mark == GLANCE_NOTHING) {
        return false;
    }
    const bool is_paren = lexeme_is(view, mark, "(");
    if (!is_paren && !lexeme_is(view, mark, ",")) {
        return false;
    }
    const uint32_t who = glance_left(cursor, mark);
    if (who == GLANCE_NOTHING || !(left_is(cursor, mark, WHO) || is_name(cursor, who))) {
        return false;
    }
    return cursor_is(cursor, end, is_paren ? ")" : ",");
}

/* Nothing that makes it another number: a unit, a fraction, a decimal, a noun. */
static bool stands_alone(struct cursor *cursor, uint32_t index)
{
    return !glance_goes_on(cursor, index, ".,:/-") && glance_mark(cursor, index, "%/:") == '\0'
           && !plain_words_unit_follows(cursor, index)
           && plain_words_sentence_follows(cursor, index);
}

/* "Age: 95 Residence": behind a label the next label may follow. */
static bool is_value(struct cursor *cursor, uint32_t index)
{
    return !glance_goes_on(cursor, index, ".,:/-") && glance_mark(cursor, index, "%/:") == '\0'
           && !plain_words_unit_follows(cursor, index)
           && glance_is_capital(cursor, glance_spaces(cursor, index));
}

static bool years_ago_follows(struct cursor *cursor, uint32_t index)
{
    const uint32_t next = glance_spaces(cursor, index);
    if (!(glance_word(cursor, next, &age_words) & YEARS)) {
        return false;
    }
    return cursor_is(cursor, glance_spaces(cursor, next + 1), "ago");
}

/* A number of the right size stands at .. end - 1. */
static uint32_t age_by_context(struct cursor *cursor, uint32_t at, uint32_t end)
{
    if (old_follows(cursor, end)) {
        return end;
    }
    if (left_is(cursor, at, BIRTH) && years_ago_follows(cursor, end)) {
        return end;
    }
    bool is_label = false;
    if (aged_before(cursor, at, &is_label)) {
        const uint32_t next = glance_spaces(cursor, end);
        const bool is_years = (glance_word(cursor, next, &age_words) & YEARS) != 0;
        const bool is_alone = stands_alone(cursor, end) || (is_label && is_value(cursor, end));
        return is_years || is_alone ? end : 0;
    }
    if (is_aside(cursor, at, end)) {
        return end;
    }
    return (someone_is(cursor, at) || died_at(cursor, at)) && stands_alone(cursor, end) ? end : 0;
}

/* "92F with dementia": a sex behind the number. */
static bool sex_follows(struct cursor *cursor, uint32_t at, const char *rest, size_t length)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, at);
    if (length != 1 || (rest[0] != 'f' && rest[0] != 'm') || lexeme->letter_case == CASE_LOWER) {
        return false;
    }
    const uint32_t next = glance_spaces(cursor, at + 1);
    return (glance_word(cursor, next, &age_words) & NOTE) != 0;
}

/* "92yo", "92yrs", "92y", "90s", "98th": a number and letters in one lexeme. */
static uint32_t joined_age(struct cursor *cursor, uint32_t at)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, at);
    const char *text = lexeme_text(&cursor->reading->view, at);
    uint32_t value = 0;
    uint32_t digits = 0;
    while (digits < lexeme->folded_bytes && digits < 3 && text[digits] >= '0'
           && text[digits] <= '9') {
        value = value * 10 + (uint32_t)(text[digits++] - '0');
    }
    const char *rest = text + digits;
    const size_t length = (size_t)lexeme->folded_bytes - digits;
    if (length == 0 || !is_old(value)) {
        return 0;
    }
    if (length == 1 && rest[0] == 's') {
        return whose_before(cursor, at) ? at + 1 : 0;
    }
    if (length == 2
        && (memcmp(rest, "th", 2) == 0 || memcmp(rest, "st", 2) == 0 || memcmp(rest, "nd", 2) == 0
            || memcmp(rest, "rd", 2) == 0)) {
        return is_birthday(cursor, at, at + 1) ? at + 1 : 0;
    }
    if (sex_follows(cursor, at, rest, length)) {
        return at + 1;
    }
    const uint32_t found = word_table_find(&age_words, rest, length);
    if (found & SHORT) {
        return at + 1;
    }
    if (!(found & YEARS)) {
        return 0;
    }
    if (length == 1 && cursor_is(cursor, at + 1, "/")) { /* 92y/o */
        return cursor_is(cursor, at + 2, "o") ? at + 1 : 0;
    }
    const uint32_t next = joint(cursor, at + 1);
    bool is_label = false;
    const bool is_told = (glance_word(cursor, next, &age_words) & OLD)
                         || aged_before(cursor, at, &is_label)
                         || (someone_is(cursor, at) && stands_alone(cursor, at + 1));
    return is_told ? at + 1 : 0;
}

static uint32_t written_age(struct cursor *cursor, uint32_t at)
{
    struct glance_digits digits;
    if (!glance_digits(cursor, at, &digits) || glance_is_tail(cursor, at, ".,/:-$#")
        || digits.count > 4) {
        return 0;
    }
    if (digits.count == 4) {
        return digits.value >= YEAR_MIN && digits.value < CALENDAR_REFERENCE_YEAR - CALENDAR_AGE_MAX
                       && born_before(cursor, at) && !glance_goes_on(cursor, at + 1, "-/.")
                   ? at + 1
                   : 0;
    }
    if (!is_old(digits.value)) {
        return 0;
    }
    if (glance_mark(cursor, at + 1, "'") != '\0') { /* 90's */
        return whose_before(cursor, at) && cursor_is(cursor, at + 2, "s") ? at + 3 : 0;
    }
    return age_by_context(cursor, at, at + 1);
}

static uint32_t spoken_age(struct cursor *cursor, uint32_t at)
{
    uint32_t value = 0;
    if (glance_word(cursor, at, &age_words) & DECADE) {
        return at + 1;
    }
    if (cursor_is(cursor, at, "nineties")) {
        return whose_before(cursor, at) ? at + 1 : 0;
    }
    if (!glance_word(cursor, at, &number_words)) {
        return 0;
    }
    uint32_t end = number_words_ordinal(cursor, at, &value);
    if (end != 0) {
        return is_old(value) && is_birthday(cursor, at, end) ? end : 0;
    }
    end = number_words_cardinal(cursor, at, &value);
    return end != 0 && is_old(value) ? age_by_context(cursor, at, end) : 0;
}

uint32_t age_match(struct cursor *cursor, uint32_t at)
{
    const struct lexeme *lexeme = cursor_lexeme(cursor, at);
    if (!lexeme) {
        return 0;
    }
    switch ((enum lexeme_class)lexeme->class) {
    case LEXEME_NUMBER:
        return written_age(cursor, at);
    case LEXEME_MIXED:
        return joined_age(cursor, at);
    case LEXEME_WORD:
        return spoken_age(cursor, at);
    case LEXEME_MARK:
    case LEXEME_SPACE:
    case LEXEME_BREAK:
    case LEXEME_GLYPH:
        break;
    }
    return 0;
}
