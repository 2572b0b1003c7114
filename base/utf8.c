#include "base/utf8.h"

struct shape {
    uint8_t bytes;        /* 0: this byte cannot begin a sequence */
    uint8_t low, high;    /* allowed range of the second byte; it alone shuts out bad values */
    uint8_t payload_mask; /* bits of the first byte that count */
};

static struct shape shape_of(uint8_t first)
{
    if (first < 0x80) {
        return (struct shape){1, 0, 0, 0x7f};
    }
    if (first >= 0xc2 && first <= 0xdf) {
        return (struct shape){2, 0x80, 0xbf, 0x1f};
    }
    if (first >= 0xe0 && first <= 0xef) {
        const uint8_t low = first == 0xe0 ? 0xa0 : 0x80;
        const uint8_t high = first == 0xed ? 0x9f : 0xbf;
        return (struct shape){3, low, high, 0x0f};
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const uint8_t low = first == 0xf0 ? 0x90 : 0x80;
        const uint8_t high = first == 0xf4 ? 0x8f : 0xbf;
        return (struct shape){4, low, high, 0x07};
    }
    return (struct shape){0, 0, 0, 0};
}

/* Bytes at the start of text that fit the shape of its first byte. */
static size_t fitting_bytes(const char *text, size_t length, struct shape shape)
{
    size_t i = 1;
    for (; i < shape.bytes && i < length; i++) {
        const uint8_t byte = (uint8_t)text[i];
        const uint8_t low = i == 1 ? shape.low : 0x80;
        const uint8_t high = i == 1 ? shape.high : 0xbf;
        if (byte < low || byte > high) {
            break;
        }
    }
    return i;
}

size_t utf8_sequence_bytes(const char *text, size_t length)
{
    if (length == 0) {
        return 0;
    }
    const struct shape shape = shape_of((uint8_t)text[0]);
    return shape.bytes && fitting_bytes(text, length, shape) == shape.bytes ? shape.bytes : 0;
}

size_t utf8_valid_bytes(const char *text, size_t length)
{
    size_t at = 0;
    while (at < length) {
        const size_t step = utf8_sequence_bytes(text + at, length - at);
        if (step == 0) {
            break;
        }
        at += step;
    }
    return at;
}

bool utf8_is_open(const char *text, size_t length)
{
    if (length == 0 || length > 3) {
        return false;
    }
    const struct shape shape = shape_of((uint8_t)text[0]);
    return shape.bytes > length && fitting_bytes(text, length, shape) == length;
}

size_t utf8_decode(const char *text, size_t length, uint32_t *code_point)
{
    const size_t bytes = utf8_sequence_bytes(text, length);
    if (bytes == 0) {
        return 0;
    }
    uint32_t value = (uint8_t)text[0] & shape_of((uint8_t)text[0]).payload_mask;
    for (size_t i = 1; i < bytes; i++) {
        value = value << 6 | ((uint8_t)text[i] & 0x3fU);
    }
    *code_point = value;
    return bytes;
}

size_t utf8_encode(uint32_t code_point, char out[4])
{
    if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point <= 0xdfff)) {
        code_point = 0xfffd;
    }
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    const size_t bytes = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    static const uint8_t lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = bytes - 1; i > 0; i--) {
        out[i] = (char)(0x80U | (code_point & 0x3fU));
        code_point >>= 6;
    }
    out[0] = (char)(lead[bytes] | code_point);
    return bytes;
}
