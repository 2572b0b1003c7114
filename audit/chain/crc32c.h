/* crc32c.h - CRC-32C (Castagnoli; RFC 3720 appendix B.4): finds torn and rotten bytes, proves
 * nothing. Uses the processor's instruction where there is one. Pure functions. */
#pragma once
#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t before, const void *bytes, size_t length); /* before: 0 to begin */

/* Without the instruction: what other processors run. The same result. */
uint32_t crc32c_by_table(uint32_t before, const void *bytes, size_t length);
