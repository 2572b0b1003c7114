/* detect_address.c - STREET and ZIP. Streets first: a house number may have five digits too. */
#include "policy/identify/address/street.h"
#include "policy/identify/address/street_abroad.h"
#include "policy/identify/address/street_box.h"
#include "policy/identify/address/street_words.h"
#include "policy/identify/address/zip_code.h"
#include "policy/identify/detector.h"
#include "policy/identify/words/glance.h"

static uint32_t street(struct cursor *cursor, uint32_t at)
{
    if (glance_is_tail(cursor, at, "-./:,")
        || (at > 0 && glance_mark(cursor, at - 1, "$#") != '\0')) {
        return 0;
    }
    uint32_t end = street_box_match(cursor, at);
    if (end == 0) {
        end = street_match(cursor, at);
    }
    if (end == 0 && cursor_is_class(cursor, at, LEXEME_WORD)) {
        end = street_abroad(cursor, at, false);
    }
    return end;
}

/* In lower case, begins nothing of an address, and stands behind nothing that leads to one: most
 * words of running text end here. */
static bool is_ordinary(struct cursor *cursor, uint32_t at)
{
    const struct window_view *view = &cursor->reading->view;
    const struct lexeme *word = &view->lexemes[at];
    bool is_sure = false;
    if (word->class != LEXEME_WORD || word->letter_case != CASE_LOWER || word->folded_bytes == 1
        || glance_word_at(view, at, &street_words) || glance_word_at(view, at, &street_box_words)
        || street_words_is_compound(lexeme_text(view, at), word->folded_bytes, &is_sure)) {
        return false;
    }
    const uint32_t left = glance_left(cursor, at);
    return left == GLANCE_NOTHING
           || (!lexeme_is(view, left, "of")
               && !(glance_word_at(view, left, &street_words) & STREET_ON));
}

struct finding detect_address(const struct reading *reading)
{
    struct cursor cursor = {.reading = reading};
    const uint32_t at = reading->view.at;
    const struct lexeme *first = cursor_lexeme(&cursor, at);
    if (!first
        || (first->class != LEXEME_WORD && first->class != LEXEME_NUMBER
            && first->class != LEXEME_MIXED)
        || is_ordinary(&cursor, at)) {
        return glance_finding(&cursor, 0, POLICY_STREET);
    }
    const uint32_t end = street(&cursor, at);
    if (end != 0 || cursor.is_starved || first->class == LEXEME_WORD) {
        return glance_finding(&cursor, end, POLICY_STREET);
    }
    return glance_finding(&cursor, zip_code_match(&cursor, at), POLICY_ZIP);
}
