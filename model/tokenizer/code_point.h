/* code_point.h - what Unicode says of one character, as Hugging Face's Rust code asks it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool code_point_is_space(uint32_t code_point); /* White_Space */
bool code_point_is_word(uint32_t code_point);  /* \w: alphabetic, marks, digits, connectors */

/* The code point that ends at text[length - 1], valid UTF-8, length > 0; returns its bytes. */
size_t code_point_last(const char *text, size_t length, uint32_t *code_point);

/* Bytes of the invalid sequence at text that one U+FFFD stands for: the longest beginning of a
 * valid one, at least 1 byte (Unicode's "maximal subpart"). length > 0. */
size_t code_point_invalid_bytes(const char *text, size_t length);
