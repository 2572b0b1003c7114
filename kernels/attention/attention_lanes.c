/* attention_lanes.c - attention of a block of rows over lanes. A tile of 16 keys and values is read
 * once for all rows and all query heads of the block; scores have one lane a key, outputs one lane
 * an element of the head. The running output lives in `out` itself. */
#include <math.h>
#include <string.h>

#include "kernels/fold.h"
#include "kernels/lanes/lane_kernels.h"
#include "kernels/lanes/lanes.h"
#include "kernels/lanes/lanes_exponential.h"

_Static_assert((int)ATTENTION_TILE_TOKENS == (int)LANES, "one lane a key");

enum { AT_ONCE = 4 }; /* pairs that go through a tile together */
enum { PAIRS_MAX = ATTENTION_BLOCK_ROWS * ATTENTION_GROUP_MAX }; /* a row and a query head */

struct running {
    float maximum[PAIRS_MAX];
    float sums[PAIRS_MAX][LANES]; /* of the weights; folded at the end */
};

/* A row and query head that meets a tile: where its query, output and running state are. */
struct meeting {
    const float *q;
    float *out, *maximum, *sums;
};

/* A tile's keys and values, and those of the tile that comes next. Pages lie anywhere, so that the
 * hardware does not see them coming: they are prefetched between the sums, because a burst would
 * hold up everything else. */
struct tile {
    const float *k, *v, *next_k, *next_v;
    float scale, softcap;
    uint32_t head_dim;
};

/* Dot products of q with `count` keys, one a lane; the other lanes are zero. On its turn, of turns,
 * it prefetches as much of the next keys as it reads of these. */
INLINED struct lanes score(const float *q, const struct tile *tile, uint32_t turn, uint32_t turns,
                           uint32_t count)
{
    struct lanes sums[LANES];
    UNROLLED for (uint32_t j = 0; j < LANES; j++)
    {
        sums[j] = lanes_broadcast(0.0F);
    }
    uint32_t d = 0;
    for (; d + LANES <= tile->head_dim; d += LANES) {
        const struct lanes part = lanes_keep(lanes_load(q + d));
        const bool is_my_turn = d / LANES % turns == turn;
        UNROLLED for (uint32_t j = 0; j < count; j++)
        {
            if (is_my_turn) {
                __builtin_prefetch(tile->next_k + (size_t)j * tile->head_dim + d, 0, 2);
            }
            sums[j] =
                lanes_fma(part, lanes_load(tile->k + (size_t)j * tile->head_dim + d), sums[j]);
        }
    }
    if (d < tile->head_dim) {
        const uint32_t left = tile->head_dim - d;
        const struct lanes part = lanes_load_some(q + d, left);
        for (uint32_t j = 0; j < count; j++) {
            const struct lanes key =
                lanes_load_some(tile->k + (size_t)j * tile->head_dim + d, left);
            sums[j] = lanes_first(lanes_fma(part, key, sums[j]), sums[j], left);
        }
    }
    return lanes_fold_16(sums);
}

/* Meetings that go through a tile together, and what they have worked out on the way. */
struct party {
    const struct meeting *meetings;
    float weights[AT_ONCE][LANES], shrinks[AT_ONCE];
};

/* Scores to weights; the maximum and the sums move on. */
INLINED void weigh(const struct meeting *meeting, struct lanes scores, float *weights,
                   float *shrink)
{
    const float highest = lanes_highest(scores), before = *meeting->maximum;
    const float maximum = highest > before ? highest : before;
    const struct lanes all = lanes_exponential(lanes_subtract(scores, lanes_broadcast(maximum)));
    *shrink = maximum == before ? 1.0F : exponential(before - maximum); /* mostly the former */
    *meeting->maximum = maximum;
    lanes_store(meeting->sums, lanes_fma(lanes_load(meeting->sums), lanes_broadcast(*shrink), all));
    lanes_store(weights, all);
}

/* `width` elements of the heads from d on: the values by their weights. */
INLINED void add_values(const struct party *party, uint32_t meeting_count, const struct tile *tile,
                        uint32_t count, uint32_t d, uint32_t width)
{
    struct lanes outs[AT_ONCE];
    UNROLLED for (uint32_t i = 0; i < meeting_count; i++)
    {
        outs[i] = lanes_multiply(lanes_load_some(party->meetings[i].out + d, width),
                                 lanes_broadcast(party->shrinks[i]));
    }
    UNROLLED for (size_t j = 0; j < count; j++)
    {
        __builtin_prefetch(tile->next_v + j * tile->head_dim + d, 0, 2);
        const struct lanes value =
            lanes_keep(lanes_load_some(tile->v + j * tile->head_dim + d, width));
        UNROLLED for (uint32_t i = 0; i < meeting_count; i++)
        {
            outs[i] = lanes_fma(lanes_broadcast(party->weights[i][j]), value, outs[i]);
        }
    }
    UNROLLED for (uint32_t i = 0; i < meeting_count; i++)
    {
        lanes_store_some(party->meetings[i].out + d, width, outs[i]);
    }
}

/* softcap * tanh(score / softcap), as attention_reference.c has it. */
INLINED struct lanes cap(struct lanes scores, float softcap)
{
    const struct lanes power =
        lanes_exponential(lanes_multiply(scores, lanes_broadcast(2.0F / softcap)));
    const struct lanes one = lanes_broadcast(1.0F);
    return lanes_subtract(lanes_broadcast(softcap),
                          lanes_divide(lanes_broadcast(2.0F * softcap), lanes_add(power, one)));
}

/* Several meetings at once, step by step: one alone would wait for each step's result. The keys
 * before `first` are outside the window. */
INLINED void add_tile(const struct meeting *meetings, uint32_t meeting_count,
                      const struct tile *tile, uint32_t first, uint32_t count)
{
    struct party party;
    party.meetings = meetings;
    struct lanes scores[AT_ONCE];
    const struct lanes never = lanes_broadcast(-INFINITY), scale = lanes_broadcast(tile->scale);
    for (uint32_t i = 0; i < meeting_count; i++) {
        scores[i] = lanes_multiply(score(meetings[i].q, tile, i, meeting_count, count), scale);
        if (tile->softcap > 0) {
            scores[i] = cap(scores[i], tile->softcap);
        }
        if (first > 0) {
            scores[i] = lanes_first(never, scores[i], first);
        }
    }
    for (uint32_t i = 0; i < meeting_count; i++) {
        weigh(&meetings[i], count < LANES ? lanes_first(scores[i], never, count) : scores[i],
              party.weights[i], &party.shrinks[i]);
    }
    uint32_t d = 0;
    for (; d + LANES <= tile->head_dim; d += LANES) {
        add_values(&party, meeting_count, tile, count, d, LANES);
    }
    if (d < tile->head_dim) {
        add_values(&party, meeting_count, tile, count, d, tile->head_dim - d);
    }
}

/* First element of a tile's keys, and of its values, in the pools. */
static size_t tile_offset(const struct attention_args *args, const struct attention_block *block,
                          uint32_t t)
{
    const size_t page = block->sequence->pages[t / args->page_tokens];
    const size_t slot =
        (page * args->kv_head_count + block->kv_head) * args->page_tokens + t % args->page_tokens;
    return slot * args->head_dim;
}

static struct meeting meeting_of(const struct attention_args *args,
                                 const struct attention_block *block, struct running *running,
                                 uint32_t pair)
{
    const uint32_t group = args->head_count / args->kv_head_count;
    const size_t row = (size_t)block->sequence->row_first + block->row_first + pair / group;
    const size_t head = row * args->head_count + (size_t)block->kv_head * group + pair % group;
    return (struct meeting){.q = args->q + head * args->head_dim,
                            .out = args->out + head * args->head_dim,
                            .maximum = &running->maximum[pair],
                            .sums = running->sums[pair]};
}

static uint32_t key_count_of(const struct attention_args *args, const struct attention_block *block,
                             uint32_t pair)
{
    const uint32_t group = args->head_count / args->kv_head_count;
    return block->sequence->position_first + block->row_first + pair / group + 1;
}

/* The first key in the window of a row that sees key_count keys. */
static uint32_t key_first_of(const struct attention_args *args, uint32_t key_count)
{
    return args->window > 0 && key_count > args->window ? key_count - args->window : 0;
}

/* All rows and query heads of the block for the keys t, t + 1, ... t + 15. */
INLINED void add_tile_to_block(const struct attention_args *args,
                               const struct attention_block *block, struct running *running,
                               uint32_t t, uint32_t head_dim)
{
    const uint32_t group = args->head_count / args->kv_head_count;
    const uint32_t key_end = block->sequence->position_first + block->row_first + block->row_count;
    const size_t at = tile_offset(args, block, t);
    const size_t next = t + LANES < key_end ? tile_offset(args, block, t + LANES) : at;
    const struct tile tile = {.k = args->k_pages + at,
                              .v = args->v_pages + at,
                              .next_k = args->k_pages + next,
                              .next_v = args->v_pages + next,
                              .scale = args->scale,
                              .softcap = args->softcap,
                              .head_dim = head_dim};
    const uint32_t pairs = block->row_count * group;
    uint32_t done = 0;
    for (uint32_t pair = 0; pair < pairs; pair += done) {
        const uint32_t key_count = key_count_of(args, block, pair);
        const uint32_t key_first = key_first_of(args, key_count);
        const bool is_whole = key_count >= t + LANES && key_first <= t;
        done = is_whole && pairs - pair >= AT_ONCE
                       && key_first_of(args, key_count_of(args, block, pair + AT_ONCE - 1)) <= t
                   ? AT_ONCE
                   : 1;
        struct meeting meetings[AT_ONCE];
        for (uint32_t i = 0; i < done; i++) {
            meetings[i] = meeting_of(args, block, running, pair + i);
        }
        if (done == AT_ONCE) {
            add_tile(meetings, AT_ONCE, &tile, 0, LANES);
        } else if (is_whole) {
            add_tile(meetings, 1, &tile, 0, LANES);
        } else if (key_count > t && key_first < t + LANES) {
            add_tile(meetings, 1, &tile, key_first > t ? key_first - t : 0,
                     key_count - t < LANES ? key_count - t : LANES);
        }
    }
}

static void divide(float *out, const float *sums, uint32_t head_dim)
{
    const struct lanes sum = lanes_broadcast(fold(sums));
    uint32_t d = 0;
    for (; d + LANES <= head_dim; d += LANES) {
        lanes_store(out + d, lanes_divide(lanes_load(out + d), sum));
    }
    if (d < head_dim) {
        const uint32_t left = head_dim - d;
        lanes_store_some(out + d, left, lanes_divide(lanes_load_some(out + d, left), sum));
    }
}

static void add_tile_64(const struct attention_args *args, const struct attention_block *block,
                        struct running *running, uint32_t t)
{
    add_tile_to_block(args, block, running, t, 64);
}

static void add_tile_128(const struct attention_args *args, const struct attention_block *block,
                         struct running *running, uint32_t t)
{
    add_tile_to_block(args, block, running, t, 128);
}

static void add_tile_any(const struct attention_args *args, const struct attention_block *block,
                         struct running *running, uint32_t t)
{
    add_tile_to_block(args, block, running, t, args->head_dim);
}

void LANES_NAME(attention_block)(const struct attention_args *args,
                                 const struct attention_block *block)
{
    const uint32_t group = args->head_count / args->kv_head_count;
    const uint32_t row_first = block->sequence->row_first + block->row_first;
    struct running running;
    for (uint32_t i = 0; i < block->row_count; i++) {
        const size_t head =
            (size_t)(row_first + i) * args->head_count + (size_t)block->kv_head * group;
        memset(args->out + head * args->head_dim, 0,
               (size_t)group * args->head_dim * sizeof(float));
    }
    for (uint32_t pair = 0; pair < block->row_count * group; pair++) {
        running.maximum[pair] = -INFINITY;
        memset(running.sums[pair], 0, sizeof running.sums[pair]);
    }
    const uint32_t key_end = block->sequence->position_first + block->row_first + block->row_count;
    const uint32_t key_first = key_first_of(args, key_count_of(args, block, 0));
    for (uint32_t t = key_first - key_first % LANES; t < key_end; t += LANES) {
        (args->head_dim == 64    ? add_tile_64
         : args->head_dim == 128 ? add_tile_128
                                 : add_tile_any)(args, block, &running, t);
    }
    for (uint32_t pair = 0; pair < block->row_count * group; pair++) {
        const size_t row = (size_t)row_first + pair / group;
        const size_t head = row * args->head_count + (size_t)block->kv_head * group + pair % group;
        divide(args->out + head * args->head_dim, running.sums[pair], args->head_dim);
    }
}
