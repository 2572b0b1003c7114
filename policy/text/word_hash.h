/* word_hash.h - one hash of a folded text for all who look words up: FNV-1a of 64 bits, mixed so
 * that any of its bits will do. Computed once for each lexeme. */
#pragma once
#include <stddef.h>
#include <stdint.h>

static inline uint64_t word_hash(const char *text, size_t length)
{
    uint64_t value = 0xcbf29ce484222325U;
    for (size_t i = 0; i < length; i++) {
        value = (value ^ (unsigned char)text[i]) * 0x100000001b3U;
    }
    value ^= value >> 32;
    value *= 0x9e3779b97f4a7c15U;
    return value ^ (value >> 29);
}
