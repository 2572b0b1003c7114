#include "model/forward.h"

#include <math.h>
#include <string.h>

#include "base/assert.h"

enum { ALIGNMENT_FLOATS = 16 };

/* ---- workspace ------------------------------------------------------------------------------- */

static size_t block_floats(uint32_t row_count, uint32_t dim)
{
    const size_t floats = (size_t)row_count * dim;
    return (floats + ALIGNMENT_FLOATS - 1) / ALIGNMENT_FLOATS * ALIGNMENT_FLOATS;
}

size_t forward_workspace_floats(const struct model_config *config, uint32_t row_count_max)
{
    return 2 * block_floats(row_count_max, config->hidden_dim)
           + 2 * block_floats(row_count_max, model_config_q_dim(config))
           + 2 * block_floats(row_count_max, model_config_kv_dim(config))
           + 2 * block_floats(row_count_max, config->ffn_dim);
}

void forward_set_workspace(struct forward *forward, float *workspace, uint32_t row_count_max)
{
    const struct model_config *config = forward->config;
    const struct {
        float **out;
        uint32_t dim;
    } blocks[] = {
        {&forward->x, config->hidden_dim},          {&forward->normed, config->hidden_dim},
        {&forward->q, model_config_q_dim(config)},  {&forward->attend, model_config_q_dim(config)},
        {&forward->k, model_config_kv_dim(config)}, {&forward->v, model_config_kv_dim(config)},
        {&forward->gate, config->ffn_dim},          {&forward->up, config->ffn_dim},
    };
    forward->row_count_max = row_count_max;
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        *blocks[i].out = workspace;
        workspace += block_floats(row_count_max, blocks[i].dim);
    }
}

/* ---- steps of a layer ------------------------------------------------------------------------ */

static void norm(const struct forward *forward, const struct weights_tensor *weight,
                 uint32_t row_count)
{
    const struct rms_norm_args args = {
        .x = forward->x,
        .weight = weights_vector(weight),
        .out = forward->normed,
        .row_count = row_count,
        .dim = forward->config->hidden_dim,
        .eps = forward->config->rms_norm_eps,
    };
    forward->backend->rms_norm(&args, forward->workers);
}

static struct matmul_part part(const struct weights_tensor *weight,
                               const struct weights_tensor *bias, float *out, uint32_t out_count)
{
    return (struct matmul_part){weight->data, bias ? weights_vector(bias) : NULL, out, out_count,
                                out_count};
}

static void project_qkv(const struct forward *forward, const struct weights_layer *layer,
                        uint32_t row_count)
{
    const struct model_config *config = forward->config;
    const uint32_t kv_dim = model_config_kv_dim(config);
    const struct matmul_args args = {
        .x = forward->normed,
        .parts = {part(&layer->q, &layer->q_bias, forward->q, model_config_q_dim(config)),
                  part(&layer->k, &layer->k_bias, forward->k, kv_dim),
                  part(&layer->v, &layer->v_bias, forward->v, kv_dim)},
        .part_count = 3,
        .row_count = row_count,
        .in_count = config->hidden_dim,
        .x_stride = config->hidden_dim,
        .dtype = layer->q.dtype,
    };
    forward->backend->matmul(&args, forward->workers);
}

static void attend(const struct forward *forward, const struct forward_batch *batch,
                   uint32_t layer_index)
{
    const struct model_config *config = forward->config;
    float *k_pages = forward->kv + 2 * (size_t)layer_index * forward->pool_floats;
    float *v_pages = k_pages + forward->pool_floats;
    const struct rope_kv_args write = {
        .q = forward->q,
        .k = forward->k,
        .v = forward->v,
        .k_pages = k_pages,
        .v_pages = v_pages,
        .cos_sin = forward->rope,
        .sequences = batch->sequences,
        .sequence_count = batch->sequence_count,
        .head_count = config->head_count,
        .kv_head_count = config->kv_head_count,
        .head_dim = config->head_dim,
        .page_tokens = forward->page_tokens,
    };
    forward->backend->rope_kv(&write, forward->workers);
    const struct attention_args read = {
        .q = forward->q,
        .k_pages = k_pages,
        .v_pages = v_pages,
        .out = forward->attend,
        .sequences = batch->sequences,
        .sequence_count = batch->sequence_count,
        .head_count = config->head_count,
        .kv_head_count = config->kv_head_count,
        .head_dim = config->head_dim,
        .page_tokens = forward->page_tokens,
        .scale = 1.0F / sqrtf((float)config->head_dim),
    };
    forward->backend->attention(&read, forward->workers);
}

/* x += in * weight^T + bias, the residual stream */
static void add_to_stream(const struct forward *forward, const float *in, uint32_t in_count,
                          const struct weights_tensor weight_bias[2], uint32_t row_count)
{
    const struct matmul_args args = {
        .x = in,
        .parts = {part(&weight_bias[0], &weight_bias[1], forward->x, forward->config->hidden_dim)},
        .part_count = 1,
        .row_count = row_count,
        .in_count = in_count,
        .x_stride = in_count,
        .dtype = weight_bias[0].dtype,
        .adds_to_out = true,
    };
    forward->backend->matmul(&args, forward->workers);
}

static void feed_forward(const struct forward *forward, const struct weights_layer *layer,
                         uint32_t row_count)
{
    const uint32_t hidden_dim = forward->config->hidden_dim;
    const uint32_t ffn_dim = forward->config->ffn_dim;
    const struct matmul_args project = {
        .x = forward->normed,
        .parts = {part(&layer->gate, &layer->gate_bias, forward->gate, ffn_dim),
                  part(&layer->up, &layer->up_bias, forward->up, ffn_dim)},
        .part_count = 2,
        .row_count = row_count,
        .in_count = hidden_dim,
        .x_stride = hidden_dim,
        .dtype = layer->gate.dtype,
    };
    forward->backend->matmul(&project, forward->workers);
    const struct swiglu_args activate = {
        .gate = forward->gate,
        .up = forward->up,
        .out = forward->gate,
        .row_count = row_count,
        .dim = ffn_dim,
    };
    forward->backend->swiglu(&activate, forward->workers);
    const struct weights_tensor down[] = {layer->down, layer->down_bias};
    add_to_stream(forward, forward->gate, ffn_dim, down, row_count);
}

/* ---- the batch ------------------------------------------------------------------------------- */

/* Final norm and head, for the rows that want logits only: they are gathered to the front first. */
static void make_logits(const struct forward *forward, const struct forward_batch *batch)
{
    const struct model_config *config = forward->config;
    const struct weights_globals *globals = &forward->weights->globals;
    const size_t dim = config->hidden_dim;
    for (uint32_t i = 0; i < batch->logit_row_count; i++) {
        ASSERT(batch->logit_rows[i] >= i && batch->logit_rows[i] < batch->row_count);
        memmove(forward->x + i * dim, forward->x + batch->logit_rows[i] * dim,
                dim * sizeof *forward->x);
    }
    norm(forward, &globals->final_norm, batch->logit_row_count);
    const struct matmul_args head = {
        .x = forward->normed,
        .parts = {part(&globals->lm_head, NULL, batch->logits, config->vocabulary_count)},
        .part_count = 1,
        .row_count = batch->logit_row_count,
        .in_count = config->hidden_dim,
        .x_stride = config->hidden_dim,
        .dtype = globals->lm_head.dtype,
    };
    forward->backend->matmul(&head, forward->workers);
}

void forward_run(const struct forward *forward, const struct forward_batch *batch)
{
    const struct model_config *config = forward->config;
    ASSERT(batch->row_count >= 1 && batch->row_count <= forward->row_count_max);
    const struct embedding_args embed = {
        .table = forward->weights->globals.embedding.data,
        .ids = batch->ids,
        .out = forward->x,
        .row_count = batch->row_count,
        .dim = config->hidden_dim,
        .dtype = forward->weights->globals.embedding.dtype,
    };
    forward->backend->embedding(&embed, forward->workers);
    for (uint32_t i = 0; i < config->layer_count; i++) {
        const struct weights_layer *layer = &forward->weights->layers[i];
        const struct weights_tensor output[] = {layer->o, layer->o_bias};
        norm(forward, &layer->attention_norm, batch->row_count);
        project_qkv(forward, layer, batch->row_count);
        attend(forward, batch, i);
        add_to_stream(forward, forward->attend, model_config_q_dim(config), output,
                      batch->row_count);
        norm(forward, &layer->ffn_norm, batch->row_count);
        feed_forward(forward, layer, batch->row_count);
    }
    if (batch->logit_row_count > 0) {
        make_logits(forward, batch);
    }
}
