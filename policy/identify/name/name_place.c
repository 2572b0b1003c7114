#include "policy/identify/name/name_place.h"

#include <string.h>

#include "policy/identify/words/word_ending.h"

enum {
    PLACE_WORDS_MAX = 5,
    PLACE_BYTES_MAX = 96,
    LISTED_POINTS = 3,  /* a place of one word, beside its class */
    PHRASE_POINTS = 8,  /* of several */
    CAPITAL_POINTS = 4, /* inside a sentence */
    LOWER_POINTS = -3,
    RARE_CLASS = 1, /* of a word that is hardly one */
    SUFFIX_POINTS = 3,
    ADDRESS_POINTS = 5, /* behind an address's comma */
    REGION_POINTS = 8,  /* in front of a state or postal code */
    SURE_PLACE = 3,     /* so much more often a place than a word */
    SURE_CLASS_MAX = 8,
    CLASS_MAX = 6 /* beyond that a greater town is no surer */
};

WORD_LIST(small_words, "of", "the", "de", "la", "las", "los", "del", "du", "on");

static const char *const suffixes[] = {"ville", "burg",  "burgh", "boro",  "borough", "town",
                                       "ton",   "field", "ford",  "port",  "wood",    "dale",
                                       "land",  "mont",  "view",  "haven", "bury",    "ham",
                                       "stad",  "berg",  "dorf",  "grad",  "sk",      "polis"};
static const struct word_endings suffix_words = WORD_ENDINGS(suffixes);

/* The next word of a phrase and where it begins; false: none follows as a place's words do. */
static bool next_word(struct cursor *cursor, uint32_t end, uint32_t *index)
{
    const char mark = cursor_mark(cursor, end);
    *index = end + 1;
    if (mark == '.') { /* "St. Louis" */
        if (cursor_mark(cursor, end + 1) != ' ' || !cursor_lexeme(cursor, end - 1)
            || cursor->reading->view.lexemes[end - 1].folded_bytes > 2) {
            return false;
        }
        *index = end + 2;
    } else if (mark == ' ') {
        *index = name_word_skip(cursor, end);
    } else if (mark == '\'' && cursor_is(cursor, end + 1, "s")) {
        return true; /* "Valentine's Day" is "valentine s day" */
    } else if (mark != '-') {
        return false;
    }
    const struct lexeme *const lexeme = cursor_lexeme(cursor, *index);
    return lexeme && lexeme->class == LEXEME_WORD;
}

/* "Long beach" is no town, "Brussels sprouts" may be a term. */
static bool is_written_as_place(struct cursor *cursor, uint32_t index, bool is_capital)
{
    return !is_capital || cursor->reading->view.lexemes[index].letter_case != CASE_LOWER
           || cursor_is_any(cursor, index, &small_words);
}

struct entry_found {
    uint32_t number, words;
    uint32_t end; /* 0: there is none */
};

/* "St. Cloud", "Ft. Wayne": what the first word may stand for. */
static const struct {
    const char *short_form, *whole;
} openings[] = {{"st", "saint"}, {"ft", "fort"}, {"mt", "mount"}};

static const char *opening_of(const struct window_view *view)
{
    for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++) {
        if (lexeme_is(view, view->at, openings[i].short_form)) {
            return openings[i].whole;
        }
    }
    return NULL;
}

/* The longest entry that begins at `index`, in words joined by one space. opening: instead of the
 * first word, NULL: itself. */
static struct entry_found find_entry(struct cursor *cursor, uint32_t index, bool is_capital,
                                     const char *opening)
{
    const struct window_view *const view = &cursor->reading->view;
    char text[PLACE_BYTES_MAX];
    size_t bytes = 0;
    struct entry_found best = {0};
    bool is_place = true;
    for (uint32_t count = 1; count <= PLACE_WORDS_MAX; count++) {
        const struct lexeme *const lexeme = &view->lexemes[index];
        const bool is_opening = opening && count == 1;
        const char *const word = is_opening ? opening : lexeme_text(view, index);
        const size_t length = is_opening ? strlen(opening) : lexeme->folded_bytes;
        if (bytes + length + 1 > sizeof text) {
            break;
        }
        memcpy(text + bytes, word, length);
        bytes += length;
        uint32_t found = 0;
        const enum lexicon_match match =
            lexicon_phrase(cursor->reading->terms->lexicon, text, bytes, &found);
        const unsigned flags = lexicon_entry(cursor->reading->terms->lexicon, found)->flags;
        if (found != 0 && (is_place || (flags & LEXICON_TERM))) {
            best = (struct entry_found){.number = found, .words = count, .end = index + 1};
        }
        if (match != LEXICON_BEGINS || !next_word(cursor, index + 1, &index)) {
            break;
        }
        is_place = is_place && is_written_as_place(cursor, index, is_capital);
        text[bytes++] = ' ';
    }
    return best;
}

static struct entry_found longest_entry(struct cursor *cursor, bool is_capital)
{
    const uint32_t at = cursor->reading->view.at;
    const struct entry_found found = find_entry(cursor, at, is_capital, NULL);
    const char *const opening = opening_of(&cursor->reading->view);
    if (!opening || found.words > 1) {
        return found;
    }
    const struct entry_found whole = find_entry(cursor, at, is_capital, opening);
    return whole.words > 1 ? whole : found;
}

/* ", TX", ", Texas", " TX 78701", " 78701": the place before is one. */
static bool has_region(struct cursor *cursor, uint32_t end, bool is_capital)
{
    const char mark = cursor_mark(cursor, end);
    if (mark != ',' && mark != ' ') {
        return false;
    }
    const uint32_t index = name_word_skip(cursor, mark == ',' ? end + 1 : end);
    const struct lexeme *const lexeme = cursor_lexeme(cursor, index);
    if (!lexeme) {
        return false;
    }
    if (lexeme->class == LEXEME_NUMBER) {
        return lexeme->folded_bytes == 5 && index > end;
    }
    const struct lexicon_entry *const entry =
        lexicon_entry(cursor->reading->terms->lexicon, lexeme->word);
    const bool is_code = lexeme->folded_bytes == 2;
    const bool is_shouted = cursor->reading->view.lexemes[end - 1].letter_case == CASE_UPPER;
    if (lexeme->class != LEXEME_WORD || !(entry->flags & LEXICON_STATE)) {
        return false;
    }
    if (is_code) { /* "in" and "or" are codes as well */
        return (lexeme->letter_case == CASE_UPPER && (mark == ',' || !is_shouted))
               || (mark == ',' && !is_capital && entry->word == 0);
    }
    return mark == ',' || lexeme->letter_case == CASE_CAPITAL;
}

static int place_points(const struct name_word *first, const struct lexicon_entry *entry,
                        uint32_t words)
{
    if (words > 1) {
        return PHRASE_POINTS;
    }
    const int most = entry->place >= first->lists.word + SURE_PLACE ? SURE_CLASS_MAX : CLASS_MAX;
    const int size = entry->place > most ? most : entry->place;
    const int word = first->lists.word > RARE_CLASS ? first->lists.word : 0;
    return LISTED_POINTS + size - word;
}

static bool has_town_suffix(const struct name_word *word)
{
    return word_ending_row(&suffix_words, word->text, word->bytes, 3) != 0;
}

/* "in Poolsborough": where a place is expected, a word that no list has may be one. */
static struct name_place unlisted_place(struct cursor *cursor, const struct name_word *first,
                                        const struct name_left *left)
{
    struct name_place place = {0};
    if ((!left->is_place && !left->is_address) || first->bytes < 3) {
        return place;
    }
    const bool is_capital = first->letter_case == NAME_CAPITAL;
    if (!is_capital && first->letters <= 0 && !has_town_suffix(first)) {
        return place;
    }
    place.end = cursor->reading->view.at + 1;
    place.has_region = has_region(cursor, place.end, is_capital);
    place.points = LISTED_POINTS + left->place + (has_town_suffix(first) ? SUFFIX_POINTS : 0);
    place.points += left->is_address && is_capital && cursor_mark(cursor, place.end) != ':'
                        ? ADDRESS_POINTS
                        : 0;
    place.points += place.has_region ? REGION_POINTS : 0;
    place.points += is_capital ? (left->is_sentence_start ? 0 : CAPITAL_POINTS) : LOWER_POINTS;
    return place;
}

struct name_place name_place_read(struct cursor *cursor, const struct name_word *first,
                                  const struct name_left *left)
{
    struct name_place place = {0};
    const bool is_capital = first->letter_case != NAME_LOWER;
    const bool is_expected = left->is_place || left->is_address;
    const unsigned flags = first->lists.flags;
    if (!name_word_is_listed(first) && first->lists.place == 0 && flags == 0) {
        return unlisted_place(cursor, first, left);
    }
    if (first->lists.place == 0 && !(flags & (LEXICON_TERM | LEXICON_PHRASE_START))) {
        return place;
    }
    if (!is_capital && !is_expected && first->lists.word > 0) {
        return place; /* "long", "new": nothing to wait for */
    }
    const struct entry_found found = longest_entry(cursor, is_capital);
    place.end = found.end;
    if (place.end == 0) {
        return place;
    }
    const struct lexicon_entry *const entry =
        lexicon_entry(cursor->reading->terms->lexicon, found.number);
    place.is_term = (entry->flags & LEXICON_TERM) != 0;
    if (place.is_term || entry->place == 0) {
        place.end = place.is_term ? place.end : 0;
        return place;
    }
    place.has_region = has_region(cursor, place.end, is_capital);
    place.points = place_points(first, entry, found.words) + left->place;
    place.points += left->is_address ? ADDRESS_POINTS : 0;
    place.points += place.has_region ? REGION_POINTS : 0;
    place.points += is_capital ? (left->is_sentence_start ? 0 : CAPITAL_POINTS) : LOWER_POINTS;
    return place;
}

/* The word before `index`, behind one space, a hyphen or an apostrophe; false: none. */
static bool word_before(const struct window_view *view, uint32_t index, uint32_t *found)
{
    if (index < 2 || view->lexemes[index - 2].class != LEXEME_WORD) {
        return false;
    }
    const bool is_possessive = lexeme_is(view, index - 1, "'") && lexeme_is(view, index, "s");
    *found = index - 2;
    return view->lexemes[index - 1].class == LEXEME_SPACE || is_possessive
           || lexeme_is(view, index - 1, "-");
}

bool name_place_is_inside_term(struct cursor *cursor)
{
    const struct window_view *const view = &cursor->reading->view;
    const struct lexicon *const lexicon = cursor->reading->terms->lexicon;
    uint32_t first = view->at;
    for (uint32_t back = 1; back < PLACE_WORDS_MAX && word_before(view, first, &first); back++) {
        if (!(lexicon_entry(lexicon, view->lexemes[first].word)->flags & LEXICON_PHRASE_START)) {
            continue;
        }
        const bool is_capital = view->lexemes[first].letter_case != CASE_LOWER;
        const struct entry_found found = find_entry(cursor, first, is_capital, NULL);
        if (found.end > view->at
            && (lexicon_entry(lexicon, found.number)->flags & LEXICON_TERM) != 0) {
            return true;
        }
    }
    return false;
}
