#include "model/gpu/gpu_forward.h"

#include <math.h>

#include "base/assert.h"
#include "base/log.h"
#include "kernels/embedding/embedding.h"
#include "kernels/pages/pages.h"
#include "kernels/rms_norm/rms_norm.h"
#include "kernels/rope_kv/rope_kv.h"
#include "kernels/swiglu/swiglu.h"

enum { ALIGNMENT_BYTES = 256 };

/* ---- workspace ------------------------------------------------------------------------------- */

struct cut {
    unsigned char *memory; /* NULL: only the size is wanted */
    size_t used_bytes;
};

static void *cut(struct cut *cut, size_t count, size_t size)
{
    void *at = cut->memory ? cut->memory + cut->used_bytes : NULL;
    const size_t bytes = count * size;
    cut->used_bytes += (bytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
    return at;
}

static uint32_t qkv_dim(const struct model_config *config)
{
    return model_config_q_dim(config) + 2 * model_config_kv_dim(config);
}

size_t gpu_forward_set_workspace(struct gpu_forward *forward, void *memory)
{
    const struct model_config *config = forward->config;
    const size_t size = dtype_bytes(forward->weights->dtype);
    const size_t rows = forward->row_count_max;
    const size_t logit_rows = forward->logit_row_count_max;
    const uint32_t logits_stride = gpu_forward_stride(config->vocabulary_count);
    struct cut space = {memory, 0};
    forward->x = cut(&space, rows * config->hidden_dim, sizeof(float));
    forward->normed = cut(&space, rows * gpu_forward_stride(config->hidden_dim), size);
    forward->qkv = cut(&space, rows * gpu_forward_stride(qkv_dim(config)), size);
    forward->attend = cut(&space, rows * gpu_forward_stride(model_config_q_dim(config)), size);
    forward->ffn = cut(&space, rows * gpu_forward_stride(config->ffn_dim), size);
    forward->gate_up =
        forward->library ? cut(&space, rows * gpu_forward_stride(2 * config->ffn_dim), size) : NULL;
    forward->logits = cut(&space, logit_rows * logits_stride, sizeof(float));
    forward->sampled = cut(&space, logit_rows, sizeof *forward->sampled);
    forward->results = cut(&space, logit_rows, sizeof *forward->results);
    forward->attention_workspace =
        cut(&space, attention_gpu_workspace_bytes(&forward->attention), 1);
    forward->matmul_workspace = cut(&space, matmul_gpu_workspace_bytes(), 1);
    forward->sample_workspace =
        cut(&space,
            sample_gpu_workspace_bytes(forward->logit_row_count_max, config->vocabulary_count), 1);
    return space.used_bytes;
}

/* ---- steps of a layer ------------------------------------------------------------------------ */

/* What the launches of a step share. */
struct run {
    const struct gpu_forward *forward;
    struct gpu_batch batch;
    const unsigned char *tail;
    struct gpu_stream *stream;
    uint32_t row_count, logit_row_count; /* bounds of the launches */
    enum dtype dtype;                    /* T */
    bool has_prefill;
};

struct gather { /* which rows of x a norm reads */
    const uint32_t *rows;
    uint32_t row_count;
};

static enum status norm(const struct run *run, const float *weight, struct gather gather)
{
    const struct gpu_forward *forward = run->forward;
    const uint32_t dim = forward->config->hidden_dim;
    const struct rms_norm_gpu_args args = {
        .x = forward->x,
        .weight = weight,
        .out = forward->normed,
        .counts = run->batch.counts,
        .rows = gather.rows,
        .row_count = gather.row_count,
        .dim = dim,
        .out_stride = gpu_forward_stride(dim),
        .eps = forward->config->rms_norm_eps,
        .dtype = run->dtype,
    };
    return rms_norm_gpu_launch(&args, run->stream);
}

struct product { /* out = in * linear, by an epilogue */
    const struct gpu_linear *linear;
    const void *in;
    void *out;
    uint32_t in_stride, out_stride, row_count;
    enum matmul_epilogue epilogue;
};

static struct matmul_cublaslt_args library_args(const struct run *run,
                                                const struct product *product)
{
    const bool is_f32 =
        product->epilogue == MATMUL_STORE_F32 || product->epilogue == MATMUL_ADD_F32;
    return (struct matmul_cublaslt_args){
        .x = product->in,
        .weight = product->linear->plain,
        .bias = product->linear->bias,
        .out = product->out,
        .row_count = product->row_count,
        .out_count = product->linear->weight.out_count,
        .in_count = product->linear->weight.in_count,
        .x_stride = product->in_stride,
        .out_stride = product->out_stride,
        .dtype = run->dtype,
        .out_is_f32 = is_f32,
        .adds_to_out = product->epilogue == MATMUL_ADD_F32,
    };
}

static enum status multiply(const struct run *run, const struct product *product)
{
    const struct gpu_forward *forward = run->forward;
    if (forward->library) {
        const struct matmul_cublaslt_args args = library_args(run, product);
        return matmul_cublaslt_run(forward->library, &args);
    }
    const struct matmul_gpu_args args = {
        .weight = product->linear->weight,
        .x = product->in,
        .bias = product->linear->bias,
        .out = product->out,
        .workspace = forward->matmul_workspace,
        .gpu = &forward->info,
        .row_count = product->row_count,
        .x_stride = product->in_stride,
        .out_stride = product->out_stride,
        .dtype = run->dtype,
        .epilogue = product->epilogue,
        .kernel = forward->matmul_kernel,
    };
    return matmul_gpu_launch(&args, run->stream);
}

static struct product qkv_product(const struct run *run, const struct gpu_weights_layer *layer)
{
    const struct gpu_forward *forward = run->forward;
    const struct model_config *config = forward->config;
    return (struct product){&layer->qkv,
                            forward->normed,
                            forward->qkv,
                            gpu_forward_stride(config->hidden_dim),
                            gpu_forward_stride(qkv_dim(config)),
                            run->row_count,
                            MATMUL_STORE};
}

/* The residual stream: x += in * linear. */
static struct product stream_product(const struct run *run, const struct gpu_linear *linear,
                                     const void *in)
{
    const struct gpu_forward *forward = run->forward;
    return (struct product){linear,
                            in,
                            forward->x,
                            gpu_forward_stride(linear->weight.in_count),
                            forward->config->hidden_dim,
                            run->row_count,
                            MATMUL_ADD_F32};
}

static enum status rotate(const struct run *run, uint32_t layer_index)
{
    const struct gpu_forward *forward = run->forward;
    const struct model_config *config = forward->config;
    const struct gpu_weights_layer *layer = &forward->weights->layers[layer_index];
    unsigned char *k_pages = forward->kv + 2 * (size_t)layer_index * forward->pool_bytes;
    const struct rope_kv_gpu_args args = {
        .qkv = forward->qkv,
        .batch = run->batch,
        .cos_sin = forward->rope,
        .k_pages = k_pages,
        .v_pages = k_pages + forward->pool_bytes,
        .row_count = run->row_count,
        .qkv_stride = gpu_forward_stride(qkv_dim(config)),
        .head_count = config->head_count,
        .kv_head_count = config->kv_head_count,
        .head_dim = config->head_dim,
        .page_tokens = forward->attention.page_tokens,
        .dtype = run->dtype,
        .kv_dtype = forward->attention.kv_dtype,
        .k_scale = layer->k_scale,
        .v_scale = layer->v_scale,
    };
    return rope_kv_gpu_launch(&args, run->stream);
}

static enum status attend(const struct run *run, uint32_t layer_index)
{
    const struct gpu_forward *forward = run->forward;
    const struct model_config *config = forward->config;
    const struct gpu_weights_layer *layer = &forward->weights->layers[layer_index];
    const unsigned char *k_pages = forward->kv + 2 * (size_t)layer_index * forward->pool_bytes;
    const struct attention_gpu_args args = {
        .shape = forward->attention,
        .q = forward->qkv,
        .k_pages = k_pages,
        .v_pages = k_pages + forward->pool_bytes,
        .out = forward->attend,
        .q_stride = gpu_forward_stride(qkv_dim(config)),
        .out_stride = gpu_forward_stride(model_config_q_dim(config)),
        .batch = run->batch,
        .items = (const void *)run->tail,
        .workspace = forward->attention_workspace,
        .has_prefill = run->has_prefill,
        .scale = 1.0F / sqrtf((float)config->head_dim),
        .k_scale = layer->k_scale,
        .v_scale = layer->v_scale,
    };
    return attention_gpu_launch(&args, run->stream);
}

static struct product gate_up_product(const struct run *run, const struct gpu_weights_layer *layer)
{
    const struct gpu_forward *forward = run->forward;
    const uint32_t ffn_dim = forward->config->ffn_dim;
    const bool is_fused = !forward->library;
    return (struct product){&layer->gate_up,
                            forward->normed,
                            is_fused ? forward->ffn : forward->gate_up,
                            gpu_forward_stride(forward->config->hidden_dim),
                            gpu_forward_stride(is_fused ? ffn_dim : 2 * ffn_dim),
                            run->row_count,
                            is_fused ? MATMUL_SWIGLU : MATMUL_STORE};
}

static enum status activate(const struct run *run)
{
    const struct gpu_forward *forward = run->forward;
    const uint32_t dim = forward->config->ffn_dim;
    const struct swiglu_gpu_args args = {
        .gate = forward->gate_up,
        .up = (const unsigned char *)forward->gate_up + dim * dtype_bytes(run->dtype),
        .out = forward->ffn,
        .counts = run->batch.counts,
        .row_count = run->row_count,
        .dim = dim,
        .in_stride = gpu_forward_stride(2 * dim),
        .out_stride = gpu_forward_stride(dim),
        .activation = SWIGLU_SILU,
        .dtype = run->dtype,
    };
    return swiglu_gpu_launch(&args, run->stream);
}

/* ---- the step -------------------------------------------------------------------------------- */

static enum status attention_half(const struct run *run, uint32_t layer_index)
{
    const struct gpu_weights_layer *layer = &run->forward->weights->layers[layer_index];
    const struct product qkv = qkv_product(run, layer);
    const struct product o = stream_product(run, &layer->o, run->forward->attend);
    enum status status = norm(run, layer->attention_norm, (struct gather){NULL, run->row_count});
    if (status == STATUS_OK) {
        status = multiply(run, &qkv);
    }
    if (status == STATUS_OK) {
        status = rotate(run, layer_index);
    }
    if (status == STATUS_OK) {
        status = attend(run, layer_index);
    }
    return status == STATUS_OK ? multiply(run, &o) : status;
}

static enum status ffn_half(const struct run *run, uint32_t layer_index)
{
    const struct gpu_weights_layer *layer = &run->forward->weights->layers[layer_index];
    const struct product gate_up = gate_up_product(run, layer);
    const struct product down = stream_product(run, &layer->down, run->forward->ffn);
    enum status status = norm(run, layer->ffn_norm, (struct gather){NULL, run->row_count});
    if (status == STATUS_OK) {
        status = multiply(run, &gate_up);
    }
    if (status == STATUS_OK && run->forward->library) {
        status = activate(run);
    }
    return status == STATUS_OK ? multiply(run, &down) : status;
}

static enum status head(const struct run *run, struct gather gather, float *logits)
{
    const struct gpu_forward *forward = run->forward;
    struct product lm_head = {&forward->weights->lm_head,
                              forward->normed,
                              NULL,
                              gpu_forward_stride(forward->config->hidden_dim),
                              gpu_forward_stride(forward->config->vocabulary_count),
                              gather.row_count,
                              MATMUL_STORE_F32};
    lm_head.out = logits;
    const enum status status = norm(run, forward->weights->final_norm, gather);
    return status == STATUS_OK ? multiply(run, &lm_head) : status;
}

static enum status draw(const struct run *run, const struct sample_gpu_row *rows)
{
    const struct gpu_forward *forward = run->forward;
    const uint32_t vocabulary = forward->config->vocabulary_count;
    const struct sample_gpu_args args = {
        .logits = forward->logits,
        .stride = gpu_forward_stride(vocabulary),
        .batch = run->batch,
        .rows = rows,
        .tokens = (const void *)run->tail,
        .bias = (const void *)run->tail,
        .sampled = forward->sampled,
        .results = forward->results,
        .workspace = forward->sample_workspace,
        .row_count = run->logit_row_count,
        .vocabulary_count = vocabulary,
    };
    return sample_gpu_launch(&args, run->stream);
}

static struct run prepare(const struct gpu_forward *forward, const struct gpu_step_layout *layout,
                          bool has_prefill)
{
    const unsigned char *block = forward->block;
    return (struct run){
        .forward = forward,
        .batch = {.counts = (const void *)block,
                  .ids = (const void *)(block + layout->ids),
                  .rows = (const void *)(block + layout->rows),
                  .sequences = (const void *)(block + layout->sequences),
                  .pages = (const void *)(block + layout->tail),
                  .logit_rows = (const void *)(block + layout->logit_rows)},
        .tail = block + layout->tail,
        .stream = gpu_stream_of(forward->gpu),
        .row_count = layout->row_count,
        .logit_row_count = layout->sequence_count,
        .dtype = forward->weights->dtype,
        .has_prefill = has_prefill,
    };
}

enum status gpu_forward_run(const struct gpu_forward *forward, const struct gpu_step_layout *layout,
                            bool has_prefill)
{
    const struct run run = prepare(forward, layout, has_prefill);
    ASSERT(run.row_count <= forward->row_count_max);
    ASSERT(run.logit_row_count <= forward->logit_row_count_max);
    const struct embedding_gpu_args embed = {
        .table = forward->weights->embedding,
        .batch = run.batch,
        .sampled = forward->sampled,
        .x = forward->x,
        .row_count = run.row_count,
        .dim = forward->config->hidden_dim,
        .dtype = forward->weights->embedding_dtype,
    };
    enum status status = embedding_gpu_launch(&embed, run.stream);
    for (uint32_t i = 0; status == STATUS_OK && i < forward->config->layer_count; i++) {
        status = attention_half(&run, i);
        if (status == STATUS_OK) {
            status = ffn_half(&run, i);
        }
    }
    const struct gather sampling = {run.batch.logit_rows, run.logit_row_count};
    if (status == STATUS_OK) {
        status = head(&run, sampling, forward->logits);
    }
    return status == STATUS_OK ? draw(&run, (const void *)(forward->block + layout->samples))
                               : status;
}

enum status gpu_forward_scrub(const struct gpu_forward *forward, size_t list_offset, uint32_t count)
{
    const struct pages_scrub_args args = {
        .pools = {.kv = forward->kv,
                  .pool_bytes = forward->pool_bytes,
                  .page_bytes = forward->page_bytes,
                  .pool_count = 2 * forward->config->layer_count},
        .pages = (const void *)(forward->block + list_offset),
        .page_count = count,
    };
    return pages_scrub_gpu_launch(&args, gpu_stream_of(forward->gpu));
}

enum status gpu_forward_every_logit(const struct gpu_forward *forward, uint32_t row_count,
                                    float *logits)
{
    const struct gpu_step_layout layout = gpu_step_choose_layout(row_count, 0);
    const struct run run = prepare(forward, &layout, false);
    return head(&run, (struct gather){NULL, row_count}, logits);
}

/* ---- cuBLASLt -------------------------------------------------------------------------------- */

static enum status tune(const struct run *run, struct product product)
{
    const struct matmul_cublaslt_args args = library_args(run, &product);
    return matmul_cublaslt_tune(run->forward->library, &args);
}

enum status gpu_forward_tune(const struct gpu_forward *forward, uint32_t row_count)
{
    const struct gpu_step_layout layout = gpu_step_choose_layout(row_count, 0);
    const struct run run = prepare(forward, &layout, false);
    const struct gpu_weights_layer *layer = &forward->weights->layers[0];
    const struct product products[] = {
        qkv_product(&run, layer),
        stream_product(&run, &layer->o, forward->attend),
        gate_up_product(&run, layer),
        stream_product(&run, &layer->down, forward->ffn),
        {&forward->weights->lm_head, forward->normed, forward->logits,
         gpu_forward_stride(forward->config->hidden_dim),
         gpu_forward_stride(forward->config->vocabulary_count), row_count, MATMUL_STORE_F32},
    };
    const size_t count = sizeof products / sizeof products[0];
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        if (i + 1 < count || row_count <= forward->logit_row_count_max) {
            status = tune(&run, products[i]);
        }
    }
    return status;
}
