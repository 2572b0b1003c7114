/* IPv4 and IPv6 addresses (RFC 4291). Versions have three parts or more than four; times have no
 * group of three digits, no letter and no "::". */
#include <string.h>

#include "policy/identify/network/network.h"

enum { GROUPS_MAX = 9 };

WORD_LIST(version_words, "version", "v", "section", "chapter", "release", "firmware", "update",
          "step", "ver", "build");

static bool is_byte(struct cursor *cursor, uint32_t index)
{
    if (!cursor_is_class(cursor, index, LEXEME_NUMBER)) {
        return false;
    }
    const struct window_view *view = &cursor->reading->view;
    const char *text = lexeme_text(view, index);
    unsigned value = 0;
    for (uint32_t i = 0; i < view->lexemes[index].folded_bytes && value < 1000; i++) {
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    return view->lexemes[index].folded_bytes <= 3 && value <= 255;
}

/* "." or "[.]": the index behind it, or 0. */
static uint32_t dot_end(struct cursor *cursor, uint32_t index)
{
    if (cursor_mark(cursor, index) == '.') {
        return index + 1;
    }
    const bool is_bracketed = cursor_mark(cursor, index) == '['
                              && cursor_mark(cursor, index + 1) == '.'
                              && cursor_mark(cursor, index + 2) == ']';
    return is_bracketed ? index + 3 : 0;
}

/* Four bytes from index on: the index behind, or 0. */
static uint32_t four_end(struct cursor *cursor, uint32_t index)
{
    for (int part = 0; part < 4; part++) {
        if (part > 0) {
            index = dot_end(cursor, index);
        }
        if ((part > 0 && index == 0) || !is_byte(cursor, index)) {
            return 0;
        }
        index++;
    }
    const bool goes_on =
        cursor_mark(cursor, index) == '.' && cursor_is_class(cursor, index + 1, LEXEME_NUMBER);
    return goes_on ? 0 : index;
}

/* ":443" or "/24". */
static uint32_t suffix_end(struct cursor *cursor, uint32_t index)
{
    const char mark = cursor_mark(cursor, index);
    const bool has =
        (mark == ':' || mark == '/') && cursor_is_class(cursor, index + 1, LEXEME_NUMBER);
    return has ? index + 2 : index;
}

static uint32_t match_four(struct cursor *cursor, uint32_t at)
{
    uint32_t left = 0;
    if (cursor_left_mark(cursor, at) == '.'
        || (cursor_left_word(cursor, at, &left)
            && cursor_left_is_any(cursor, left, &version_words))) {
        return 0;
    }
    const uint32_t end = four_end(cursor, at);
    return end > 0 ? suffix_end(cursor, end) - at : 0;
}

struct six {
    uint32_t end, groups, jumps; /* jumps: of "::" */
    bool has_digit, has_three;
};

static bool is_hex_group(struct cursor *cursor, uint32_t index, struct six *six)
{
    if (!cursor_is_alnum(cursor, index)) {
        return false;
    }
    const struct window_view *view = &cursor->reading->view;
    const uint32_t length = view->lexemes[index].folded_bytes;
    const char *text = lexeme_text(view, index);
    for (uint32_t i = 0; i < length && length <= 4; i++) {
        const bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (!is_digit && !(text[i] >= 'a' && text[i] <= 'f')) {
            return false;
        }
        six->has_digit = six->has_digit || is_digit;
    }
    six->has_three = six->has_three || length >= 3;
    return length <= 4;
}

static struct six six_of(struct cursor *cursor, uint32_t at)
{
    struct six six = {.end = at};
    uint32_t index = at;
    while (six.groups < GROUPS_MAX && six.jumps < 2) {
        const bool has_colon = index == at || cursor_mark(cursor, index - 1) == ':';
        if (six.groups > 0 && has_colon && cursor_mark(cursor, index + 1) == '.') {
            const uint32_t four = four_end(cursor, index);
            if (four > 0) {
                six.end = four;
                six.groups += 2;
                six.has_digit = true;
                break;
            }
        }
        if (has_colon && is_hex_group(cursor, index, &six)) {
            six.groups++;
            six.end = ++index;
        }
        if (cursor_mark(cursor, index) != ':') {
            break;
        }
        if (cursor_mark(cursor, index + 1) == ':') {
            six.jumps++;
            index += 2;
            six.end = index;
        } else {
            index++;
            if (!cursor_is_alnum(cursor, index)) {
                break;
            }
        }
    }
    return six;
}

static uint32_t match_six(struct cursor *cursor, uint32_t at)
{
    struct six six = six_of(cursor, at);
    const bool is_full = six.jumps == 0 && six.groups >= 5 && six.groups <= 8
                         && (six.groups == 8 || (six.has_three && six.has_digit));
    const bool is_short = six.jumps == 1 && six.groups >= 1 && six.groups < 8 && six.has_digit
                          && (six.groups > 1 || six.end == at + 3);
    if (!is_full && !is_short) {
        return 0;
    }
    if (cursor_mark(cursor, six.end) == '%' && cursor_is_alnum(cursor, six.end + 1)) {
        six.end += 2;
    }
    return suffix_end(cursor, six.end) - at;
}

uint32_t ip_match(struct cursor *cursor)
{
    const uint32_t at = cursor->reading->view.at;
    const bool is_alnum = cursor_is_alnum(cursor, at);
    if (!is_alnum && (cursor_mark(cursor, at) != ':' || cursor_touches_left(cursor))) {
        return 0;
    }
    const char mark = cursor_mark(cursor, at + 1);
    if (is_alnum && mark != ':') {
        const bool may_be = (mark == '.' || mark == '[') && is_byte(cursor, at);
        return may_be ? match_four(cursor, at) : 0;
    }
    return mark == ':' ? match_six(cursor, at) : 0;
}
