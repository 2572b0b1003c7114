#include "tests/audit/support_digest.h"

#include <sodium.h>
#include <string.h>

#include "base/assert.h"

struct digest support_digest_of_hex(const char *text)
{
    struct digest digest;
    size_t length = 0;
    const int failed =
        sodium_hex2bin(digest.bytes, DIGEST_BYTES, text, strlen(text), NULL, &length, NULL);
    ASSERT(failed == 0 && length == DIGEST_BYTES);
    return digest;
}

bool support_digest_is(struct digest digest, const char *hex)
{
    return digest_same(digest, support_digest_of_hex(hex));
}

void support_digest_pattern(uint8_t *out, size_t length, uint32_t factor, uint32_t offset)
{
    for (size_t i = 0; i < length; i++) {
        out[i] = (uint8_t)((uint32_t)i * factor + offset);
    }
}
