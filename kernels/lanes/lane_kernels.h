/* lane_kernels.h - the inner functions of the ops, compiled once for each vector unit from the same
 * source (*_lanes.c). The *_cpu.c split the work into parts and call these for each part. */
#pragma once
#include <stddef.h>

#include "kernels/attention/attention.h"
#include "kernels/embedding/embedding.h"
#include "kernels/lanes/lanes_base.h"
#include "kernels/matmul/matmul.h"
#include "kernels/rms_norm/rms_norm.h"
#include "kernels/swiglu/swiglu.h"

enum {
    MATMUL_BLOCK = 96,        /* output features that matmul_block does at once */
    ATTENTION_BLOCK_ROWS = 8, /* rows that share the reading of keys and values */
};

/* Rows row_first .. row_first + row_count - 1 of a sequence, and the query heads of one kv head. */
struct attention_block {
    const struct attention_sequence *sequence;
    uint32_t kv_head, row_first, row_count;
};

struct lane_kernels {
    /* All rows of MATMUL_BLOCK output features from n_first on (fewer at the end). */
    void (*matmul_block)(const struct matmul_args *args, const struct matmul_part *part,
                         uint32_t n_first);
    void (*attention_block)(const struct attention_args *args, const struct attention_block *block);
    void (*rms_norm_row)(const struct rms_norm_args *args, uint32_t row);
    void (*swiglu_elements)(const struct swiglu_args *args, size_t first, size_t count);
    void (*embedding_row)(const struct embedding_args *args, uint32_t row);
    /* The highest finite value; -infinity if there is none. */
    float (*sample_highest)(const float *logits, size_t count);
    /* weights[i] = e^((logits[i] - highest) * inverse_temperature), 0 where it is not finite. */
    void (*sample_weigh)(const float *logits, size_t count, float highest,
                         float inverse_temperature, float *weights);
    /* Reads count floats, a multiple of 128; what they add up to is returned so that no read can be
     * left out. */
    float (*measure_read)(const float *at, size_t count);
    /* Fused multiply-adds in registers; returns how many. out: 16 floats, for the same reason. */
    uint64_t (*measure_fma)(uint64_t rounds, float *out);
};

/* The table of cpu_features_level(). */
const struct lane_kernels *lane_kernels(void);

extern const struct lane_kernels lane_kernels_portable, lane_kernels_avx2, lane_kernels_avx512;

/* The functions of the unit that is being compiled. */
void LANES_NAME(matmul_block)(const struct matmul_args *args, const struct matmul_part *part,
                              uint32_t n_first);
void LANES_NAME(attention_block)(const struct attention_args *args,
                                 const struct attention_block *block);
void LANES_NAME(rms_norm_row)(const struct rms_norm_args *args, uint32_t row);
void LANES_NAME(swiglu_elements)(const struct swiglu_args *args, size_t first, size_t count);
void LANES_NAME(embedding_row)(const struct embedding_args *args, uint32_t row);
float LANES_NAME(sample_highest)(const float *logits, size_t count);
void LANES_NAME(sample_weigh)(const float *logits, size_t count, float highest,
                              float inverse_temperature, float *weights);
float LANES_NAME(measure_read)(const float *at, size_t count);
uint64_t LANES_NAME(measure_fma)(uint64_t rounds, float *out);
