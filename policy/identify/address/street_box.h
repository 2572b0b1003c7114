/* street_box.h - addresses without a street: "P.O. Box 104", "RR 2 Box 15", "PSC 3294, Box 9168 APO
 * AA 61487", "USS Lorenzen FPO AE 25990", "the corner of 5th and Main". A match function as in
 * glance.h. */
#pragma once
#include "policy/identify/cursor.h"
#include "policy/identify/words/word_table.h"

uint32_t street_box_match(struct cursor *cursor, uint32_t at);

extern const struct word_table street_box_words; /* what it begins with */
