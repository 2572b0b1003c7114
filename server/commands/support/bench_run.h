/* bench_run.h - what `ward bench` measures: a model's prefill and decode for one batch size, beside
 * the machine's own ceilings. Main thread; takes and gives back all memory of a run. */
#pragma once
#include "model/model.h"

struct bench_settings {
    const char *device;                 /* as engine_choice.h */
    uint32_t prompt_tokens, out_tokens; /* together at most the model's context */
};

struct bench_row {
    uint32_t batch;
    const char *device;               /* that it ran on: "cpu" or "cuda" */
    double prefill_tokens_per_second; /* of one prompt after another */
    double prefill_operations_per_second;
    double decode_tokens_per_second; /* of the batch together; the median step */
    double decode_bytes_per_second;  /* weights and KV that a step must read */
    double copy_bytes_per_second;    /* of a GPU when it only copies; 0: not measured */
};

/* STATUS_IO: no memory. STATUS_DEVICE: the engine is lost. */
MUST_CHECK enum status bench_run(const struct model *model, const struct bench_settings *settings,
                                 uint32_t batch, struct bench_row *out, struct failure *failure);

/* Llama-3.2-1B's shape. */
struct model_config bench_run_config_1b(void);
