/* zip_prefix.h - of a ZIP code Safe Harbor keeps the first three digits where more than 20,000
 * people live (45 CFR 164.514(b)(2)(i)(B)); for the others they become 000. Constant data. */
#pragma once
#include <stdbool.h>

/* three: digits. True: of the prefixes with 20,000 people or fewer. */
bool zip_is_sparse(const char three[3]);
