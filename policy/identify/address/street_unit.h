/* street_unit.h - the place within a house: "Apt 36", "#313", "5th floor". */
#pragma once
#include "policy/identify/cursor.h"

/* ", Apt 36", " #313", "\n Suite 12": the index after up to three of them, or the index itself. */
uint32_t street_unit(struct cursor *cursor, uint32_t index);
