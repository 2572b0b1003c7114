/* byte_alphabet.h - the alphabet of byte-level BPE: each byte is written as one printable code
 * point below U+0150 (GPT-2's choice: printable Latin-1 stands for itself, the rest follows
 * U+0100). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes the code point of byte as UTF-8, 1 or 2 bytes; returns how many. */
size_t byte_alphabet_write(uint8_t byte, char out[2]);

/* The byte that a code point stands for; false if it stands for none. */
bool byte_alphabet_read(uint32_t code_point, uint8_t *out);
