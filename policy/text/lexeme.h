/* lexeme.h - text cut into lexemes while it arrives, in a folded view: lower-case ASCII where a
 * character has one, so that a grammar sees through full-width and other digits, accents,
 * homoglyphs, zero-width and tag characters and \u escapes. What comes out depends on the bytes
 * alone, never on how they were cut. No allocation after create. One thread at a time. Folding is
 * NFKD with marks removed (utf8proc), then fold.c's table of digits and look-alikes (UTS 39). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lexeme_class {
    LEXEME_WORD,   /* letters, with apostrophes inside: o'brien; a last 's is MARK and WORD */
    LEXEME_NUMBER, /* digits alone */
    LEXEME_MIXED,  /* letters and digits without anything between: mr52508, 5th */
    LEXEME_MARK,   /* one character that is none of the others: . @ - _ ( */
    LEXEME_SPACE,  /* one space or tab, or the escape \t */
    LEXEME_BREAK,  /* one line end: \n, \r, \r\n, U+2028; or the escape \n */
    LEXEME_GLYPH   /* one letter of a script without spaces between words, an emoji, a bad byte */
};

enum lexeme_case {
    CASE_NONE,    /* no letter, or of a script without cases */
    CASE_LOWER,   /* name */
    CASE_CAPITAL, /* Name */
    CASE_UPPER,   /* NAME; a single capital letter too */
    CASE_MIXED    /* McName, nAME */
};

enum {
    LEXEME_FOLDED_MAX = 64, /* bytes of one lexeme; a longer run is cut into several */
    LEXEME_RAW_MAX = 512,
    WINDOW_LEFT = 64,  /* lexemes kept in front of the first open one */
    WINDOW_OPEN = 192, /* lexemes that may be open */
    WINDOW_RAW = 8192, /* bytes of open text */
};

struct lexeme {
    uint64_t start, end; /* bytes of the whole text */
    uint32_t folded;     /* where its folded text begins: lexeme_text */
    uint8_t folded_bytes;
    uint8_t class;       /* of enum lexeme_class */
    uint8_t letter_case; /* of enum lexeme_case */
    bool is_disguised;   /* hidden characters, look-alikes, escapes: someone tries to evade */
    bool is_cut;         /* the run goes on in the next lexeme */
    bool is_invalid;     /* not UTF-8: told as U+FFFD */
    char mark;           /* of a MARK its one byte, ' ' of a SPACE, '\n' of a BREAK; else 0 */
    uint32_t word;       /* of a WORD or MIXED, which entry of the lexicon: 0 none */
    uint32_t hash;       /* of its folded text: word_hash */
};

struct window; /* lexemes: up to WINDOW_LEFT that are done with, then the open ones */

/* NULL: no memory. lexicon: looked up once for each word; NULL: not at all. */
struct lexicon;
struct window *window_create(const struct lexicon *lexicon);
void window_destroy(struct window *window); /* zeroes; NULL is fine */
void window_reset(struct window *window);   /* zeroes, for the next text */

/* Takes bytes and returns how many: fewer than given when the window is full, so release some. */
size_t window_feed(struct window *window, const char *bytes, size_t length);
void window_end(struct window *window); /* nothing follows: the last lexeme is complete */

/* The first open lexeme is done with: it becomes context on the left. */
void window_release(struct window *window);

/* What a detector may look at. Pointers are good until the window is fed or released. */
struct window_view {
    const struct lexeme *lexemes; /* [count], left context first */
    uint32_t at;                  /* the first open one; == count: none is open */
    uint32_t count;
    bool has_ended;     /* window_end was called */
    const char *folded; /* text that lexeme.folded counts in */
};
struct window_view window_view(const struct window *window);
bool window_is_full(const struct window *window); /* it takes nothing before a release */

/* The raw bytes of open lexemes first .. last - 1 (indexes of the view); of a bad byte U+FFFD.
 * Hidden characters and marks beyond 256 bytes in one lexeme are left out: nobody sees them, and a
 * flood of them shall neither part a number nor fill the window. Good
 * until the window is fed; the raw bytes of lexemes that follow one another do so too. */
const char *window_raw(const struct window *window, uint32_t first, uint32_t last, size_t *length);
size_t window_open_bytes(const struct window *window); /* raw, an incomplete lexeme included */

static inline const char *lexeme_text(const struct window_view *view, uint32_t index)
{
    return view->folded + view->lexemes[index].folded;
}
/* True if the lexeme's folded text is exactly this. False for an index out of the view. Asked for
 * each lexeme with long lists of texts, most of which differ in the first byte. */
static inline bool lexeme_is(const struct window_view *view, uint32_t index, const char *text)
{
    if (index >= view->count) {
        return false;
    }
    const char *folded = lexeme_text(view, index);
    const uint32_t length = view->lexemes[index].folded_bytes;
    uint32_t i = 0;
    while (i < length && text[i] == folded[i] && text[i] != '\0') {
        i++;
    }
    return i == length && text[i] == '\0';
}
