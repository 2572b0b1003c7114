/* post_code.h - postal codes that are known by their shape: "SW1A 1AA", "K1A 0B1", "1012 LG". A
 * match function as in words/glance.h. */
#pragma once
#include "policy/identify/cursor.h"

uint32_t post_code_match(struct cursor *cursor, uint32_t at);
