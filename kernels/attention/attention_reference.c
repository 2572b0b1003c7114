/* attention_reference.c - the definition of attention, order of summation included: tiles of 16
 * keys in rising order; scores as matmul.h sums them; the running maximum, sums (one for each place
 * in a tile) and output are rescaled once a tile. */
#include <math.h>
#include <stddef.h>

#include "kernels/attention/attention.h"
#include "kernels/exponential.h"
#include "kernels/fold.h"

_Static_assert((int)ATTENTION_TILE_TOKENS == (int)FOLD_LANES, "one lane a key");

struct running {
    float maximum, sums[FOLD_LANES];
};

/* softcap * tanh(score / softcap), by tanh(x) = 1 - 2 / (e^2x + 1). */
static float cap(float score, float softcap)
{
    const float power = exponential(score * (2.0F / softcap));
    return softcap - 2.0F * softcap / (power + 1.0F);
}

static float dot(const float *a, const float *b, uint32_t count)
{
    float lanes[FOLD_LANES] = {0};
    for (uint32_t i = 0; i < count; i++) {
        lanes[i % FOLD_LANES] = fmaf(a[i], b[i], lanes[i % FOLD_LANES]);
    }
    return fold(lanes);
}

/* k and v are the tile's first rows, 1 to 16 keys; those before `first` are outside the window. */
static void add_tile(const struct attention_args *args, const float *q, const float *k,
                     const float *v, const uint32_t first_count[2], struct running *running,
                     float *out)
{
    const uint32_t first = first_count[0], count = first_count[1];
    float weights[FOLD_LANES] = {0};
    float maximum = running->maximum;
    for (uint32_t j = first; j < count; j++) {
        weights[j] = dot(q, k + (size_t)j * args->head_dim, args->head_dim) * args->scale;
        weights[j] = args->softcap > 0 ? cap(weights[j], args->softcap) : weights[j];
        maximum = weights[j] > maximum ? weights[j] : maximum;
    }
    for (uint32_t j = first; j < count; j++) {
        weights[j] = exponential(weights[j] - maximum);
    }
    const float shrink = exponential(running->maximum - maximum);
    running->maximum = maximum;
    for (uint32_t j = 0; j < FOLD_LANES; j++) {
        running->sums[j] = fmaf(running->sums[j], shrink, weights[j]);
    }
    for (uint32_t d = 0; d < args->head_dim; d++) {
        float sum = out[d] * shrink;
        for (uint32_t j = 0; j < count; j++) {
            sum = fmaf(weights[j], v[(size_t)j * args->head_dim + d], sum);
        }
        out[d] = sum;
    }
}

static void attend(const struct attention_args *args, const struct attention_sequence *sequence,
                   uint32_t i, uint32_t h)
{
    const uint32_t g = h / (args->head_count / args->kv_head_count);
    const size_t head = ((size_t)sequence->row_first + i) * args->head_count + h;
    const float *q = args->q + head * args->head_dim;
    float *out = args->out + head * args->head_dim;
    struct running running = {.maximum = -INFINITY};
    for (uint32_t d = 0; d < args->head_dim; d++) {
        out[d] = 0.0F;
    }
    const uint32_t key_count = sequence->position_first + i + 1;
    const uint32_t key_first =
        args->window > 0 && key_count > args->window ? key_count - args->window : 0;
    const uint32_t tile_first = key_first - key_first % ATTENTION_TILE_TOKENS;
    for (uint32_t t = tile_first; t < key_count; t += ATTENTION_TILE_TOKENS) {
        const uint32_t left = key_count - t;
        const uint32_t first_count[2] = {t < key_first ? key_first - t : 0,
                                         left < ATTENTION_TILE_TOKENS ? left
                                                                      : ATTENTION_TILE_TOKENS};
        const size_t page = sequence->pages[t / args->page_tokens];
        const size_t row =
            (page * args->kv_head_count + g) * args->page_tokens + t % args->page_tokens;
        add_tile(args, q, args->k_pages + row * args->head_dim,
                 args->v_pages + row * args->head_dim, first_count, &running, out);
    }
    for (uint32_t d = 0; d < args->head_dim; d++) {
        out[d] /= fold(running.sums);
    }
}

void attention_reference(const struct attention_args *args)
{
    for (uint32_t s = 0; s < args->sequence_count; s++) {
        for (uint32_t i = 0; i < args->sequences[s].row_count; i++) {
            for (uint32_t h = 0; h < args->head_count; h++) {
                attend(args, &args->sequences[s], i, h);
            }
        }
    }
}
