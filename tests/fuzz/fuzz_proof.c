/* A proof bundle from bytes. The key is the one that the bundle names itself, so that the bundles
 * of the corpus get as far as their last line. What proves has a summary that fits. */
#include <string.h>

#include <sodium.h>

#include "audit/examine/proof.h"
#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const char field[] = "\"chain_id\":\"";
    uint8_t key[CHECKPOINT_KEY_BYTES] = {0};
    struct failure failure = {""};
    struct proof_summary summary;
    struct verify_result result;
    const uint8_t *at = length > 0 ? memmem(bytes, length, field, sizeof field - 1) : NULL;
    if (at && (size_t)(bytes + length - at) >= sizeof field - 1 + 2 * sizeof key) {
        size_t key_bytes = 0;
        (void)sodium_hex2bin(key, sizeof key, (const char *)at + sizeof field - 1, 2 * sizeof key,
                             NULL, &key_bytes, NULL);
    }
    const enum status status =
        proof_verify((const char *)bytes, length, key, &summary, &result, &failure);
    ASSERT(status == STATUS_OK || failure.text[0] != '\0');
    if (status == STATUS_OK && result.kind == VERIFY_INTACT) {
        ASSERT(summary.last_number + 1 - summary.first_number == result.records);
        ASSERT(summary.erased <= result.records && result.checkpoints > 0);
    } else if (status == STATUS_OK) {
        ASSERT(result.text[0] != '\0');
    }
    return 0;
}
