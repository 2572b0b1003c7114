/* Method: the well-formed table of Unicode 15 (table 3-7) at its borders, then a round trip of
 * every code point. */
#include <string.h>

#include "base/utf8.h"
#include "tests/check.h"

static const struct {
    const char *bytes;
    size_t want; /* whole sequence, 0 when invalid or open */
    bool is_open;
} cases[] = {
    {"a", 1, false},
    {"\x7f", 1, false},
    {"\x80", 0, false},
    {"\xc1\xbf", 0, false},
    {"\xc2\x80", 2, false},
    {"\xc2", 0, true},
    {"\xe0\x9f\x80", 0, 0},
    {"\xe0\xa0\x80", 3, 0},
    {"\xe0\xa0", 0, true},
    {"\xed\x9f\xbf", 3, 0},
    {"\xed\xa0\x80", 0, 0},
    {"\xed\xa0", 0, false},
    {"\xf0\x8f\xbf", 0, 0},
    {"\xf0\x90\x80\x80", 4, 0},
    {"\xf0\x90\x80", 0, true},
    {"\xf4\x8f\xbf\xbf", 4, 0},
    {"\xf4\x90\x80\x80", 0, 0},
    {"\xf5\x80\x80\x80", 0, 0},
    {"\xff", 0, false},
    {"\xe2\x28\xa1", 0, 0},
    {"\xf0\x9f\x98", 0, true},
};

static void every_case_has_its_length(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const size_t length = strlen(cases[i].bytes);
        CHECK(utf8_sequence_bytes(cases[i].bytes, length) == cases[i].want, "case %zu", i);
        CHECK(utf8_is_open(cases[i].bytes, length) == cases[i].is_open, "case %zu", i);
    }
}

static void every_code_point_comes_back(void)
{
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        if (c >= 0xd800 && c <= 0xdfff) {
            continue;
        }
        char bytes[4];
        uint32_t back = 0;
        const size_t length = utf8_encode(c, bytes);
        CHECK(utf8_decode(bytes, length, &back) == length && back == c, "U+%04X", c);
        for (size_t cut = 1; cut < length; cut++) {
            CHECK(utf8_is_open(bytes, cut), "U+%04X cut at %zu", c, cut);
        }
    }
}

CHECK_MAIN(every_case_has_its_length, every_code_point_comes_back)
