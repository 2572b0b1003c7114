#include "kernels/sample/philox.h"

enum { ROUNDS = 10 };

static const uint32_t multiplier_0 = 0xD2511F53, multiplier_1 = 0xCD9E8D57;
static const uint32_t weyl_0 = 0x9E3779B9, weyl_1 = 0xBB67AE85; /* key steps of a round */

struct philox_block philox(struct philox_block counter, const uint32_t key[2])
{
    uint32_t key_0 = key[0], key_1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
        const uint32_t *words = counter.words;
        const uint64_t product_0 = (uint64_t)multiplier_0 * words[0];
        const uint64_t product_1 = (uint64_t)multiplier_1 * words[2];
        counter = (struct philox_block){
            {(uint32_t)(product_1 >> 32) ^ words[1] ^ key_0, (uint32_t)product_1,
             (uint32_t)(product_0 >> 32) ^ words[3] ^ key_1, (uint32_t)product_0}};
        key_0 += weyl_0;
        key_1 += weyl_1;
    }
    return counter;
}

double philox_unit(uint64_t seed, uint32_t position)
{
    const struct philox_block block = philox((struct philox_block){{position, 0, 0, 0}},
                                             (uint32_t[2]){(uint32_t)seed, (uint32_t)(seed >> 32)});
    const uint64_t bits = (uint64_t)block.words[0] << 32 | block.words[1];
    return (double)(bits >> 11) * 0x1p-53;
}
