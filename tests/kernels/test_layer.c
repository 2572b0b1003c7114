/* Method: two whole layers over seeded inputs. A prompt of 520 tokens must leave the same bytes in
 * every row, whether it runs alone or among 31 others, at once or in chunks of 1, 7, 64 and 512, on
 * other pages, with or without workers, and on every vector unit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/backend.h"
#include "tests/check.h"
#include "tests/kernels/support_kernels.h"

enum {
    HIDDEN = 44,
    HEADS = 4,
    KV_HEADS = 2,
    HEAD_DIM = 12,
    FFN = 52,
    LAYERS = 2,
    PAGE_TOKENS = 16,
    PAGES = 128,
    PROMPT = 520,
    OTHERS = 31,
    OTHER_TOKENS = 9,
    ROWS_MAX = PROMPT + OTHERS * OTHER_TOKENS,
    Q = HEADS * HEAD_DIM,
    KV = KV_HEADS * HEAD_DIM,
    POOL = PAGES * KV_HEADS * PAGE_TOKENS * HEAD_DIM,
    SEEDS = 2,
};

static struct layer {
    void *q, *k, *v, *o, *gate, *up, *down;
    float *norm, *k_pages, *v_pages;
} layers[LAYERS];

static struct {
    float *x, *normed, *q, *k, *v, *attended, *gate, *up, *cos_sin;
} work;

static struct workers *workers;

static void make_all(struct random_source *random)
{
    for (int i = 0; i < LAYERS; i++) {
        layers[i] = (struct layer){
            .q = support_weights(random, DTYPE_BF16, Q * HIDDEN),
            .k = support_weights(random, DTYPE_BF16, KV * HIDDEN),
            .v = support_weights(random, DTYPE_BF16, KV * HIDDEN),
            .o = support_weights(random, DTYPE_BF16, HIDDEN * Q),
            .gate = support_weights(random, DTYPE_BF16, FFN * HIDDEN),
            .up = support_weights(random, DTYPE_BF16, FFN * HIDDEN),
            .down = support_weights(random, DTYPE_BF16, HIDDEN * FFN),
            .norm = support_floats(random, HIDDEN),
            .k_pages = support_memory(POOL * sizeof(float)),
            .v_pages = support_memory(POOL * sizeof(float)),
        };
    }
    float **const buffers[] = {&work.x,        &work.normed, &work.q,  &work.k,      &work.v,
                               &work.attended, &work.gate,   &work.up, &work.cos_sin};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) {
        *buffers[i] = support_memory((size_t)ROWS_MAX * FFN * sizeof(float));
    }
    for (int i = 0; i < PROMPT * HEAD_DIM / 2; i++) {
        const double angle = i / (HEAD_DIM / 2) * pow(500, -2.0 * (i % (HEAD_DIM / 2)) / HEAD_DIM);
        work.cos_sin[2 * i] = (float)cos(angle);
        work.cos_sin[2 * i + 1] = (float)sin(angle);
    }
}

static void free_all(void)
{
    for (int i = 0; i < LAYERS; i++) {
        void *const blocks[] = {layers[i].q,       layers[i].k,      layers[i].v,    layers[i].o,
                                layers[i].gate,    layers[i].up,     layers[i].down, layers[i].norm,
                                layers[i].k_pages, layers[i].v_pages};
        for (size_t b = 0; b < sizeof blocks / sizeof blocks[0]; b++) {
            free(blocks[b]);
        }
    }
    float *const buffers[] = {work.x,        work.normed, work.q,  work.k,      work.v,
                              work.attended, work.gate,   work.up, work.cos_sin};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) {
        free(buffers[i]);
    }
}

static void multiply(const float *x, uint32_t rows, uint32_t in_count, bool adds,
                     const struct matmul_part *parts, uint32_t part_count)
{
    struct matmul_args args = {.x = x,
                               .part_count = part_count,
                               .row_count = rows,
                               .in_count = in_count,
                               .x_stride = in_count,
                               .dtype = DTYPE_BF16,
                               .adds_to_out = adds};
    memcpy(args.parts, parts, part_count * sizeof *parts);
    backend_cpu.matmul(&args, workers);
}

static void norm(const struct layer *layer, uint32_t rows)
{
    backend_cpu.rms_norm(
        &(struct rms_norm_args){work.x, layer->norm, work.normed, rows, HIDDEN, 1e-5F}, workers);
}

static void attend(const struct layer *layer, const struct attention_sequence *sequences,
                   uint32_t count)
{
    const struct rope_kv_args write = {.q = work.q,
                                       .k = work.k,
                                       .v = work.v,
                                       .k_pages = layer->k_pages,
                                       .v_pages = layer->v_pages,
                                       .cos_sin = work.cos_sin,
                                       .sequences = sequences,
                                       .sequence_count = count,
                                       .head_count = HEADS,
                                       .kv_head_count = KV_HEADS,
                                       .head_dim = HEAD_DIM,
                                       .page_tokens = PAGE_TOKENS};
    backend_cpu.rope_kv(&write, workers);
    const struct attention_args read = {.q = work.q,
                                        .k_pages = layer->k_pages,
                                        .v_pages = layer->v_pages,
                                        .out = work.attended,
                                        .sequences = sequences,
                                        .sequence_count = count,
                                        .head_count = HEADS,
                                        .kv_head_count = KV_HEADS,
                                        .head_dim = HEAD_DIM,
                                        .page_tokens = PAGE_TOKENS,
                                        .scale = 0.3F};
    backend_cpu.attention(&read, workers);
}

/* All layers over the rows of work.x, in place. */
static void forward(uint32_t rows, const struct attention_sequence *sequences, uint32_t count)
{
    for (int i = 0; i < LAYERS; i++) {
        const struct layer *layer = &layers[i];
        norm(layer, rows);
        multiply(work.normed, rows, HIDDEN, false,
                 (const struct matmul_part[]){{layer->q, NULL, work.q, Q, Q},
                                              {layer->k, NULL, work.k, KV, KV},
                                              {layer->v, NULL, work.v, KV, KV}},
                 3);
        attend(layer, sequences, count);
        multiply(work.attended, rows, Q, true,
                 &(struct matmul_part){layer->o, NULL, work.x, HIDDEN, HIDDEN}, 1);
        norm(layer, rows);
        multiply(work.normed, rows, HIDDEN, false,
                 (const struct matmul_part[]){{layer->gate, NULL, work.gate, FFN, FFN},
                                              {layer->up, NULL, work.up, FFN, FFN}},
                 2);
        backend_cpu.swiglu(
            &(struct swiglu_args){work.gate, work.up, work.gate, rows, FFN, SWIGLU_SILU}, workers);
        multiply(work.gate, rows, FFN, true,
                 &(struct matmul_part){layer->down, NULL, work.x, HIDDEN, HIDDEN}, 1);
    }
}

/* The prompt in chunks; the others' tokens run beside each chunk, at the positions 0 to 8. */
static void run_prompt(const float *inputs, uint32_t chunk, uint32_t others, const uint32_t *deck,
                       float *out)
{
    struct attention_sequence sequences[OTHERS + 1];
    for (uint32_t first = 0; first < PROMPT; first += chunk) {
        const uint32_t rows = PROMPT - first < chunk ? PROMPT - first : chunk;
        uint32_t row_count = 0;
        for (uint32_t s = 0; s <= others; s++) { /* the prompt stands in the middle */
            const bool is_prompt = s == others / 2;
            sequences[s] = (struct attention_sequence){.pages = is_prompt ? deck : deck + 40 + s,
                                                       .row_first = row_count,
                                                       .row_count = is_prompt ? rows : OTHER_TOKENS,
                                                       .position_first = is_prompt ? first : 0};
            row_count += sequences[s].row_count;
        }
        for (uint32_t i = 0; i < row_count * HIDDEN; i++) {
            work.x[i] = (float)(i % 13) - 6.0F; /* what the others say */
        }
        float *prompt_rows = work.x + (size_t)sequences[others / 2].row_first * HIDDEN;
        memcpy(prompt_rows, inputs + (size_t)first * HIDDEN, rows * HIDDEN * sizeof(float));
        forward(row_count, sequences, others + 1);
        memcpy(out + (size_t)first * HIDDEN, prompt_rows, rows * HIDDEN * sizeof(float));
    }
}

static void shuffle(struct random_source *random, uint32_t *deck)
{
    for (uint32_t i = 0; i < PAGES; i++) {
        const uint32_t j = random_below(random, i + 1);
        deck[i] = deck[j];
        deck[j] = i;
    }
}

static const float *expected; /* set once a seed, on the machine's best unit */
static const float *prompt;
static uint64_t seed;

static void check_level(const char *level)
{
    static const struct {
        uint32_t chunk, others;
    } ways[] = {{PROMPT, OTHERS}, {512, 0}, {64, OTHERS}, {64, 0}, {7, 0}, {1, 0}};
    struct random_source random = {seed + 1000};
    uint32_t deck[PAGES] = {0};
    float *out = support_memory(PROMPT * HIDDEN * sizeof *out);
    struct workers *all = workers;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        shuffle(&random, deck);
        workers = i % 2 == 0 ? all : NULL;
        run_prompt(prompt, ways[i].chunk, ways[i].others, deck, out);
        const size_t at = support_first_difference(expected, out, PROMPT * HIDDEN);
        CHECK(at == PROMPT * HIDDEN, "%s seed %llu chunks of %u among %u: row %zu", level,
              (unsigned long long)seed, ways[i].chunk, ways[i].others, at / HIDDEN);
    }
    workers = all;
    free(out);
}

int main(void)
{
    if (workers_create(0, &workers) != STATUS_OK) {
        return 1;
    }
    for (seed = 1; seed <= SEEDS; seed++) {
        struct random_source random = {seed};
        uint32_t deck[PAGES] = {0};
        make_all(&random);
        float *inputs = support_floats(&random, PROMPT * HIDDEN);
        float *alone = support_memory(PROMPT * HIDDEN * sizeof *alone);
        shuffle(&random, deck);
        run_prompt(inputs, PROMPT, 0, deck, alone);
        prompt = inputs;
        expected = alone;
        CHECK(isfinite(alone[PROMPT * HIDDEN - 1]), "the layers give numbers");
        support_on_every_level(check_level);
        free(inputs);
        free(alone);
        free_all();
    }
    workers_destroy(workers);
    return check_failures > 0;
}
