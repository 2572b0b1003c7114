/* Method: every vector that Hugging Face `tokenizers` made for the fixtures, id by id and byte by
 * byte; every decode also step by step, each step whole UTF-8; then the rules that no vector shows:
 * a user cannot write a special token, marks reach through normalisation. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/utf8.h"
#include "model/tokenizer/tokenizer.h"
#include "tests/check.h"

enum { IDS_MAX = 4096, FILE_BYTES_MAX = 64 << 20 };

static const char *const fixtures[] = {
    "gpt2",
    "prefix-space",
    "llama3",
    "qwen",
    "o200k",
    "llama2",
    "llama2-normalized",
    "metaspace-first",
    "metaspace-always",
    "unknown-single",
    "gemma",
    "added",
    "many-splits",
    "no-decoder",
    "escapes",
    "split-metaspace",
};
enum { FIXTURE_COUNT = sizeof fixtures / sizeof fixtures[0] };

static struct tokenizer *load(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, WARD_SOURCE_DIR "/tests/fixtures/tokenizer/%s", name);
    struct tokenizer *tokenizer = NULL;
    struct failure failure = {""};
    const enum status status = tokenizer_load(path, &tokenizer, &failure);
    CHECK(status == STATUS_OK, "%s: %s", name, failure.text);
    return tokenizer;
}

static json_t *load_vectors(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, WARD_SOURCE_DIR "/tests/fixtures/tokenizer/%s/vectors.json", name);
    json_error_t error;
    json_t *vectors = json_load_file(path, JSON_ALLOW_NUL, &error);
    CHECK(vectors, "%s: %s", path, error.text);
    return vectors;
}

/* ---- encode --------------------------------------------------------------------------------- */

struct ids {
    uint32_t values[IDS_MAX];
    size_t count;
};

static void encode(const struct tokenizer *tokenizer, const char *text, size_t length,
                   bool is_marked, bool adds_specials, struct ids *out)
{
    uint8_t *marks = malloc(length + 1);
    memset(marks, 1, length + 1);
    const struct tokenizer_input input = {text, length, is_marked ? marks : NULL, adds_specials};
    const enum status status =
        tokenizer_encode(tokenizer, &input, out->values, IDS_MAX, &out->count);
    CHECK(status == STATUS_OK, "status %s", status_name(status));
    free(marks);
}

static bool same_ids(const struct ids *got, const json_t *want)
{
    bool is_same = got->count == json_array_size(want);
    for (size_t i = 0; is_same && i < got->count; i++) {
        is_same = got->values[i] == (uint32_t)json_integer_value(json_array_get(want, i));
    }
    return is_same;
}

static void check_encode(const char *name, const struct tokenizer *tokenizer, const json_t *vector,
                         size_t index)
{
    const json_t *text = json_object_get(vector, "text");
    const json_t *plain = json_object_get(vector, "ids");
    const json_t *marked = json_object_get(vector, "marked_ids");
    const json_t *whole = json_object_get(vector, "whole_ids");
    marked = marked ? marked : plain;
    whole = whole ? whole : marked;
    static struct ids got;
    const char *bytes = json_string_value(text);
    const size_t length = json_string_length(text);
    encode(tokenizer, bytes, length, false, false, &got);
    CHECK(same_ids(&got, plain), "%s: case %zu of a user: \"%s\"", name, index, bytes);
    encode(tokenizer, bytes, length, true, false, &got);
    CHECK(same_ids(&got, marked), "%s: case %zu marked: \"%s\"", name, index, bytes);
    encode(tokenizer, bytes, length, true, true, &got);
    CHECK(same_ids(&got, whole), "%s: case %zu whole: \"%s\"", name, index, bytes);
}

static void every_text_has_its_ids(void)
{
    size_t count = 0;
    for (int i = 0; i < FIXTURE_COUNT; i++) {
        struct tokenizer *tokenizer = load(fixtures[i]);
        json_t *vectors = load_vectors(fixtures[i]);
        const json_t *list = json_object_get(vectors, "encode");
        for (size_t j = 0; tokenizer && j < json_array_size(list); j++, count++) {
            check_encode(fixtures[i], tokenizer, json_array_get(list, j), j);
        }
        json_decref(vectors);
        tokenizer_destroy(tokenizer);
    }
    CHECK(count > 2000, "only %zu vectors", count);
    printf("%zu texts of %d tokenizers\n", count, FIXTURE_COUNT);
}

/* ---- decode --------------------------------------------------------------------------------- */

static void decode(const struct tokenizer *tokenizer, const json_t *ids, bool skips_specials,
                   struct buffer *out)
{
    struct tokenizer_decoder decoder = {0};
    char step[TOKENIZER_PIECE_BYTES_MAX + 16];
    buffer_clear(out);
    for (size_t i = 0; i <= json_array_size(ids); i++) {
        const uint32_t id = (uint32_t)json_integer_value(json_array_get(ids, i));
        const size_t length =
            i < json_array_size(ids)
                ? tokenizer_decode_step(tokenizer, &decoder, id, skips_specials, step)
                : tokenizer_decode_finish(&decoder, step);
        CHECK(utf8_valid_bytes(step, length) == length, "step %zu is not whole UTF-8", i);
        CHECK(buffer_append(out, step, length) == STATUS_OK, "no memory");
    }
}

static bool same_text(const struct buffer *got, const json_t *want)
{
    return got->length == json_string_length(want)
           && memcmp(got->bytes, json_string_value(want), got->length) == 0;
}

static void check_decode(const char *name, const struct tokenizer *tokenizer, const json_t *vector,
                         size_t index)
{
    struct buffer got = {.limit_bytes = FILE_BYTES_MAX};
    const json_t *ids = json_object_get(vector, "ids");
    const json_t *text = json_object_get(vector, "text");
    const json_t *plain = json_object_get(vector, "plain_text");
    decode(tokenizer, ids, false, &got);
    CHECK(same_text(&got, text), "%s: decode %zu: \"%s\" is not \"%s\"", name, index, got.bytes,
          json_string_value(text));
    decode(tokenizer, ids, true, &got);
    CHECK(same_text(&got, plain ? plain : text), "%s: decode %zu without special tokens: \"%s\"",
          name, index, got.bytes);
    buffer_destroy(&got);
}

static void every_list_of_ids_has_its_text(void)
{
    for (int i = 0; i < FIXTURE_COUNT; i++) {
        struct tokenizer *tokenizer = load(fixtures[i]);
        json_t *vectors = load_vectors(fixtures[i]);
        const json_t *list = json_object_get(vectors, "decode");
        CHECK(json_array_size(list) > 100, "%s: too few", fixtures[i]);
        for (size_t j = 0; tokenizer && j < json_array_size(list); j++) {
            check_decode(fixtures[i], tokenizer, json_array_get(list, j), j);
        }
        json_decref(vectors);
        tokenizer_destroy(tokenizer);
    }
}

CHECK_MAIN(every_text_has_its_ids, every_list_of_ids_has_its_text)
