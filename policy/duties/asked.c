#include "policy/duties/asked.h"

#include <string.h>

#include "policy/text/lexeme.h"

/* A question begins so; what is asked for must stand within a few words. */
enum { OPENING_WORDS_MAX = 5, WORDS_BETWEEN_MAX = 5 };

static const char *const openings[][OPENING_WORDS_MAX] = {
    {"are", "you"},
    {"r", "u"},
    {"are", "u"},
    {"is", "this"},
    {"is", "it"},
    {"is", "that"},
    {"am", "i", "talking"},
    {"am", "i", "speaking"},
    {"am", "i", "chatting"},
    {"am", "i", "texting"},
    {"i", "talking", "to"},
    {"u", "a"},
    {"you", "a"},
    {"you", "an"},
    {"was", "i", "talking"},
    {"do", "i", "talk"},
    {"is", "there", "a"},
    {"is", "anyone"},
};

static const char *const sought[] = {
    "human",    "person",  "bot",      "robot",     "ai",  "machine", "chatbot",
    "computer", "program", "software", "algorithm", "gpt", "llm",
};
/* After "real" or "actual" these too: "are you real", "a real doctor". */
static const char *const earnest[] = {"real", "actual", "actually"};
static const char *const callings[] = {"therapist",    "doctor",     "nurse",
                                       "counselor",    "counsellor", "psychologist",
                                       "psychiatrist", "someone",    "somebody"};

#define IS_ONE_OF(view, index, table) \
    is_one_of(view, index, table, sizeof(table) / sizeof(table)[0])

static bool is_one_of(const struct window_view *view, uint32_t index, const char *const *words,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (lexeme_is(view, index, words[i])) {
            return true;
        }
    }
    return false;
}

static bool is_word(const struct lexeme *lexeme)
{
    return lexeme->class == LEXEME_WORD || lexeme->class == LEXEME_MIXED;
}

/* The index of the next word before `limit`; == limit: none. */
static uint32_t next_word(const struct window_view *view, uint32_t index, uint32_t limit)
{
    while (index < limit && !is_word(&view->lexemes[index])) {
        index++;
    }
    return index;
}

/* Behind the opening's words; 0: it is none. */
static uint32_t match_opening(const struct window_view *view, uint32_t at, const char *const *words)
{
    for (size_t i = 0; i < OPENING_WORDS_MAX && words[i]; i++) {
        at = next_word(view, at, view->count);
        if (at == view->count || !lexeme_is(view, at, words[i])) {
            return 0;
        }
        at++;
    }
    return at;
}

/* Within the same sentence: a mark that ends one ends the search. */
static bool finds_what_is_sought(const struct window_view *view, uint32_t at)
{
    bool is_earnest = false;
    uint32_t words = 0;
    for (; at < view->count && words < WORDS_BETWEEN_MAX; at++) {
        const struct lexeme *lexeme = &view->lexemes[at];
        if (lexeme_is(view, at, ".") || lexeme_is(view, at, "?") || lexeme->class == LEXEME_BREAK) {
            break;
        }
        if (!is_word(lexeme)) {
            continue;
        }
        words++;
        if (IS_ONE_OF(view, at, sought) || (is_earnest && IS_ONE_OF(view, at, callings))) {
            return true;
        }
        is_earnest = is_earnest || IS_ONE_OF(view, at, earnest);
    }
    return is_earnest; /* "are you real?" */
}

static bool is_asked_at(const struct window_view *view)
{
    if (!is_word(&view->lexemes[view->at])) {
        return false;
    }
    for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++) {
        const uint32_t after = match_opening(view, view->at, openings[i]);
        if (after > 0 && finds_what_is_sought(view, after)) {
            return true;
        }
    }
    return false;
}

/* Every open lexeme is looked at once as the first of a question, with what the window holds. */
static bool look(struct window *window, bool has_ended)
{
    const uint32_t ahead = has_ended ? 0 : WINDOW_OPEN / 2;
    struct window_view view = window_view(window);
    while (view.count - view.at > ahead) {
        if (is_asked_at(&view)) {
            return true;
        }
        window_release(window);
        view = window_view(window);
    }
    return false;
}

enum status asked_read(const char *text, size_t length, bool *out)
{
    struct window *window = window_create(NULL);
    *out = false;
    if (!window) {
        return STATUS_IO;
    }
    for (size_t done = 0; done < length && !*out;) {
        done += window_feed(window, text + done, length - done);
        *out = look(window, false);
    }
    window_end(window);
    *out = *out || look(window, true);
    window_destroy(window);
    return STATUS_OK;
}
