/* weights.h - the tensors of a model by role, each checked against the shape that the config says.
 * Matrices stay where the file's mapping has them, in their own number format; norms, biases and
 * scales are expanded to fp32. Immutable after open: any thread may read them. */
#pragma once
#include "base/failure.h"
#include "kernels/dtype.h"
#include "model/model_config.h"

struct weights_tensor {
    const void *data;     /* [out, in] row-major; NULL where the model has no such tensor */
    enum dtype dtype;     /* DTYPE_F32 for norms and biases */
    const float *scales;  /* E4M3: value = stored * scale; else NULL */
    uint32_t scale_count; /* out; or the number of blocks, rows of blocks first */
    uint32_t scale_block; /* 0, a scale for each out feature; 128, for each 128 x 128 block */
};

struct weights_layer {
    struct weights_tensor attention_norm, ffn_norm;
    struct weights_tensor q, k, v, o, q_bias, k_bias, v_bias, o_bias;
    struct weights_tensor gate, up, down, gate_bias, up_bias, down_bias;
};

struct weights_globals {
    struct weights_tensor embedding, final_norm;
    struct weights_tensor lm_head; /* the embedding where they are tied */
};

struct weights {
    struct weights_globals globals;
    struct weights_layer *layers; /* [layer_count] */
    uint64_t bytes;               /* of all tensors in use; a tied embedding counts once */
    float *vectors;               /* norms, biases, scales */
    struct weight_files *files;   /* NULL where the weights were made in memory */
    void (*close_files)(struct weight_files *files);
    void *matrices;
    uint64_t matrix_bytes;
};

/* Maps a directory's files. The text of a failure names file and tensor. STATUS_NOT_FOUND,
 * STATUS_INVALID, STATUS_UNSUPPORTED (a dtype), STATUS_TOO_LARGE, STATUS_IO. */
MUST_CHECK enum status weights_open(const char *directory, const struct model_config *config,
                                    struct weights **out, struct failure *failure);

/* Random bf16 weights of the config's shape, made in memory: for benchmarks. Seeded. */
MUST_CHECK enum status weights_make_random(const struct model_config *config, uint64_t seed,
                                           struct weights **out, struct failure *failure);
void weights_close(struct weights *weights); /* NULL is fine */

/* fp32 vector of a norm or bias; NULL where the model has none. */
static inline const float *weights_vector(const struct weights_tensor *tensor)
{
    return (const float *)tensor->data;
}
