/* unicode.h - the properties and cases of code points that Python's str methods ask for, from
 * utf8proc. Pure functions. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { UNICODE_CASE_MAX = 3 }; /* code points that one may become */

bool unicode_is_space(uint32_t code_point);
bool unicode_is_printable(uint32_t code_point); /* as repr() sees it: a space is, others are not */
bool unicode_is_upper(uint32_t code_point);
bool unicode_is_lower(uint32_t code_point);
bool unicode_is_title(uint32_t code_point);
bool unicode_is_cased(uint32_t code_point);
bool unicode_is_alpha(uint32_t code_point);
bool unicode_is_decimal(uint32_t code_point);
bool unicode_is_digit(uint32_t code_point);
bool unicode_is_numeric(uint32_t code_point);
bool unicode_is_mark(uint32_t code_point); /* not seen when looking for a word's end */

/* Write 1 to 3 code points and return how many. */
uint32_t unicode_upper(uint32_t code_point, uint32_t out[UNICODE_CASE_MAX]);
uint32_t unicode_title(uint32_t code_point, uint32_t out[UNICODE_CASE_MAX]);
uint32_t unicode_lower(uint32_t code_point, uint32_t out[UNICODE_CASE_MAX]);
