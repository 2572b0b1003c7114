/* resources_correct.c - a number that stands where a crisis line is spoken of and is none. Whose it
 * is is told by the nearest word of its sentence: a line's ("hotline"), or somebody's own
 * ("office", "my sister"). Years and amounts stand near such words too, so a short number counts
 * only where dialling is spoken of. */
#include <string.h>

#include "policy/crisis/resources/resource_spelling.h"
#include "policy/crisis/resources/resources_parts.h"
#include "policy/crisis/resources/symbol_reader.h"

enum {
    WORDS_NEAR = 12,
    LEXEMES_NEAR = 48,
    DIAL_WORDS = 3,
    LINE_WORDS = 2,
    TEXT_WORDS = 6,
    SHORT_DIGITS_MAX = 6,
    FAR = 1000
};

struct place {
    const struct resources *resources;
    const struct window_view *view;
    uint32_t first, last; /* the number's lexemes */
};

/* ---- the number ------------------------------------------------------------------------------ */

struct number {
    char digits[RESOURCE_DIGITS_BYTES];
    uint32_t groups;
    bool has_plus;
};

static bool is_word(const struct window_view *view, uint32_t index)
{
    const uint8_t class = view->lexemes[index].class;
    return class == LEXEME_WORD || class == LEXEME_MIXED;
}

/* Letters by a telephone's keys. False: not digits that are dialled. */
static bool read_number(const struct place *place, struct number *number)
{
    size_t count = 0;
    number->has_plus = (place->first > 0 && lexeme_is(place->view, place->first - 1, "+"))
                       || lexeme_is(place->view, place->first, "+");
    for (uint32_t index = place->first; index < place->last; index++) {
        const struct lexeme *lexeme = &place->view->lexemes[index];
        const char *text = lexeme_text(place->view, index);
        const bool counts = is_word(place->view, index) || lexeme->class == LEXEME_NUMBER;
        number->groups += counts;
        for (uint8_t i = 0; counts && i < lexeme->folded_bytes; i++) {
            const char digit = resource_spelling_key(text[i]);
            if (digit == '\0' || count == RESOURCE_DIGITS_BYTES - 1) {
                return false;
            }
            number->digits[count++] = digit;
        }
    }
    number->digits[count] = '\0';
    return count >= 3;
}

static bool is_short(const struct number *number)
{
    return strlen(number->digits) <= SHORT_DIGITS_MAX;
}

/* Grouped and as long as telephone numbers are. */
static bool is_phone_like(const struct place *place, const struct number *number)
{
    const size_t length = strlen(number->digits);
    const char *country = place->resources->country_code;
    const size_t country_bytes = strlen(country);
    return number->has_plus || length == 10 || (length == 7 && number->groups == 2)
           || (length >= 9 && number->digits[0] == '0')
           || (length == 10 + country_bytes && country_bytes > 0
               && strncmp(number->digits, country, country_bytes) == 0);
}

static bool ends_with(const char *digits, const char *call)
{
    const size_t length = strlen(digits);
    const size_t tail = strlen(call);
    return tail > 0 && length >= tail && strcmp(digits + length - tail, call) == 0;
}

/* The rest of a longer one, which is judged where that begins: "1-800-[799-7233]". */
static bool is_rest(const struct place *place)
{
    const uint32_t first = place->first;
    return first >= 2 && place->view->lexemes[first - 2].class == LEXEME_NUMBER
           && (symbol_reader_is_dash(place->view, first - 1)
               || lexeme_is(place->view, first - 1, "."));
}

/* With or without what is dialled in front, or the area's code; a short number only whole. */
static bool is_of_region(const struct resources *resources, const char *digits)
{
    for (uint32_t i = 0; i < resources->call_count; i++) {
        const char *call = resources->calls[i];
        const bool is_whole = strlen(call) <= SHORT_DIGITS_MAX;
        const bool is_local = strlen(digits) > SHORT_DIGITS_MAX && ends_with(call, digits);
        if (is_whole ? strcmp(digits, call) == 0 : is_local || ends_with(digits, call)) {
            return true;
        }
    }
    return false;
}

/* ---- what stands near it --------------------------------------------------------------------- */

struct nearby { /* distances in words */
    uint32_t cue, emergency, owner;
    uint32_t phrase; /* of the line's own words, the furthest: "Harbor Clinic [crisis line]" */
    uint32_t named, named_line; /* a line by its name */
    uint32_t topic, topic_line; /* or by what it is for */
};

static uint16_t symbol_at(const struct place *place, uint32_t index)
{
    return is_word(place->view, index)
               ? phrase_book_find(place->resources->book, lexeme_text(place->view, index),
                                  place->view->lexemes[index].folded_bytes)
               : 0;
}

static uint16_t roles_at(const struct place *place, uint32_t index)
{
    return place->resources->roles[symbol_at(place, index)];
}

/* "emergency contact" is a person, "emergency" is not. */
static bool is_room_next(const struct place *place, uint32_t index)
{
    return index + 2 < place->view->count && place->view->lexemes[index + 1].class == LEXEME_SPACE
           && (roles_at(place, index + 2) & WORD_ROOM);
}

static void see_topic(const struct place *place, uint16_t symbol, uint32_t distance,
                      struct nearby *near)
{
    for (uint32_t line = 0; symbol != 0 && line < place->resources->line_count; line++) {
        const struct resource_line *of = &place->resources->lines[line];
        for (uint32_t i = 0; i < of->topic_count; i++) {
            if (of->topic[i] == symbol && distance < near->topic) {
                near->topic = distance;
                near->topic_line = line;
            }
        }
    }
}

static void see(const struct place *place, uint32_t index, uint32_t distance, struct nearby *near)
{
    const uint16_t roles = roles_at(place, index);
    const bool is_room = (roles & WORD_EMERGENCY) && is_room_next(place, index);
    uint32_t end = 0;
    const struct phrase *name = resources_match_name(place->resources, place->view, index, &end);
    if (((roles & WORD_OWNER) || is_room) && distance < near->owner) {
        near->owner = distance;
    }
    if ((roles & WORD_CUE) && distance < near->cue) {
        near->cue = distance;
    }
    if ((roles & WORD_EMERGENCY) && !is_room && distance < near->emergency) {
        near->emergency = distance;
    }
    if (name && (end <= place->first || index >= place->last) && distance < near->named) {
        near->named = distance;
        near->named_line = name->line;
    }
    see_topic(place, symbol_at(place, index), distance, near);
}

static bool ends_sentence(const struct window_view *view, uint32_t index)
{
    if (lexeme_is(view, index, "!") || lexeme_is(view, index, "?") || lexeme_is(view, index, ";")) {
        return true;
    }
    const uint8_t next = index + 1 < view->count ? view->lexemes[index + 1].class : LEXEME_BREAK;
    return lexeme_is(view, index, ".") && (next == LEXEME_SPACE || next == LEXEME_BREAK);
}

static struct nearby look(const struct place *place, bool to_left)
{
    struct nearby near = {.cue = FAR, .emergency = FAR, .owner = FAR, .named = FAR, .topic = FAR};
    uint32_t words = 0;
    uint32_t breaks = 0;
    for (uint32_t away = 1; away <= LEXEMES_NEAR && words < WORDS_NEAR; away++) {
        const uint32_t edge = to_left ? place->first : place->view->count - place->last;
        if (away > edge) {
            break;
        }
        const uint32_t index = to_left ? place->first - away : place->last + away - 1;
        breaks += place->view->lexemes[index].class == LEXEME_BREAK;
        if (breaks > (to_left ? 1U : 0U) || ends_sentence(place->view, index)) {
            break;
        }
        if (is_word(place->view, index)) {
            see(place, index, ++words, &near);
        }
    }
    return near;
}

/* The nth word to the left of the number, from 1, in its sentence. */
static bool word_before(const struct place *place, uint32_t nth, uint32_t *out)
{
    for (uint32_t away = 1; away <= LEXEMES_NEAR && away <= place->first; away++) {
        const uint32_t index = place->first - away;
        if (ends_sentence(place->view, index)) {
            return false;
        }
        nth -= is_word(place->view, index);
        if (nth == 0) {
            *out = index;
            return true;
        }
    }
    return false;
}

static bool has_before(const struct place *place, uint32_t words, uint16_t roles)
{
    uint32_t index = 0;
    for (uint32_t nth = 1; nth <= words && word_before(place, nth, &index); nth++) {
        if (roles_at(place, index) & roles) {
            return true;
        }
    }
    return false;
}

/* "text HOME to": the word before is "to" and texting is spoken of. *keyword: the line whose word
 * is sent, RESOURCE_LINES_MAX: none's. */
static bool is_texted(const struct place *place, uint32_t *keyword)
{
    uint32_t index = 0;
    *keyword = RESOURCE_LINES_MAX;
    const bool is_to =
        word_before(place, 1, &index)
        && (lexeme_is(place->view, index, "to") || lexeme_is(place->view, index, "al")
            || lexeme_is(place->view, index, "at"));
    if (!is_to || !has_before(place, TEXT_WORDS, WORD_TEXT)) {
        return false;
    }
    if (word_before(place, 2, &index)) {
        const uint16_t symbol = symbol_at(place, index);
        for (uint32_t i = 0; symbol != 0 && i < place->resources->keyword_count; i++) {
            if (place->resources->keywords[i].symbol == symbol) {
                *keyword = place->resources->keywords[i].line;
            }
        }
    }
    return true;
}

/* ---- the answer ------------------------------------------------------------------------------ */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Which line is meant; false: none. */
static bool choose(const struct place *place, const struct nearby *near, uint32_t *line)
{
    const uint32_t crisis = least(near->cue, near->named);
    if (least(crisis, near->emergency) >= near->owner) {
        return false; /* FAR >= FAR: nothing is near */
    }
    if (near->named < FAR) {
        *line = near->named_line;
    } else if (near->cue < FAR) {
        *line = near->topic < FAR ? near->topic_line : place->resources->default_line;
    } else {
        *line = place->resources->emergency_line;
    }
    return true;
}

static bool find_foreign(const struct resources *resources, const char *digits, uint32_t *line)
{
    for (uint32_t i = 0; i < resources->foreign_count; i++) {
        if (strcmp(resources->foreign[i].digits, digits) == 0) {
            *line = resources->foreign[i].is_emergency ? resources->emergency_line
                                                       : resources->default_line;
            return true;
        }
    }
    return false;
}

static bool is_dialled(const struct place *place)
{
    return has_before(place, DIAL_WORDS, WORD_DIAL) || has_before(place, LINE_WORDS, WORD_LINE);
}

bool resources_correct(const struct resources *resources, const struct window_view *view,
                       uint32_t number_first, uint32_t number_last, const char **right)
{
    const struct place place = {resources, view, number_first, number_last};
    struct number number = {.groups = 0};
    uint32_t line = RESOURCE_LINES_MAX;
    uint32_t keyword = RESOURCE_LINES_MAX;
    if (number_first >= number_last || number_last > view->count || is_rest(&place)
        || !read_number(&place, &number) || is_of_region(resources, number.digits)) {
        return false;
    }
    const bool is_text = is_short(&number) && is_texted(&place, &keyword);
    if (is_short(&number) ? !is_text && !is_dialled(&place) : !is_phone_like(&place, &number)) {
        return false;
    }
    const struct nearby left = look(&place, true);
    const struct nearby after = look(&place, false);
    const bool is_left_silent =
        least(least(left.cue, left.named), least(left.emergency, left.owner)) == FAR;
    const bool is_spoken = choose(&place, is_left_silent ? &after : &left, &line);
    if (!is_spoken && keyword == RESOURCE_LINES_MAX) {
        return false;
    }
    if (line == resources->emergency_line && !is_dialled(&place)) {
        return false; /* "emergencies after hours: 555-0100" may be anybody's */
    }
    if (keyword < RESOURCE_LINES_MAX) {
        line = keyword;
    } else if (!find_foreign(resources, number.digits, &line) && line == RESOURCE_LINES_MAX) {
        return false;
    }
    const struct resource_line *of = &resources->lines[line];
    *right = (is_text && of->text) || !of->call ? of->text : of->call;
    return *right != NULL;
}
