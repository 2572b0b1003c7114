#include "model/template/value/unicode.h"

#include <stddef.h>
#include <utf8proc.h>

static utf8proc_category_t category_of(uint32_t code_point)
{
    return utf8proc_category((utf8proc_int32_t)code_point);
}

bool unicode_is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0
           || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029
           || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool unicode_is_printable(uint32_t code_point)
{
    const utf8proc_category_t category = category_of(code_point);
    return code_point == ' '
           || (category != UTF8PROC_CATEGORY_CN && category < UTF8PROC_CATEGORY_ZS);
}

bool unicode_is_upper(uint32_t code_point)
{
    return category_of(code_point) == UTF8PROC_CATEGORY_LU;
}

bool unicode_is_lower(uint32_t code_point)
{
    return category_of(code_point) == UTF8PROC_CATEGORY_LL;
}

bool unicode_is_title(uint32_t code_point)
{
    return category_of(code_point) == UTF8PROC_CATEGORY_LT;
}

bool unicode_is_cased(uint32_t code_point)
{
    const utf8proc_category_t category = category_of(code_point);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LT;
}

bool unicode_is_alpha(uint32_t code_point)
{
    const utf8proc_category_t category = category_of(code_point);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool unicode_is_decimal(uint32_t code_point)
{
    return category_of(code_point) == UTF8PROC_CATEGORY_ND;
}

bool unicode_is_digit(uint32_t c)
{
    return unicode_is_decimal(c) || c == 0xb2 || c == 0xb3 || c == 0xb9 || c == 0x2070
           || (c >= 0x2074 && c <= 0x2079) || (c >= 0x2080 && c <= 0x2089)
           || (c >= 0x2460 && c <= 0x2468);
}

bool unicode_is_numeric(uint32_t code_point)
{
    const utf8proc_category_t category = category_of(code_point);
    return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

bool unicode_is_mark(uint32_t code_point)
{
    const utf8proc_category_t category = category_of(code_point);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME
           || category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_LM
           || category == UTF8PROC_CATEGORY_SK || code_point == '\'' || code_point == '.'
           || code_point == ':' || code_point == 0xb7 || code_point == 0x2019;
}

/* ---- cases ---------------------------------------------------------------------------------- */

struct special {
    uint32_t code_point, upper[UNICODE_CASE_MAX], title[UNICODE_CASE_MAX];
};

static const struct special specials[] = {
#define SPECIAL(code_point, u0, u1, u2, t0, t1, t2) {code_point, {u0, u1, u2}, {t0, t1, t2}},
#include "model/template/value/special_case.def"
};

static const struct special *find_special(uint32_t code_point)
{
    size_t low = 0;
    size_t high = sizeof specials / sizeof specials[0];
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (specials[middle].code_point == code_point) {
            return &specials[middle];
        }
        if (specials[middle].code_point < code_point) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static uint32_t copy_case(const uint32_t from[UNICODE_CASE_MAX], uint32_t out[UNICODE_CASE_MAX])
{
    uint32_t count = 0;
    while (count < UNICODE_CASE_MAX && from[count] != 0) {
        out[count] = from[count];
        count++;
    }
    return count;
}

/* Greek with iota below, U+1F80..1FAF: its capital without the iota, then a capital iota. */
static uint32_t upper_with_iota(uint32_t code_point, uint32_t out[UNICODE_CASE_MAX])
{
    static const uint32_t capitals[3] = {0x1f08, 0x1f28, 0x1f68};
    out[0] = capitals[(code_point - 0x1f80) / 16] + (code_point & 7);
    out[1] = 0x399;
    return 2;
}

uint32_t unicode_upper(uint32_t code_point, uint32_t out[UNICODE_CASE_MAX])
{
    if (code_point >= 0x1f80 && code_point <= 0x1faf) {
        return upper_with_iota(code_point, out);
    }
    const struct special *special = find_special(code_point);
    if (special) {
        return copy_case(special->upper, out);
    }
    out[0] = (uint32_t)utf8proc_toupper((utf8proc_int32_t)code_point);
    return 1;
}

uint32_t unicode_title(uint32_t code_point, uint32_t out[UNICODE_CASE_MAX])
{
    const struct special *special = find_special(code_point);
    if (special) {
        return copy_case(special->title, out);
    }
    out[0] = (uint32_t)utf8proc_totitle((utf8proc_int32_t)code_point);
    return 1;
}

uint32_t unicode_lower(uint32_t code_point, uint32_t out[UNICODE_CASE_MAX])
{
    if (code_point == 0x130) { /* I with a dot above */
        out[0] = 'i';
        out[1] = 0x307;
        return 2;
    }
    out[0] = (uint32_t)utf8proc_tolower((utf8proc_int32_t)code_point);
    return 1;
}
