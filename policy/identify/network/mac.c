/* Addresses of network cards (IEEE 802): aa:bb:cc:dd:ee:ff, with hyphens, or aabb.ccdd.eeff. */
#include "policy/identify/network/network.h"

static bool is_hex(struct cursor *cursor, uint32_t index, uint32_t length, bool *has_letter)
{
    if (!cursor_is_alnum(cursor, index)) {
        return false;
    }
    const struct window_view *view = &cursor->reading->view;
    const char *text = lexeme_text(view, index);
    if (view->lexemes[index].folded_bytes != length) {
        return false;
    }
    for (uint32_t i = 0; i < length; i++) {
        const bool is_letter = text[i] >= 'a' && text[i] <= 'f';
        if (!is_letter && !(text[i] >= '0' && text[i] <= '9')) {
            return false;
        }
        *has_letter = *has_letter || is_letter;
    }
    return true;
}

uint32_t mac_match(struct cursor *cursor)
{
    const uint32_t at = cursor->reading->view.at;
    if (!cursor_is_alnum(cursor, at) || cursor_touches_left(cursor)) {
        return 0;
    }
    const uint32_t length = cursor->reading->view.lexemes[at].folded_bytes;
    if (length != 2 && length != 4) {
        return 0;
    }
    const char joiner = cursor_mark(cursor, at + 1);
    if (length == 2 ? joiner != ':' && joiner != '-' : joiner != '.') {
        return 0;
    }
    const uint32_t wanted = length == 2 ? 6 : 3;
    bool has_letter = false;
    uint32_t groups = 0;
    uint32_t end = at;
    while (groups < wanted && is_hex(cursor, end, length, &has_letter)) {
        groups++;
        end++;
        if (groups < wanted && cursor_mark(cursor, end++) != joiner) {
            return 0;
        }
    }
    const bool goes_on =
        groups == wanted && cursor_mark(cursor, end) == joiner && cursor_is_alnum(cursor, end + 1);
    return groups == wanted && !goes_on && (has_letter || joiner == ':') ? end - at : 0;
}
