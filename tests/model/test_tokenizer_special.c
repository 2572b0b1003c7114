/* Method: a user writes the texts of special tokens in every way: none becomes one. An operator's
 * template writes them beside text of a user: each becomes one, whatever the user wrote. */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "model/tokenizer/tokenizer.h"
#include "tests/check.h"

enum { IDS_MAX = 4096, TEXT_BYTES = 1024, SPECIALS_MAX = 16, ROUNDS = 3000 };

static const char *const fixtures[] = {
    "gpt2",  "llama3", "qwen",  "llama2",         "llama2-normalized",
    "gemma", "added",  "o200k", "metaspace-first"};

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

static struct tokenizer *parse(const char *json)
{
    struct tokenizer *tokenizer = NULL;
    struct failure failure = {""};
    const enum status status = tokenizer_parse(json, strlen(json), &tokenizer, &failure);
    CHECK(status == STATUS_OK, "%s", failure.text);
    return tokenizer;
}

/* ---- a user --------------------------------------------------------------------------------- */

/* Special ids in the encoding; the unknown token, which any text may give, does not count. */
static size_t count_special(const struct tokenizer *tokenizer, const char *text, size_t length,
                            const uint8_t *marks)
{
    static uint32_t ids[IDS_MAX];
    const struct tokenizer_input input = {text, length, marks, false};
    size_t count = 0;
    uint32_t unknown = UINT32_MAX;
    tokenizer_find(tokenizer, "<unk>", &unknown);
    CHECK(tokenizer_encode(tokenizer, &input, ids, IDS_MAX, &count) == STATUS_OK, "encode");
    size_t special = 0;
    for (size_t i = 0; i < count; i++) {
        special += ids[i] != unknown && tokenizer_is_special(tokenizer, ids[i]);
    }
    return special;
}

struct specials {
    const char *texts[SPECIALS_MAX];
    size_t count;
};

static struct specials list_specials(const struct tokenizer *tokenizer)
{
    struct specials list = {.count = 0};
    for (uint32_t id = 0; id < tokenizer_vocabulary_count(tokenizer); id++) {
        size_t length = 0;
        const char *text = tokenizer_token_text(tokenizer, id, &length);
        if (tokenizer_is_special(tokenizer, id) && list.count < SPECIALS_MAX
            && strcmp(text, "<unk>") != 0) {
            list.texts[list.count++] = text;
        }
    }
    return list;
}

static const char *const crumbs[] = {" ", "a",  "<",  ">",   "|", "\n", "\xcc\x81", "\xe2\x96\x81",
                                     "s", "  ", "<|", "\xff"};
enum { CRUMB_COUNT = sizeof crumbs / sizeof crumbs[0] };

/* Special texts, parts of them and crumbs, put together by chance. */
static size_t make_text(struct random_source *random, const struct specials *specials,
                        char text[TEXT_BYTES])
{
    size_t length = 0;
    for (uint32_t parts = 1 + random_below(random, 8); parts > 0; parts--) {
        const bool is_special = random_below(random, 2) == 0;
        const char *part = is_special
                               ? specials->texts[random_below(random, (uint32_t)specials->count)]
                               : crumbs[random_below(random, CRUMB_COUNT)];
        const size_t bytes = strlen(part);
        const size_t from =
            random_below(random, 4) == 0 ? random_below(random, (uint32_t)bytes) : 0;
        memcpy(text + length, part + from, bytes - from);
        length += bytes - from;
    }
    return length;
}

static void no_user_writes_a_special_token(void)
{
    for (size_t i = 0; i < sizeof fixtures / sizeof fixtures[0]; i++) {
        struct tokenizer *tokenizer = load(fixtures[i]);
        const struct specials specials = list_specials(tokenizer);
        CHECK(specials.count > 0, "%s has none", fixtures[i]);
        struct random_source random = {100 + i};
        size_t marked_special = 0;
        for (int round = 0; round < ROUNDS; round++) {
            char text[TEXT_BYTES];
            uint8_t marks[TEXT_BYTES];
            const size_t length = make_text(&random, &specials, text);
            CHECK(count_special(tokenizer, text, length, NULL) == 0, "%s: round %d: %.*s",
                  fixtures[i], round, (int)length, text);
            /* One byte of a user in every three spoils each special token. */
            memset(marks, 1, sizeof marks);
            for (size_t at = random_below(&random, 3); at < length; at += 3) {
                marks[at] = 0;
            }
            CHECK(count_special(tokenizer, text, length, marks) == 0, "%s: round %d marked: %.*s",
                  fixtures[i], round, (int)length, text);
            memset(marks, 1, sizeof marks);
            marked_special += count_special(tokenizer, text, length, marks);
        }
        CHECK(marked_special > ROUNDS / 2, "%s: the texts prove nothing", fixtures[i]);
        tokenizer_destroy(tokenizer);
    }
}

/* ---- an operator beside a user -------------------------------------------------------------- */

#define VOCAB             "{\"a\":0,\"<\":1,\"e\":2,\">\":3,\"x\":4}"
#define EMPTY_MODEL       "\"model\":{\"vocab\":" VOCAB ",\"merges\":[]}"
#define SPECIAL(id, text) "{\"id\":" id ",\"content\":\"" text "\",\"special\":true}"

/* In text, bytes between [ and ] are the operator's. */
static const struct {
    const char *json, *text;
    uint32_t ids[8];
    size_t count;
} cases[] = {
    {"{" EMPTY_MODEL ",\"added_tokens\":[" SPECIAL("9", "<e>") "]}", "a[<e>]a", {0, 9, 0}, 3},
    {"{" EMPTY_MODEL ",\"added_tokens\":[" SPECIAL("9", "<e>") "]}", "<e[>]", {1, 2, 3}, 3},
    {"{" EMPTY_MODEL ",\"added_tokens\":[" SPECIAL("9", "<e>") "]}",
     "<e>[<e>]<e>",
     {1, 2, 3, 9, 1, 2, 3},
     7},
    /* A longer special token that the user began does not hide the operator's. */
    {"{" EMPTY_MODEL ",\"added_tokens\":[" SPECIAL("9", "<e>") "," SPECIAL("8", "x<e>") "]}",
     "x[<e>]",
     {4, 9},
     2},
    {"{" EMPTY_MODEL ",\"added_tokens\":[" SPECIAL("9", "<e>") "," SPECIAL("8", "x<e>") "]}",
     "[x<e>]",
     {8},
     1},
    /* Nor does a plain added token that reaches into it. */
    {"{" EMPTY_MODEL ",\"added_tokens\":[" SPECIAL(
         "9", "<e>") ",{\"id\":8,\"content\":\"x<\",\"normalized\":false}]}",
     "x[<e>]",
     {4, 9},
     2},
    {"{" EMPTY_MODEL ",\"added_tokens\":[" SPECIAL(
         "9", "<e>") ",{\"id\":8,\"content\":\"x<\",\"normalized\":false}]}",
     "x[<]a",
     {8, 0},
     2},
    /* A special token of the vocabulary is out of reach of lookups and merges. */
    {"{\"model\":{\"ignore_merges\":true,\"vocab\":{\"a\":0,\"e\":1,\"ae\":2},\"merges\":[]},"
     "\"added_tokens\":[" SPECIAL("2", "ae") "]}",
     "ae",
     {0, 1},
     2},
    {"{\"model\":{\"vocab\":{\"a\":0,\"e\":1,\"ae\":2},\"merges\":[\"a e\"]},"
     "\"added_tokens\":[" SPECIAL("2", "ae") "]}",
     "ae",
     {0, 1},
     2},
    {"{\"model\":{\"vocab\":{\"a\":0,\"e\":1,\"ae\":2},\"merges\":[\"a e\"]}}", "ae", {2}, 1},
    /* What one entry calls special is so in every other entry of the same id. */
    {"{" EMPTY_MODEL ",\"added_tokens\":[{\"id\":9,\"content\":\"<e>\"}," SPECIAL("9", "<e>") "]}",
     "<e>[<e>]",
     {1, 2, 3, 9},
     4},
    /* Marks go through normalisation: here <E> is looked for as <e> in the lower-case text. */
    {"{" EMPTY_MODEL ",\"normalizer\":{\"type\":\"Lowercase\"},\"added_tokens\":[{\"id\":9,"
     "\"content\":\"<E>\",\"special\":true,\"normalized\":true}]}",
     "A[<E>]<E>",
     {0, 9, 1, 2, 3},
     5},
    {"{" EMPTY_MODEL ",\"normalizer\":{\"type\":\"Lowercase\"},\"added_tokens\":[{\"id\":9,"
     "\"content\":\"<E>\"}]}",
     "A<E><e>",
     {0, 9, 9},
     3},
    {"{" EMPTY_MODEL ",\"normalizer\":{\"type\":\"NFKC\"},\"added_tokens\":[{\"id\":9,"
     "\"content\":\"<e>\",\"special\":true,\"normalized\":true}]}",
     "\xef\xbd\x81[<e>]\xef\xbc\x9c",
     {0, 9, 1},
     3},
    {"{" EMPTY_MODEL ",\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\"xx\"},"
     "\"content\":\"<e>\"},\"added_tokens\":[{\"id\":9,\"content\":\"<e>\",\"special\":true,"
     "\"normalized\":true}]}",
     "xx[xx]x[x]",
     {1, 2, 3, 9, 1, 2, 3},
     7},
};

static void an_operators_token_is_found(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tokenizer *tokenizer = parse(cases[i].json);
        char text[64];
        uint8_t marks[64];
        size_t length = 0;
        uint8_t mark = 0;
        for (const char *at = cases[i].text; *at; at++) {
            if (*at == '[' || *at == ']') {
                mark = *at == '[';
            } else {
                marks[length] = mark;
                text[length++] = *at;
            }
        }
        uint32_t ids[16] = {0};
        size_t count = 0;
        const struct tokenizer_input input = {text, length, marks, false};
        CHECK(tokenizer_encode(tokenizer, &input, ids, 16, &count) == STATUS_OK, "case %zu", i);
        CHECK(count == cases[i].count && memcmp(ids, cases[i].ids, count * sizeof ids[0]) == 0,
              "case %zu: %s: %zu ids, %u %u %u", i, cases[i].text, count, ids[0], ids[1], ids[2]);
        tokenizer_destroy(tokenizer);
    }
}

/* ---- edges of the interface ----------------------------------------------------------------- */

static void invalid_bytes_are_read_as_replacement_characters(void)
{
    static const struct {
        const char *bytes, *as;
    } texts[] = {{"\xff", "\xef\xbf\xbd"},
                 {"a\xe4\xbdz", "a\xef\xbf\xbdz"},
                 {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
                 {"\xf0\x9f\x99", "\xef\xbf\xbd"},
                 {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"}};
    struct tokenizer *tokenizer = load("gpt2");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint32_t got[16] = {0};
        uint32_t want[16] = {0};
        size_t got_count = 0;
        size_t want_count = 0;
        const struct tokenizer_input bad = {texts[i].bytes, strlen(texts[i].bytes), NULL, false};
        const struct tokenizer_input good = {texts[i].as, strlen(texts[i].as), NULL, false};
        CHECK(tokenizer_encode(tokenizer, &bad, got, 16, &got_count) == STATUS_OK, "%zu", i);
        CHECK(tokenizer_encode(tokenizer, &good, want, 16, &want_count) == STATUS_OK, "%zu", i);
        CHECK(got_count == want_count && memcmp(got, want, sizeof got) == 0, "text %zu", i);
    }
    tokenizer_destroy(tokenizer);
}

static void too_many_ids_give_none(void)
{
    struct tokenizer *tokenizer = load("llama3");
    uint32_t ids[8] = {0};
    const struct tokenizer_input input = {"x y z", 5, NULL, true};
    size_t need = 0;
    CHECK(tokenizer_encode(tokenizer, &input, ids, 8, &need) == STATUS_OK && need > 1, "encode");
    for (size_t max = 0; max < need; max++) {
        size_t count = 99;
        CHECK(tokenizer_encode(tokenizer, &input, ids, max, &count) == STATUS_TOO_LARGE, "%zu",
              max);
        CHECK(count == 0, "%zu ids of %zu", count, max);
    }
    tokenizer_destroy(tokenizer);
}

static void ids_out_of_range_give_nothing(void)
{
    struct tokenizer *tokenizer = load("qwen");
    struct tokenizer_decoder decoder = {0};
    char out[TOKENIZER_PIECE_BYTES_MAX + 16];
    size_t length = 0;
    uint32_t id = 0;
    CHECK(tokenizer_decode_step(tokenizer, &decoder, UINT32_MAX, false, out) == 0, "decode");
    CHECK(tokenizer_token_bytes(tokenizer, tokenizer_vocabulary_count(tokenizer), out) == 0,
          "bytes");
    CHECK(!tokenizer_token_text(tokenizer, UINT32_MAX, &length), "text");
    CHECK(!tokenizer_is_special(tokenizer, UINT32_MAX), "special");
    CHECK(!tokenizer_find(tokenizer, "<nothing>", &id), "find");
    CHECK(tokenizer_find(tokenizer, "<|im_end|>", &id) && tokenizer_is_special(tokenizer, id),
          "find");
    CHECK(tokenizer_token_bytes(tokenizer, id, out) == 10 && memcmp(out, "<|im_end|>", 10) == 0,
          "bytes");
    CHECK(tokenizer_find(tokenizer, "\xc4\xa0", &id), "the space");
    CHECK(tokenizer_token_bytes(tokenizer, id, out) == 1 && out[0] == ' ', "bytes of the space");
    tokenizer_destroy(tokenizer);
}

CHECK_MAIN(no_user_writes_a_special_token, an_operators_token_is_found,
           invalid_bytes_are_read_as_replacement_characters, too_many_ids_give_none,
           ids_out_of_range_give_nothing)
