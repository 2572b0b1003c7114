/* rope_kv_reference.c - the definition of rope_kv. */
#include <stddef.h>

#include "kernels/rms_norm/rms_norm.h"
#include "kernels/rope_kv/rope_kv.h"

/* QK-norm: each head of a row by itself. */
static void normalise(const struct rope_kv_args *args, size_t row)
{
    const size_t head_dim = args->head_dim;
    struct rms_norm_args norm = {.row_count = args->head_count,
                                 .dim = args->head_dim,
                                 .eps = args->norm_eps,
                                 .weight = args->q_norm};
    norm.x = norm.out = args->q + row * args->head_count * head_dim;
    rms_norm_reference(&norm);
    norm.row_count = args->kv_head_count;
    norm.weight = args->k_norm;
    norm.x = norm.out = args->k + row * args->kv_head_count * head_dim;
    rms_norm_reference(&norm);
}

static void rotate(float *head, const float *cos_sin, uint32_t half)
{
    for (uint32_t i = 0; i < half; i++) {
        const float cosine = cos_sin[2 * (size_t)i], sine = cos_sin[2 * (size_t)i + 1];
        const float low = head[i], high = head[i + half];
        head[i] = low * cosine - high * sine;
        head[i + half] = high * cosine + low * sine;
    }
}

static void write_row(const struct rope_kv_args *args, size_t row, uint32_t page, uint32_t slot)
{
    const size_t head_dim = args->head_dim;
    for (uint32_t g = 0; g < args->kv_head_count; g++) {
        const size_t from = (row * args->kv_head_count + g) * head_dim;
        const size_t to =
            (((size_t)page * args->kv_head_count + g) * args->page_tokens + slot) * head_dim;
        for (size_t d = 0; d < head_dim; d++) {
            args->k_pages[to + d] = args->k[from + d];
            args->v_pages[to + d] = args->v[from + d];
        }
    }
}

void rope_kv_reference(const struct rope_kv_args *args)
{
    const uint32_t half = args->head_dim / 2;
    for (uint32_t s = 0; s < args->sequence_count; s++) {
        const struct attention_sequence *sequence = &args->sequences[s];
        for (uint32_t i = 0; i < sequence->row_count; i++) {
            const size_t row = (size_t)sequence->row_first + i;
            const uint32_t position = sequence->position_first + i;
            const float *cos_sin = args->cos_sin + (size_t)position * args->head_dim;
            if (args->q_norm) {
                normalise(args, row);
            }
            for (size_t h = row * args->head_count; h < (row + 1) * args->head_count; h++) {
                rotate(args->q + h * args->head_dim, cos_sin, half);
            }
            for (size_t g = row * args->kv_head_count; g < (row + 1) * args->kv_head_count; g++) {
                rotate(args->k + g * args->head_dim, cos_sin, half);
            }
            write_row(args, row, sequence->pages[position / args->page_tokens],
                      position % args->page_tokens);
        }
    }
}
