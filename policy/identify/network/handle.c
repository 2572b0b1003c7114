/* Usernames: by sign (@name, u/name, name#1234) and by a label to the left ("username: name",
 * "insta is name_7"). After the name of a platform a value must look like a username, since
 * "snapchat is fun" says nothing; after "username" any word will do that is not an ordinary one. */
#include <string.h>

#include "policy/identify/network/network.h"
#include "policy/identify/words/glance.h"

enum { LABEL_LOOKS = 10, TAG_WORDS = 8, COMMON_WORD = 6, VERY_COMMON_WORD = 9 };

/* NAME: behind one of the next, "user name". */
enum label { LABEL_NONE, LABEL_PLATFORM, LABEL_ACCOUNT, LABEL_NAME };

/* clang-format off */
static const struct word_entry label_entries[] = {
    {"username", LABEL_ACCOUNT}, {"usernames", LABEL_ACCOUNT}, {"userid", LABEL_ACCOUNT},
    {"login", LABEL_ACCOUNT}, {"handle", LABEL_ACCOUNT}, {"gamertag", LABEL_ACCOUNT},
    {"screenname", LABEL_ACCOUNT}, {"logon", LABEL_ACCOUNT}, {"signin", LABEL_ACCOUNT},
    {"usr", LABEL_ACCOUNT}, {"name", LABEL_NAME}, {"id", LABEL_NAME}, {"insta", LABEL_PLATFORM},
    {"instagram", LABEL_PLATFORM}, {"ig", LABEL_PLATFORM}, {"snapchat", LABEL_PLATFORM},
    {"snap", LABEL_PLATFORM}, {"discord", LABEL_PLATFORM}, {"tiktok", LABEL_PLATFORM},
    {"telegram", LABEL_PLATFORM}, {"twitter", LABEL_PLATFORM}, {"reddit", LABEL_PLATFORM},
    {"kik", LABEL_PLATFORM}, {"skype", LABEL_PLATFORM}, {"venmo", LABEL_PLATFORM},
    {"cashapp", LABEL_PLATFORM}, {"facebook", LABEL_PLATFORM}, {"fb", LABEL_PLATFORM},
    {"twitch", LABEL_PLATFORM}, {"steam", LABEL_PLATFORM}, {"psn", LABEL_PLATFORM},
    {"xbox", LABEL_PLATFORM}, {"whatsapp", LABEL_PLATFORM}, {"linkedin", LABEL_PLATFORM},
    {"youtube", LABEL_PLATFORM}, {"tumblr", LABEL_PLATFORM}, {"bluesky", LABEL_PLATFORM},
    {"threads", LABEL_PLATFORM}, {"roblox", LABEL_PLATFORM}, {"wechat", LABEL_PLATFORM},
    {"onlyfans", LABEL_PLATFORM}, {"fortnite", LABEL_PLATFORM}, {"mastodon", LABEL_PLATFORM},
    {"pinterest", LABEL_PLATFORM}, {"user", LABEL_PLATFORM}, {"signal", LABEL_PLATFORM},
    {"zelle", LABEL_PLATFORM},
};
/* clang-format on */
static const struct word_table label_words = WORD_TABLE(label_entries);

WORD_LIST(owner_words, "user", "screen", "login", "display", "account", "profile", "gamer",
          "discord", "portal", "insta");
WORD_LIST(links, "is", "was", "are", "as", "called", "its", "s", "under", "by");
WORD_LIST(stops, "the", "a", "an", "my", "your", "not", "and", "or", "required", "is", "was", "it",
          "to", "in", "on", "for", "but", "wrong", "taken", "invalid", "that", "this", "still",
          "password", "unknown", "none", "n", "same", "different", "hacked", "private", "locked",
          "forgotten", "something", "with");
WORD_LIST(tag_words, "discord", "username", "handle", "battletag", "gamertag", "add", "tag", "riot",
          "blizzard", "friend");
WORD_LIST(unit_words, "day", "kg", "hr", "ml", "min", "dl", "hour", "week", "s");

struct left {
    enum label label;
    bool is_marked, is_linked; /* by ':' or '='; by "is" */
};

static enum label label_at(const struct cursor *cursor, uint32_t index)
{
    const enum label label =
        (enum label)glance_word_at(&cursor->reading->view, index, &label_words);
    uint32_t before = 0;
    if (label != LABEL_NAME) {
        return label;
    }
    return cursor_left_word(cursor, index, &before)
                   && cursor_left_is_any(cursor, before, &owner_words)
               ? LABEL_ACCOUNT
               : LABEL_NONE;
}

static struct left left_of(const struct cursor *cursor)
{
    struct left left = {LABEL_NONE, false, false};
    uint32_t index = cursor->reading->view.at;
    for (int looks = 0; looks < LABEL_LOOKS && cursor_left(cursor, index, &index); looks++) {
        const struct lexeme *lexeme = &cursor->reading->view.lexemes[index];
        if (lexeme->class == LEXEME_SPACE) {
            continue;
        }
        if (lexeme->class == LEXEME_MARK) {
            const char mark = cursor_left_mark(cursor, index + 1);
            if (mark == 0 || !strchr(":=\"'(-", mark)) {
                return left;
            }
            left.is_marked = left.is_marked || mark == ':' || mark == '=';
            continue;
        }
        if (lexeme->class != LEXEME_WORD) {
            return left;
        }
        if (!left.is_linked && cursor_left_is_any(cursor, index, &links)) {
            left.is_linked = true;
            continue;
        }
        left.label = label_at(cursor, index);
        return left;
    }
    return left;
}

static bool is_ordinary(const struct cursor *cursor, uint32_t index, uint8_t common)
{
    const struct reading *reading = cursor->reading;
    const uint32_t word = reading->view.lexemes[index].word;
    if (word == 0 || !reading->terms || !reading->terms->lexicon) {
        return false;
    }
    return lexicon_entry(reading->terms->lexicon, word)->word >= common;
}

static uint32_t match_labelled(struct cursor *cursor, uint32_t at)
{
    const struct left left = left_of(cursor);
    if (left.label == LABEL_NONE || cursor_is_any(cursor, at, &stops)) {
        return 0;
    }
    struct cursor_code code;
    if (!cursor_code(cursor, at, "._-", &code) || code.length < 3) {
        return 0;
    }
    bool looks = code.digits > 0 && code.letters > 1;
    for (uint32_t i = 1; i < code.group_count; i++) {
        looks = looks || code.groups[i].joiner == '_' || code.groups[i].joiner == '.';
    }
    const bool has_separator = left.is_marked || left.is_linked;
    const bool is_name = left.label == LABEL_ACCOUNT
                             ? looks || left.is_marked
                                   || (left.is_linked && !is_ordinary(cursor, at, VERY_COMMON_WORD))
                             : looks || (left.is_marked && !is_ordinary(cursor, at, COMMON_WORD));
    return is_name && (has_separator || looks) ? code.end - at : 0;
}

/* "@name". Digits alone are a time or a price. */
static uint32_t match_sign(struct cursor *cursor, uint32_t at)
{
    struct cursor_code code;
    if (cursor_touches_left(cursor)) {
        return 0;
    }
    uint32_t first = at + 1;
    while (cursor_mark(cursor, first) == '_') {
        first++;
    }
    if (!cursor_code(cursor, first, "._-", &code) || code.letters == 0 || code.length < 2) {
        return 0;
    }
    const char start = code.text[0];
    const bool is_time = start >= '0' && start <= '9' && code.letters <= 2;
    while (cursor_mark(cursor, code.end) == '_') {
        code.end++;
    }
    return is_time ? 0 : code.end - at;
}

/* "u/name"; not "40 u/day". */
static uint32_t match_slash(struct cursor *cursor, uint32_t at)
{
    struct cursor_code code;
    uint32_t left = 0;
    if (cursor_mark(cursor, at + 1) != '/' || !cursor_code(cursor, at + 2, "_-", &code)
        || code.length < 3 || cursor_is_any(cursor, at + 2, &unit_words)) {
        return 0;
    }
    const bool is_dose = cursor_left_word(cursor, at, &left)
                         && cursor->reading->view.lexemes[left].class == LEXEME_NUMBER;
    return is_dose ? 0 : code.end - at;
}

/* "name#1234" where such tags are spoken of. */
static uint32_t match_tag(struct cursor *cursor, uint32_t at)
{
    if (cursor_mark(cursor, at + 1) != '#' || !cursor_is_class(cursor, at + 2, LEXEME_NUMBER)
        || cursor->reading->view.lexemes[at + 2].folded_bytes != 4) {
        return 0;
    }
    const bool is_spoken_of = cursor->reading->view.lexemes[at].class == LEXEME_MIXED
                              || cursor_has_context(cursor, &tag_words, TAG_WORDS);
    return is_spoken_of ? 3 : 0;
}

uint32_t handle_match(struct cursor *cursor)
{
    const uint32_t at = cursor->reading->view.at;
    if (cursor_mark(cursor, at) == '@') {
        return match_sign(cursor, at);
    }
    if (!cursor_is_alnum(cursor, at) || cursor_is_class(cursor, at, LEXEME_NUMBER)) {
        return 0;
    }
    if (cursor_is(cursor, at, "u")) {
        return match_slash(cursor, at);
    }
    const uint32_t tag = match_tag(cursor, at);
    return tag > 0 || cursor->is_starved ? tag : match_labelled(cursor, at);
}
