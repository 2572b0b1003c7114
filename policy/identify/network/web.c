/* URLs and bare hosts. A host without scheme and path is one only by its top-level domain; where
 * that is an English word ("help.me"), by an unknown word in front of it. */
#include <string.h>

#include "policy/identify/network/network.h"

enum { LEXEMES_MAX = 170, LABELS_MAX = 12, SITE_WORDS = 5 };

WORD_LIST(top_levels, "com", "org", "net", "edu", "gov", "mil", "int", "info", "biz", "io", "co",
          "app", "dev", "health", "care", "clinic", "online", "site", "tech", "store", "blog",
          "cloud", "page", "link", "club", "xyz", "top", "world", "life", "live", "group", "team",
          "agency", "network", "systems", "support", "center", "social", "studio", "example",
          "test", "local", "name", "pro", "mobi", "tv", "cc", "ai", "gg", "ly", "fm", "uk", "ca",
          "au", "nz", "ie", "de", "fr", "es", "pt", "nl", "ch", "se", "dk", "fi", "pl", "cz", "sk",
          "hu", "ro", "bg", "gr", "hr", "si", "rs", "ua", "ru", "ee", "lv", "lt", "lu", "cy", "mt",
          "tr", "il", "za", "ng", "ke", "br", "ar", "mx", "cl", "pe", "ve", "uy", "ec", "jp", "cn",
          "hk", "tw", "kr", "sg", "my", "ph", "th", "vn", "pk", "ae", "sa", "eg", "eu", "us", "me",
          "in", "it", "is", "to", "so", "no", "at", "be", "am", "us", "id", "as", "do", "by", "et",
          "li", "ws", "su", "asia", "jobs", "news", "email", "chat", "zone", "works", "space",
          "website", "invalid", "museum", "coop", "aero");

WORD_LIST(word_levels, "me", "in", "it", "is", "to", "so", "no", "at", "be", "am", "us", "id", "as",
          "do", "by", "et", "my", "health", "care", "top", "life", "live", "site", "page", "link",
          "club", "world", "group", "team", "name", "store", "test", "local", "pro", "app",
          "clinic", "space", "news", "works", "support", "chat", "zone", "jobs", "email", "ph",
          "de", "es", "se", "si", "la", "center", "social", "online", "network");

WORD_LIST(site_words, "website", "site", "web", "link", "url", "page", "visit", "blog", "http",
          "domain", "www");

bool web_is_top_level(struct cursor *cursor, uint32_t index, bool *is_word)
{
    *is_word = cursor_is_any(cursor, index, &word_levels);
    return cursor_is_any(cursor, index, &top_levels);
}

/* The index behind a run of anything but blanks, quotes and angle brackets, without the punctuation
 * that ends a sentence. */
static uint32_t run_end(struct cursor *cursor, uint32_t index, uint32_t from)
{
    const uint32_t limit = from + LEXEMES_MAX;
    while (index < limit && !cursor_is_blank(cursor, index)) {
        const char mark = cursor_mark(cursor, index);
        const bool is_mark = cursor_is_class(cursor, index, LEXEME_MARK);
        if (is_mark && (mark == 0 || strchr("<>\"`{}|\\^", mark))) {
            break;
        }
        index++;
    }
    while (index > from) {
        const char mark = cursor_mark(cursor, index - 1);
        if (mark == 0 || !strchr(".,;:!?)]'*_", mark)) {
            break;
        }
        index--;
    }
    return index;
}

static uint32_t match_scheme(struct cursor *cursor, uint32_t at)
{
    if (cursor_mark(cursor, at + 1) != ':' || cursor_mark(cursor, at + 2) != '/'
        || cursor_mark(cursor, at + 3) != '/') {
        return 0;
    }
    const uint32_t end = run_end(cursor, at + 4, at + 4);
    return end > at + 4 ? end - at : 0;
}

struct host {
    uint32_t end, labels;
    bool has_letter, has_unknown, has_top, top_is_word;
};

static struct host host_of(struct cursor *cursor, uint32_t at)
{
    const struct window_view *view = &cursor->reading->view;
    struct host host = {0};
    uint32_t index = at;
    while (host.labels < LABELS_MAX && cursor_is_alnum(cursor, index)) {
        const struct lexeme *lexeme = &view->lexemes[index];
        host.end = index + 1;
        const char mark = cursor_mark(cursor, index + 1);
        const bool goes_on = (mark == '.' || mark == '-') && cursor_is_alnum(cursor, index + 2);
        if (!goes_on) {
            host.has_top = host.labels > 0 && cursor_mark(cursor, index - 1) == '.'
                           && web_is_top_level(cursor, index, &host.top_is_word);
            host.labels++;
            break;
        }
        host.has_letter = host.has_letter || lexeme->class != LEXEME_NUMBER;
        host.has_unknown = host.has_unknown || lexeme->class == LEXEME_MIXED
                           || (lexeme->class == LEXEME_WORD && lexeme->word == 0);
        host.labels++;
        index += 2;
    }
    return host;
}

static uint32_t match_host(struct cursor *cursor, uint32_t at)
{
    const struct window_view *view = &cursor->reading->view;
    const bool is_www =
        view->lexemes[at].folded_bytes <= 4 && memcmp(lexeme_text(view, at), "www", 3) == 0;
    const struct host host = host_of(cursor, at);
    if (cursor->is_starved || host.labels < 2) {
        return 0;
    }
    if (is_www) {
        return run_end(cursor, host.end, host.end) - at;
    }
    if (!host.has_top || !host.has_letter) {
        return 0;
    }
    const char mark = cursor_mark(cursor, host.end);
    const bool has_path = mark == '/' && !cursor_is_blank(cursor, host.end + 1);
    const bool has_port = mark == ':' && cursor_is_class(cursor, host.end + 1, LEXEME_NUMBER);
    const bool is_certain = !host.top_is_word || host.has_unknown || has_path
                            || cursor_has_context(cursor, &site_words, SITE_WORDS);
    if (!is_certain || (view->lexemes[at].folded_bytes < 2 && !has_path && host.top_is_word)) {
        return 0;
    }
    return (has_path || has_port || mark == '?' ? run_end(cursor, host.end, host.end) : host.end)
           - at;
}

uint32_t web_match(struct cursor *cursor)
{
    const uint32_t at = cursor->reading->view.at;
    if (!cursor_is_alnum(cursor, at)) {
        return 0;
    }
    const char mark = cursor_mark(cursor, at + 1);
    if (mark == ':') {
        return match_scheme(cursor, at);
    }
    return mark == '.' || mark == '-' ? match_host(cursor, at) : 0;
}
