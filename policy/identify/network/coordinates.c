/* Places on the map: "40.7128, -74.0060", "40.7128 N, 74.0060 W", degrees, minutes and seconds, a
 * labelled latitude or longitude, plus codes, what3words. A pair of decimals needs three places
 * each, or a word that speaks of a location, so that two laboratory values are none. */
#include <string.h>

#include "policy/identify/network/network.h"

enum { PLACES = 3, PLACES_SPOKEN = 2, PLACE_WORDS = 8 };

WORD_LIST(place_words, "gps", "coordinates", "coordinate", "coords", "lat", "latitude", "lon",
          "longitude", "lng", "long", "geo", "location", "located", "map", "maps", "pin",
          "position", "latlng", "geotag");
WORD_LIST(axis_words, "lat", "latitude", "lon", "longitude", "lng", "long");
WORD_LIST(sides, "n", "s", "e", "w", "north", "south", "east", "west");
WORD_LIST(degree_words, "\xc2\xb0", "degrees", "degree", "deg", "\xc2\xba", "o");
WORD_LIST(minute_words, "'", "\xe2\x80\xb2", "minutes", "min", "\xe2\x80\x99");
WORD_LIST(second_words, "\"", "\xe2\x80\xb3", "seconds", "sec", "\xe2\x80\x9d");

struct decimal {
    uint32_t end;
    uint32_t whole, places;  /* whole: its value, at most 1000 */
    bool has_sign, has_side; /* side: "40.71N" */
};

/* Digits, or digits and one letter of a side of the world. Returns how many digits. */
static uint32_t fraction_at(struct cursor *cursor, uint32_t index, bool *has_side)
{
    *has_side = false;
    if (!cursor_is_alnum(cursor, index) || cursor_is_class(cursor, index, LEXEME_WORD)) {
        return 0;
    }
    const struct window_view *view = &cursor->reading->view;
    const char *text = lexeme_text(view, index);
    const uint32_t length = view->lexemes[index].folded_bytes;
    for (uint32_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            *has_side = i + 1 == length && i > 0 && strchr("nsew", text[i]) != NULL;
            return *has_side ? i : 0;
        }
    }
    return length;
}

/* An optional sign, digits, a point, digits. False: none is there. */
static bool decimal_at(struct cursor *cursor, uint32_t index, struct decimal *out)
{
    const char sign = cursor_mark(cursor, index);
    index += sign == '-' || sign == '+';
    if (!cursor_is_class(cursor, index, LEXEME_NUMBER)) {
        return false;
    }
    const struct window_view *view = &cursor->reading->view;
    const char *text = lexeme_text(view, index);
    *out = (struct decimal){.end = index + 1, .has_sign = sign == '-'};
    for (uint32_t i = 0; i < view->lexemes[index].folded_bytes && out->whole < 1000; i++) {
        out->whole = out->whole * 10 + (uint32_t)(text[i] - '0');
    }
    if (out->whole <= 180 && cursor_mark(cursor, index + 1) == '.') {
        out->places = fraction_at(cursor, index + 2, &out->has_side);
        out->end = out->places > 0 ? index + 3 : out->end;
    }
    return true;
}

static uint32_t skip_word(struct cursor *cursor, uint32_t index, const struct word_table *words)
{
    const uint32_t first = cursor_skip_spaces(cursor, index);
    return cursor_is_any(cursor, first, words) ? first + 1 : index;
}

/* "lon: " between the two numbers. */
static uint32_t skip_axis(struct cursor *cursor, uint32_t index)
{
    const uint32_t word = cursor_skip_spaces(cursor, index);
    if (!cursor_is_any(cursor, word, &axis_words)) {
        return index;
    }
    uint32_t end = cursor_skip_spaces(cursor, word + 1);
    const char mark = cursor_mark(cursor, end);
    end += mark == ':' || mark == '=';
    return cursor_skip_spaces(cursor, end);
}

/* Enough for a pair that nobody calls a place: two laboratory values have fewer places. */
static bool is_exact(const struct decimal *decimal)
{
    return decimal->places > PLACES
           || (decimal->places == PLACES && (decimal->has_sign || decimal->whole >= 10))
           || (decimal->places > 1 && decimal->has_side);
}

static uint32_t match_pair(struct cursor *cursor, uint32_t at)
{
    struct decimal first;
    struct decimal second;
    if (!decimal_at(cursor, at, &first) || first.places < PLACES_SPOKEN || first.whole > 180) {
        return 0;
    }
    const bool is_spoken = cursor_has_context(cursor, &place_words, PLACE_WORDS);
    if (!is_spoken && !is_exact(&first)) {
        return 0;
    }
    uint32_t index = skip_word(cursor, first.end, &degree_words);
    index = skip_word(cursor, index, &sides);
    const uint32_t alone = index;
    const char mark = cursor_mark(cursor, index);
    index += mark == ',' || mark == ';' || mark == '/';
    index = skip_axis(cursor, cursor_skip_spaces(cursor, index));
    if (!decimal_at(cursor, index, &second) || second.places < PLACES_SPOKEN
        || (!is_spoken && !is_exact(&second))) {
        const bool is_labelled =
            first.places >= PLACES && cursor_has_context(cursor, &axis_words, 2);
        return is_labelled || alone > first.end + 1 ? alone - at : 0;
    }
    index = skip_word(cursor, second.end, &degree_words);
    return skip_word(cursor, index, &sides) - at;
}

/* 40°42'46" N: the index behind, or 0. */
static uint32_t sexagesimal_end(struct cursor *cursor, uint32_t index)
{
    struct decimal part;
    if (!decimal_at(cursor, index, &part) || part.whole > 180) {
        return 0;
    }
    index = skip_word(cursor, part.end, &degree_words);
    if (index == part.end) {
        return 0;
    }
    index = cursor_skip_spaces(cursor, index);
    const bool has_minutes = decimal_at(cursor, index, &part);
    if (has_minutes) {
        index = skip_word(cursor, part.end, &minute_words);
        const uint32_t seconds = cursor_skip_spaces(cursor, index);
        if (decimal_at(cursor, seconds, &part)) {
            index = skip_word(cursor, part.end, &second_words);
            index = skip_word(cursor, index, &second_words);
        }
    }
    const uint32_t end = skip_word(cursor, index, &sides);
    return end > index && has_minutes ? end : 0;
}

static uint32_t match_sexagesimal(struct cursor *cursor, uint32_t at)
{
    const uint32_t first = sexagesimal_end(cursor, at);
    if (first == 0) {
        return 0;
    }
    uint32_t next = cursor_skip_spaces(cursor, first);
    next = cursor_skip_spaces(cursor, next + (cursor_mark(cursor, next) == ','));
    const uint32_t second = sexagesimal_end(cursor, next);
    return (second > 0 ? second : first) - at;
}

/* "87G8P2VV+X9", an Open Location Code. */
static uint32_t match_plus_code(struct cursor *cursor, uint32_t at)
{
    static const char letters[] = "23456789cfghjmpqrvwx";
    const struct window_view *view = &cursor->reading->view;
    const uint32_t length = view->lexemes[at].folded_bytes;
    if ((length != 8 && length != 4) || cursor_mark(cursor, at + 1) != '+'
        || !cursor_is_alnum(cursor, at + 2) || view->lexemes[at + 2].folded_bytes > 3
        || view->lexemes[at + 2].folded_bytes < 2) {
        return 0;
    }
    const char *text = lexeme_text(view, at);
    for (uint32_t i = 0; i < length; i++) {
        if (!strchr(letters, text[i])) {
            return 0;
        }
    }
    return view->lexemes[at].class == LEXEME_MIXED ? 3 : 0;
}

/* "///word.word.word", of what3words. */
static uint32_t match_words(struct cursor *cursor, uint32_t at)
{
    for (uint32_t i = 1; i < 3; i++) {
        if (cursor_mark(cursor, at + i) != '/') {
            return 0;
        }
    }
    const bool is_place =
        cursor_is_class(cursor, at + 3, LEXEME_WORD) && cursor_mark(cursor, at + 4) == '.'
        && cursor_is_class(cursor, at + 5, LEXEME_WORD) && cursor_mark(cursor, at + 6) == '.'
        && cursor_is_class(cursor, at + 7, LEXEME_WORD);
    return is_place ? 8 : 0;
}

uint32_t coordinates_match(struct cursor *cursor)
{
    const uint32_t at = cursor->reading->view.at;
    const char mark = cursor_mark(cursor, at);
    if (mark == '/') {
        return cursor_left_mark(cursor, at) == ':' ? 0 : match_words(cursor, at);
    }
    if (cursor_is_class(cursor, at, LEXEME_MIXED)) {
        return match_plus_code(cursor, at);
    }
    const bool is_signed = (mark == '-' || mark == '+') && !cursor_touches_left(cursor)
                           && cursor_is_class(cursor, at + 1, LEXEME_NUMBER);
    if (!is_signed && !cursor_is_class(cursor, at, LEXEME_NUMBER)) {
        return 0;
    }
    const uint32_t pair = match_pair(cursor, at);
    return pair > 0 || cursor->is_starved || is_signed ? pair : match_sexagesimal(cursor, at);
}
