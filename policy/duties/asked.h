/* asked.h - does a message ask whether it is a person that answers? "are you a bot?", "am i talking
 * to someone real". Over folded lexemes, so spelling tricks do not matter. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* STATUS_IO: no memory. Linear in length. */
MUST_CHECK enum status asked_read(const char *text, size_t length, bool *out);
