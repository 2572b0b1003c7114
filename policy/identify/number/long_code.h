/* long_code.h - what is long and looks issued although nothing says what it is: many digits,
 * letters and digits mixed, UUIDs, hexadecimal and base64. The last net, behind all other
 * detectors. */
#pragma once
#include "policy/identify/cursor.h"

struct finding long_code_find(struct cursor *cursor, uint32_t at);
