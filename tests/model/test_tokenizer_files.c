/* Method: a small good tokenizer.json with one part exchanged at a time: each bad one gives its
 * status and one line that names the part. Then what tokenizer_config.json adds, and patterns that
 * would run for ever. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "model/tokenizer/tokenizer.h"
#include "tests/check.h"

enum { JSON_BYTES = 8192, IDS_MAX = 64 };

#define VOCAB  "{\"<s>\":0,\"a\":1,\"b\":2,\"ab\":3,\"</s>\":4}"
#define MERGES "[\"a b\"]"
#define SPLIT  ",\"pre_tokenizer\":{\"type\":\"Split\",\"behavior\":\"Isolated\",\"pattern\":"

/* model is put behind vocab and merges, parts behind the model. */
static const struct {
    const char *vocab, *merges, *model, *parts;
    enum status want;
    const char *names;
} cases[] = {
    {VOCAB, MERGES, "", "", STATUS_OK, ""},
    {VOCAB, "[[\"a\",\"b\"]]", ",\"type\":\"BPE\",\"dropout\":null", "", STATUS_OK, ""},
    {VOCAB, MERGES, ",\"type\":\"Unigram\"", "", STATUS_UNSUPPORTED, "Unigram"},
    {"[[\"a\",0.5]]", "null", ",\"type\":\"Unigram\"", "", STATUS_UNSUPPORTED, "Unigram"},
    {VOCAB, MERGES, ",\"dropout\":0.1", "", STATUS_INVALID, "dropout"},
    {VOCAB, MERGES, ",\"end_of_word_suffix\":\"</w>\"", "", STATUS_UNSUPPORTED, "end_of_word"},
    {VOCAB, MERGES, ",\"continuing_subword_prefix\":\"##\"", "", STATUS_UNSUPPORTED, "continuing"},
    {VOCAB, MERGES, ",\"unk_token\":\"<unk>\"", "", STATUS_INVALID, "unk_token"},
    {VOCAB, MERGES, ",\"byte_fallback\":1", "", STATUS_INVALID, "byte_fallback"},
    {"[]", MERGES, "", "", STATUS_INVALID, "vocab"},
    {"{}", "[]", "", "", STATUS_INVALID, "vocab"},
    {"{\"a\":-1}", "[]", "", "", STATUS_INVALID, "vocab"},
    {"{\"a\":1048576}", "[]", "", "", STATUS_INVALID, "1048575"},
    {"{\"a\":1.5}", "[]", "", "", STATUS_INVALID, "vocab"},
    {"{\"a\":\"1\"}", "[]", "", "", STATUS_INVALID, "vocab"},
    {"{\"a\":99999999999999999999}", "[]", "", "", STATUS_INVALID, "vocab"},
    {"{\"a\":0,\"b\":0}", "[]", "", "", STATUS_INVALID, "twice"},
    {"{\"a\":0,\"a\":1}", "[]", "", "", STATUS_INVALID, "duplicate"},
    {VOCAB, "{}", "", "", STATUS_INVALID, "merges"},
    {VOCAB, "null", "", "", STATUS_INVALID, "merges"},
    {VOCAB, "[\"a c\"]", "", "", STATUS_INVALID, "merges[0]"},
    {VOCAB, "[\"a b\",\"b a\"]", "", "", STATUS_INVALID, "merges[1]"},
    {VOCAB, "[\"ab\"]", "", "", STATUS_INVALID, "merges[0]"},
    {VOCAB, "[7]", "", "", STATUS_INVALID, "merges[0]"},
    {VOCAB, "[[\"a\"]]", "", "", STATUS_INVALID, "merges[0]"},
    {VOCAB, "[[\"a\",3]]", "", "", STATUS_INVALID, "merges[0]"},
    {"{\"\":0,\"a\":1}", "[[\"\",\"a\"],[\"a\",\"\"],[\"\",\"\"]]", "", "", STATUS_OK, ""},
    {VOCAB, MERGES, "", ",\"added_tokens\":{}", STATUS_INVALID, "added_tokens"},
    {VOCAB, MERGES, "", ",\"added_tokens\":[7]", STATUS_INVALID, "added_tokens"},
    {VOCAB, MERGES, "", ",\"added_tokens\":[{\"id\":1,\"content\":\"x\"}]", STATUS_INVALID,
     "\"x\""},
    {VOCAB, MERGES, "", ",\"added_tokens\":[{\"id\":9,\"content\":\"a\"}]", STATUS_INVALID,
     "\"a\""},
    {VOCAB, MERGES, "", ",\"added_tokens\":[{\"id\":-9,\"content\":\"x\"}]", STATUS_INVALID,
     "\"x\""},
    {VOCAB, MERGES, "", ",\"added_tokens\":[{\"id\":9,\"content\":\"x\",\"lstrip\":3}]",
     STATUS_INVALID, "lstrip"},
    {VOCAB, MERGES, "", ",\"added_tokens\":[{\"id\":1048575,\"content\":\"x\"}]", STATUS_OK, ""},
    {VOCAB, MERGES, "", ",\"normalizer\":{\"type\":\"BertNormalizer\"}", STATUS_UNSUPPORTED,
     "normalizer: the type \"BertNormalizer\""},
    {VOCAB, MERGES, "", ",\"normalizer\":{}", STATUS_INVALID, "normalizer: type"},
    {VOCAB, MERGES, "", ",\"normalizer\":{\"type\":\"Sequence\"}", STATUS_INVALID, "normalizers"},
    {VOCAB, MERGES, "", ",\"normalizer\":{\"type\":\"Prepend\"}", STATUS_INVALID, "prepend"},
    {VOCAB, MERGES, "", ",\"normalizer\":{\"type\":\"Replace\",\"content\":\"\"}", STATUS_INVALID,
     "pattern"},
    {VOCAB, MERGES, "", ",\"pre_tokenizer\":{\"type\":\"Whitespace\"}", STATUS_UNSUPPORTED,
     "\"Whitespace\""},
    {VOCAB, MERGES, "", ",\"pre_tokenizer\":7", STATUS_INVALID, "pre_tokenizer: type"},
    {VOCAB, MERGES, "", SPLIT "{\"Regex\":\"(\"}}", STATUS_INVALID, "does not compile"},
    {VOCAB, MERGES, "", SPLIT "{\"Regex\":\"a*\"}}", STATUS_UNSUPPORTED, "empty"},
    {VOCAB, MERGES, "", SPLIT "{\"Regex\":\"[a&&b]\"}}", STATUS_UNSUPPORTED, "set operations"},
    {VOCAB, MERGES, "", SPLIT "{\"Regex\":\"[a[bc]]\"}}", STATUS_UNSUPPORTED, "set operations"},
    {VOCAB, MERGES, "", SPLIT "{\"Regex\":\"[\"}}", STATUS_INVALID, "does not compile"},
    {VOCAB, MERGES, "", SPLIT "{\"Regex\":\"\\\\\"}}", STATUS_INVALID, "does not compile"},
    {VOCAB, MERGES, "", SPLIT "{\"Regex\":\"(((a{1,60000}){1,60000}){9,60000})\"}}", STATUS_INVALID,
     "too large"},
    {VOCAB, MERGES, "", SPLIT "{\"String\":\"\"}}", STATUS_INVALID, "pattern"},
    {VOCAB, MERGES, "", SPLIT "7}", STATUS_INVALID, "pattern"},
    {VOCAB, MERGES, "", ",\"pre_tokenizer\":{\"type\":\"Split\",\"behavior\":\"Odd\"}",
     STATUS_INVALID, "Odd"},
    {VOCAB, MERGES, "", ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"ab\"}",
     STATUS_INVALID, "replacement"},
    {VOCAB, MERGES, "", ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"prepend_scheme\":\"x\"}",
     STATUS_INVALID, "prepend_scheme"},
    {VOCAB, MERGES, "", ",\"decoder\":{\"type\":\"CTC\"}", STATUS_UNSUPPORTED, "decoder: the type"},
    {VOCAB, MERGES, "",
     ",\"decoder\":{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":1}",
     STATUS_UNSUPPORTED, "Strip"},
    {VOCAB, MERGES, "", ",\"decoder\":{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"}}",
     STATUS_INVALID, "content"},
    {VOCAB, MERGES, "",
     ",\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Fuse\"},{\"type\":"
     "\"ByteLevel\"}]}",
     STATUS_UNSUPPORTED, "ByteLevel after Fuse"},
    {VOCAB, MERGES, "", ",\"post_processor\":{\"type\":\"BertProcessing\"}", STATUS_UNSUPPORTED,
     "BertProcessing"},
    {VOCAB, MERGES, "", ",\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[]}",
     STATUS_INVALID, "Sequence A"},
    {VOCAB, MERGES, "",
     ",\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":"
     "\"<s>\"}},{\"Sequence\":{\"id\":\"A\"}}],\"special_tokens\":{\"<s>\":{\"ids\":[77]}}}",
     STATUS_INVALID, "post_processor: an id of \"<s>\""},
};

static void every_bad_file_is_refused_by_name(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[JSON_BYTES];
        const int length =
            snprintf(json, sizeof json, "{\"model\":{\"vocab\":%s,\"merges\":%s%s}%s}",
                     cases[i].vocab, cases[i].merges, cases[i].model, cases[i].parts);
        struct tokenizer *tokenizer = NULL;
        struct failure failure = {""};
        const enum status status = tokenizer_parse(json, (size_t)length, &tokenizer, &failure);
        CHECK(status == cases[i].want, "case %zu: %s: %s", i, status_name(status), failure.text);
        CHECK(status == STATUS_OK
                  || (strstr(failure.text, cases[i].names)
                      && strncmp(failure.text, "tokenizer.json: ", 16) == 0),
              "case %zu: \"%s\" does not name \"%s\"", i, failure.text, cases[i].names);
        tokenizer_destroy(tokenizer);
    }
}

static void every_cut_of_a_good_file_is_refused(void)
{
    static const char json[] =
        "{\"model\":{\"vocab\":" VOCAB ",\"merges\":" MERGES "},\"added_tokens\":[{\"id\":9,"
        "\"content\":\"x\"}]" SPLIT "{\"Regex\":\"a+|b\"}},\"decoder\":{\"type\":\"ByteLevel\"}}";
    struct tokenizer *tokenizer = NULL;
    struct failure failure;
    for (size_t length = 0; length < sizeof json - 1; length++) {
        const enum status status = tokenizer_parse(json, length, &tokenizer, &failure);
        CHECK(status == STATUS_INVALID, "%zu bytes: %s", length, status_name(status));
    }
    CHECK(tokenizer_parse(json, sizeof json - 1, &tokenizer, &failure) == STATUS_OK, "%s",
          failure.text);
    tokenizer_destroy(tokenizer);
}

static void deep_nesting_and_bad_utf8_are_refused(void)
{
    enum { DEPTH = 200000 };
    struct tokenizer *tokenizer = NULL;
    struct failure failure;
    char *deep = malloc(DEPTH + 16);
    memcpy(deep, "{\"model\":", 9);
    memset(deep + 9, '[', DEPTH);
    CHECK(tokenizer_parse(deep, DEPTH + 9, &tokenizer, &failure) == STATUS_INVALID, "deep");
    free(deep);
    static const char bad[] = "{\"model\":{\"vocab\":{\"\xff\":0},\"merges\":[]}}";
    CHECK(tokenizer_parse(bad, sizeof bad - 1, &tokenizer, &failure) == STATUS_INVALID,
          "bad UTF-8");
    CHECK(strncmp(failure.text, "tokenizer.json: line 1", 22) == 0, "%s", failure.text);
}

/* A token is at most TOKENIZER_PIECE_BYTES_MAX long, as the file has it and as a stream may show
 * it: each byte of a token of "\xc4\x80"s, the sign of byte 0, is one byte; of "\xc4\xa2"s, the
 * sign of byte 0x80, a U+FFFD. */
static void long_tokens_are_refused(void)
{
    static const struct {
        const char *sign;
        int count;
        enum status want;
    } tokens[] = {{"a", TOKENIZER_PIECE_BYTES_MAX, STATUS_OK},
                  {"a", TOKENIZER_PIECE_BYTES_MAX + 1, STATUS_INVALID},
                  {"\xc4\x80", TOKENIZER_PIECE_BYTES_MAX / 2, STATUS_OK},
                  {"\xc4\xa2", TOKENIZER_PIECE_BYTES_MAX / 3, STATUS_OK},
                  {"\xc4\xa2", TOKENIZER_PIECE_BYTES_MAX / 3 + 1, STATUS_TOO_LARGE}};
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        struct buffer json = {.limit_bytes = JSON_BYTES};
        struct tokenizer *tokenizer = NULL;
        struct failure failure = {""};
        CHECK(buffer_append_text(&json, "{\"model\":{\"vocab\":{\"") == STATUS_OK, "append");
        for (int n = 0; n < tokens[i].count; n++) {
            CHECK(buffer_append_text(&json, tokens[i].sign) == STATUS_OK, "append");
        }
        CHECK(
            buffer_append_text(&json, "\":0},\"merges\":[]},\"decoder\":{\"type\":\"ByteLevel\"}}")
                == STATUS_OK,
            "append");
        const enum status status = tokenizer_parse(json.bytes, json.length, &tokenizer, &failure);
        CHECK(status == tokens[i].want, "token %zu: %s: %s", i, status_name(status), failure.text);
        tokenizer_destroy(tokenizer);
        buffer_destroy(&json);
    }
}

/* ---- patterns that would run for ever ------------------------------------------------------- */

static void a_search_has_a_limit(void)
{
    enum { LENGTH = 20000 };
    static const char *const patterns[] = {"(a+)+[cd]", "(a|aa)+[cd]", "(?:a*)*b|(x+x+)+y",
                                           "((a?){9}){9}[bc]|(?:a|a?)+[xy]"};
    static char text[LENGTH];
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        char json[JSON_BYTES];
        const int length = snprintf(json, sizeof json,
                                    "{\"model\":{\"vocab\":" VOCAB ",\"merges\":" MERGES "}" SPLIT
                                    "{\"Regex\":\"%s\"}}}",
                                    patterns[i]);
        struct tokenizer *tokenizer = NULL;
        struct failure failure = {""};
        CHECK(tokenizer_parse(json, (size_t)length, &tokenizer, &failure) == STATUS_OK, "%s",
              failure.text);
        const struct tokenizer_input input = {text, sizeof text, NULL, false};
        static uint32_t ids[LENGTH];
        size_t count = 1;
        const uint64_t start_ns = clock_monotonic_ns();
        const enum status status =
            tokenizer ? tokenizer_encode(tokenizer, &input, ids, LENGTH, &count) : STATUS_INVALID;
        const uint64_t took_ms = (clock_monotonic_ns() - start_ns) / 1000000;
        CHECK(status == STATUS_TOO_LARGE && count == 0, "%s: %s", patterns[i], status_name(status));
        CHECK(took_ms < 10000, "%s: %lu ms", patterns[i], (unsigned long)took_ms);
        tokenizer_destroy(tokenizer);
    }
}

/* ---- tokenizer_config.json ------------------------------------------------------------------ */

static const struct {
    const char *config; /* NULL: no such file */
    enum status want;
    const char *bos, *eos;
    uint32_t ids[4]; /* of "ab" with what is added */
    size_t id_count;
} configs[] = {
    {NULL, STATUS_OK, "", "", {3}, 1},
    {"{}", STATUS_OK, "", "", {3}, 1},
    {"{\"bos_token\":\"<s>\",\"eos_token\":null}", STATUS_OK, "<s>", "", {3}, 1},
    {"{\"bos_token\":\"<s>\",\"add_bos_token\":true}", STATUS_OK, "<s>", "", {0, 3}, 2},
    {"{\"bos_token\":{\"content\":\"<s>\"},\"eos_token\":{\"content\":\"</s>\"},"
     "\"add_bos_token\":true,\"add_eos_token\":true,"
     "\"model_max_length\":1000000000000000019884624838656}",
     STATUS_OK,
     "<s>",
     "</s>",
     {0, 3, 4},
     3},
    {"{\"add_bos_token\":null,\"add_eos_token\":false}", STATUS_OK, "", "", {3}, 1},
    {"{\"add_bos_token\":true}", STATUS_INVALID, "", "", {0}, 0},
    {"{\"bos_token\":\"<none>\",\"add_bos_token\":true}", STATUS_INVALID, "", "", {0}, 0},
    {"{\"bos_token\":", STATUS_INVALID, "", "", {0}, 0},
};

static void write_file(const char *directory, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    unlink(path);
    FILE *file = text ? fopen(path, "wbe") : NULL;
    if (file) {
        fputs(text, file);
        fclose(file);
    }
}

static void check_config(const char *directory, size_t i)
{
    struct tokenizer *tokenizer = NULL;
    struct failure failure = {""};
    write_file(directory, "tokenizer_config.json", configs[i].config);
    const enum status status = tokenizer_load(directory, &tokenizer, &failure);
    CHECK(status == configs[i].want, "config %zu: %s: %s", i, status_name(status), failure.text);
    if (status != STATUS_OK) {
        return;
    }
    uint32_t ids[IDS_MAX];
    size_t count = 0;
    const struct tokenizer_input input = {"ab", 2, NULL, true};
    CHECK(tokenizer_encode(tokenizer, &input, ids, IDS_MAX, &count) == STATUS_OK, "config %zu", i);
    CHECK(count == configs[i].id_count && memcmp(ids, configs[i].ids, count * sizeof ids[0]) == 0,
          "config %zu: %zu ids", i, count);
    CHECK(strcmp(tokenizer_bos_text(tokenizer), configs[i].bos) == 0, "config %zu", i);
    CHECK(strcmp(tokenizer_eos_text(tokenizer), configs[i].eos) == 0, "config %zu", i);
    CHECK(tokenizer_is_special(tokenizer, 0) == (configs[i].bos[0] != '\0'), "config %zu", i);
    tokenizer_destroy(tokenizer);
}

static void the_config_names_bos_and_eos(void)
{
    char directory[] = "/tmp/ward-test-XXXXXX";
    struct tokenizer *tokenizer = NULL;
    struct failure failure;
    CHECK(mkdtemp(directory), "no directory");
    CHECK(tokenizer_load(directory, &tokenizer, &failure) == STATUS_NOT_FOUND, "empty directory");
    CHECK(strstr(failure.text, "tokenizer.json"), "%s", failure.text);
    write_file(directory, "tokenizer.json",
               "{\"model\":{\"vocab\":" VOCAB ",\"merges\":" MERGES "}}");
    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
        check_config(directory, i);
    }
    write_file(directory, "tokenizer_config.json", NULL);
    write_file(directory, "tokenizer.json", NULL);
    rmdir(directory);
}

CHECK_MAIN(every_bad_file_is_refused_by_name, every_cut_of_a_good_file_is_refused,
           deep_nesting_and_bad_utf8_are_refused, long_tokens_are_refused, a_search_has_a_limit,
           the_config_names_bos_and_eos)
