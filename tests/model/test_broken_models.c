/* Method: a tiny whole model directory written by hand; each row breaks one thing in it, as a bad
 * download or a hostile file would. Each must give a status and one line that names the file and
 * what is wrong; none may crash (run under ASan and UBSan too). The unbroken one must open. */
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "model/model_config.h"
#include "model/weights.h"
#include "tests/check.h"

enum { PATH_BYTES = 256, FILE_BYTES_MAX = 1 << 16 };

/* hidden 4, 2 heads of 2, 1 kv head, ffn 6, 1 layer, vocabulary 5, embeddings not tied */
static const char config_text[] =
    "{\"architectures\":[\"LlamaForCausalLM\"],\"hidden_size\":4,\"intermediate_size\":6,"
    "\"num_hidden_layers\":1,\"num_attention_heads\":2,\"num_key_value_heads\":1,\"vocab_size\":5,"
    "\"rms_norm_eps\":1e-5}";

static const struct {
    const char *name;
    int rows, columns; /* columns 0: a vector */
} tensors[] = {
    {"lm_head.weight", 5, 4},
    {"model.embed_tokens.weight", 5, 4},
    {"model.layers.0.input_layernorm.weight", 4, 0},
    {"model.layers.0.mlp.down_proj.weight", 4, 6},
    {"model.layers.0.mlp.gate_proj.weight", 6, 4},
    {"model.layers.0.mlp.up_proj.weight", 6, 4},
    {"model.layers.0.post_attention_layernorm.weight", 4, 0},
    {"model.layers.0.self_attn.k_proj.weight", 2, 4},
    {"model.layers.0.self_attn.o_proj.weight", 4, 4},
    {"model.layers.0.self_attn.q_proj.weight", 4, 4},
    {"model.layers.0.self_attn.v_proj.weight", 2, 4},
    {"model.norm.weight", 4, 0},
};
enum { TENSOR_COUNT = sizeof tensors / sizeof tensors[0], HALF = 6 };

static char directory[PATH_BYTES];

/* ---- writing a directory --------------------------------------------------------------------- */

static void write_file(const char *name, const char *bytes, size_t length)
{
    char path[2 * PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(bytes, 1, length, file) == length, "%s", path);
    if (file) {
        fclose(file);
    }
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

static void clear_directory(void)
{
    nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    CHECK(mkdir(directory, 0700) == 0, "mkdir %s", directory);
}

/* Replaces the first `find` in text; a `find` that is absent is a mistake of the table. */
static void replace(struct buffer *text, const char *find, const char *put)
{
    struct buffer out = {.limit_bytes = FILE_BYTES_MAX};
    char *at = find ? strstr(text->bytes, find) : NULL;
    if (!at) {
        CHECK(!find, "nothing to replace: %s", find ? find : "");
        return;
    }
    *at = '\0';
    CHECK(buffer_append_text(&out, text->bytes) == STATUS_OK, "memory");
    CHECK(buffer_append_text(&out, put) == STATUS_OK, "memory");
    CHECK(buffer_append_text(&out, at + strlen(find)) == STATUS_OK, "memory");
    buffer_destroy(text);
    *text = out;
}

/* The header of tensors first .. last, in F32, and the bytes of their data. */
static size_t write_header(struct buffer *header, size_t first, size_t last)
{
    size_t offset = 0;
    CHECK(buffer_append_text(header, "{") == STATUS_OK, "memory");
    for (size_t i = first; i < last; i++) {
        const int columns = tensors[i].columns ? tensors[i].columns : 1;
        const size_t bytes = sizeof(float) * (size_t)(tensors[i].rows * columns);
        char shape[32];
        snprintf(shape, sizeof shape, tensors[i].columns ? "%d,%d" : "%d", tensors[i].rows,
                 columns);
        CHECK(buffer_format(header,
                            "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],"
                            "\"data_offsets\":[%zu,%zu]}",
                            i > first ? "," : "", tensors[i].name, shape, offset, offset + bytes)
                  == STATUS_OK,
              "memory");
        offset += bytes;
    }
    CHECK(buffer_append_text(header, "}") == STATUS_OK, "memory");
    return offset;
}

struct edit {
    const char *find, *put;
};

/* length_as, when not 0, stands in front of the header instead of its length. */
static void write_weights(const char *name, size_t first, size_t last, struct edit edit,
                          uint64_t length_as, long extra_bytes)
{
    static const char zeros[1024];
    struct buffer header = {.limit_bytes = FILE_BYTES_MAX};
    struct buffer file = {.limit_bytes = FILE_BYTES_MAX};
    const size_t data_bytes = write_header(&header, first, last);
    replace(&header, edit.find, edit.put);
    while (header.length % 8 != 0) {
        CHECK(buffer_append_text(&header, " ") == STATUS_OK, "memory");
    }
    const uint64_t length = length_as ? length_as - 1 : header.length;
    CHECK(buffer_append(&file, (const char *)&length, sizeof length) == STATUS_OK, "memory");
    CHECK(buffer_append(&file, header.bytes, header.length) == STATUS_OK, "memory");
    CHECK(buffer_append(&file, zeros, data_bytes) == STATUS_OK, "memory");
    CHECK(buffer_append(&file, zeros, extra_bytes > 0 ? (size_t)extra_bytes : 0) == STATUS_OK,
          "memory");
    const size_t cut = extra_bytes < 0 ? (size_t)-extra_bytes : 0;
    write_file(name, file.bytes, cut < file.length ? file.length - cut : 0);
    buffer_destroy(&header);
    buffer_destroy(&file);
}

static void write_config(struct edit edit)
{
    struct buffer text = {.limit_bytes = FILE_BYTES_MAX};
    CHECK(buffer_append_text(&text, config_text) == STATUS_OK, "memory");
    replace(&text, edit.find, edit.put);
    write_file("config.json", text.bytes, text.length);
    buffer_destroy(&text);
}

static const char shard_1[] = "model-00001-of-00002.safetensors";
static const char shard_2[] = "model-00002-of-00002.safetensors";

static void write_index(struct edit edit)
{
    struct buffer text = {.limit_bytes = FILE_BYTES_MAX};
    CHECK(buffer_append_text(&text, "{\"metadata\":{},\"weight_map\":{") == STATUS_OK, "memory");
    for (size_t i = 0; i < TENSOR_COUNT; i++) {
        CHECK(buffer_format(&text, "%s\"%s\":\"%s\"", i > 0 ? "," : "", tensors[i].name,
                            i < HALF ? shard_1 : shard_2)
                  == STATUS_OK,
              "memory");
    }
    CHECK(buffer_append_text(&text, "}}") == STATUS_OK, "memory");
    replace(&text, edit.find, edit.put);
    write_file("model.safetensors.index.json", text.bytes, text.length);
    buffer_destroy(&text);
}

/* ---- what is broken -------------------------------------------------------------------------- */

enum part { CONFIG, HEADER, LENGTH, DATA, INDEX, GONE };

static const struct {
    enum part part;
    struct edit edit; /* GONE: find is the file that is missing */
    uint64_t length_as;
    long extra_bytes;
    enum status want;
    const char *says[2];
} broken[] = {
    {CONFIG, {"1e-5", "NaN"}, 0, 0, STATUS_INVALID, {"config.json", "rms_norm_eps"}},
    {CONFIG, {"1e-5", "-Infinity"}, 0, 0, STATUS_INVALID, {"config.json", "rms_norm_eps"}},
    {CONFIG, {"\"rms", "\xc3(\":1,\"rms"}, 0, 0, STATUS_INVALID, {"config.json", ""}},
    {CONFIG, {"}", ""}, 0, 0, STATUS_INVALID, {"config.json", "not valid JSON"}},
    {CONFIG, {"size\":4", "size\":8"}, 0, 0, STATUS_INVALID, {"embed_tokens", "[5, 8]"}},
    {CONFIG, {"\":6", "\":7"}, 0, 0, STATUS_INVALID, {"gate_proj", "[7, 4]"}},
    {CONFIG, {"vocab_size\":5", "vocab_size\":6"}, 0, 0, STATUS_INVALID, {"embed", "[6, 4]"}},
    {CONFIG, {"layers\":1", "layers\":2"}, 0, 0, STATUS_INVALID, {"layers.1.input", "missing"}},
    {CONFIG, {"layers\":1", "layers\":0"}, 0, 0, STATUS_INVALID, {"num_hidden_layers", "1 to"}},
    {CONFIG, {"layers\":1", "layers\":1e3"}, 0, 0, STATUS_INVALID, {"num_hidden_layers", "whole"}},
    {CONFIG, {"layers\":1", "layers\":2000000000"}, 0, 0, STATUS_INVALID, {"num_hidden", "1024"}},
    {CONFIG, {"size\":4", "size\":1048576"}, 0, 0, STATUS_INVALID, {"config.json", "head_dim"}},
    {CONFIG, {"\":6", "\":1048576"}, 0, 0, STATUS_INVALID, {"gate_proj", "1048576"}},
    {CONFIG,
     {"vocab_size\":5", "vocab_size\":1048576"},
     0,
     0,
     STATUS_INVALID,
     {"embed", "1048576"}},
    {CONFIG, {"Llama", "Lama"}, 0, 0, STATUS_UNSUPPORTED, {"architectures", "LamaForCausalLM"}},
    {CONFIG,
     {"\"rms", "\"attention_bias\":true,\"rms"},
     0,
     0,
     STATUS_INVALID,
     {"self_attn.q_proj.bias", "missing"}},
    {CONFIG,
     {"\"rms", "\"mlp_bias\":true,\"rms"},
     0,
     0,
     STATUS_INVALID,
     {"gate_proj.bias", "missing"}},
    {GONE, {"config.json", ""}, 0, 0, STATUS_NOT_FOUND, {"config.json", "no such file"}},
    {GONE, {"model.safetensors", ""}, 0, 0, STATUS_NOT_FOUND, {"model.safetensors", "neither"}},

    {HEADER, {"lm_head.weight", "lm_head.weigh"}, 0, 0, STATUS_INVALID, {"lm_head.weight", "miss"}},
    {HEADER, {"[5,4]", "[4,5]"}, 0, 0, STATUS_INVALID, {"lm_head.weight", "[4, 5]"}},
    {HEADER, {"[5,4]", "[20]"}, 0, 0, STATUS_INVALID, {"lm_head.weight", "[20]"}},
    {HEADER, {"[5,4]", "[5,4,1]"}, 0, 0, STATUS_INVALID, {"lm_head.weight", "[5, 4, 1]"}},
    {HEADER, {"\"shape\":[4]", "\"shape\":[4,1]"}, 0, 0, STATUS_INVALID, {"layernorm", "[4, 1]"}},
    {HEADER, {"[5,4]", "[5,5]"}, 0, 0, STATUS_INVALID, {"lm_head.weight", "do not match"}},
    {HEADER, {"[5,4]", "[-5,-4]"}, 0, 0, STATUS_INVALID, {"lm_head.weight", "shape"}},
    {HEADER, {"[5,4]", "[4611686018427387904,4]"}, 0, 0, STATUS_INVALID, {"lm_head", "overflows"}},
    {HEADER, {"\"F32\"", "\"I32\""}, 0, 0, STATUS_UNSUPPORTED, {"lm_head.weight", "dtype"}},
    {HEADER, {"\"F32\"", "\"Q4\""}, 0, 0, STATUS_INVALID, {"lm_head.weight", "dtype Q4"}},
    {HEADER, {"\"dtype\":\"F32\",", ""}, 0, 0, STATUS_INVALID, {"lm_head.weight", "dtype"}},
    {HEADER, {"[0,80]", "[0,8000000]"}, 0, 0, STATUS_INVALID, {"lm_head.weight", "past the end"}},
    {HEADER, {"[80,160]", "[40,120]"}, 0, 0, STATUS_INVALID, {"model.safetensors", "overlaps"}},
    {HEADER, {"[80,160]", "[0,80]"}, 0, 0, STATUS_INVALID, {"model.safetensors", "overlaps"}},
    {HEADER, {"[0,80]", "[80,0]"}, 0, 0, STATUS_INVALID, {"lm_head.weight", "end before"}},
    {HEADER, {"[0,80]", "[0,18446744073709551615]"}, 0, 0, STATUS_INVALID, {"model.safet", ""}},
    {HEADER, {"[0,80]", "[2,82]"}, 0, 0, STATUS_INVALID, {"lm_head.weight", "not aligned"}},
    {HEADER,
     {"\"F32\",\"shape\":[5,4]", "\"F16\",\"shape\":[5,8]"},
     0,
     0,
     STATUS_INVALID,
     {"lm_head.weight", "[5, 8]"}},
    {HEADER,
     {"model.embed_tokens.weight", "lm_head.weight"},
     0,
     0,
     STATUS_INVALID,
     {"model.safetensors", "duplicate"}},
    {HEADER, {"{\"lm", "[\"lm"}, 0, 0, STATUS_INVALID, {"model.safetensors", "begin with {"}},
    {HEADER, {"\"lm_head", "lm_head"}, 0, 0, STATUS_INVALID, {"model.safetensors", "JSON"}},
    {HEADER,
     {"lm_head", "lm\xff"
                 "head"},
     0,
     0,
     STATUS_INVALID,
     {"model.safetensors", "UTF-8"}},
    {HEADER, {"{\"lm", "{\"__metadata__\":7,\"lm"}, 0, 0, STATUS_INVALID, {"__metadata__", ""}},

    {LENGTH, {NULL, NULL}, 1, 0, STATUS_INVALID, {"model.safetensors", "length is 0"}},
    {LENGTH, {NULL, NULL}, 5001, 0, STATUS_INVALID, {"model.safetensors", "longer than the file"}},
    {LENGTH, {NULL, NULL}, 100000002, 0, STATUS_TOO_LARGE, {"model.safetensors", "100000000"}},
    {LENGTH, {NULL, NULL}, UINT64_MAX, 0, STATUS_TOO_LARGE, {"model.safetensors", "length"}},
    {LENGTH, {NULL, NULL}, 17, 0, STATUS_INVALID, {"model.safetensors", "JSON"}},
    {DATA, {NULL, NULL}, 0, -1, STATUS_INVALID, {"model.norm.weight", "past the end"}},
    {DATA, {NULL, NULL}, 0, -500, STATUS_INVALID, {"model.safetensors", "past the end"}},
    {DATA, {NULL, NULL}, 0, -700, STATUS_INVALID, {"model.safetensors", "truncated"}},
    {DATA, {NULL, NULL}, 0, -FILE_BYTES_MAX, STATUS_INVALID, {"model.safetensors", "empty"}},
    {DATA, {NULL, NULL}, 0, 8, STATUS_INVALID, {"model.safetensors", "after the last"}},

    {INDEX, {"}}", "}"}, 0, 0, STATUS_INVALID, {"index.json", "not valid JSON"}},
    {INDEX, {"weight_map", "weights"}, 0, 0, STATUS_INVALID, {"index.json", "weight_map"}},
    {INDEX, {"00001-of", "00009-of"}, 0, 0, STATUS_NOT_FOUND, {"00009-of-00002", "no such file"}},
    {INDEX, {"\"model-00001", "\"../model-00001"}, 0, 0, STATUS_INVALID, {"index.json", "lm_head"}},
    {INDEX, {"\"model-00001", "\"/etc/model-00001"}, 0, 0, STATUS_INVALID, {"index", "lm_head"}},
    {INDEX,
     {"\"model-00001-of-00002.safetensors\"", "\"config.json\""},
     0,
     0,
     STATUS_INVALID,
     {"index.json", "lm_head"}},
    {INDEX, {"\"model-00001-of-00002.safetensors\"", "1"}, 0, 0, STATUS_INVALID, {"index", "lm_"}},
    {INDEX, {"00001-of", "00002-of"}, 0, 0, STATUS_INVALID, {"lm_head.weight", "not in its shard"}},
    {INDEX,
     {"\"lm_head.weight\"", "\"lm_foot.weight\""},
     0,
     0,
     STATUS_INVALID,
     {"lm_foot.weight", "not in its shard"}},
    {GONE,
     {"model-00002-of-00002.safetensors", ""},
     0,
     0,
     STATUS_NOT_FOUND,
     {"model-00002-of-00002", "no such file"}},
};
enum { BROKEN_COUNT = sizeof broken / sizeof broken[0] };

static void write_directory(size_t row)
{
    static const struct edit none = {NULL, NULL};
    const enum part part = row < BROKEN_COUNT ? broken[row].part : CONFIG;
    const struct edit edit = row < BROKEN_COUNT ? broken[row].edit : none;
    const bool is_sharded = part == INDEX || (part == GONE && strstr(edit.find, "-of-"));
    clear_directory();
    write_config(part == CONFIG ? edit : none);
    if (is_sharded) {
        write_weights(shard_1, 0, HALF, none, 0, 0);
        write_weights(shard_2, HALF, TENSOR_COUNT, none, 0, 0);
        write_index(part == INDEX ? edit : none);
    } else {
        write_weights("model.safetensors", 0, TENSOR_COUNT, part == HEADER ? edit : none,
                      row < BROKEN_COUNT ? broken[row].length_as : 0,
                      row < BROKEN_COUNT ? broken[row].extra_bytes : 0);
    }
    if (part == GONE) {
        char path[2 * PATH_BYTES];
        snprintf(path, sizeof path, "%s/%s", directory, edit.find);
        CHECK(remove(path) == 0, "%s", path);
    }
}

static enum status open_model(struct failure *failure)
{
    struct model_config config;
    struct weights *weights = NULL;
    enum status status = model_config_read(directory, &config, failure);
    if (status == STATUS_OK) {
        status = weights_open(directory, &config, &weights, failure);
    }
    weights_close(weights);
    return status;
}

static void every_broken_directory_is_named(void)
{
    for (size_t i = 0; i < BROKEN_COUNT; i++) {
        struct failure failure = {""};
        write_directory(i);
        const enum status got = open_model(&failure);
        CHECK(got == broken[i].want, "case %zu: %s: %s", i, status_name(got), failure.text);
        CHECK(strstr(failure.text, broken[i].says[0]) && strstr(failure.text, broken[i].says[1]),
              "case %zu: %s", i, failure.text);
        CHECK(strstr(failure.text, "json") || strstr(failure.text, "safetensors"),
              "case %zu names no file: %s", i, failure.text);
    }
    printf("%d broken directories refused\n", (int)BROKEN_COUNT);
}

static void the_unbroken_one_opens(void)
{
    struct failure failure = {""};
    write_directory(BROKEN_COUNT);
    CHECK(open_model(&failure) == STATUS_OK, "%s", failure.text);
    write_weights(shard_1, 0, HALF, (struct edit){NULL, NULL}, 0, 0);
    write_weights(shard_2, HALF, TENSOR_COUNT, (struct edit){NULL, NULL}, 0, 0);
    write_index((struct edit){NULL, NULL});
    char path[2 * PATH_BYTES];
    snprintf(path, sizeof path, "%s/model.safetensors", directory);
    CHECK(remove(path) == 0, "%s", path);
    CHECK(open_model(&failure) == STATUS_OK, "sharded: %s", failure.text);
    CHECK(mkdir(path, 0700) == 0 && open_model(&failure) == STATUS_INVALID, "a folder");
    CHECK(strstr(failure.text, "not a regular file"), "%s", failure.text);
}

int main(void)
{
    snprintf(directory, sizeof directory, "/tmp/ward-broken-XXXXXX");
    if (!mkdtemp(directory)) {
        perror(directory);
        return 1;
    }
    the_unbroken_one_opens();
    every_broken_directory_is_named();
    nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return check_failures > 0;
}
