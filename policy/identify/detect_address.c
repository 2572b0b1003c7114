/* detect_address.c - STREET and ZIP. Streets first: a house number may have five digits too. */
#include "policy/identify/address/street.h"
#include "policy/identify/address/street_abroad.h"
#include "policy/identify/address/street_box.h"
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

struct finding detect_address(const struct reading *reading)
{
    struct cursor cursor = {.reading = reading};
    const uint32_t at = reading->view.at;
    const struct lexeme *first = cursor_lexeme(&cursor, at);
    if (!first
        || (first->class != LEXEME_WORD && first->class != LEXEME_NUMBER
            && first->class != LEXEME_MIXED)) {
        return glance_finding(&cursor, 0, POLICY_STREET);
    }
    const uint32_t end = street(&cursor, at);
    if (end != 0 || cursor.is_starved || first->class == LEXEME_WORD) {
        return glance_finding(&cursor, end, POLICY_STREET);
    }
    return glance_finding(&cursor, zip_code_match(&cursor, at), POLICY_ZIP);
}
