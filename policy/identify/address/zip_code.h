/* zip_code.h - postal codes by what stands around them: "CA 95002", "Lane, Baltimore 77486", "zip:
 * 394 13", and by shape: ZIP+4, British, Canadian, Dutch ones. A match function as in glance.h. */
#pragma once
#include "policy/identify/cursor.h"
#include "policy/identify/words/word_table.h"

uint32_t zip_code_match(struct cursor *cursor, uint32_t at);

extern const struct word_table zip_code_words; /* for tests */
