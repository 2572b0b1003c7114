/* mask.h - what stands in an identifier's place: [NAME], [NAME_1], and where the rules keep a part
 * that tells nobody apart (45 CFR 164.514(b)(2)): [DATE 1961], [ZIP 902]. */
#pragma once
#include "base/buffer.h"
#include "policy/identify/scanner.h"
#include "policy/rules/rules.h"

/* [KIND], or with the part that the rules keep. A year is not kept if it may tell an age over 89; a
 * ZIP prefix with few people is 000. */
MUST_CHECK enum status mask_append(const struct rules *rules, const struct scan_piece *finding,
                                   struct buffer *out);

MUST_CHECK enum status mask_append_kind(enum policy_kind kind, struct buffer *out); /* [KIND] */

/* [KIND_1] */
MUST_CHECK enum status mask_append_number(enum policy_kind kind, uint32_t number,
                                          struct buffer *out);

/* Of a part of an identifier: something in it may tell, so it is hidden: a letter or digit. */
bool mask_is_needed(const char *raw, size_t raw_bytes);
