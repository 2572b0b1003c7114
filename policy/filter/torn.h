/* torn.h - what a text that was cut short ends with: the beginning of a number or of a mail
 * address. Whole it would have been known; torn, nobody can say, so it is not told. Pure. */
#pragma once
#include <stddef.h>

#include "policy/kind.h"

enum { TORN_DIGITS_MIN = 5 }; /* a year, a dose and most of a sentence's numbers have fewer */

/* How many bytes at the end, all of them ASCII; 0: nothing of the kind. Linear in what it finds. */
size_t torn_bytes(const char *text, size_t length, enum policy_kind *kind);
