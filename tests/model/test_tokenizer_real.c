/* Method: real vocabularies under WARD_TEST_DATA against ids that llama.cpp and SentencePiece gave
 * for 968 strings each, then how long a hostile text and the largest file take. Skips, saying so,
 * where the data is absent. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "model/tokenizer/tokenizer.h"
#include "tests/check.h"

enum { IDS_MAX = 2 << 20, FILE_BYTES_MAX = 64 << 20, VECTORS = 968, HOSTILE_BYTES = 1 << 20 };

static const char *data_directory(void)
{
    const char *named = getenv("WARD_TEST_DATA");
    return named ? named : WARD_SOURCE_DIR "/../shared/data";
}

static json_t *load_json(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", data_directory(), name);
    return json_load_file(path, JSON_ALLOW_NUL, NULL);
}

/* ---- the four vocabularies ------------------------------------------------------------------ */

static struct tokenizer *parse(json_t *root)
{
    struct tokenizer *tokenizer = NULL;
    struct failure failure = {""};
    char *text = json_dumps(root, JSON_COMPACT);
    const enum status status = tokenizer_parse(text, strlen(text), &tokenizer, &failure);
    CHECK(status == STATUS_OK, "%s", failure.text);
    free(text);
    json_decref(root);
    return tokenizer;
}

/* The file without its normalizer: llama.cpp, which made the vectors, has none. */
static struct tokenizer *load_without_normalizer(const char *name)
{
    json_t *root = load_json(name);
    if (!root) {
        return NULL;
    }
    json_object_del(root, "normalizer");
    return parse(root);
}

/* This copy of Llama 2's file lost its four tokens with no-break spaces, U+00A0: they are spaces
 * now. The vectors are SentencePiece's, which has them, so they are put back. */
static struct tokenizer *load_llama2(const char *name)
{
    static const char broken[][5] = {" ", "  ", "    "};
    static const char whole[][9] = {"\xc2\xa0", "\xc2\xa0\xc2\xa0",
                                    "\xc2\xa0\xc2\xa0\xc2\xa0\xc2\xa0"};
    json_t *root = load_json(name);
    json_t *vocabulary = json_object_get(json_object_get(root, "model"), "vocab");
    json_t *merges = json_object_get(json_object_get(root, "model"), "merges");
    json_object_set(vocabulary, "\xe2\x96\x81\xc2\xa0",
                    json_object_get(vocabulary, "\xe2\x96\x81 "));
    json_object_del(vocabulary, "\xe2\x96\x81 ");
    for (int i = 0; i < 3; i++) {
        json_object_set(vocabulary, whole[i], json_object_get(vocabulary, broken[i]));
        json_object_del(vocabulary, broken[i]);
    }
    for (size_t i = 0; i < json_array_size(merges); i++) {
        const char *merge = json_string_value(json_array_get(merges, i));
        if (strcmp(merge, "   ") == 0 || strcmp(merge, "     ") == 0) {
            const char *half = whole[strlen(merge) / 4];
            json_array_set_new(merges, i, json_pack("[s,s]", half, half));
        } else if (strcmp(merge, "\xe2\x96\x81  ") == 0) {
            json_array_set_new(merges, i, json_pack("[s,s]", "\xe2\x96\x81", whole[0]));
        }
    }
    return root ? parse(root) : NULL;
}

/* GPT-2's repository has its vocabulary and merges in two files from before tokenizer.json. */
static struct tokenizer *load_gpt2(const char *name)
{
    char path[512];
    struct buffer lines = {.limit_bytes = FILE_BYTES_MAX};
    json_t *vocabulary = load_json(name);
    snprintf(path, sizeof path, "%s/tokenizers/gpt-2/gpt2.merges.txt", data_directory());
    if (!vocabulary || buffer_read_file(&lines, path) != STATUS_OK) {
        return NULL;
    }
    json_t *merges = json_array();
    for (char *line = strchr(lines.bytes, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        json_array_append_new(merges, json_stringn(line + 1, strcspn(line + 1, "\n")));
    }
    buffer_destroy(&lines);
    return parse(json_pack("{s:{s:o,s:o},s:[{s:s,s:i,s:b}],s:{s:s,s:b},s:{s:s}}", "model", "vocab",
                           vocabulary, "merges", merges, "added_tokens", "content", "<|endoftext|>",
                           "id", 50256, "special", 1, "pre_tokenizer", "type", "ByteLevel",
                           "add_prefix_space", 0, "decoder", "type", "ByteLevel"));
}

static struct tokenizer *load_directory(const char *name)
{
    char path[512];
    struct tokenizer *tokenizer = NULL;
    struct failure failure = {""};
    snprintf(path, sizeof path, "%s/%s", data_directory(), name);
    const enum status status = tokenizer_load(path, &tokenizer, &failure);
    CHECK(status == STATUS_OK, "%s", failure.text);
    return tokenizer;
}

static const struct {
    struct tokenizer *(*load)(const char *name);
    const char *name, *vectors;
    bool skips_changed; /* strings that NFC changes: the vectors are those without NFC */
} cases[] = {
    {load_directory, "models/stories260K/f32", "stories260K.llamacpp", false},
    {load_llama2, "tokenizers/llama-2/tokenizer.json", "llama-2.sentencepiece", false},
    {load_directory, "tokenizers/qwen2.5", "qwen2.5.llamacpp", true},
    {load_without_normalizer, "tokenizers/qwen2.5/tokenizer.json", "qwen2.5.llamacpp", false},
    {load_gpt2, "tokenizers/gpt-2/gpt2.vocab", "gpt-2.llamacpp", false},
};

static uint32_t ids[IDS_MAX];

static bool matches(const struct tokenizer *tokenizer, const char *text, size_t length,
                    bool is_marked, const json_t *want)
{
    uint8_t *marks = malloc(length + 1);
    memset(marks, 1, length + 1);
    const struct tokenizer_input input = {text, length, is_marked ? marks : NULL, false};
    size_t count = 0;
    const enum status status = tokenizer_encode(tokenizer, &input, ids, IDS_MAX, &count);
    bool is_same = status == STATUS_OK && count == json_array_size(want);
    for (size_t i = 0; is_same && i < count; i++) {
        is_same = ids[i] == (uint32_t)json_integer_value(json_array_get(want, i));
    }
    free(marks);
    return is_same;
}

static bool is_named_special(const json_t *text, const char *vectors)
{
    return strncmp(vectors, "qwen", 4) == 0 && strstr(json_string_value(text), "</s>");
}

static void every_vector_matches(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[256];
        snprintf(name, sizeof name, "tokenizers/vectors/%s.json", cases[i].vectors);
        json_t *vectors = load_json(name);
        struct tokenizer *tokenizer = cases[i].load(cases[i].name);
        size_t matched = 0;
        size_t left_out = 0;
        for (size_t j = 0; tokenizer && j < json_array_size(vectors); j++) {
            const json_t *vector = json_array_get(vectors, j);
            const json_t *text = json_object_get(vector, "text");
            const json_t *special = json_object_get(vector, "ids_parse_special");
            /* llama.cpp takes </s> for special by its name; Qwen's file has it as a plain token. */
            special = is_named_special(text, cases[i].vectors) ? NULL : special;
            if (cases[i].skips_changed && json_object_get(vector, "nfc_changes_text")) {
                left_out++;
                continue;
            }
            const char *bytes = json_string_value(text);
            const size_t length = json_string_length(text);
            const bool is_same =
                matches(tokenizer, bytes, length, false, json_object_get(vector, "ids"))
                && (!special || matches(tokenizer, bytes, length, true, special));
            CHECK(is_same, "%s: vector %zu: \"%s\"", cases[i].name, j, bytes);
            matched += is_same;
        }
        CHECK(matched + left_out == VECTORS, "%s: %zu of %d", cases[i].name, matched, VECTORS);
        printf("%s: %zu vectors match, %zu left out\n", cases[i].name, matched, left_out);
        tokenizer_destroy(tokenizer);
        json_decref(vectors);
    }
}

/* ---- time ----------------------------------------------------------------------------------- */

/* Texts on which a careless encoder needs quadratic time. The bound is loose, for sanitizers and a
 * busy machine; quadratic time on a megabyte is hours. */
static void no_text_takes_long(void)
{
    static const char *const units[] = {"a",
                                        "ab",
                                        " ",
                                        "\n",
                                        "1",
                                        "<",
                                        "\xcc\x81\xcc\xa3",
                                        "\xe4\xbd\xa0",
                                        "!",
                                        " a",
                                        "\xf0\x9f\x99\x82",
                                        "'",
                                        "A",
                                        "\xe2\x96\x81"};
    static const char *const names[] = {"tokenizers/qwen2.5", "tokenizers/llama-2"};
    char *text = malloc(HOSTILE_BYTES);
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        struct tokenizer *tokenizer = load_directory(names[n]);
        for (size_t u = 0; tokenizer && u < sizeof units / sizeof units[0]; u++) {
            const size_t unit_bytes = strlen(units[u]);
            const size_t length = HOSTILE_BYTES / unit_bytes * unit_bytes;
            for (size_t i = 0; i < length; i++) {
                text[i] = units[u][i % unit_bytes];
            }
            const struct tokenizer_input input = {text, length, NULL, false};
            size_t count = 0;
            const uint64_t start_ns = clock_monotonic_ns();
            const enum status status = tokenizer_encode(tokenizer, &input, ids, IDS_MAX, &count);
            const uint64_t took_ms = (clock_monotonic_ns() - start_ns) / 1000000;
            CHECK(status == STATUS_OK, "%s: \"%s\": %s, %zu ids, %lu ms", names[n], units[u],
                  status_name(status), count, (unsigned long)took_ms);
            printf("%s: 1 MiB of \"%s\": %zu ids, %lu ms\n", names[n], u == 3 ? "\\n" : units[u],
                   count, (unsigned long)took_ms);
        }
        tokenizer_destroy(tokenizer);
    }
    free(text);
}

int main(void)
{
    json_t *probe = load_json("tokenizers/vectors/gpt-2.llamacpp.json");
    if (!probe) {
        printf("skipped: no real vocabularies under %s (WARD_TEST_DATA)\n", data_directory());
        return 77;
    }
    json_decref(probe);
    every_vector_matches();
    no_text_takes_long();
    return check_failures > 0;
}
