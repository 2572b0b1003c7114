/* detect_name.c - does a person's name or a town begin here? Points for and against are added: what
 * lists say of the word (name_word.h), how it is written and where, what stands on its left
 * (name_left.h) and right (name_run.h), whether it was introduced before (memory.h). A capitalised
 * word inside a sentence that no list knows passes: it fails closed. What may not reach the bar
 * whatever follows is NO at once, so that ordinary words are never held back. */
#include "policy/identify/detector.h"

#include <string.h>

#include "policy/identify/cursor.h"
#include "policy/identify/name/name_left.h"
#include "policy/identify/name/name_place.h"
#include "policy/identify/name/name_run.h"
#include "policy/identify/name/name_word.h"

enum {
    NAME_BAR = 5,          /* points that make a name */
    PLACE_BAR = 6,         /* and a place */
    RIGHT_POINTS_MAX = 13, /* the most that what follows can add */
    EPONYM_POINTS = 12,
    EPONYM_NOUN_POINTS = 14,
    CITED_POINTS = 6,
    MEMORY_POINTS = 9,
    ROW_POINTS = 5, /* in one row with a name */
    MONTH_POINTS = 12,
    MONTH_BAR = 3, /* what around May makes it a person */
    VERB_USE_POINTS = 8,
    ARTICLE_POINTS = 16,
    OWNED_POINTS = 6,
    OWNER_POINTS = 3, /* of what stands behind: more than a thing does */
    THING_CLASS = 3,
    VIRTUE_POINTS = 10,
    RARE_CLASS = 1,
    NOVEL_POINTS = 3, /* hardly a word: a capital counts at the start too */
    USUAL_POINTS = 1,
    NOVEL_LOWER_POINTS = 5, /* in lower case, where nothing else says so */
    LABEL_POINTS = 3,
    NOVEL_CLASS = 5,
    FOREIGN_POINTS = -1,
    SHORT_CLASS = 7, /* of two letters */
    SURNAME_SURE = 5,
    ORDINARY_POINTS = -6,
    FUNCTION_CLASS = 11,
    TITLE_CLASS = 4,
    TITLE_POINTS = 6,
    PLAIN_INSIDE_POINTS = -6, /* the same with a capital inside a sentence: "told Will" */
    LOWER_LEFT_MIN = 2,
    SURNAME_LOWER_POINTS = 2,
    PLAIN_POINTS = -3,   /* so much an ordinary word that only a strong left makes it a name */
    AMBIGUOUS_CLASS = 5, /* of a word that is an ordinary one too */
    STRONG_UNKNOWN_POINTS = 4
};

/* By enum name_case; how a word is written says how likely it is a name. */
static const struct {
    int8_t start, inside;
} case_points[] = {
    [NAME_LOWER] = {-4, -4}, [NAME_CAPITAL] = {2, 8},   [NAME_CAPS] = {-3, -3},
    [NAME_ACRONYM] = {0, 0}, [NAME_NO_CASE] = {-4, -4},
};

/* And seasons. */
WORD_LIST(months, "april", "august", "autumn", "june", "may", "spring", "summer", "winter");
/* "the Mercy clinic" is called after somebody. */
WORD_LIST(houses, "church", "clinic", "family", "hospital", "household");
/* "Grace and Joy are what I pray for" */
WORD_LIST(virtues, "charity", "faith", "grace", "hope", "joy", "justice", "love", "mercy",
          "patience", "peace", "truth", "prudence", "wisdom", "honor", "harmony", "serenity");

static bool is_remembered(const struct reading *reading, const struct name_word *word)
{
    return reading->memory && word->bytes > 1
           && memory_has(reading->memory, word->text, word->bytes);
}

static bool is_known(const struct name_word *word)
{
    return word->lists.first > 0 || word->lists.last > 0;
}

/* No ordinary word in any sense, and more like a name than a slip of the fingers. */
static bool is_novel_name(const struct name_word *word)
{
    const bool is_short = word->bytes <= 2 && word->lists.first < SHORT_CLASS;
    const bool is_rare = word->lists.word <= RARE_CLASS && !word->is_contraction && !is_short;
    return is_rare && (name_word_is_listed(word) ? is_known(word) : word->letters >= 0);
}

/* A usual first name that is a word too, but more often a name. */
static int usual_points(const struct name_word *word)
{
    const int points = name_word_first_points(word);
    if (word->lists.first < NOVEL_CLASS || points < 0) {
        return 0;
    }
    return points >= SURNAME_SURE ? USUAL_POINTS + 1 : USUAL_POINTS;
}

static int novel_points(const struct name_word *word, const struct name_left *left)
{
    if (word->letter_case == NAME_LOWER) {
        return is_novel_name(word) ? NOVEL_LOWER_POINTS : usual_points(word);
    }
    const bool is_rare = word->lists.word <= RARE_CLASS && !word->is_contraction;
    return is_rare && left->is_sentence_start ? NOVEL_POINTS : 0;
}

/* The word on its own: lists, letters, capitals, terms. In lower case only first names count, if
 * nothing on the left makes a name likely: surnames are too many other things. */
static int word_points(const struct name_word *word, const struct name_left *left)
{
    const bool is_lower = word->letter_case == NAME_LOWER;
    int lists = name_word_points(word);
    if (is_lower && left->name < NAME_BAR) {
        const int last = name_word_last_points(word) - SURNAME_LOWER_POINTS;
        lists = name_word_first_points(word);
        lists = word->lists.word == 0 && last > lists ? last : lists;
    }
    if (left->is_foreign && !left->is_strong && !name_word_is_listed(word)) {
        lists = FOREIGN_POINTS; /* nouns there are on no list */
    }
    if (left->is_strong && lists < 0 && !name_word_is_listed(word)) {
        lists = 0; /* "call me zbrtz" */
    }
    const bool is_sure = word->lists.first >= NOVEL_CLASS && word->lists.word <= RARE_CLASS;
    if (is_lower && left->is_owned && !is_sure) {
        lists -= OWNED_POINTS; /* "my huband", "my walker" */
    }
    const bool is_free = left->is_sentence_start || (left->is_foreign && !left->is_strong);
    const int letters =
        is_free ? case_points[word->letter_case].start : case_points[word->letter_case].inside;
    return lists + letters - name_word_term_points(word) - name_word_made_points(word)
           + novel_points(word, left);
}

static int left_points(const struct reading *reading, const struct name_word *word,
                       const struct name_left *left)
{
    int points = left->name;
    if (left->is_label && word->lists.word >= AMBIGUOUS_CLASS) {
        points = LABEL_POINTS; /* "Patient: Good, and you?" */
    }
    const bool is_inside = word->letter_case == NAME_CAPITAL && !left->is_sentence_start;
    const int plain = is_inside ? PLAIN_INSIDE_POINTS : PLAIN_POINTS;
    if (!left->is_strong && name_word_points(word) <= plain) {
        points = 0;
    }
    if (word->letter_case == NAME_LOWER && points < LOWER_LEFT_MIN && !is_novel_name(word)) {
        points = 0; /* "he was frank" */
    }
    if (!left->is_strong && !name_word_is_known_name(word)) {
        points += left->matter;
    }
    if ((word->lists.flags & LEXICON_EPONYM) && !left->is_strong && !left->follows_name) {
        points -= EPONYM_POINTS;
    }
    points += left->follows_name ? ROW_POINTS : 0;
    return points + (is_remembered(reading, word) ? MEMORY_POINTS : 0);
}

static bool is_virtue_at(const struct reading *reading, uint32_t index)
{
    struct name_word other;
    return name_word_read(reading, index, &other) && name_word_is_any(&other, &virtues);
}

/* A virtue next to another, by "and" or a comma: meant as such. */
static bool is_virtue_of_several(struct cursor *cursor, const struct name_word *word)
{
    if (!name_word_is_any(word, &virtues)) {
        return false;
    }
    const struct reading *const reading = cursor->reading;
    const uint32_t at = reading->view.at;
    if (at >= 4 && lexeme_is(&reading->view, at - 2, "and") && is_virtue_at(reading, at - 4)) {
        return true;
    }
    if (at >= 3 && lexeme_is(&reading->view, at - 2, ",") && is_virtue_at(reading, at - 3)) {
        return true;
    }
    if (cursor_mark(cursor, at + 1) == ',') {
        return cursor_lexeme(cursor, at + 3) && is_virtue_at(reading, at + 3);
    }
    return cursor_is(cursor, at + 2, "and") && cursor_lexeme(cursor, at + 4)
           && is_virtue_at(reading, at + 4);
}

static int right_points(struct cursor *cursor, const struct name_word *word,
                        const struct name_run *run, const struct name_left *left)
{
    const struct name_right right = name_right_read(cursor, run->end);
    const bool is_eponym = (word->lists.flags & LEXICON_EPONYM) && !left->is_strong;
    const bool is_lower = word->letter_case == NAME_LOWER;
    const bool is_term = name_word_term_points(word) > 0 && word->lists.first < NOVEL_CLASS;
    const bool is_word =
        is_lower ? name_word_first_points(word) < 0
                 : name_word_points(word) <= PLAIN_POINTS && word->lists.first < NOVEL_CLASS;
    const bool is_plain = is_term || is_word;
    int points = (is_plain ? 0 : run->next) + (is_eponym ? 0 : right.points);
    const bool is_free = left->is_sentence_start || word->letter_case == NAME_LOWER;
    const bool is_ambiguous = is_free && word->lists.word >= AMBIGUOUS_CLASS;
    if (right.is_eponym && !left->is_strong) {
        points -= EPONYM_NOUN_POINTS;
    }
    points -= right.is_cited && !left->is_strong ? CITED_POINTS : 0;
    if (right.is_verb_use && is_ambiguous && run->words == 1 && !left->is_strong) {
        points -= VERB_USE_POINTS;
    }
    if (!left->is_strong && !name_word_is_known_name(word)) {
        points += right.matter;
    }
    const bool is_thing = left->is_article && run->words == 1 && right.points < OWNER_POINTS
                          && !cursor_is_any(cursor, run->end + 1, &houses);
    if (is_thing && (is_lower || word->lists.word >= THING_CLASS)) {
        points -= ARTICLE_POINTS;
    }
    const bool is_titled = word->lists.word >= TITLE_CLASS || !name_word_is_listed(word);
    if (is_titled && left->name <= 0 && left->after_capital) {
        points -= TITLE_POINTS;
    }
    points += right.is_label && left->is_sentence_start && (is_known(word) || word->letters > 0)
                  ? LABEL_POINTS
                  : 0;
    const bool is_month = left->is_month || points + left->name < MONTH_BAR;
    if (is_month && !left->is_strong && name_word_is_any(word, &months)) {
        points -= MONTH_POINTS;
    }
    if (run->words <= 2 && is_virtue_of_several(cursor, word)) {
        points -= VIRTUE_POINTS;
    }
    const bool is_key = right.is_key && !name_word_is_known_name(word);
    return right.is_glued || is_key ? -RIGHT_POINTS_MAX * 4 : points;
}

/* Behind a first name that is no word, a word with a capital is a surname, "Odell Wings"; in lower
 * case one that no list has. */
static int run_bonus(const struct name_word *word)
{
    const bool is_first = word->lists.first >= NOVEL_CLASS && word->lists.word <= RARE_CLASS;
    return is_first ? NAME_RUN_FIRST : NAME_RUN_CERTAIN;
}

static struct finding name_finding(struct cursor *cursor, const struct name_word *word,
                                   const struct name_left *left)
{
    const struct finding no = {.verdict = FINDING_NO};
    const int before = word_points(word, left) + left_points(cursor->reading, word, left);
    if (before + RIGHT_POINTS_MAX < NAME_BAR) {
        return no;
    }
    const bool is_certain = before >= NAME_BAR;
    const bool is_addressed = left->is_strong && word->letter_case == NAME_CAPITAL
                              && (word->bytes > 1 || word->text[0] != 'i');
    const struct name_run run = name_run_read(cursor, word, is_certain ? run_bonus(word) : 0);
    const bool is_small = word->bytes == 1 || name_word_is_pronoun(word);
    const bool is_spelled = run.words > 1 && run.letters == run.words;
    const bool is_alone = is_spelled || (is_small && run.next < SURNAME_SURE && !is_addressed);
    if (is_alone || before + right_points(cursor, word, &run, left) < NAME_BAR) {
        return cursor_answer(cursor, no);
    }
    const uint32_t at = cursor->reading->view.at;
    return cursor_answer(cursor, FINDING_IS(POLICY_NAME, run.end - at));
}

/* "Hamilton scale", "in May". */
static bool is_no_place(struct cursor *cursor, const struct name_word *word,
                        const struct name_place *place, const struct name_left *left)
{
    const bool is_eponym =
        (word->lists.flags & LEXICON_EPONYM) != 0 && !left->is_place && !left->is_address;
    if ((is_eponym || name_word_is_any(word, &months))
        && place->end == cursor->reading->view.at + 1) {
        return true;
    }
    const struct name_right right = name_right_read(cursor, place->end);
    return right.is_glued || (right.is_eponym && !left->is_place);
}

/* One letter is a name with a dot and a name behind it, or after "Dr.": not X, which stands for one
 * that was taken out. */
static bool is_lone_letter(struct cursor *cursor, const struct name_word *word,
                           const struct name_left *left)
{
    if (word->bytes > 1) {
        return false;
    }
    if (left->is_strong && word->letter_case == NAME_CAPITAL) {
        return word->text[0] >= 'x' && word->text[0] <= 'z';
    }
    const uint32_t at = cursor->reading->view.at;
    return word->letter_case != NAME_CAPITAL || cursor_mark(cursor, at + 1) != '.'
           || cursor_mark(cursor, at + 2) != ' ' || !cursor_lexeme(cursor, at + 3)
           || cursor->reading->view.lexemes[at + 3].letter_case != CASE_CAPITAL;
}

/* In lower case and far more often a word than a name: nothing around it would do. Most words of
 * running text end here. */
static bool is_ordinary(const struct name_word *word)
{
    const bool begins_place =
        (word->lists.flags & LEXICON_PHRASE_START) && word->lists.word < FUNCTION_CLASS;
    return word->letter_case == NAME_LOWER && name_word_is_listed(word) && !begins_place
           && word->lists.place == 0 && name_word_points(word) <= ORDINARY_POINTS;
}

struct finding detect_name(const struct reading *reading)
{
    const struct finding no = {.verdict = FINDING_NO};
    struct cursor cursor = {.reading = reading};
    struct name_word word;
    if (!reading->terms || !reading->terms->lexicon) {
        return no;
    }
    if (!name_word_read(reading, reading->view.at, &word) || cursor_touches_left(&cursor)) {
        return no;
    }
    if (is_ordinary(&word)) {
        return no;
    }
    const struct name_left left = name_left_read(reading);
    if (left.is_glued || name_place_is_inside_term(&cursor)) {
        return cursor_answer(&cursor, no);
    }
    if (is_lone_letter(&cursor, &word, &left)) {
        return cursor_answer(&cursor, no);
    }
    const struct name_place place = name_place_read(&cursor, &word, &left);
    const bool is_term = place.end > reading->view.at + 1 && place.is_term;
    if (is_term && !left.is_strong) {
        return cursor_answer(&cursor, no);
    }
    const struct finding name = name_finding(&cursor, &word, &left);
    bool is_place = place.end > 0 && !place.is_term && place.points >= PLACE_BAR;
    if (is_place && !place.has_region && is_no_place(&cursor, &word, &place, &left)) {
        is_place = false;
    }
    const bool is_surely_place = left.is_place || left.is_address || place.has_region;
    if (is_place && (is_surely_place || name.verdict != FINDING_YES) && !left.is_strong) {
        return cursor_answer(&cursor, FINDING_IS(POLICY_CITY, place.end - reading->view.at));
    }
    return cursor.is_starved ? cursor_answer(&cursor, no) : name;
}
