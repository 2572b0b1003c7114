#include "kernels/lanes/lane_kernels.h"

const struct lane_kernels LANES_NAME(lane_kernels) = {
    .matmul_block = LANES_NAME(matmul_block),
    .attention_block = LANES_NAME(attention_block),
    .rms_norm_row = LANES_NAME(rms_norm_row),
    .swiglu_elements = LANES_NAME(swiglu_elements),
    .embedding_row = LANES_NAME(embedding_row),
    .sample_highest = LANES_NAME(sample_highest),
    .sample_weigh = LANES_NAME(sample_weigh),
    .measure_read = LANES_NAME(measure_read),
    .measure_fma = LANES_NAME(measure_fma),
};
