/* Email addresses. Plain ones are recognised by their @; spaced and spelled ones only where the
 * word in front may be somebody's name for himself, so that "meet me at work" is not waited for. */
#include <string.h>

#include "policy/identify/network/network.h"

enum { PIECES_MAX = 24, EMAIL_WORDS = 6, COMMON_WORD = 8, MIXED_MIN = 5 };

WORD_LIST(email_words, "email", "emails", "mail", "gmail", "hotmail", "mailto", "reach", "contact",
          "address", "inbox");
WORD_LIST(providers, "gmail", "yahoo", "hotmail", "outlook", "icloud", "aol", "protonmail",
          "proton", "live", "msn", "gmx", "ymail", "comcast", "verizon", "googlemail");

/* Whether the look may go over a space behind this word. */
static bool may_be_spaced(const struct cursor *cursor)
{
    const struct reading *reading = cursor->reading;
    const struct lexeme *lexeme = &reading->view.lexemes[reading->view.at];
    if (lexeme->class == LEXEME_NUMBER) {
        return false;
    }
    if (lexeme->class == LEXEME_MIXED) {
        return lexeme->folded_bytes >= MIXED_MIN;
    }
    if (reading->terms && reading->terms->lexicon) {
        const struct lexicon_entry *entry = lexicon_entry(reading->terms->lexicon, lexeme->word);
        if (lexeme->word == 0 || (entry->word < COMMON_WORD && entry->first + entry->last > 0)) {
            return true;
        }
        if (entry->word > COMMON_WORD) {
            return false;
        }
    }
    return cursor_has_context(cursor, &email_words, EMAIL_WORDS);
}

/* A word in brackets of any kind: "[at]", "(dot)". Returns the index behind it, or 0. */
static uint32_t bracketed(struct cursor *cursor, uint32_t index, const char *word)
{
    const char mark = cursor_mark(cursor, index);
    if (mark == 0 || !strchr("[({<", mark)) {
        return 0;
    }
    uint32_t next = cursor_skip_spaces(cursor, index + 1);
    const bool is_sign =
        word[0] == 'a' ? cursor_mark(cursor, next) == '@' : cursor_mark(cursor, next) == '.';
    if (!is_sign && !cursor_is(cursor, next, word)) {
        return 0;
    }
    next = cursor_skip_spaces(cursor, next + 1);
    const char close = cursor_mark(cursor, next);
    return close != 0 && strchr("])}>", close) ? next + 1 : 0;
}

/* "@", "[at]"; with spaces around and as a word if it may be. Returns the index behind, or 0. */
static uint32_t sign_end(struct cursor *cursor, uint32_t index, const char *word, bool is_spaced)
{
    const char sign = (char)(word[0] == 'a' ? '@' : '.');
    const uint32_t first = is_spaced ? cursor_skip_spaces(cursor, index) : index;
    uint32_t end = 0;
    if (cursor_mark(cursor, first) == sign
        || (is_spaced && first > index && cursor_is(cursor, first, word))) {
        end = first + 1;
    } else {
        end = bracketed(cursor, first, word);
    }
    return end > 0 && is_spaced ? cursor_skip_spaces(cursor, end) : end;
}

/* A label of a host with its hyphens; 0: none. */
static uint32_t label_end(struct cursor *cursor, uint32_t index)
{
    for (uint32_t pieces = 0; pieces < PIECES_MAX && cursor_is_alnum(cursor, index); pieces++) {
        const char mark = cursor_mark(cursor, index + 1);
        if ((mark != '-' && mark != '_') || !cursor_is_alnum(cursor, index + 2)) {
            return index + 1;
        }
        index += 2;
    }
    return 0;
}

/* The host behind the @. is_spaced: its dots may have spaces or be spelled, and then the last label
 * must be a top-level domain. Returns the index behind, or 0. */
static uint32_t host_end(struct cursor *cursor, uint32_t index, bool is_spaced)
{
    uint32_t end = label_end(cursor, index);
    uint32_t known_end = 0;
    bool is_word = false;
    for (uint32_t dots = 0; end > 0 && dots < PIECES_MAX; dots++) {
        uint32_t next = 0;
        if (cursor_mark(cursor, end) == '.' && cursor_is_alnum(cursor, end + 1)) {
            next = end + 1;
        } else if (is_spaced || dots == 0) {
            next = sign_end(cursor, end, "dot", true);
        }
        const uint32_t label = next > 0 ? label_end(cursor, next) : 0;
        if (label == 0) {
            break;
        }
        const bool is_top = web_is_top_level(cursor, label - 1, &is_word);
        if (next > end + 1 && !is_top) {
            break; /* "x@host . Next sentence" */
        }
        end = label;
        known_end = is_top ? end : known_end;
    }
    return is_spaced ? known_end : end;
}

/* " dot " or "[dot]", but not the full stop of "okay . how are you". */
static uint32_t spelled_dot(struct cursor *cursor, uint32_t index)
{
    const uint32_t first = cursor_skip_spaces(cursor, index);
    return cursor_mark(cursor, first) == '.' ? 0 : sign_end(cursor, index, "dot", true);
}

/* The local part; a full stop may be spelled if it is spaced. */
static uint32_t local_end(struct cursor *cursor, uint32_t index, bool is_spaced)
{
    for (uint32_t pieces = 0; pieces < PIECES_MAX && cursor_is_alnum(cursor, index); pieces++) {
        const char mark = cursor_mark(cursor, index + 1);
        if (mark == ' ') {
            const uint32_t dot = is_spaced ? spelled_dot(cursor, index + 1) : 0;
            if (dot == 0 || !cursor_is_alnum(cursor, dot)) {
                return index + 1;
            }
            index = dot;
        } else if (mark != 0 && strchr("._+-%'&~=", mark)) {
            if (!cursor_is_alnum(cursor, index + 2)) {
                return index + (cursor_mark(cursor, index + 2) == '@' ? 2 : 1);
            }
            index += 2;
        } else {
            return index + 1;
        }
    }
    return 0;
}

/* An address whose first part is gone already: "@ host . com", "at gmail dot com". */
static uint32_t match_rest(struct cursor *cursor, uint32_t at)
{
    uint32_t host = 0;
    if (cursor_is(cursor, at, "at")) {
        if (!cursor_is_class(cursor, at + 1, LEXEME_SPACE)
            || !cursor_is_any(cursor, at + 2, &providers)) {
            return 0;
        }
        host = at + 2;
    } else {
        host = sign_end(cursor, at, "at", false);
        host = host > 0 ? cursor_skip_spaces(cursor, host) : 0;
    }
    const uint32_t end = host > 0 ? host_end(cursor, host, true) : 0;
    return end > 0 ? end - at : 0;
}

uint32_t email_match(struct cursor *cursor)
{
    const uint32_t at = cursor->reading->view.at;
    const char first = cursor_mark(cursor, at);
    if (first == '@' || first == '[' || cursor_is(cursor, at, "at")) {
        return match_rest(cursor, at);
    }
    if (!cursor_is_alnum(cursor, at)) {
        return 0;
    }
    const bool is_blank_next = cursor_is_blank(cursor, at + 1);
    const char mark = cursor_mark(cursor, at + 1);
    const bool is_spaced = mark == '_' || ((is_blank_next || mark == '.') && may_be_spaced(cursor));
    if (cursor->is_starved || (is_blank_next && !is_spaced)) {
        return 0;
    }
    uint32_t end = local_end(cursor, at, is_spaced);
    if (end == 0) {
        return 0;
    }
    const uint32_t sign = sign_end(cursor, end, "at", is_spaced);
    if (sign == 0) {
        return 0;
    }
    const bool is_plain = sign == end + 1;
    end = host_end(cursor, sign, !is_plain);
    return end > 0 ? end - at : 0;
}
