#include "policy/text/fold.h"

#include <stddef.h>
#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"

enum { DECOMPOSED_MAX = 32 };

enum row_use { USE_LETTER, USE_MARK, USE_SPACE, USE_LOOKALIKE };

static const struct row {
    uint32_t code_point;
    uint8_t use; /* of enum row_use */
    char text[3];
} rows[] = {
#define FOLD(code_point, use, text) {(code_point), USE_##use, text},
#include "policy/text/fold.def"
};

/* The zero of each run of ten decimal digits (general category Nd, Unicode 14). */
static const uint32_t zeros[] = {
    0x0660,  0x06f0,  0x07c0,  0x0966,  0x09e6,  0x0a66,  0x0ae6,  0x0b66,  0x0be6,  0x0c66,
    0x0ce6,  0x0d66,  0x0de6,  0x0e50,  0x0ed0,  0x0f20,  0x1040,  0x1090,  0x17e0,  0x1810,
    0x1946,  0x19d0,  0x1a80,  0x1a90,  0x1b50,  0x1bb0,  0x1c40,  0x1c50,  0xa620,  0xa8d0,
    0xa900,  0xa9d0,  0xa9f0,  0xaa50,  0xabf0,  0xff10,  0x104a0, 0x10d30, 0x11066, 0x110f0,
    0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950,
    0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec,
    0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
};

/* Letters and numbers in a ring or box that have no decomposition. */
static const struct {
    uint32_t first, last;
    char letter;    /* of the first; 0: numbers */
    uint8_t number; /* of the first */
} rings[] = {
    {0x24eb, 0x24f4, 0, 11},    {0x24f5, 0x24fe, 0, 1},   {0x24ff, 0x24ff, 0, 0},
    {0x2776, 0x277f, 0, 1},     {0x2780, 0x2789, 0, 1},   {0x278a, 0x2793, 0, 1},
    {0x1f10b, 0x1f10b, 0, 0},   {0x1f10c, 0x1f10c, 0, 0}, {0x1f150, 0x1f169, 'a', 0},
    {0x1f170, 0x1f189, 'a', 0},
};

/* Scripts whose words have no spaces between them: each letter stands alone. */
static const struct {
    uint32_t first, last;
} spaceless[] = {
    {0x0e00, 0x0fff}, {0x1000, 0x109f}, {0x1780, 0x17ff},   {0x1950, 0x19ff},   {0x1a20, 0x1aaf},
    {0x2e80, 0x312f}, {0x3190, 0x31ff}, {0x3400, 0xa4cf},   {0xa9e0, 0xa9ff},   {0xaa60, 0xaa7f},
    {0xf900, 0xfaff}, {0xff66, 0xff9f}, {0x16fe0, 0x18dff}, {0x1aff0, 0x1b2ff}, {0x20000, 0x3ffff},
};

static bool is_ascii_letter(uint32_t code_point)
{
    return (code_point | 0x20) >= 'a' && (code_point | 0x20) <= 'z';
}

static bool is_ascii_digit(uint32_t code_point)
{
    return code_point >= '0' && code_point <= '9';
}

static void set_byte(struct folded *out, enum fold_class class, uint32_t byte)
{
    out->class = (uint8_t) class;
    out->text[0] = (char)byte;
    out->bytes = 1;
}

static void fold_ascii(uint32_t code_point, struct folded *out)
{
    if (is_ascii_letter(code_point)) {
        set_byte(out, FOLD_LETTER, code_point | 0x20);
        out->is_lower = code_point >= 'a';
        out->is_upper = !out->is_lower;
    } else if (is_ascii_digit(code_point)) {
        set_byte(out, FOLD_DIGIT, code_point);
    } else if (code_point == ' ' || code_point == '\t') {
        set_byte(out, FOLD_SPACE, ' ');
    } else if (code_point >= '\n' && code_point <= '\r') {
        set_byte(out, FOLD_BREAK, '\n');
    } else if (code_point < 0x20 || code_point == 0x7f) {
        out->class = FOLD_HIDDEN;
        out->is_disguised = true;
    } else {
        set_byte(out, FOLD_MARK, code_point);
    }
}

static const struct row *find_row(uint32_t code_point)
{
    size_t low = 0;
    size_t high = sizeof rows / sizeof rows[0];
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (rows[middle].code_point == code_point) {
            return &rows[middle];
        }
        if (rows[middle].code_point < code_point) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* True of rows that say all of a character; a look-alike keeps the text of its own script. */
static bool take_row(const struct row *row, struct folded *out)
{
    static const uint8_t classes[] = {
        [USE_LETTER] = FOLD_LETTER, [USE_MARK] = FOLD_MARK, [USE_SPACE] = FOLD_SPACE};
    if (!row) {
        return false;
    }
    if (row->use == USE_LOOKALIKE) {
        out->latin = row->text[0];
        return false;
    }
    out->class = classes[row->use];
    out->bytes = row->text[1] == '\0' ? 1 : 2;
    memcpy(out->text, row->text, out->bytes);
    return true;
}

static bool fold_digit(uint32_t code_point, struct folded *out)
{
    for (size_t i = 0; i < sizeof zeros / sizeof zeros[0] && zeros[i] <= code_point; i++) {
        if (code_point - zeros[i] < 10) {
            set_byte(out, FOLD_DIGIT, '0' + (code_point - zeros[i]));
            out->is_disguised = zeros[i] == 0xff10 || zeros[i] >= 0x1d7ce;
            return true;
        }
    }
    return false;
}

static bool fold_ring(uint32_t code_point, struct folded *out)
{
    for (size_t i = 0; i < sizeof rings / sizeof rings[0]; i++) {
        const uint32_t offset = code_point - rings[i].first;
        if (code_point < rings[i].first || code_point > rings[i].last) {
            continue;
        }
        const uint32_t number = rings[i].number + offset;
        if (rings[i].letter) {
            set_byte(out, FOLD_LETTER, (uint32_t)rings[i].letter + offset);
            out->is_upper = true;
        } else {
            set_byte(out, FOLD_DIGIT, '0' + (number >= 10 ? number / 10 : number));
        }
        if (!rings[i].letter && number >= 10) {
            out->text[out->bytes++] = (char)('0' + number % 10);
        }
        out->is_disguised = true;
        return true;
    }
    return false;
}

/* Tag characters are ASCII that no font shows: a message hidden in plain sight. */
static bool fold_tag(uint32_t code_point, struct folded *out)
{
    const bool is_tag = code_point >= 0xe0020 && code_point <= 0xe007e;
    if (is_tag) {
        fold_ascii(code_point - 0xe0000, out);
        out->is_disguised = true;
    }
    return is_tag;
}

static bool is_spaceless(uint32_t code_point)
{
    for (size_t i = 0; i < sizeof spaceless / sizeof spaceless[0]; i++) {
        if (code_point >= spaceless[i].first && code_point <= spaceless[i].last) {
            return true;
        }
    }
    return false;
}

/* By the general category alone; false: letters and symbols, which are decomposed. */
static bool fold_by_category(const utf8proc_property_t *property, uint32_t code_point,
                             struct folded *out)
{
    if (code_point == 0x85 || property->category == UTF8PROC_CATEGORY_ZL
        || property->category == UTF8PROC_CATEGORY_ZP) {
        set_byte(out, FOLD_BREAK, '\n');
    } else if (property->category == UTF8PROC_CATEGORY_ZS) {
        set_byte(out, FOLD_SPACE, ' ');
    } else if (property->ignorable || property->category == UTF8PROC_CATEGORY_CC
               || property->category == UTF8PROC_CATEGORY_CF) {
        out->class = FOLD_HIDDEN;
        out->is_disguised = true;
    } else if (property->category == UTF8PROC_CATEGORY_MN
               || property->category == UTF8PROC_CATEGORY_MC
               || property->category == UTF8PROC_CATEGORY_ME) {
        out->class = FOLD_ATTACHED;
    } else {
        return false;
    }
    return true;
}

/* (a), 1. and No are what letters and digits they hold; a fraction is none of its numbers. */
static bool fold_to_ascii(const int32_t *decomposed, size_t count, struct folded *out)
{
    uint8_t bytes = 0;
    bool has_letter = false;
    for (size_t i = 0; i < count; i++) {
        const uint32_t code_point = (uint32_t)decomposed[i];
        if (code_point >= 0x80) {
            return false;
        }
        if ((is_ascii_letter(code_point) || is_ascii_digit(code_point)) && bytes < FOLD_TEXT_MAX) {
            has_letter = has_letter || is_ascii_letter(code_point);
            out->text[bytes++] = (char)code_point;
        }
    }
    out->bytes = bytes;
    out->class = has_letter ? FOLD_LETTER : FOLD_DIGIT;
    return bytes > 0;
}

static void encode(const int32_t *code_points, size_t count, struct folded *out)
{
    out->bytes = 0;
    for (size_t i = 0; i < count && out->bytes + 4 <= FOLD_TEXT_MAX; i++) {
        char bytes[4];
        const size_t length = utf8_encode((uint32_t)code_points[i], bytes);
        memcpy(out->text + out->bytes, bytes, length);
        out->bytes = (uint8_t)(out->bytes + length);
    }
}

static enum fold_class class_of(utf8proc_propval_t category, uint32_t code_point)
{
    switch ((utf8proc_category_t)category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return is_spaceless(code_point) ? FOLD_GLYPH : FOLD_LETTER;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SK:
        return FOLD_MARK;
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
    case UTF8PROC_CATEGORY_SO:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    default:
        return FOLD_GLYPH;
    }
}

/* Hangul is not taken apart: its parts would be three times as long. */
static size_t decompose(uint32_t code_point, int32_t decomposed[DECOMPOSED_MAX])
{
    const utf8proc_option_t options =
        UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STRIPMARK | UTF8PROC_CASEFOLD;
    int last_boundclass = UTF8PROC_BOUNDCLASS_START;
    const bool is_hangul = code_point >= 0xac00 && code_point <= 0xd7a3;
    utf8proc_ssize_t count = -1;
    if (!is_hangul) {
        count = utf8proc_decompose_char((int32_t)code_point, decomposed, DECOMPOSED_MAX, options,
                                        &last_boundclass);
    }
    if (count < 0 || count > DECOMPOSED_MAX) {
        decomposed[0] = (int32_t)code_point;
        return 1;
    }
    return (size_t)count;
}

static void fold_letter_or_symbol(const utf8proc_property_t *property, uint32_t code_point,
                                  struct folded *out)
{
    int32_t decomposed[DECOMPOSED_MAX];
    const size_t count = decompose(code_point, decomposed);
    const enum fold_class class = class_of(property->category, code_point);
    if (count == 0) {
        out->class = FOLD_ATTACHED;
    } else if (fold_to_ascii(decomposed, count, out)) {
        const bool is_ligature = code_point >= 0xfb00 && code_point <= 0xfb06;
        out->is_disguised = code_point >= 0x2460 && property->decomp_type != 0 && !is_ligature;
    } else if (count == 1 && decomposed[0] != (int32_t)code_point && !out->latin
               && take_row(find_row((uint32_t)decomposed[0]), out)) {
        out->is_disguised = out->class == FOLD_LETTER && property->decomp_type != 0;
    } else if (count == 1 && decomposed[0] < 0x80 && decomposed[0] != ' ') {
        set_byte(out, FOLD_MARK, (uint32_t)decomposed[0]);
    } else {
        const int32_t itself = (int32_t)code_point;
        const bool is_letter = class == FOLD_LETTER || class == FOLD_GLYPH;
        encode(is_letter ? decomposed : &itself, is_letter ? count : 1, out);
        out->class = (uint8_t) class;
    }
}

static void fold_other(uint32_t code_point, struct folded *out)
{
    const utf8proc_property_t *property = utf8proc_get_property((int32_t)code_point);
    const int32_t value = (int32_t)code_point;
    out->is_upper = property->category == UTF8PROC_CATEGORY_LU
                    || property->category == UTF8PROC_CATEGORY_LT
                    || utf8proc_tolower(value) != value;
    out->is_lower =
        !out->is_upper
        && (property->category == UTF8PROC_CATEGORY_LL || utf8proc_toupper(value) != value);
    if (!take_row(find_row(code_point), out) && !fold_by_category(property, code_point, out)) {
        fold_letter_or_symbol(property, code_point, out);
    }
}

void fold_character(uint32_t code_point, struct folded *out)
{
    *out = (struct folded){.class = FOLD_GLYPH};
    if (code_point < 0x80) {
        fold_ascii(code_point, out);
    } else if (!fold_tag(code_point, out) && !fold_digit(code_point, out)
               && !fold_ring(code_point, out)) {
        fold_other(code_point, out);
    }
}
