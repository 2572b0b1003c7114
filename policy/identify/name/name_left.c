#include "policy/identify/name/name_left.h"

#include <string.h>

#include "policy/identify/cursor.h"

enum {
    SLIP_POINTS = 5,
    SLIP_BYTES_MIN = 5,
    WORDS_BACK = 4, /* of a phrase */
    LEXEMES_BACK = 24,
    ADDRESS_BACK = 16,
    FOREIGN_BACK = 8
};

/* What may stand between the row's word and the name, beside spaces. */
enum separator {
    SEP_DOT = 1 << 0,
    SEP_COMMA = 1 << 1,
    SEP_COLON = 1 << 2,
    SEP_BREAK = 1 << 3,
    SEP_OTHER = 1 << 4,
    SEP_QUOTE = 1 << 5 /* a key and its value; else as OTHER */
};

enum left_kind {
    LEFT_NAME = 1 << 0,
    LEFT_PLACE = 1 << 1,
    LEFT_STRONG = 1 << 2,
    LEFT_MONTH = 1 << 3,
    LEFT_MARKED = 1 << 5,  /* only with a mark or a line end between: a label, a closing */
    LEFT_MATTER = 1 << 6,  /* "taking", "the": a drug or thing follows rather than a person */
    LEFT_ARTICLE = 1 << 7, /* "a robin", "the sun" */
    LEFT_KIN = 1 << 4      /* two points more after my, his, her ... */
};

struct left_row {
    const char *last;   /* the word before the name */
    const char *before; /* words before that one, "" for any */
    int16_t points;
    uint8_t separators, kind;
};

/* Sorted by `last`; of several rows that fit the one with the most points counts. */
static const struct left_row rows[] = {
#define LEFT(before, last, points, separators, kind) {last, before, points, separators, kind},
#include "policy/identify/name/name_left.def"
};
static const struct word_table row_words = WORD_TABLE(rows);

WORD_LIST(owners, "my", "his", "her", "their", "our", "your", "whose", "patient", "pt", "client");

enum { SEP_BITS_OF_KEY = SEP_QUOTE | SEP_COLON | SEP_BREAK };

struct words { /* to the left, nearest first */
    uint32_t index[WORDS_BACK];
    uint32_t count;
    unsigned separators; /* between the nearest one and the name */
    unsigned between;    /* between the others */
};

static char mark_at(const struct reading *reading, uint32_t index)
{
    const struct lexeme *const lexeme = &reading->view.lexemes[index];
    return (char)(lexeme->class == LEXEME_MARK && lexeme->folded_bytes == 1
                      ? *lexeme_text(&reading->view, index)
                      : 0);
}

static unsigned separator_of(const struct reading *reading, uint32_t index)
{
    const struct lexeme *const lexeme = &reading->view.lexemes[index];
    if (lexeme->class == LEXEME_SPACE) {
        return 0;
    }
    if (lexeme->class == LEXEME_BREAK) {
        return SEP_BREAK;
    }
    switch (mark_at(reading, index)) {
    case '.':
        return SEP_DOT;
    case ',':
        return SEP_COMMA;
    case ':':
    case '=':
        return SEP_COLON;
    case '"':
        return SEP_QUOTE;
    case '\'':
    case '*': /* **Name:** */
    case '_':
        return 0;
    default:
        return SEP_OTHER;
    }
}

static struct words words_left(const struct reading *reading)
{
    struct words words = {0};
    const uint32_t at = reading->view.at;
    unsigned *separators = &words.separators;
    for (uint32_t i = at; i > 0 && at - i < LEXEMES_BACK && words.count < WORDS_BACK; i--) {
        const uint8_t class = reading->view.lexemes[i - 1].class;
        if (class == LEXEME_WORD || class == LEXEME_MIXED || class == LEXEME_NUMBER) {
            words.index[words.count++] = i - 1;
            separators = &words.between;
        } else {
            *separators |= separator_of(reading, i - 1);
        }
        if (words.between != 0) {
            break; /* phrases do not cross marks */
        }
    }
    if (words.separators & SEP_QUOTE) {
        const bool is_key = (words.separators & ~(unsigned)SEP_BITS_OF_KEY) == 0;
        words.separators = is_key && (words.separators & SEP_COLON) ? SEP_COLON : SEP_OTHER;
    }
    return words;
}

/* The words of `before`, the last of them first, against those from the second nearest on. */
static bool has_before(const struct reading *reading, const struct words *words, const char *before)
{
    size_t end = strlen(before);
    for (uint32_t word = 1; end > 0; word++) {
        size_t start = end;
        while (start > 0 && before[start - 1] != ' ') {
            start--;
        }
        if (word >= words->count) {
            return false;
        }
        const struct lexeme *const lexeme = &reading->view.lexemes[words->index[word]];
        if (lexeme->folded_bytes != end - start
            || memcmp(lexeme_text(&reading->view, words->index[word]), before + start, end - start)
                   != 0) {
            return false;
        }
        end = start > 0 ? start - 1 : 0;
    }
    return true;
}

static bool is_owner(const struct reading *reading, uint32_t index)
{
    return cursor_row(&reading->view, index, &owners) != 0;
}

static bool is_owned(const struct reading *reading, const struct words *words)
{
    return words->count > 1 && is_owner(reading, words->index[1]);
}

static void take_row(const struct left_row *row, int bonus, bool is_colon, struct name_left *left)
{
    if (row->kind & LEFT_MATTER) {
        left->matter = row->points;
        left->is_article |= (row->kind & LEFT_ARTICLE) != 0;
        return;
    }
    const int points = row->points + bonus;
    int *const best = row->kind & LEFT_PLACE ? &left->place : &left->name;
    if (*best == 0 || points > *best) {
        *best = points;
    }
    left->is_strong |= (row->kind & LEFT_STRONG) != 0;
    left->is_label |= is_colon && !(row->kind & LEFT_STRONG);
    left->is_place |= (row->kind & LEFT_PLACE) != 0;
    left->is_month |= (row->kind & LEFT_MONTH) != 0;
}

static void read_rows(const struct reading *reading, const struct words *words,
                      struct name_left *left)
{
    const uint32_t first =
        words->count > 0 ? cursor_row(&reading->view, words->index[0], &row_words) : 0;
    if (first == 0) {
        return;
    }
    for (uint32_t i = first - 1;
         i < row_words.count && strcmp(rows[i].last, rows[first - 1].last) == 0; i++) {
        const bool is_marked = words->separators != 0 || !(rows[i].kind & LEFT_MARKED);
        if (is_marked && (words->separators & ~(unsigned)rows[i].separators) == 0
            && has_before(reading, words, rows[i].before)) {
            const bool is_kin = (rows[i].kind & LEFT_KIN) && is_owned(reading, words);
            take_row(&rows[i], is_kin ? 2 : 0, (words->separators & SEP_COLON) != 0, left);
        }
    }
}

/* "my husbannd lakshmi": behind whose, a long word that no list has may be a relation in a slip of
 * the fingers. */
static bool is_slip(const struct reading *reading, const struct words *words)
{
    if (words->count < 2 || words->separators != 0 || !is_owned(reading, words)) {
        return false;
    }
    const struct lexeme *const lexeme = &reading->view.lexemes[words->index[0]];
    const struct lexicon_entry *const entry = lexicon_entry(reading->terms->lexicon, lexeme->word);
    return lexeme->class == LEXEME_WORD && lexeme->letter_case == CASE_LOWER
           && lexeme->folded_bytes >= SLIP_BYTES_MIN && entry->word == 0 && entry->first == 0
           && entry->place == 0 && (entry->flags & ~(unsigned)LEXICON_KEY) == 0;
}

/* The mark in front of the word, behind spaces; 0: none, or a word. */
static bool starts_sentence(const struct reading *reading, uint32_t at)
{
    uint32_t i = at;
    while (i > 0 && reading->view.lexemes[i - 1].class == LEXEME_SPACE) {
        i--;
    }
    if (i == 0) {
        return reading->view.lexemes[0].start == 0 || at == 0;
    }
    const struct lexeme *const lexeme = &reading->view.lexemes[i - 1];
    if (lexeme->class == LEXEME_BREAK || lexeme->class == LEXEME_GLYPH) {
        return true;
    }
    if (lexeme->class != LEXEME_MARK || lexeme->folded_bytes != 1) {
        return lexeme->class == LEXEME_MARK; /* a bullet, an ellipsis */
    }
    const char mark = *lexeme_text(&reading->view, i - 1);
    if (mark == '.') { /* "Dr. X", "J. X" go on */
        return i < 2 || reading->view.lexemes[i - 2].class != LEXEME_WORD
               || reading->view.lexemes[i - 2].folded_bytes > 1;
    }
    if (mark == '-') { /* a bullet, or a dash between words */
        return starts_sentence(reading, i - 1) && i < at;
    }
    return strchr("!?:;\"[>*|#=", mark) != NULL;
}

/* "apt 92, towner", "12 cedar way, towner": a comma with a number shortly before it. */
static bool follows_address(const struct reading *reading, uint32_t at)
{
    uint32_t i = at;
    while (i > 0
           && (reading->view.lexemes[i - 1].class == LEXEME_SPACE
               || reading->view.lexemes[i - 1].class == LEXEME_BREAK)) {
        i--;
    }
    const unsigned last = i > 0 ? separator_of(reading, i - 1) : 0;
    const bool is_line = i < at && reading->view.lexemes[i].class == LEXEME_BREAK;
    if (i == 0 || (last != SEP_COMMA && !is_line)) {
        return false;
    }
    for (uint32_t back = is_line ? i : i - 1; back > 0 && i - back < ADDRESS_BACK; back--) {
        const struct lexeme *const lexeme = &reading->view.lexemes[back - 1];
        if (lexeme->class == LEXEME_NUMBER || lexeme->class == LEXEME_MIXED) {
            return true;
        }
        if (lexeme->class == LEXEME_BREAK) {
            return false;
        }
    }
    return false;
}

static bool is_remembered(const struct reading *reading, uint32_t index)
{
    const struct lexeme *const lexeme = &reading->view.lexemes[index];
    return lexeme->class == LEXEME_WORD && lexeme->folded_bytes > 1
           && memory_has(reading->memory, lexeme_text(&reading->view, index), lexeme->folded_bytes);
}

/* "Anna and X", "Anna, X": in one row with a name that is known. */
static bool follows_name(const struct reading *reading, uint32_t at)
{
    if (!reading->memory || at < 3 || reading->view.lexemes[at - 1].class != LEXEME_SPACE) {
        return false;
    }
    if (mark_at(reading, at - 2) == ',') {
        return is_remembered(reading, at - 3);
    }
    const bool is_and =
        lexeme_is(&reading->view, at - 2, "and") || lexeme_is(&reading->view, at - 2, "or");
    return is_and && at >= 4 && reading->view.lexemes[at - 3].class == LEXEME_SPACE
           && is_remembered(reading, at - 4);
}

/* "Progress Note": a capitalised ordinary word inside a sentence, or one that such
 * a word precedes. */
static bool follows_title(const struct reading *reading, uint32_t at)
{
    if (at < 2 || reading->view.lexemes[at - 1].class != LEXEME_SPACE) {
        return false;
    }
    const struct lexeme *const lexeme = &reading->view.lexemes[at - 2];
    if (lexeme->class != LEXEME_WORD || lexeme->letter_case != CASE_CAPITAL) {
        return false;
    }
    const struct lexicon_entry *const entry = lexicon_entry(reading->terms->lexicon, lexeme->word);
    const bool is_name = entry->first >= entry->word || entry->last >= entry->word;
    return entry->word > 0 && !is_name && !starts_sentence(reading, at - 2);
}

/* Two little words of another language among the last few of the line, or nothing else. */
static bool is_foreign(const struct reading *reading, uint32_t at)
{
    uint32_t words = 0;
    uint32_t foreign = 0;
    for (uint32_t i = at; i > 0 && at - i < LEXEMES_BACK && words < FOREIGN_BACK; i--) {
        const struct lexeme *const lexeme = &reading->view.lexemes[i - 1];
        if (lexeme->class == LEXEME_BREAK) {
            break;
        }
        if (lexeme->class == LEXEME_WORD) {
            const unsigned flags = lexicon_entry(reading->terms->lexicon, lexeme->word)->flags;
            foreign += (flags & LEXICON_FOREIGN) != 0;
            words++;
        }
    }
    return foreign >= 2 || (words > 0 && foreign == words);
}

struct name_left name_left_read(const struct reading *reading)
{
    struct name_left left = {0};
    const uint32_t at = reading->view.at;
    const struct words words = words_left(reading);
    read_rows(reading, &words, &left);
    left.is_owned = words.separators == 0 && words.count > 0 && is_owner(reading, words.index[0]);
    if (left.name == 0 && is_slip(reading, &words)) {
        left.name = SLIP_POINTS;
    }
    left.is_sentence_start = starts_sentence(reading, at) && !left.is_strong;
    left.is_address = follows_address(reading, at);
    const char mark = (char)(at > 0 ? mark_at(reading, at - 1) : 0);
    const bool is_value = mark == '=' && left.name > 0; /* name=Anna */
    left.is_glued = mark != 0 && !is_value && strchr("@/\\_#=&$%", mark) != NULL;
    left.follows_name = follows_name(reading, at);
    left.after_capital = follows_title(reading, at);
    left.is_citing = mark == '(';
    left.is_foreign = is_foreign(reading, at);
    return left;
}

bool name_left_is_sorted(void)
{
    for (size_t i = 1; i < row_words.count; i++) {
        if (strcmp(rows[i - 1].last, rows[i].last) > 0) {
            return false;
        }
    }
    return true;
}
