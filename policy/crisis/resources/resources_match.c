/* resources_match.c - whether a resource begins at a lexeme. The phrases that begin as the text
 * does are narrowed symbol by symbol; the longest that ends well is taken. "988" and "911" stand
 * inside many other numbers, so a number must have edges of its own. */
#include <string.h>

#include "policy/crisis/resources/resources_parts.h"
#include "policy/crisis/resources/symbol_reader.h"

enum {
    SHORT_DIGITS = 4,
    SHORT_CODE_DIGITS = 6,
    GAP_MAX = 3,
    PATH_LEXEMES_MAX = 48,
    ADDRESS_WORDS_MAX = 3,
    CONTEXT_LEXEMES = 8
};

enum edge { EDGE_GOOD, EDGE_BAD, EDGE_MORE };

/* A walk over what may become one resource. */
struct walk {
    const struct resources *resources;
    const struct window_view *view;
    bool has_ended;
    uint32_t first;         /* the lexeme of its first symbol */
    uint32_t digit_lexemes; /* how many lexemes its digits so far came from */
};

static uint8_t class_at(const struct window_view *view, uint32_t index)
{
    return index < view->count ? view->lexemes[index].class : (uint8_t)LEXEME_BREAK;
}

static bool is_number_at(const struct window_view *view, uint32_t index)
{
    const uint8_t class = class_at(view, index);
    return class == LEXEME_NUMBER
           || (class == LEXEME_MIXED && *lexeme_text(view, index) >= '0'
               && *lexeme_text(view, index) <= '9');
}

static bool is_digits_at(const struct window_view *view, uint32_t index, uint8_t count)
{
    return class_at(view, index) == LEXEME_NUMBER && view->lexemes[index].folded_bytes == count;
}

static bool joins_digits(const struct window_view *view, uint32_t index)
{
    return class_at(view, index) == LEXEME_MARK
           && (symbol_reader_is_dash(view, index) || lexeme_is(view, index, "."));
}

static uint16_t role_at(const struct walk *walk, uint32_t index)
{
    const struct window_view *view = walk->view;
    const uint8_t class = class_at(view, index);
    if (class != LEXEME_WORD && class != LEXEME_MIXED) {
        return 0;
    }
    return walk->resources->roles[phrase_book_find(walk->resources->book, lexeme_text(view, index),
                                                   view->lexemes[index].folded_bytes)];
}

/* ---- joints: a resource is no part of an address, a code or a longer number -------------------
 */

static bool is_alnum_at(const struct window_view *view, uint32_t index)
{
    const uint8_t class = class_at(view, index);
    return class == LEXEME_WORD || class == LEXEME_MIXED || class == LEXEME_NUMBER;
}

/* One of these characters itself: a dash that was folded to "-" stands between sentences. */
static bool is_mark_at(const struct window_view *view, uint32_t index, const char *marks)
{
    return class_at(view, index) == LEXEME_MARK
           && view->lexemes[index].end - view->lexemes[index].start == 1
           && strchr(marks, *lexeme_text(view, index)) != NULL;
}

/* "x@988lifeline.org", "/crisis-text-line", "ABC-988", but "911/988" and "Lifeline-1-800-...". */
static bool left_is_joined(const struct walk *walk, const struct phrase *phrase)
{
    const struct window_view *view = walk->view;
    const uint32_t at = view->at;
    const bool is_long = (phrase->flags & PHRASE_NUMBER) && phrase->count > SHORT_CODE_DIGITS;
    if (at == 0) {
        return false;
    }
    if (is_alnum_at(view, at - 1) || is_mark_at(view, at - 1, "@")) {
        return true;
    }
    if (at < 2 || !is_mark_at(view, at - 1, is_long ? "._=" : "-._=/")) {
        return false;
    }
    if (is_mark_at(view, at - 1, "/")) {
        return class_at(view, at - 2) == LEXEME_WORD || class_at(view, at - 2) == LEXEME_MIXED
               || is_mark_at(view, at - 2, "/:.");
    }
    return is_alnum_at(view, at - 2);
}

/* "anad@clinic.example", "988.txt", "trevor_project"; "988.You" is a sentence without a space. */
static enum edge right_joint(const struct walk *walk, uint32_t index)
{
    const struct window_view *view = walk->view;
    if (index >= view->count) {
        return walk->has_ended ? EDGE_GOOD : EDGE_MORE;
    }
    if (is_mark_at(view, index, "@")) {
        return EDGE_BAD;
    }
    if (!is_mark_at(view, index, "._=-")) {
        return EDGE_GOOD;
    }
    if (index + 1 >= view->count) {
        return walk->has_ended ? EDGE_GOOD : EDGE_MORE;
    }
    const bool is_word = class_at(view, index + 1) == LEXEME_WORD;
    const bool is_next_sentence = is_word && lexeme_is(view, index, ".")
                                  && view->lexemes[index + 1].letter_case == CASE_CAPITAL;
    const bool is_compound = is_word && lexeme_is(view, index, "-"); /* "988-trained" */
    return is_alnum_at(view, index + 1) && !is_next_sentence && !is_compound ? EDGE_BAD : EDGE_GOOD;
}

/* A digit by itself, in a figure or a word. */
static bool is_one_digit(const struct walk *walk, uint32_t index)
{
    const struct window_view *view = walk->view;
    return is_alnum_at(view, index)
           && phrase_book_is_digit(phrase_book_find(walk->resources->book, lexeme_text(view, index),
                                                    view->lexemes[index].folded_bytes));
}

static bool is_digit_gap(const struct window_view *view, uint32_t index)
{
    return class_at(view, index) == LEXEME_SPACE || symbol_reader_is_dash(view, index);
}

/* "five nine one one two": digits that are told one by one go on. */
static bool run_has_begun(const struct walk *walk)
{
    uint32_t at = walk->first;
    while (at > 0 && walk->first - at < GAP_MAX && is_digit_gap(walk->view, at - 1)) {
        at--;
    }
    return at > 0 && is_one_digit(walk, at - 1);
}

static enum edge run_edge(const struct walk *walk, uint32_t index)
{
    uint32_t at = index;
    while (at < walk->view->count && at - index < GAP_MAX && is_digit_gap(walk->view, at)) {
        at++;
    }
    if (at == walk->view->count) {
        return walk->has_ended ? EDGE_GOOD : EDGE_MORE;
    }
    return is_one_digit(walk, at) ? EDGE_BAD : EDGE_GOOD;
}

/* ---- edges of numbers ------------------------------------------------------------------------ */

/* "555-988", "room 911": what stands on the left makes it another number. */
static bool left_is_bad(const struct walk *walk, bool is_short)
{
    const struct window_view *view = walk->view;
    const uint32_t first = walk->first;
    if (first == 0) {
        return false;
    }
    const uint8_t before = class_at(view, first - 1);
    if (before == LEXEME_NUMBER || before == LEXEME_MIXED || before == LEXEME_WORD) {
        return true;
    }
    if (first >= 2 && joins_digits(view, first - 1) && is_number_at(view, first - 2)) {
        return true;
    }
    for (uint32_t back = 1; is_short && back <= 4 && back <= first; back++) {
        const uint8_t class = class_at(view, first - back);
        if (class == LEXEME_WORD || class == LEXEME_NUMBER) {
            return (role_at(walk, first - back) & WORD_COUNTED) != 0;
        }
    }
    return false;
}

static bool is_dialled(const struct walk *walk)
{
    for (uint32_t back = 1; back <= CONTEXT_LEXEMES && back <= walk->first; back++) {
        if (role_at(walk, walk->first - back) & (WORD_DIAL | WORD_CUE | WORD_EMERGENCY)) {
            return true;
        }
    }
    return false;
}

/* "911 Elm Street": a house, unless somebody is told to call it. */
static enum edge street_edge(const struct walk *walk, uint32_t index)
{
    if (is_dialled(walk)) {
        return EDGE_GOOD;
    }
    for (uint32_t words = 0; words < ADDRESS_WORDS_MAX; words++, index += 2) {
        for (uint32_t ahead = index; ahead < index + 2; ahead++) {
            if (ahead >= walk->view->count) {
                return walk->has_ended ? EDGE_GOOD : EDGE_MORE;
            }
        }
        const uint8_t class = class_at(walk->view, index + 1);
        if (class_at(walk->view, index) != LEXEME_SPACE
            || (class != LEXEME_WORD && class != LEXEME_MIXED)) {
            return EDGE_GOOD;
        }
        if (words > 0 && (role_at(walk, index + 1) & WORD_STREET)) {
            return EDGE_BAD;
        }
    }
    return EDGE_GOOD;
}

/* "988 555 0199", "988 5550199"; "988 24/7" is none. */
static enum edge spaced_edge(const struct walk *walk, uint32_t index)
{
    const struct window_view *view = walk->view;
    for (uint32_t ahead = index; ahead < index + 4; ahead++) {
        if (ahead >= view->count) {
            return walk->has_ended ? EDGE_GOOD : EDGE_MORE;
        }
        const bool is_alive = ahead == index       ? class_at(view, ahead) == LEXEME_SPACE
                              : ahead == index + 1 ? class_at(view, ahead) == LEXEME_NUMBER
                              : ahead == index + 2 ? joins_digits(view, ahead)
                                                         || class_at(view, ahead) == LEXEME_SPACE
                                                   : true;
        if (!is_alive) {
            return EDGE_GOOD;
        }
        if (ahead == index + 1 && is_digits_at(view, ahead, 7)) {
            return EDGE_BAD;
        }
        if (ahead == index + 1 && is_digits_at(view, ahead, 4) && walk->first >= 2
            && is_digits_at(view, walk->first - 2, 3)) {
            return EDGE_BAD;
        }
        if (ahead == index + 1 && !is_digits_at(view, ahead, 3)) {
            return EDGE_GOOD;
        }
    }
    return is_digits_at(view, index + 3, 4) ? EDGE_BAD : EDGE_GOOD;
}

/* index: behind the number. */
static enum edge right_edge(const struct walk *walk, uint32_t index, bool is_short)
{
    const struct window_view *view = walk->view;
    index += is_short && lexeme_is(view, index, ")"); /* "(988) 555-0199" */
    if (index == view->count) {
        return walk->has_ended ? EDGE_GOOD : EDGE_MORE;
    }
    if (is_number_at(view, index)) {
        return EDGE_BAD; /* or a run that was cut */
    }
    if (joins_digits(view, index)) {
        if (index + 1 == view->count) {
            return walk->has_ended ? EDGE_GOOD : EDGE_MORE;
        }
        return is_number_at(view, index + 1) ? EDGE_BAD : EDGE_GOOD;
    }
    if (!is_short) {
        return EDGE_GOOD;
    }
    const enum edge edge = spaced_edge(walk, index);
    return edge == EDGE_GOOD ? street_edge(walk, index) : edge;
}

/* Short numbers are written whole or digit by digit: "988", "9-8-8", not "98 8". */
static enum edge number_edge(const struct walk *walk, const struct phrase *phrase, uint32_t index)
{
    const bool is_short = phrase->count <= SHORT_DIGITS;
    const bool is_grouped =
        is_short && walk->digit_lexemes != 1 && walk->digit_lexemes != phrase->count;
    const bool is_run = walk->digit_lexemes > 1 && walk->digit_lexemes == phrase->count;
    if (is_grouped || left_is_bad(walk, is_short) || (is_run && run_has_begun(walk))) {
        return EDGE_BAD;
    }
    const enum edge edge = is_run ? run_edge(walk, index) : EDGE_GOOD;
    return edge == EDGE_GOOD ? right_edge(walk, index, is_short) : edge;
}

/* ---- web addresses --------------------------------------------------------------------------- */

/* The host's name may go on: "988lifeline.org.example", "988lifeline.org-a.example". */
static enum edge host_edge(const struct walk *walk, uint32_t index)
{
    const struct window_view *view = walk->view;
    const uint32_t next = index + joins_digits(view, index);
    if (next >= view->count) {
        return walk->has_ended ? EDGE_GOOD : EDGE_MORE;
    }
    const uint8_t class = class_at(view, next);
    return class == LEXEME_WORD || class == LEXEME_MIXED || class == LEXEME_NUMBER ? EDGE_BAD
                                                                                   : EDGE_GOOD;
}

/* A path of words: "/chat/", "/get-help". Anything else in it is for others to judge. *index: moved
 * behind it. */
static enum edge site_edge(const struct walk *walk, uint32_t *index)
{
    const struct window_view *view = walk->view;
    const enum edge edge = host_edge(walk, *index);
    uint32_t at = *index;
    if (edge != EDGE_GOOD || !lexeme_is(view, at, "/")) {
        return edge;
    }
    for (; at < *index + PATH_LEXEMES_MAX && at < view->count; at++) {
        const bool is_kept = class_at(view, at) == LEXEME_WORD || lexeme_is(view, at, "/");
        if (!is_kept && !joins_digits(view, at) && !lexeme_is(view, at, "_")) {
            break;
        }
    }
    if (at == view->count && !walk->has_ended) {
        return EDGE_MORE;
    }
    while (class_at(view, at - 1) != LEXEME_WORD && !lexeme_is(view, at - 1, "/")) {
        at--; /* the full stop of a sentence */
    }
    *index = at;
    return EDGE_GOOD;
}

/* ---- the walk -------------------------------------------------------------------------------- */

/* Marks and names of protocols that stand in front: "(", "+", "https://www.", "tel:". */
static enum symbol_step skip_prefix(const struct window_view *view, bool has_ended, uint32_t *index)
{
    static const char *const web[] = {":", "/", "/"};
    uint32_t at = *index;
    const bool is_word = view->lexemes[at].class == LEXEME_WORD;
    if (is_word && !strchr("htsw", *lexeme_text(view, at))) {
        return SYMBOL_READ; /* nearly all words */
    }
    const bool is_web = lexeme_is(view, at, "https") || lexeme_is(view, at, "http");
    const bool is_dial = lexeme_is(view, at, "tel") || lexeme_is(view, at, "sms");
    const bool is_www = lexeme_is(view, at, "www");
    const bool is_mark = lexeme_is(view, at, "(") || lexeme_is(view, at, "+");
    at += is_mark;
    at += is_mark && lexeme_is(view, at, "+"); /* "(+1) 800" */
    if (is_mark && at < view->count && !is_number_at(view, at)) {
        return SYMBOL_END;
    }
    at += is_web || is_dial || is_www;
    for (size_t i = 0; (is_web && i < 3) || (is_dial && i < 1); i++, at++) {
        if (at >= view->count || !lexeme_is(view, at, web[i])) {
            return at >= view->count && !has_ended ? SYMBOL_MORE : SYMBOL_END;
        }
    }
    if (is_web && at < view->count && lexeme_is(view, at, "www")) {
        at++;
    }
    if (at > *index && at < view->count && lexeme_is(view, at - 1, "www")) {
        if (!lexeme_is(view, at, ".")) {
            return SYMBOL_END;
        }
        at++;
    }
    at += is_dial && at < view->count && lexeme_is(view, at, "+");
    if (at >= view->count) {
        return has_ended ? SYMBOL_END : SYMBOL_MORE;
    }
    *index = at;
    return SYMBOL_READ;
}

/* How the phrase ends behind lexeme `last`; *end: behind all of it. */
static enum edge edge_of(const struct walk *walk, const struct phrase *phrase, uint32_t last,
                         uint32_t *end)
{
    *end = last + 1;
    if (left_is_joined(walk, phrase)) {
        return EDGE_BAD;
    }
    if (phrase->flags & PHRASE_SITE) {
        return site_edge(walk, end);
    }
    const enum edge edge = phrase->flags & PHRASE_NUMBER           ? number_edge(walk, phrase, *end)
                           : phrase->flags & PHRASE_ENDS_IN_NUMBER ? right_edge(walk, *end, false)
                                                                   : EDGE_GOOD;
    return edge == EDGE_GOOD ? right_joint(walk, *end) : edge;
}

static bool fits(uint16_t before, uint16_t symbol, const struct symbol *read)
{
    const bool is_inside_number = phrase_book_is_digit(before) && phrase_book_is_digit(symbol);
    return !is_inside_number || read->is_gap_plain;
}

static enum resource_match walk_on(struct walk *walk, uint32_t *end)
{
    const struct phrase_book *book = walk->resources->book;
    struct symbol_reader reader = {.view = walk->view, .index = walk->first};
    struct phrase_range range = phrase_book_all(book);
    uint16_t before = 0;
    uint32_t digits_lexeme = UINT32_MAX;
    *end = 0;
    do {
        struct symbol read;
        const enum symbol_step step = symbol_reader_next(&reader, walk->has_ended, &read);
        if (step != SYMBOL_READ) {
            return step == SYMBOL_MORE ? RESOURCE_MORE : *end ? RESOURCE_IS : RESOURCE_NOT;
        }
        const uint16_t symbol = phrase_book_find(book, read.text, read.length);
        if (symbol == 0 || !fits(before, symbol, &read)) {
            break;
        }
        range = phrase_book_narrow(book, range, symbol);
        if (phrase_book_is_digit(symbol) && read.lexeme != digits_lexeme) {
            walk->digit_lexemes++;
            digits_lexeme = read.lexeme;
        }
        before = symbol;
        const struct phrase *phrase = read.ends_lexeme ? phrase_book_ended(book, range) : NULL;
        uint32_t reached = 0;
        const enum edge edge = phrase ? edge_of(walk, phrase, read.lexeme, &reached) : EDGE_BAD;
        if (edge == EDGE_MORE) {
            return RESOURCE_MORE;
        }
        *end = edge == EDGE_GOOD ? reached : *end;
    } while (phrase_book_goes_on(book, range));
    return *end ? RESOURCE_IS : RESOURCE_NOT;
}

const struct phrase *resources_match_name(const struct resources *resources,
                                          const struct window_view *view, uint32_t index,
                                          uint32_t *end)
{
    const struct phrase_book *book = resources->book;
    struct symbol_reader reader = {.view = view, .index = index};
    struct phrase_range range = phrase_book_all(book);
    const struct phrase *found = NULL;
    struct symbol read;
    do {
        const bool is_read = symbol_reader_next(&reader, true, &read) == SYMBOL_READ;
        const uint16_t symbol = is_read ? phrase_book_find(book, read.text, read.length) : 0;
        if (symbol == 0) {
            break;
        }
        range = phrase_book_narrow(book, range, symbol);
        const struct phrase *phrase = read.ends_lexeme ? phrase_book_ended(book, range) : NULL;
        if (phrase && phrase->flags == 0) {
            found = phrase;
            *end = read.lexeme + 1;
        }
    } while (phrase_book_goes_on(book, range));
    return found;
}

enum resource_match resources_match(const struct resources *resources,
                                    const struct window_view *view, bool has_ended,
                                    uint32_t *lexeme_count)
{
    struct walk walk = {
        .resources = resources, .view = view, .has_ended = has_ended, .first = view->at};
    uint32_t end = 0;
    if (view->at >= view->count) {
        return has_ended ? RESOURCE_NOT : RESOURCE_MORE;
    }
    switch (skip_prefix(view, has_ended, &walk.first)) {
    case SYMBOL_END:
        return RESOURCE_NOT;
    case SYMBOL_MORE:
        return RESOURCE_MORE;
    case SYMBOL_READ:
        break;
    }
    const enum resource_match match = walk_on(&walk, &end);
    if (match == RESOURCE_IS) {
        *lexeme_count = end - view->at;
    }
    return match;
}
