/* utf8.h - the few UTF-8 facts every folder needs (RFC 3629: no overlong forms, no surrogates, at
 * most U+10FFFF). Normalisation is utf8proc's, not ours. Pure functions. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the valid sequence at text, 1 to 4; 0 if it is invalid or cut off. */
size_t utf8_sequence_bytes(const char *text, size_t length);

/* How many bytes at the start of text form whole, valid sequences. == length when all is valid. */
size_t utf8_valid_bytes(const char *text, size_t length);

/* True if text is a proper, still incomplete beginning of a valid sequence (1 to 3 bytes). */
bool utf8_is_open(const char *text, size_t length);

/* Reads the valid sequence at text; returns its bytes, 0 if invalid. */
size_t utf8_decode(const char *text, size_t length, uint32_t *code_point);

/* Writes 1 to 4 bytes, returns how many. A surrogate or too large a value writes U+FFFD. */
size_t utf8_encode(uint32_t code_point, char out[4]);
