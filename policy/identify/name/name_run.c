#include "policy/identify/name/name_run.h"

#include <string.h>

enum {
    PART_POINTS_MIN = 4,     /* of a further word to belong to the name */
    PART_CAPITAL_POINTS = 6, /* it has a capital too */
    PART_LOWER_POINTS = 2,   /* both are in lower case */
    PART_INITIAL_POINTS = 5, /* behind an initial */
    PART_LETTERS_MIN = 3,    /* of an unlisted word behind an unlisted one */
    INITIAL_POINTS = 5,
    PAIRED_POINTS = 3,
    PAIRED_WORD_MAX = 1,
    PAIRED_NAME_MIN = 2,
    SURNAME_POINTS_MAX = 8
};

WORD_LIST(suffixes, "jr", "sr", "ii", "iii", "iv", "junior", "senior");

static bool is_capital(const struct name_word *word)
{
    return word->letter_case == NAME_CAPITAL || word->letter_case == NAME_CAPS
           || word->letter_case == NAME_ACRONYM;
}

static bool read_word(struct cursor *cursor, uint32_t index, struct name_word *out)
{
    return cursor_lexeme(cursor, index) && name_word_read(cursor->reading, index, out);
}

/* Points of a word as a further part of a name; 0: it does not belong to it. */
static int part_points(const struct name_word *first, const struct name_word *word, int bonus)
{
    if (is_capital(first) != is_capital(word) || word->bytes < 2 || name_word_is_pronoun(word)) {
        return 0;
    }
    int points = name_word_points(word) - name_word_term_points(word);
    if (!is_capital(word) && name_word_is_listed(word) && bonus > NAME_RUN_CERTAIN) {
        bonus = NAME_RUN_CERTAIN;
    }
    if (bonus == 0 && !is_capital(word) && !name_word_is_listed(word)
        && !name_word_is_known_name(first) && word->letters < PART_LETTERS_MIN) {
        return 0; /* two slips of the fingers are no name */
    }
    points += is_capital(word) ? PART_CAPITAL_POINTS : PART_LOWER_POINTS;
    points += bonus;
    return points >= PART_POINTS_MIN ? points : 0;
}

/* " L." or " L" in front of a capital, " l." in lower case. */
static uint32_t initial_end(struct cursor *cursor, uint32_t index, const struct name_word *first)
{
    const struct lexeme *const lexeme = cursor_lexeme(cursor, index);
    if (!lexeme || lexeme->class != LEXEME_WORD || lexeme->folded_bytes != 1) {
        return 0;
    }
    if (cursor_mark(cursor, index + 1) == '.') {
        return index + 2;
    }
    if (!is_capital(first) || lexeme->letter_case != CASE_UPPER
        || lexeme_is(&cursor->reading->view, index, "i")) {
        return 0;
    }
    return index + 1;
}

static uint32_t suffix_end(struct cursor *cursor, uint32_t index)
{
    if (!cursor_is_any(cursor, index, &suffixes)) {
        return 0;
    }
    return cursor_mark(cursor, index + 1) == '.' ? index + 2 : index + 1;
}

/* "de la Cruz": up to two particles, then a part. */
static uint32_t particle_end(struct cursor *cursor, uint32_t index, const struct name_word *first,
                             int bonus)
{
    for (uint32_t particles = 0; particles <= 2; particles++) {
        struct name_word word;
        if (!read_word(cursor, index, &word)) {
            return 0;
        }
        if (!name_word_is_particle(&word)) {
            return particles > 0 && part_points(first, &word, bonus) > 0 ? index + 1 : 0;
        }
        const bool is_glued = cursor_mark(cursor, index + 1) == '-'; /* al-Hassan */
        if (!is_glued && !cursor_is_class(cursor, index + 1, LEXEME_SPACE)) {
            return 0;
        }
        index += 2;
    }
    return 0;
}

/* One space, then a name, an initial, particles or a suffix; a hyphen, then a name. */
static uint32_t next_part(struct cursor *cursor, const struct name_word *first, int bonus,
                          uint32_t end, int *points)
{
    struct name_word word;
    if (cursor_mark(cursor, end) == '-') {
        if (!read_word(cursor, end + 1, &word)) {
            return 0;
        }
        const bool is_ordinary = word.lists.word > 0 || word.bytes < 2;
        *points = is_ordinary ? part_points(first, &word, bonus) : PART_POINTS_MIN;
        return *points > 0 ? end + 2 : 0; /* also "Hauta-aho" */
    }
    if (cursor_mark(cursor, end) != ' ') {
        return 0;
    }
    const uint32_t index = name_word_skip(cursor, end);
    if (!read_word(cursor, index, &word)) {
        return 0;
    }
    *points = INITIAL_POINTS;
    uint32_t next = initial_end(cursor, index, first);
    if (next == 0) {
        next = suffix_end(cursor, index);
    }
    if (next == 0 && name_word_is_particle(&word)) {
        next = particle_end(cursor, index, first, bonus);
    }
    if (next == 0) {
        *points = part_points(first, &word, bonus);
        next = *points > 0 ? index + 1 : 0;
    }
    return next;
}

/* "Centeno, Estella": a surname, a comma, then a word that is mostly a first name. */
static uint32_t first_after_comma(struct cursor *cursor, const struct name_word *last, uint32_t end,
                                  int *points)
{
    if (last->lists.first > last->lists.last + 2 || cursor_mark(cursor, end) != ',') {
        return 0;
    }
    const uint32_t index = name_word_skip(cursor, end + 1);
    struct name_word word;
    if (index == end + 1 || !read_word(cursor, index, &word)) {
        return 0;
    }
    *points = part_points(last, &word, NAME_RUN_CERTAIN);
    const bool is_first = word.lists.first > word.lists.word + 2 || !name_word_is_listed(&word);
    return *points > 0 && is_first && name_word_term_points(&word) == 0 ? index + 1 : 0;
}

struct name_run name_run_read(struct cursor *cursor, const struct name_word *first, int bonus)
{
    struct name_run run = {.end = cursor->reading->view.at + 1, .words = 1};
    if (name_word_is_initial(first) && cursor_mark(cursor, run.end) == '.') {
        run.end++;
    }
    int points = 0;
    uint32_t next = first_after_comma(cursor, first, run.end, &points);
    if (next == 0) {
        next = next_part(cursor, first, bonus, run.end, &points);
    }
    run.letters = first->bytes == 1;
    while (next > 0 && run.words < NAME_RUN_WORDS) {
        run.end = next;
        run.words++;
        run.letters += points == INITIAL_POINTS;
        run.next = points > run.next ? points : run.next;
        bonus = points == INITIAL_POINTS ? PART_INITIAL_POINTS : NAME_RUN_CERTAIN;
        next = next_part(cursor, first, bonus, run.end, &points);
    }
    run.next = run.next > SURNAME_POINTS_MAX ? SURNAME_POINTS_MAX : run.next;
    return run;
}

/* ---- behind it --------------------------------------------------------------------------------
 */

enum right_kind { RIGHT_PERSON, RIGHT_EPONYM, RIGHT_VERB_USE, RIGHT_MATTER };

struct right_row {
    const char *word;
    int8_t points;
    uint8_t kind;
};

static const struct right_row rows[] = {
#define RIGHT(word, points, kind) {word, points, kind},
#include "policy/identify/name/name_right.def"
};
static const struct word_table row_words = WORD_TABLE(rows);

static const struct right_row *row_of(const struct cursor *cursor, uint32_t index)
{
    const uint32_t row = cursor_row(&cursor->reading->view, index, &row_words);
    return row == 0 ? NULL : &rows[row - 1];
}

/* "anna and i", "anna and tom": two persons. */
static bool is_paired(struct cursor *cursor, uint32_t index)
{
    if (!cursor_is(cursor, index, "and") || cursor_mark(cursor, index + 1) != ' ') {
        return false;
    }
    if (cursor_is(cursor, index + 2, "i") || cursor_is(cursor, index + 2, "me")) {
        return true;
    }
    struct name_word other;
    return read_word(cursor, index + 2, &other) && other.letter_case == NAME_LOWER
           && other.lists.word <= PAIRED_WORD_MAX && name_word_term_points(&other) == 0
           && name_word_first_points(&other) >= PAIRED_NAME_MIN;
}

static void read_row(struct cursor *cursor, uint32_t index, struct name_right *right)
{
    if (!cursor_is_class(cursor, index, LEXEME_WORD)) {
        return;
    }
    const struct right_row *const row = row_of(cursor, index);
    if (row) {
        right->is_eponym |= row->kind == RIGHT_EPONYM;
        right->is_verb_use |= row->kind == RIGHT_VERB_USE;
        right->points = row->kind == RIGHT_PERSON ? row->points : 0;
        right->matter = row->kind == RIGHT_MATTER ? row->points : 0;
    } else if (is_paired(cursor, index)) {
        right->points = PAIRED_POINTS;
    }
}

WORD_LIST(credentials, "md", "phd", "psyd", "lcsw", "lmft", "lpc", "lmhc", "rn", "np", "pa", "do",
          "msw", "dds", "jr", "pmhnp", "dob", "esq", "lmsw", "aprn", "fnp", "pharmd", "born", "age",
          "aged");

static void read_comma(struct cursor *cursor, uint32_t index, struct name_right *right)
{
    index = name_word_skip(cursor, index);
    if (cursor_is_any(cursor, index, &credentials)) {
        right->points = 6;
    }
    const struct lexeme *const lexeme = cursor_lexeme(cursor, index);
    if (lexeme && lexeme->class == LEXEME_NUMBER && lexeme->folded_bytes == 4) {
        right->is_cited = cursor_mark(cursor, index + 1) == ')';
    }
}

struct name_right name_right_read(struct cursor *cursor, uint32_t end)
{
    struct name_right right = {0};
    switch (cursor_mark(cursor, end)) {
    case ' ':
        read_row(cursor, name_word_skip(cursor, end), &right);
        break;
    case '\'':
        if (cursor_is(cursor, end + 1, "s")) {
            right.points = 2;
            read_row(cursor, name_word_skip(cursor, end + 2), &right);
            right.points = right.points > 2 ? right.points : 2;
        }
        break;
    case ',':
        read_comma(cursor, end + 1, &right);
        break;
    case '@':
        right.is_glued = true;
        break;
    case '.':
    case '_':
        right.is_glued = cursor_is_alnum(cursor, end + 1);
        break;
    case '-':
        right.is_glued = cursor_is_class(cursor, end + 1, LEXEME_NUMBER);
        break;
    case ':':
        right.is_label = true;
        break;
    case '"':
        right.is_key = cursor_mark(cursor, end + 1) == ':';
        break;
    default:
        break;
    }
    return right;
}

bool name_right_is_sorted(void)
{
    return word_table_is_sorted(&row_words);
}
