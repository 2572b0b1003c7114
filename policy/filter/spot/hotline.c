#include "policy/filter/spot/hotline.h"

enum {
    NUMBER_LEXEMES_MAX = 24,
    BETWEEN_MAX = 2,
    LONG_DIGITS = 7,
    WORDED_DIGITS = 4,      /* 1-800-...: then letters may stand for digits */
    DIAL_LEXEMES = 8,       /* how far in front of it dialling is spoken of */
    RIGHT_LEXEMES_MAX = 12, /* how far behind it the line may be named; it is held so long */
};

static bool is_between(const struct window_view *view, uint32_t at)
{
    return lexeme_is(view, at, "-") || lexeme_is(view, at, ".") || lexeme_is(view, at, " ")
           || lexeme_is(view, at, "(") || lexeme_is(view, at, ")");
}

struct number {
    uint32_t end;    /* one behind its last lexeme; where it begins: there is none */
    uint32_t digits; /* letters behind a hyphen too: 1-800-273-TALK */
    bool is_sure;    /* what arrives cannot belong to it */
};

static struct number read_number(const struct window_view *view)
{
    const uint32_t start = view->at;
    struct number number = {.end = start, .is_sure = true};
    uint32_t between = 0;
    uint32_t at = start + (lexeme_is(view, start, "+") || lexeme_is(view, start, "("));
    for (; at < view->count && at - start < NUMBER_LEXEMES_MAX; at++) {
        const struct lexeme *const lexeme = &view->lexemes[at];
        if (lexeme->class == LEXEME_NUMBER
            || (lexeme->class == LEXEME_WORD && number.digits >= WORDED_DIGITS && between == 1
                && lexeme_is(view, at - 1, "-"))) {
            number.end = at + 1;
            number.digits += lexeme->folded_bytes;
            between = 0;
        } else if (number.end == start || !is_between(view, at) || ++between > BETWEEN_MAX) {
            return number;
        }
    }
    number.is_sure = at < view->count || view->has_ended || at - start >= NUMBER_LEXEMES_MAX;
    return number;
}

/* "(800) 555-0100", not "(800 555 0100)": the mark would stay without its pair. */
static bool is_closed(const struct window_view *view, uint32_t end)
{
    for (uint32_t at = view->at + 1; at < end; at++) {
        if (lexeme_is(view, at, ")")) {
            return true;
        }
    }
    return false;
}

static bool is_dialled(const struct window_view *view)
{
    static const char *const words[] = {"call", "dial", "text", "phone", "ring", "number", "line"};
    for (uint32_t back = 1; back <= DIAL_LEXEMES && back <= view->at; back++) {
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            if (lexeme_is(view, view->at - back, words[i])) {
                return true;
            }
        }
    }
    return false;
}

/* One behind the sentence in which the number ends, or the bound. False: it has not arrived. */
static bool sentence_end(const struct window_view *view, uint32_t from, uint32_t *end)
{
    uint32_t at = from;
    while (at < view->count && at - from < RIGHT_LEXEMES_MAX
           && view->lexemes[at].class != LEXEME_BREAK && !lexeme_is(view, at, ".")
           && !lexeme_is(view, at, "!") && !lexeme_is(view, at, "?")) {
        at++;
    }
    *end = at;
    return at < view->count || view->has_ended;
}

/* What has arrived differs with the cut of the text, so the resources see the number's left and, of
 * a number that may be a line's, its sentence to the right: no more, no less. */
enum spot_match hotline_match(const struct resources *resources, const struct window_view *view,
                              struct spot *spot, uint32_t *lexeme_count)
{
    const uint32_t at = view->at;
    if ((view->lexemes[at].class != LEXEME_NUMBER && !lexeme_is(view, at, "+")
         && !lexeme_is(view, at, "("))
        || (at > 0 && (lexeme_is(view, at - 1, ".") || lexeme_is(view, at - 1, "$")))) {
        return SPOT_NOT; /* or of an amount */
    }
    const struct number number = read_number(view);
    if (!number.is_sure) {
        return SPOT_MORE;
    }
    if (number.end == at || (lexeme_is(view, at, "(") && !is_closed(view, number.end))) {
        return SPOT_NOT; /* "(988)": it begins behind the mark */
    }
    struct window_view seen = *view;
    seen.count = number.end;
    seen.has_ended = true;
    spot->what = SPOT_HOTLINE;
    *lexeme_count = number.end - at;
    if (resources_correct(resources, &seen, at, number.end, &spot->text)) {
        return SPOT_IS;
    }
    if (number.digits < LONG_DIGITS && !is_dialled(view)) {
        return SPOT_NOT;
    }
    if (!sentence_end(view, number.end, &seen.count)) {
        return SPOT_MORE;
    }
    return resources_correct(resources, &seen, at, number.end, &spot->text) ? SPOT_IS : SPOT_NOT;
}
