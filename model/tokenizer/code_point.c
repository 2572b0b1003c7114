#include "model/tokenizer/code_point.h"

#include <utf8proc.h>

#include "base/utf8.h"

bool code_point_is_space(uint32_t c)
{
    return (c >= 0x9 && c <= 0xd) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680
           || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f
           || c == 0x205f || c == 0x3000;
}

bool code_point_is_word(uint32_t c)
{
    static const uint32_t word_categories =
        1U << UTF8PROC_CATEGORY_LU | 1U << UTF8PROC_CATEGORY_LL | 1U << UTF8PROC_CATEGORY_LT
        | 1U << UTF8PROC_CATEGORY_LM | 1U << UTF8PROC_CATEGORY_LO | 1U << UTF8PROC_CATEGORY_MN
        | 1U << UTF8PROC_CATEGORY_MC | 1U << UTF8PROC_CATEGORY_ME | 1U << UTF8PROC_CATEGORY_ND
        | 1U << UTF8PROC_CATEGORY_NL | 1U << UTF8PROC_CATEGORY_PC;
    const bool is_joiner = c == 0x200c || c == 0x200d;
    const bool is_letter_symbol = (c >= 0x24b6 && c <= 0x24e9) || (c >= 0x1f130 && c <= 0x1f149)
                                  || (c >= 0x1f150 && c <= 0x1f169)
                                  || (c >= 0x1f170 && c <= 0x1f189);
    return (word_categories >> utf8proc_category((utf8proc_int32_t)c) & 1U) || is_joiner
           || is_letter_symbol;
}

size_t code_point_last(const char *text, size_t length, uint32_t *code_point)
{
    size_t bytes = 1;
    while (bytes < length && ((uint8_t)text[length - bytes] & 0xc0) == 0x80) {
        bytes++;
    }
    return utf8_decode(text + length - bytes, bytes, code_point);
}

size_t code_point_invalid_bytes(const char *text, size_t length)
{
    size_t bytes = length < 3 ? length : 3;
    while (bytes > 1 && !utf8_is_open(text, bytes)) {
        bytes--;
    }
    return bytes;
}
