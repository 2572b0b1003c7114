#include "policy/identify/name/name_word.h"

#include <string.h>

#include "policy/identify/words/word_ending.h"

enum {
    POINTS_MAX = 10,
    POINTS_MIN = -12,
    LETTERS_MAX = 4,
    LETTERS_MIN = -3,     /* so that a capital inside a sentence passes */
    LETTERS_DIVISOR = 10, /* eighths of a bit to classes */
    COMPOUND_PART_MIN = 4,
    COMPOUND_WORD_MIN = 5,  /* by the lexicon's class: usual, */
    COMPOUND_WORD_MAX = 10, /* but none that runs into others in a slip */
    TERM_POINTS = 12,
    STATE_CODE_POINTS = 8,
    MEDICAL_POINTS = 8,
    KNOWN_CLASS = 3,
    CAPS_WORD_BYTES = 5, /* so long a word in capitals that no list has is no acronym */
    NEIGHBOURS = 4,
    SPACES_MAX = 2
};

WORD_LIST(particles, "al", "abu", "bin", "bint", "da", "das", "de", "del", "den", "der", "di",
          "dos", "du", "el", "ibn", "la", "las", "le", "los", "mac", "san", "ter", "ten", "van",
          "von", "y");

static const char *const endings[] = {
    "itis",     "osis",     "oses",     "oma",      "omas",    "emia",      "ectomy",   "otomy",
    "ostomy",   "ology",    "ologist",  "ologists", "ologic",  "pathy",     "pathic",   "plasty",
    "scopy",    "gram",     "graphy",   "azole",    "azoles",  "april",     "sartan",   "olol",
    "statin",   "mycin",    "micin",    "cillin",   "oxime",   "azepam",    "azolam",   "idone",
    "apine",    "triptan",  "caine",    "mab",      "ivir",    "avir",      "ovir",     "coccus",
    "cocci",    "pnea",     "algia",    "uria",     "rrhea",   "rrhage",    "sporin",   "sporins",
    "thiazide", "olone",    "asone",    "onide",    "amide",   "idine",     "etine",    "oxetine",
    "axine",    "aprazole", "floxacin", "cycline",  "dronate", "glitazone", "gliptin",  "gliflozin",
    "phylline", "terol",    "tropium",  "parin",    "platin",  "rubicin",   "barbital", "trexate",
    "formin",   "prazole",  "lukast",   "setron",   "dopa",    "giline",    "zepine",   "ergic",
    "emic",     "otic",     "otics",    "uretic",   "cardia",  "cardial",   "vascular", "centesis",
    "phobia",   "phrenia",  "mania",    "plegia",   "paresis", "lysis",     "penia",    "philia",
    "trophy",   "genic",    "cyte",     "cytes",    "globin",  "inine",     "ergics",   "bacter",
    "bacteria", "virus"};

static const struct word_endings ending_words = WORD_ENDINGS(endings);

static const char *const prefixes[] = {
    "anti",   "bio",      "cardio", "chemo",  "counter", "cyber",  "electro", "gastro",
    "hydro",  "hyper",    "immuno", "inter",  "micro",   "multi",  "neuro",   "onco",
    "over",   "pharmaco", "photo",  "physio", "pseudo",  "psycho", "radio",   "super",
    "techno", "tele",     "thermo", "trans",  "under",   "web"};

WORD_LIST(pronouns, "a", "he", "her", "him", "his", "i", "it", "its", "me", "my", "our", "she",
          "that", "the", "them", "they", "this", "us", "we", "you", "your");

/* What stands behind the apostrophe of you're, can't, i'll: no name does. */
static bool is_contracted(const char *after, size_t bytes)
{
    static const char *const tails[] = {"s", "t", "d", "m", "re", "ve", "ll", "em", "am", "all"};
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        if (strlen(tails[i]) == bytes && memcmp(tails[i], after, bytes) == 0) {
            return true;
        }
    }
    return false;
}

/* Lists have names without apostrophes: obrien. */
static struct lexicon_entry look_up(const struct reading *reading, const struct lexeme *lexeme,
                                    struct name_word *word)
{
    const struct lexicon *const lexicon = reading->terms->lexicon;
    const struct lexicon_entry entry = *lexicon_entry(lexicon, lexeme->word);
    const char *const mark = memchr(word->text, '\'', word->bytes);
    if (!mark) {
        return entry;
    }
    const size_t before = (size_t)(mark - word->text);
    const size_t after = word->bytes - before - 1;
    char joined[LEXEME_FOLDED_MAX];
    memcpy(joined, word->text, before);
    memcpy(joined + before, mark + 1, after);
    word->is_contraction = is_contracted(mark + 1, after);
    if (word->is_contraction) {
        return entry;
    }
    return *lexicon_entry(lexicon, lexicon_find(lexicon, joined, before + after));
}

static bool is_upper(const struct reading *reading, uint32_t index)
{
    const struct lexeme *const lexeme = &reading->view.lexemes[index];
    return lexeme->class == LEXEME_WORD && lexeme->letter_case == CASE_UPPER
           && lexeme->folded_bytes > 1;
}

/* Only the left is asked, so that nothing has to be waited for. */
static bool is_among_capitals(const struct reading *reading, uint32_t index)
{
    unsigned upper = 0;
    unsigned words = 0;
    for (uint32_t i = index; i > 0 && words < NEIGHBOURS && index - i < 2 * NEIGHBOURS; i--) {
        if (reading->view.lexemes[i - 1].class == LEXEME_WORD) {
            words++;
            upper += is_upper(reading, i - 1);
        }
    }
    return words > 0 && upper * 2 > words;
}

static enum name_case case_of(const struct reading *reading, uint32_t index,
                              const struct name_word *word)
{
    const struct lexeme *const lexeme = &reading->view.lexemes[index];
    switch ((enum lexeme_case)lexeme->letter_case) {
    case CASE_LOWER:
        return NAME_LOWER;
    case CASE_CAPITAL:
    case CASE_MIXED:
        return NAME_CAPITAL;
    case CASE_NONE:
        return NAME_NO_CASE;
    case CASE_UPPER:
        break;
    }
    if (lexeme->folded_bytes == 1) {
        return NAME_CAPITAL;
    }
    if (is_among_capitals(reading, index)) {
        return NAME_CAPS;
    }
    const unsigned kinds =
        word->lists.flags & ~(unsigned)(LEXICON_KEY | LEXICON_PHRASE_START | LEXICON_FOREIGN);
    const bool is_known = word->lists.word > 0 || kinds != 0;
    return lexeme->folded_bytes >= CAPS_WORD_BYTES && !is_known ? NAME_CAPITAL : NAME_ACRONYM;
}

/* "yellowbird": two ordinary words in one, as surnames are made of. */
static bool is_compound(const struct lexicon *lexicon, const struct name_word *word)
{
    if (word->bytes < 2 * COMPOUND_PART_MIN || memchr(word->text, '\'', word->bytes)) {
        return false;
    }
    for (size_t cut = COMPOUND_PART_MIN; cut + COMPOUND_PART_MIN <= word->bytes; cut++) {
        const uint32_t before = lexicon_find(lexicon, word->text, cut);
        const uint32_t after = lexicon_find(lexicon, word->text + cut, word->bytes - cut);
        const uint8_t first = lexicon_entry(lexicon, before)->word;
        const uint8_t second = lexicon_entry(lexicon, after)->word;
        if (first >= COMPOUND_WORD_MIN && first <= COMPOUND_WORD_MAX && second >= COMPOUND_WORD_MIN
            && second <= COMPOUND_WORD_MAX) {
            return true;
        }
    }
    return false;
}

static int clamp(int value, int least, int most)
{
    if (value < least) {
        return least;
    }
    return value > most ? most : value;
}

bool name_word_read(const struct reading *reading, uint32_t index, struct name_word *out)
{
    const struct lexeme *const lexeme = &reading->view.lexemes[index];
    if (lexeme->class != LEXEME_WORD || lexeme->is_cut) {
        return false;
    }
    *out = (struct name_word){.text = lexeme_text(&reading->view, index),
                              .bytes = lexeme->folded_bytes,
                              .hash = lexeme->hash};
    out->lists = look_up(reading, lexeme, out);
    out->letter_case = (uint8_t)case_of(reading, index, out);
    if (!name_word_is_listed(out)) {
        const int odds = lexicon_name_odds(reading->terms->lexicon, out->text, out->bytes);
        out->letters = (int8_t)clamp(odds / LETTERS_DIVISOR, LETTERS_MIN, LETTERS_MAX);
        if (out->letters < 0 && is_compound(reading->terms->lexicon, out)) {
            out->letters = 0;
        }
    }
    return true;
}

bool name_word_is_listed(const struct name_word *word)
{
    return word->lists.first > 0 || word->lists.last > 0 || word->lists.word > 0;
}

static int points(const struct name_word *word, int name)
{
    if (word->is_contraction) {
        return POINTS_MIN;
    }
    return name_word_is_listed(word) ? clamp(name - word->lists.word, POINTS_MIN, POINTS_MAX)
                                     : word->letters;
}

int name_word_points(const struct name_word *word)
{
    const bool is_first = word->lists.first > word->lists.last;
    return points(word, is_first ? word->lists.first : word->lists.last);
}

int name_word_first_points(const struct name_word *word)
{
    return points(word, word->lists.first);
}

int name_word_last_points(const struct name_word *word)
{
    return points(word, word->lists.last);
}

bool name_word_is_known_name(const struct name_word *word)
{
    const struct lexicon_entry *const lists = &word->lists;
    return lists->first >= KNOWN_CLASS || lists->last >= KNOWN_CLASS;
}

/* Words that are made of parts are on no list, but no names either. */
static bool has_prefix(const struct name_word *word)
{
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (prefixes[i][0] != word->text[0]) {
            continue;
        }
        const size_t bytes = strlen(prefixes[i]);
        if (word->bytes > bytes + 2 && memcmp(word->text, prefixes[i], bytes) == 0) {
            return true;
        }
    }
    return false;
}

/* Endings that words of medicine have and names seldom. */
static bool has_medical_ending(const struct name_word *word)
{
    return word_ending_row(&ending_words, word->text, word->bytes, 2) != 0;
}

int name_word_made_points(const struct name_word *word)
{
    const bool is_made =
        !name_word_is_known_name(word) && (has_medical_ending(word) || has_prefix(word));
    return is_made ? MEDICAL_POINTS : 0;
}

int name_word_term_points(const struct name_word *word)
{
    const unsigned flags = word->lists.flags;
    const bool is_upper = word->letter_case == NAME_ACRONYM || word->letter_case == NAME_CAPS;
    if ((flags & (LEXICON_TERM | LEXICON_DRUG)) || (is_upper && (flags & LEXICON_ACRONYM))) {
        return TERM_POINTS;
    }
    return is_upper && word->bytes == 2 && (flags & LEXICON_STATE) ? STATE_CODE_POINTS : 0;
}

bool name_word_is_initial(const struct name_word *word)
{
    return word->bytes == 1 && word->letter_case == NAME_CAPITAL;
}

bool name_word_is_any(const struct name_word *word, const struct word_table *words)
{
    return word_table_row(words, word->hash, word->text, word->bytes) != 0;
}

bool name_word_is_particle(const struct name_word *word)
{
    return name_word_is_any(word, &particles);
}

bool name_word_is_pronoun(const struct name_word *word)
{
    return name_word_is_any(word, &pronouns);
}

uint32_t name_word_skip(struct cursor *cursor, uint32_t index)
{
    for (int spaces = 0; spaces < SPACES_MAX && cursor_is_class(cursor, index, LEXEME_SPACE);
         spaces++) {
        index++;
    }
    return index;
}
