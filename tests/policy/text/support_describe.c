#include "tests/policy/text/support_describe.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"

struct description {
    struct window *window;
    const char *text;
    uint64_t told; /* the end of the last lexeme */
    char *out;
    size_t length;
};

static void check_raw(const struct description *description, const struct lexeme *lexeme,
                      uint32_t at)
{
    size_t length = 0;
    const char *raw = window_raw(description->window, at, at + 1, &length);
    ASSERT(lexeme->start == description->told && lexeme->end > lexeme->start);
    ASSERT(length <= LEXEME_RAW_MAX && utf8_valid_bytes(raw, length) == length);
    ASSERT(lexeme->folded_bytes <= LEXEME_FOLDED_MAX);
    if (lexeme->is_invalid) {
        ASSERT(length >= 3 && memcmp(raw + length - 3, "\xef\xbf\xbd", 3) == 0);
    } else if (length == lexeme->end - lexeme->start) {
        ASSERT(memcmp(raw, description->text + lexeme->start, length) == 0);
    }
}

static void describe_one(struct description *description)
{
    const struct window_view view = window_view(description->window);
    const struct lexeme *lexeme = &view.lexemes[view.at];
    const bool is_blank = lexeme->class == LEXEME_SPACE || lexeme->class == LEXEME_BREAK;
    check_raw(description, lexeme, view.at);
    ASSERT(utf8_valid_bytes(lexeme_text(&view, view.at), lexeme->folded_bytes)
           == lexeme->folded_bytes);
    const int written =
        snprintf(description->out + description->length, DESCRIPTION_BYTES - description->length,
                 "%s%c%c%s%s%s:%.*s", description->told > 0 ? " " : "", "WNXMSBG"[lexeme->class],
                 "-lCUM"[lexeme->letter_case], lexeme -> is_disguised ? "!" : "",
                 lexeme->is_cut ? "+" : "", lexeme->is_invalid ? "?" : "",
                 is_blank ? 0 : lexeme->folded_bytes, lexeme_text(&view, view.at));
    description->length += (size_t)written;
    ASSERT(description->length < DESCRIPTION_BYTES);
    description->told = lexeme->end;
    window_release(description->window);
}

static void describe_open(struct description *description, uint32_t kept)
{
    for (;;) {
        const struct window_view view = window_view(description->window);
        ASSERT(view.at <= WINDOW_LEFT && view.count - view.at < WINDOW_OPEN + 64);
        ASSERT(window_open_bytes(description->window) <= WINDOW_RAW);
        if (view.count - view.at <= kept) {
            return;
        }
        describe_one(description);
    }
}

void support_describe(const char *text, size_t length, const size_t *sizes, size_t size_count,
                      char out[DESCRIPTION_BYTES])
{
    struct description description = {.window = window_create(NULL), .text = text, .out = out};
    ASSERT(description.window);
    out[0] = '\0';
    size_t turn = 0;
    for (size_t at = 0; at < length; turn++) {
        const size_t size = sizes ? sizes[turn % size_count] : length;
        const size_t rest = length - at;
        at += window_feed(description.window, text + at, rest < size ? rest : size);
        /* Some stay open, so that the window fills and is moved while lexemes are in it. */
        describe_open(&description, window_is_full(description.window) ? 5 : 100);
    }
    window_end(description.window);
    describe_open(&description, 0);
    ASSERT(description.told == length);
    window_destroy(description.window);
}
