/* street.h - street addresses. street_match: a house number and a name ("221 1/2 W Oak St, Apt 3"),
 * or a name alone where the words in front tell of one ("lives on Maple Avenue", "5th Street").
 * Match functions as in glance.h. */
#pragma once
#include "policy/identify/cursor.h"

uint32_t street_match(struct cursor *cursor, uint32_t at);

/* Words in front speak of where someone lives. */
bool street_is_told(const struct cursor *cursor, uint32_t at);
