/* fold.h - one character in the folded view: what a reader takes it for, in lower-case ASCII where
 * there is such a letter, digit or mark. NFKD without marks (utf8proc), then fold.def. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum fold_class {
    FOLD_HIDDEN,   /* nothing is seen: zero-width, control and bidi characters */
    FOLD_ATTACHED, /* a combining mark: part of what stands before */
    FOLD_LETTER,
    FOLD_DIGIT,
    FOLD_MARK,
    FOLD_SPACE,
    FOLD_BREAK,
    FOLD_GLYPH /* a letter of a script without spaces, an emoji, what is unassigned */
};

enum { FOLD_TEXT_MAX = 16 };

struct folded {
    char text[FOLD_TEXT_MAX];
    uint8_t bytes; /* 0 of HIDDEN and ATTACHED */
    uint8_t class; /* of enum fold_class */
    char latin;    /* the ASCII letter it looks like, if it is of another script; 0 */
    bool is_upper, is_lower;
    bool is_disguised;
};

/* Of every code point up to 0x10ffff; others are glyphs. */
void fold_character(uint32_t code_point, struct folded *out);
