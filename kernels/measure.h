/* measure.h - what this machine can do at best, as the yardstick of the benches: bytes a second
 * that all workers read together from a buffer larger than any cache, and fp32 fused multiply-adds
 * (two operations each) from registers alone. Best of several short runs; about half a second.
 * Takes its buffer from the system and gives it back. */
#pragma once
#include "kernels/workers.h"

struct measure_ceilings {
    double read_bytes_per_second, fp32_operations_per_second;
};

/* STATUS_IO: no memory for the buffer. */
MUST_CHECK enum status measure_ceilings(struct workers *workers, struct measure_ceilings *out);
