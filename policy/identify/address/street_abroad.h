/* street_abroad.h - streets as other countries write them: "rue de Virton 38", "Koskikatu 25",
 * "Lange Straße 4", "Kossuth Lajos utca 5". has_house: a house number stands in front. Match
 * functions as in glance.h; a unit behind is included. */
#pragma once
#include "policy/identify/cursor.h"

uint32_t street_abroad(struct cursor *cursor, uint32_t index, bool has_house);
uint32_t street_abroad_prefixed(struct cursor *cursor, uint32_t index, bool has_house);
