/* Eight bytes at a time: with the processor's instruction, or with eight tables, of which table k
 * holds what a byte does to the sum when k more bytes follow it. */
#include "audit/chain/crc32c.h"

#include <pthread.h>
#include <string.h>

#include "audit/chain/little_endian.h"

enum { STRIDE = 8 };
#define POLYNOMIAL 0x82f63b78U /* Castagnoli, the lowest bit first */

static uint32_t tables[STRIDE][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void fill_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t sum = byte;
        for (int bit = 0; bit < 8; bit++) {
            sum = (sum >> 1) ^ ((sum & 1) ? POLYNOMIAL : 0);
        }
        tables[0][byte] = sum;
    }
    for (int k = 1; k < STRIDE; k++) {
        for (int byte = 0; byte < 256; byte++) {
            const uint32_t before = tables[k - 1][byte];
            tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
        }
    }
}

uint32_t crc32c_by_table(uint32_t before, const void *bytes, size_t length)
{
    pthread_once(&tables_once, fill_tables);
    const uint8_t *at = bytes;
    uint32_t sum = ~before;
    for (; length >= STRIDE; length -= STRIDE, at += STRIDE) {
        const uint64_t word = little_endian_read_u64(at) ^ sum;
        sum = 0;
        for (int i = 0; i < STRIDE; i++) {
            sum ^= tables[STRIDE - 1 - i][(word >> (8 * i)) & 0xff];
        }
    }
    for (; length > 0; length--, at++) {
        sum = (sum >> 8) ^ tables[0][(sum ^ *at) & 0xff];
    }
    return ~sum;
}

#ifdef __x86_64__
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t before, const void *bytes,
                                                                 size_t length)
{
    const uint8_t *at = bytes;
    uint64_t sum = ~before;
    for (; length >= STRIDE; length -= STRIDE, at += STRIDE) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        sum = _mm_crc32_u64(sum, word);
    }
    for (; length > 0; length--, at++) {
        sum = _mm_crc32_u8((uint32_t)sum, *at);
    }
    return ~(uint32_t)sum;
}

uint32_t crc32c(uint32_t before, const void *bytes, size_t length)
{
    return __builtin_cpu_supports("sse4.2") ? by_instruction(before, bytes, length)
                                            : crc32c_by_table(before, bytes, length);
}
#else
uint32_t crc32c(uint32_t before, const void *bytes, size_t length)
{
    return crc32c_by_table(before, bytes, length);
}
#endif
