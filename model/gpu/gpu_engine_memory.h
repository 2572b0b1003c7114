/* gpu_engine_memory.h - the memory of a GPU engine: the device, weights, workspace, rope table and
 * KV pages, in that order, so that the pages get what memory_fraction leaves. Owner: the engine. */
#pragma once
#include "model/gpu/gpu_engine.h"
#include "model/gpu/gpu_forward.h"

struct gpu_engine_memory {
    struct gpu *gpu;
    struct gpu_weights *weights;
    void *workspace; /* forward's, then the block of a step and the rope table */
    size_t block_bytes;
    void *kv;
    uint64_t kv_bytes;
    struct engine_shape shape;
    struct gpu_forward forward;
};

/* As gpu_engine_create. After a failure: give_back. */
MUST_CHECK enum status gpu_engine_memory_take(struct gpu_engine_memory *memory,
                                              const struct model *model,
                                              const struct gpu_engine_config *config,
                                              struct failure *failure);
void gpu_engine_memory_give_back(struct gpu_engine_memory *memory); /* zeroed is fine */
