/* A tokenizer.json and, after a NUL, a text from bytes: what is accepted encodes the text of a user
 * without a special token, and decodes what it encoded in steps of whole UTF-8. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "model/tokenizer/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { IDS_MAX = 1 << 16, VOCABULARY_MAX = 4096 };

struct encoded {
    uint32_t ids[IDS_MAX];
    size_t count;
};

static bool encode(const struct tokenizer *tokenizer, const struct tokenizer_input *input,
                   struct encoded *out)
{
    const enum status status = tokenizer_encode(tokenizer, input, out->ids, IDS_MAX, &out->count);
    ASSERT(status == STATUS_OK || out->count == 0);
    for (size_t i = 0; i < out->count; i++) {
        size_t text_bytes = 0;
        ASSERT(out->ids[i] < tokenizer_vocabulary_count(tokenizer));
        ASSERT(tokenizer_token_text(tokenizer, out->ids[i], &text_bytes));
        ASSERT(text_bytes <= TOKENIZER_PIECE_BYTES_MAX);
    }
    return status == STATUS_OK;
}

static void decode(const struct tokenizer *tokenizer, const struct encoded *encoded,
                   bool skips_specials)
{
    struct tokenizer_decoder decoder = {0};
    char out[TOKENIZER_PIECE_BYTES_MAX + 16];
    for (size_t i = 0; i < encoded->count; i++) {
        const size_t length =
            tokenizer_decode_step(tokenizer, &decoder, encoded->ids[i], skips_specials, out);
        ASSERT(length <= sizeof out && utf8_valid_bytes(out, length) == length);
        ASSERT(tokenizer_token_bytes(tokenizer, encoded->ids[i], out) <= TOKENIZER_PIECE_BYTES_MAX);
    }
    const size_t length = tokenizer_decode_finish(&decoder, out);
    ASSERT(length <= sizeof out && utf8_valid_bytes(out, length) == length);
}

static void check(const struct tokenizer *tokenizer, const char *text, size_t length,
                  bool has_unknown)
{
    static struct encoded plain, marked;
    uint8_t *marks = malloc(length + 1);
    ASSERT(marks);
    for (size_t i = 0; i < length; i++) {
        marks[i] = (uint8_t)(i % 7 != 6); /* stretches of an operator and bytes of a user */
    }
    const struct tokenizer_input of_user = {text, length, NULL, false};
    const struct tokenizer_input of_both = {text, length, marks, true};
    if (encode(tokenizer, &of_user, &plain)) {
        for (size_t i = 0; i < plain.count && !has_unknown; i++) {
            ASSERT(!tokenizer_is_special(tokenizer, plain.ids[i]));
        }
        decode(tokenizer, &plain, false);
    }
    if (encode(tokenizer, &of_both, &marked)) {
        decode(tokenizer, &marked, true);
    }
    free(marks);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *json = (const char *)bytes;
    const char *end = length > 0 ? memchr(json, '\0', length) : NULL;
    const size_t json_bytes = end ? (size_t)(end - json) : length;
    struct failure failure = {""};
    struct tokenizer *tokenizer = NULL;
    const enum status status = tokenizer_parse(json, json_bytes, &tokenizer, &failure);
    if (status != STATUS_OK) {
        ASSERT(failure.text[0] != '\0' && !strchr(failure.text, '\n'));
    } else if (tokenizer_vocabulary_count(tokenizer) <= VOCABULARY_MAX) {
        const bool has_unknown = memmem(json, json_bytes, "unk_token", 9) != NULL;
        check(tokenizer, end ? end + 1 : "hello", end ? length - json_bytes - 1 : 5, has_unknown);
    }
    tokenizer_destroy(tokenizer);
    return 0;
}
