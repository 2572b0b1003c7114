#include "policy/filter/spot/placeholder.h"

#include <string.h>

enum { KIND_BYTES_MAX = 16, DIGITS_MAX = 9 };

/* Steps over `mark`, escaped or not. */
static enum spot_match take_mark(const struct window_view *view, uint32_t *at, const char *mark)
{
    const uint32_t next = *at + lexeme_is(view, *at, "\\");
    if (next >= view->count) {
        return view->has_ended ? SPOT_NOT : SPOT_MORE;
    }
    if (!lexeme_is(view, next, mark)) {
        return SPOT_NOT;
    }
    *at = next + 1;
    return SPOT_IS;
}

static bool is_kind(const struct window_view *view, uint32_t at, enum policy_kind *kind)
{
    char name[KIND_BYTES_MAX];
    const struct lexeme *const lexeme = &view->lexemes[at];
    if (lexeme->folded_bytes > sizeof name) {
        return false;
    }
    for (uint32_t i = 0; i < lexeme->folded_bytes; i++) {
        const char byte = lexeme_text(view, at)[i];
        name[i] = byte >= 'a' && byte <= 'z' ? (char)(byte - 'a' + 'A') : byte;
    }
    return policy_kind_read(name, lexeme->folded_bytes, kind);
}

static bool is_number(const struct window_view *view, uint32_t at, uint32_t *number)
{
    const struct lexeme *const lexeme = &view->lexemes[at];
    const char *const digits = lexeme_text(view, at);
    if (lexeme->class != LEXEME_NUMBER || lexeme->folded_bytes > DIGITS_MAX || digits[0] == '0') {
        return false;
    }
    *number = 0;
    for (uint32_t i = 0; i < lexeme->folded_bytes; i++) {
        *number = 10 * *number + (uint32_t)(digits[i] - '0');
    }
    return true;
}

enum spot_match placeholder_match(const struct window_view *view, struct spot *spot,
                                  uint32_t *lexeme_count)
{
    static const char *const marks[] = {"[", "_", "]"};
    uint32_t at = view->at;
    for (int i = 0; i < 3; i++) {
        const enum spot_match match = take_mark(view, &at, marks[i]);
        if (match != SPOT_IS || i == 2) {
            spot->what = SPOT_PLACEHOLDER;
            *lexeme_count = at - view->at;
            return match;
        }
        if (at >= view->count) {
            return view->has_ended ? SPOT_NOT : SPOT_MORE;
        }
        if (i == 0 ? !is_kind(view, at, &spot->kind) : !is_number(view, at, &spot->number)) {
            return SPOT_NOT;
        }
        at++;
    }
    return SPOT_NOT;
}
