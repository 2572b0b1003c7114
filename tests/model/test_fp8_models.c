/* Method: fp8 fixtures of each form (their logits are test_forward's). Every element of an expanded
 * matrix against stored * scale by the definition of the form; then copies of a fixture with one
 * thing wrong, each refused with a line that names it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "model/files/weight_files.h"
#include "model/weights_expand.h"
#include "tests/check.h"
#include "tests/model/support_model.h"

enum { PATH_BYTES = 300, FILE_BYTES_MAX = 1 << 20 };

/* ---- what a form means ----------------------------------------------------------------------- */

static void check_matrix(const struct weights_tensor *stored, const struct weights_tensor *expanded,
                         uint32_t out_count, uint32_t in_count)
{
    const uint32_t block = stored->scale_block;
    const uint32_t block_columns = block > 0 ? (in_count + block - 1) / block : 0;
    CHECK(stored->dtype == DTYPE_E4M3 && expanded->dtype == DTYPE_BF16 && !expanded->scales,
          "dtypes");
    CHECK(stored->scale_count
              == (block > 0 ? (out_count + block - 1) / block * block_columns : out_count),
          "%u scales of %u x %u", stored->scale_count, out_count, in_count);
    for (uint32_t i = 0; i < out_count * in_count; i++) {
        const uint32_t row = i / in_count, column = i % in_count;
        const float scale =
            stored->scales[block > 0 ? row / block * block_columns + column / block : row];
        const float value = dtype_load(stored->data, DTYPE_E4M3, i) * scale;
        const float want = dtype_bf16_to_float(dtype_bf16_from_float(value));
        const float got = dtype_load(expanded->data, DTYPE_BF16, i);
        CHECK(memcmp(&got, &want, sizeof got) == 0, "row %u column %u: %g, not %g", row, column,
              (double)got, (double)want);
    }
}

static void matrices_are_stored_times_scale(void)
{
    static const char *const names[] = {"fp8-blocks", "fp8-tensors", "fp8-channels",
                                        "fp8-compressed-tensors"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct model *model = support_open(support_fixture(names[i]));
        const struct model_config *config = &model->config;
        struct failure failure = {""};
        struct weights *expanded = NULL;
        CHECK(weights_expand(config, model->weights, &expanded, &failure) == STATUS_OK && expanded,
              "%s: %s", names[i], failure.text);
        const struct weights_layer *from = model->weights->layers, *to = expanded->layers;
        for (uint32_t row = 0; strstr(names[i], "tensors") && row < from->q.scale_count; row++) {
            CHECK(memcmp(&from->q.scales[row], from->q.scales, sizeof(float)) == 0,
                  "%s: scale %u of a tensor with one", names[i], row);
        }
        check_matrix(&from->q, &to->q, model_config_q_dim(config), config->hidden_dim);
        check_matrix(&from->v, &to->v, model_config_kv_dim(config), config->hidden_dim);
        check_matrix(&from->down, &to->down, config->hidden_dim, config->ffn_dim);
        CHECK(to->attention_norm.data == from->attention_norm.data
                  && expanded->globals.lm_head.data == model->weights->globals.lm_head.data,
              "%s: what is not e4m3 is shared", names[i]);
        weights_close(expanded);
        support_close(model);
    }
    struct model *plain = support_open(support_fixture("gqa-tied-bf16"));
    struct weights *none = NULL;
    struct failure failure;
    CHECK(weights_expand(&plain->config, plain->weights, &none, &failure) == STATUS_OK && !none,
          "nothing to expand");
    support_close(plain);
}

/* ---- what is wrong with a checkpoint --------------------------------------------------------- */

static const struct {
    const char *fixture;
    struct {
        const char *find, *put; /* weights: of one length */
    } config, weights;
    bool spoils_scale; /* the first scale of q_proj becomes infinity */
    enum status want;
    const char *says;
} broken[] = {
    {"fp8-blocks",
     {0},
     {"q_proj.weight_scale_inv", "q_proj.weight_scale_inx"},
     false,
     STATUS_INVALID,
     "q_proj.weight is F8_E4M3 and its scales are missing"},
    {"fp8-blocks", {0}, {"\"F32\"", "\"I32\""}, false, STATUS_UNSUPPORTED, "weight_scale_inv"},
    {"fp8-blocks", {0}, {0}, true, STATUS_INVALID, "q_proj.weight_scale_inv: scale 0 is not"},
    {"fp8-blocks",
     {"weight_block_size", "ignored_layers"},
     {0},
     false,
     STATUS_INVALID,
     "of a tensor or of its rows"},
    {"fp8-blocks",
     {"quantization_config", "quantized_long_ago"},
     {0},
     false,
     STATUS_UNSUPPORTED,
     "dtype is not supported"},
    {"fp8-blocks", {"false", "false"}, {0}, false, STATUS_OK, ""},
    {"fp8-tensors",
     {"\"weight_block_size\": null", "\"weight_block_size\": [128, 128]"},
     {0},
     false,
     STATUS_INVALID,
     "of 128 x 128 blocks"},
    {"fp8-channels", {0}, {"[40,1]", "[1,40]"}, false, STATUS_INVALID, "weight_scale: shape"},
};

static char directory[PATH_BYTES];

/* Copies a file of the fixture with the first `find` replaced. */
static void copy(const char *fixture, const char *name, const char *find, const char *put,
                 bool spoils)
{
    char path[2 * PATH_BYTES];
    struct buffer file = {.limit_bytes = FILE_BYTES_MAX}, out = {.limit_bytes = FILE_BYTES_MAX};
    snprintf(path, sizeof path, "%s/%s", support_fixture(fixture), name);
    CHECK(buffer_read_file(&file, path) == STATUS_OK, "%s", path);
    const char *at = find ? memmem(file.bytes, file.length, find, strlen(find)) : NULL;
    const size_t before = at ? (size_t)(at - file.bytes) : 0, skipped = at ? strlen(find) : 0;
    CHECK(buffer_append(&out, file.bytes, before) == STATUS_OK
              && (!at || buffer_append_text(&out, put) == STATUS_OK)
              && buffer_append(&out, file.bytes + before + skipped, file.length - before - skipped)
                     == STATUS_OK,
          "memory");
    struct safetensors *tensors = NULL;
    if (spoils && safetensors_parse(out.bytes, out.length, &tensors, NULL) == STATUS_OK) {
        const float infinite = INFINITY;
        const struct safetensors_tensor *scale =
            safetensors_find(tensors, "model.layers.0.self_attn.q_proj.weight_scale_inv");
        memcpy(out.bytes + ((const char *)scale->data - out.bytes), &infinite, sizeof infinite);
        safetensors_destroy(tensors);
    }
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *to = fopen(path, "wb");
    CHECK(to && fwrite(out.bytes, 1, out.length, to) == out.length && fclose(to) == 0, "%s", path);
    buffer_destroy(&file);
    buffer_destroy(&out);
}

static void every_broken_checkpoint_is_named(void)
{
    snprintf(directory, sizeof directory, "/tmp/ward-fp8-XXXXXX");
    CHECK(mkdtemp(directory), "mkdtemp");
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct model_config config;
        struct weights *weights = NULL;
        struct failure failure = {""};
        copy(broken[i].fixture, "config.json", broken[i].config.find, broken[i].config.put, false);
        copy(broken[i].fixture, "model.safetensors", broken[i].weights.find, broken[i].weights.put,
             broken[i].spoils_scale);
        enum status got = model_config_read(directory, &config, &failure);
        if (got == STATUS_OK) {
            got = weights_open(directory, &config, &weights, &failure);
        }
        CHECK(got == broken[i].want && strstr(failure.text, broken[i].says), "case %zu: %s: %s", i,
              status_name(got), failure.text);
        weights_close(weights);
    }
    char path[2 * PATH_BYTES];
    static const char *const names[] = {"config.json", "model.safetensors"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        CHECK(remove(path) == 0, "%s", path);
    }
    CHECK(rmdir(directory) == 0, "%s", directory);
}

CHECK_MAIN(matrices_are_stored_times_scale, every_broken_checkpoint_is_named)
