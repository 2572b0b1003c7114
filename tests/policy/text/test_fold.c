/* Method: the table is sorted, so that it can be searched; of every code point there is, the folded
 * text is UTF-8 of the class it says, and folding it again changes nothing; characters of each way
 * of evasion give their ASCII. */
#include "policy/text/fold.h"

#include <string.h>

#include "base/utf8.h"
#include "tests/check.h"

static const uint32_t rows[] = {
#define FOLD(code_point, use, text) (code_point),
#include "policy/text/fold.def"
};

static void the_table_is_sorted(void)
{
    for (size_t i = 1; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK(rows[i - 1] < rows[i], "U+%04X stands behind U+%04X", rows[i], rows[i - 1]);
    }
}

static bool is_ascii_of(const struct folded *folded, char from, char to)
{
    for (uint8_t i = 0; i < folded->bytes; i++) {
        if (folded->text[i] < from || folded->text[i] > to) {
            return false;
        }
    }
    return folded->bytes > 0;
}

static void check_one(uint32_t code_point)
{
    struct folded folded;
    fold_character(code_point, &folded);
    const bool is_nothing = folded.class == FOLD_HIDDEN || folded.class == FOLD_ATTACHED;
    CHECK(folded.bytes <= FOLD_TEXT_MAX && (folded.bytes == 0) == is_nothing, "U+%04X: %u bytes",
          code_point, folded.bytes);
    CHECK(utf8_valid_bytes(folded.text, folded.bytes) == folded.bytes, "U+%04X: not UTF-8",
          code_point);
    CHECK(folded.class != FOLD_DIGIT || is_ascii_of(&folded, '0', '9'), "U+%04X: %.16s", code_point,
          folded.text);
    CHECK(!memchr(folded.text, 0, folded.bytes), "U+%04X: holds a NUL", code_point);
    CHECK(!(folded.is_upper && folded.is_lower), "U+%04X is both cases", code_point);
    uint32_t single = 0;
    if (folded.class == FOLD_LETTER
        && utf8_decode(folded.text, folded.bytes, &single) == folded.bytes) {
        struct folded again;
        fold_character(single, &again);
        CHECK(again.bytes == folded.bytes && memcmp(again.text, folded.text, again.bytes) == 0,
              "U+%04X gives %.*s, that %.*s", code_point, folded.bytes, folded.text, again.bytes,
              again.text);
    }
}

static void every_code_point_has_a_text(void)
{
    for (uint32_t code_point = 0; code_point <= 0x110000; code_point++) {
        check_one(code_point);
    }
}

static const struct {
    uint32_t code_point;
    enum fold_class class;
    const char *text;
    char latin;
    bool is_disguised;
} cases[] = {
    {'A', FOLD_LETTER, "a", 0, false},
    {'_', FOLD_MARK, "_", 0, false},
    {'\t', FOLD_SPACE, " ", 0, false},
    {'\f', FOLD_BREAK, "\n", 0, false},
    {0x7f, FOLD_HIDDEN, "", 0, true},
    {0xe9, FOLD_LETTER, "e", 0, false},
    {0x130, FOLD_LETTER, "i", 0, false},
    {0xdf, FOLD_LETTER, "ss", 0, false},
    {0x142, FOLD_LETTER, "l", 0, false},
    {0x111, FOLD_LETTER, "d", 0, false},
    {0xff21, FOLD_LETTER, "a", 0, true},
    {0xff15, FOLD_DIGIT, "5", 0, true},
    {0x1d400, FOLD_LETTER, "a", 0, true},
    {0x1d7d9, FOLD_DIGIT, "1", 0, true},
    {0x0669, FOLD_DIGIT, "9", 0, false},
    {0x09ea, FOLD_DIGIT, "4", 0, false},
    {0x2468, FOLD_DIGIT, "9", 0, true},
    {0x2473, FOLD_DIGIT, "20", 0, true},
    {0x24f4, FOLD_DIGIT, "20", 0, true},
    {0x277f, FOLD_DIGIT, "10", 0, true},
    {0x24ff, FOLD_DIGIT, "0", 0, true},
    {0x2488, FOLD_DIGIT, "1", 0, true},
    {0x249c, FOLD_LETTER, "a", 0, true},
    {0x24b6, FOLD_LETTER, "a", 0, true},
    {0x1f130, FOLD_LETTER, "a", 0, true},
    {0x1f189, FOLD_LETTER, "z", 0, true},
    {0x2170, FOLD_LETTER, "i", 0, false},
    {0xb2, FOLD_DIGIT, "2", 0, false},
    {0x0430, FOLD_LETTER, "\u0430", 'a', false},
    {0x0410, FOLD_LETTER, "\u0430", 'a', false},
    {0x03bf, FOLD_LETTER, "\u03bf", 'o', false},
    {0x0416, FOLD_LETTER, "\u0436", 0, false},
    {0x200b, FOLD_HIDDEN, "", 0, true},
    {0x00ad, FOLD_HIDDEN, "", 0, true},
    {0x180e, FOLD_HIDDEN, "", 0, true},
    {0x2064, FOLD_HIDDEN, "", 0, true},
    {0xfeff, FOLD_HIDDEN, "", 0, true},
    {0x034f, FOLD_HIDDEN, "", 0, true},
    {0x202e, FOLD_HIDDEN, "", 0, true},
    {0x2066, FOLD_HIDDEN, "", 0, true},
    {0x3164, FOLD_HIDDEN, "", 0, true},
    {0xe0100, FOLD_HIDDEN, "", 0, true},
    {0xe0041, FOLD_LETTER, "a", 0, true},
    {0xe0039, FOLD_DIGIT, "9", 0, true},
    {0xe007f, FOLD_HIDDEN, "", 0, true},
    {0x0301, FOLD_ATTACHED, "", 0, false},
    {0x2019, FOLD_MARK, "'", 0, false},
    {0x201d, FOLD_MARK, "\"", 0, false},
    {0x2014, FOLD_MARK, "-", 0, false},
    {0x2011, FOLD_MARK, "-", 0, false},
    {0xff0d, FOLD_MARK, "-", 0, false},
    {0xff20, FOLD_MARK, "@", 0, false},
    {0xff61, FOLD_MARK, ".", 0, false},
    {0x20ac, FOLD_MARK, "\u20ac", 0, false},
    {0x00a0, FOLD_SPACE, " ", 0, false},
    {0x3000, FOLD_SPACE, " ", 0, false},
    {0x2028, FOLD_BREAK, "\n", 0, false},
    {0x85, FOLD_BREAK, "\n", 0, false},
    {0x4e2d, FOLD_GLYPH, "\u4e2d", 0, false},
    {0x3042, FOLD_GLYPH, "\u3042", 0, false},
    {0x0e01, FOLD_GLYPH, "\u0e01", 0, false},
    {0xac00, FOLD_LETTER, "\uac00", 0, false},
    {0x1f600, FOLD_GLYPH, "\U0001f600", 0, false},
    {0xa8, FOLD_MARK, "\u00a8", 0, false},
};

static void each_way_of_writing_gives_its_ascii(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct folded folded;
        fold_character(cases[i].code_point, &folded);
        CHECK(folded.class == cases[i].class, "U+%04X: class %u", cases[i].code_point,
              folded.class);
        CHECK(folded.bytes == strlen(cases[i].text)
                  && memcmp(folded.text, cases[i].text, folded.bytes) == 0,
              "U+%04X: %.*s", cases[i].code_point, folded.bytes, folded.text);
        CHECK(folded.latin == cases[i].latin, "U+%04X: like %c", cases[i].code_point, folded.latin);
        CHECK(folded.is_disguised == cases[i].is_disguised, "U+%04X", cases[i].code_point);
    }
}

CHECK_MAIN(the_table_is_sorted, every_code_point_has_a_text, each_way_of_writing_gives_its_ascii)
