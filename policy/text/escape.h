/* escape.h - the next character of a text: one UTF-8 sequence or byte, or an escape that stands for
 * a character: \u00e9, \ud83d\ude00, \n \t \/ \" \\ (JSON), &#49; &#x31; &amp; (HTML), %40 (URL,
 * ASCII only). Only a well-formed escape counts. A pure function that looks at most
 * ESCAPE_BYTES_MAX ahead; what it says of a beginning holds for every text that goes on from it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ESCAPE_BYTES_MAX = 12 };

struct escape_character {
    uint32_t code_point;
    uint8_t bytes;     /* that it takes of the text */
    bool is_invalid;   /* one byte that is not UTF-8: U+FFFD */
    bool is_disguised; /* a letter, digit or mark that had no need to be written so */
};

/* False: more bytes are needed (never so once has_ended). length is at least 1. A line end \r\n is
 * one character, U+000A. */
bool escape_read(const char *text, size_t length, bool has_ended, struct escape_character *out);
