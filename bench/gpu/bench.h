/* bench.h - what the parts of the GPU benchmark share. Each part adds its rows to the table; a
 * shape that the device has no memory for is left out with a line on stderr. */
#pragma once
#include "bench/gpu/table.h"
#include "kernels/gpu/gpu.h"

struct bench {
    struct gpu *gpu;
    struct gpu_info info;
    bool is_tiny; /* toy shapes: the figures mean nothing, the code is what is tested */
    double copy_bytes_s, bf16_operations_s;
    struct table table;
};

/* STATUS_DEVICE and what else stops the run; failure says where. */
MUST_CHECK enum status bench_ceilings(struct bench *bench, struct failure *failure);
MUST_CHECK enum status bench_attention(struct bench *bench, struct failure *failure);
MUST_CHECK enum status bench_matmul(struct bench *bench, struct failure *failure);
MUST_CHECK enum status bench_sample(struct bench *bench, struct failure *failure);
MUST_CHECK enum status bench_engine(struct bench *bench, struct failure *failure);
