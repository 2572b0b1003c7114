#include "policy/crisis/resources/symbol_reader.h"

#include <string.h>

enum { GAP_LEXEMES_MAX = 8 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool symbol_reader_is_dash(const struct window_view *view, uint32_t index)
{
    const struct lexeme *lexeme = &view->lexemes[index];
    const char *text = lexeme_text(view, index);
    if (lexeme->class != LEXEME_MARK) {
        return false;
    }
    return (lexeme->folded_bytes == 1 && *text == '-')
           || (lexeme->folded_bytes == 3 && memcmp(text, "\xe2\x80", 2) == 0
               && (unsigned char)text[2] >= 0x90 && (unsigned char)text[2] <= 0x95);
}

enum gap { GAP_NONE, GAP_PLAIN, GAP_LOOSE };

static enum gap mark_gap(const struct window_view *view, uint32_t index)
{
    const struct lexeme *lexeme = &view->lexemes[index];
    const char *text = lexeme_text(view, index);
    if (symbol_reader_is_dash(view, index)) {
        return GAP_PLAIN;
    }
    if (lexeme->folded_bytes == 1) {
        return strchr("-.()*_", *text)        ? GAP_PLAIN
               : strchr("\"'`&/+@[],", *text) ? GAP_LOOSE
                                              : GAP_NONE;
    }
    return lexeme->folded_bytes == 3 && memcmp(text, "\xe2\x80", 2) == 0 ? GAP_LOOSE : GAP_NONE;
}

static enum gap gap_of(const struct window_view *view, uint32_t index)
{
    switch (view->lexemes[index].class) {
    case LEXEME_SPACE:
        return GAP_PLAIN;
    case LEXEME_BREAK:
        return GAP_LOOSE;
    case LEXEME_MARK:
        return mark_gap(view, index);
    case LEXEME_WORD:
        return lexeme_is(view, index, "and") || lexeme_is(view, index, "the") ? GAP_LOOSE
                                                                              : GAP_NONE;
    default:
        return GAP_NONE;
    }
}

/* Skips to the next lexeme with a symbol. */
static enum symbol_step skip(struct symbol_reader *reader, bool has_ended, struct symbol *out)
{
    uint32_t breaks = 0;
    out->has_gap = false;
    out->is_gap_plain = true;
    for (uint32_t skipped = 0; skipped <= GAP_LEXEMES_MAX; skipped++) {
        if (reader->index == reader->view->count) {
            return has_ended ? SYMBOL_END : SYMBOL_MORE;
        }
        const uint8_t class = reader->view->lexemes[reader->index].class;
        const enum gap gap = reader->has_begun ? gap_of(reader->view, reader->index) : GAP_NONE;
        if (gap == GAP_NONE) {
            const bool is_symbol =
                class == LEXEME_WORD || class == LEXEME_NUMBER || class == LEXEME_MIXED;
            const bool is_empty = reader->view->lexemes[reader->index].folded_bytes == 0;
            return is_symbol && !is_empty ? SYMBOL_READ : SYMBOL_END;
        }
        breaks += class == LEXEME_BREAK;
        if (breaks > 1) {
            return SYMBOL_END;
        }
        out->has_gap = true;
        out->is_gap_plain = out->is_gap_plain && gap == GAP_PLAIN;
        reader->index++;
    }
    return SYMBOL_END;
}

enum symbol_step symbol_reader_next(struct symbol_reader *reader, bool has_ended,
                                    struct symbol *out)
{
    *out = (struct symbol){.is_gap_plain = true};
    if (reader->offset == 0) {
        const enum symbol_step step = skip(reader, has_ended, out);
        if (step != SYMBOL_READ) {
            return step;
        }
    }
    const struct lexeme *lexeme = &reader->view->lexemes[reader->index];
    const char *text = lexeme_text(reader->view, reader->index) + reader->offset;
    const size_t rest = (size_t)lexeme->folded_bytes - reader->offset;
    size_t length = 1;
    if (lexeme->class == LEXEME_WORD) {
        length = rest;
    } else if (!is_digit(*text)) {
        while (length < rest && !is_digit(text[length])) {
            length++;
        }
    }
    out->text = text;
    out->length = length;
    out->lexeme = reader->index;
    out->ends_lexeme = length == rest && !lexeme->is_cut;
    reader->has_begun = true;
    reader->offset = length == rest ? 0 : reader->offset + (uint32_t)length;
    reader->index += length == rest;
    return SYMBOL_READ;
}
