#include "model/tokenizer/byte_alphabet.h"

enum { MOVED_FIRST = 0x100 };

/* Bytes that do not stand for themselves, in order: the first is U+0100, the next U+0101, ... */
static const struct {
    uint8_t first, last;
} moved[] = {{0x00, 0x20}, {0x7f, 0xa0}, {0xad, 0xad}};
enum { MOVED_COUNT = sizeof moved / sizeof moved[0] };

static uint32_t code_point_of(uint8_t byte)
{
    uint32_t next = MOVED_FIRST;
    for (int i = 0; i < MOVED_COUNT; i++) {
        if (byte >= moved[i].first && byte <= moved[i].last) {
            return next + byte - moved[i].first;
        }
        next += 1U + moved[i].last - moved[i].first;
    }
    return byte;
}

size_t byte_alphabet_write(uint8_t byte, char out[2])
{
    const uint32_t code_point = code_point_of(byte);
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    out[0] = (char)(0xc0 | code_point >> 6);
    out[1] = (char)(0x80 | (code_point & 0x3f));
    return 2;
}

bool byte_alphabet_read(uint32_t code_point, uint8_t *out)
{
    uint32_t next = MOVED_FIRST;
    for (int i = 0; i < MOVED_COUNT; i++) {
        const uint32_t count = 1U + moved[i].last - moved[i].first;
        if (code_point >= next && code_point < next + count) {
            *out = (uint8_t)(moved[i].first + code_point - next);
            return true;
        }
        next += count;
    }
    *out = (uint8_t)code_point;
    return code_point <= UINT8_MAX && code_point_of((uint8_t)code_point) == code_point;
}
