/* Method: cos and sin that transformers 5.23's LlamaRotaryEmbedding gives, float32, head_dim 64, at
 * short and very long positions; ours may differ by one unit in the last place of 1. */
#include <math.h>
#include <stdlib.h>

#include "model/rope_table.h"
#include "tests/check.h"

enum { HEAD_DIM = 64, POSITIONS = 131072 };

static const struct rope_config configs[] = {
    [ROPE_DEFAULT] = {.type = ROPE_DEFAULT, .theta = 10000.0},
    [ROPE_LINEAR] = {.type = ROPE_LINEAR, .theta = 10000.0, .factor = 4.0},
    [ROPE_LLAMA3] = {ROPE_LLAMA3, 500000.0, 32.0, 1.0, 4.0, 8192},
};

/* clang-format off */
static const struct {
    enum rope_type type;
    uint32_t position, pair;
    float cos, sin;
} rows[] = {
    {ROPE_DEFAULT, 7, 0, 0.753902256F, 0.656986594F},
    {ROPE_DEFAULT, 511, 3, -0.28386876F, 0.958863139F},
    {ROPE_DEFAULT, 4095, 1, -0.0900463611F, -0.995937586F},
    {ROPE_DEFAULT, 8191, 16, 0.973987579F, 0.226601541F},
    {ROPE_DEFAULT, 32000, 9, 0.870090544F, -0.492891967F},
    {ROPE_DEFAULT, 131071, 0, -0.817983508F, -0.575241685F},
    {ROPE_DEFAULT, 131071, 12, -0.4815346F, -0.876427054F},
    {ROPE_DEFAULT, 131071, 18, -0.355013937F, 0.934861004F},
    {ROPE_DEFAULT, 131071, 31, 0.19851248F, -0.980098367F},
    {ROPE_LINEAR, 7, 0, -0.178246051F, 0.98398596F},
    {ROPE_LINEAR, 511, 3, -0.893975914F, -0.448115021F},
    {ROPE_LINEAR, 4095, 1, 0.403410643F, 0.915019035F},
    {ROPE_LINEAR, 8191, 16, -0.0571156591F, 0.998367548F},
    {ROPE_LINEAR, 32000, 9, -0.991710007F, 0.128496334F},
    {ROPE_LINEAR, 131071, 0, 0.590899408F, 0.806745231F},
    {ROPE_LINEAR, 131071, 12, 0.868662477F, -0.495404392F},
    {ROPE_LINEAR, 131071, 18, -0.464820027F, 0.885405183F},
    {ROPE_LINEAR, 131071, 31, -0.336068124F, -0.941837668F},
    {ROPE_LLAMA3, 7, 0, 0.753902256F, 0.656986594F},
    {ROPE_LLAMA3, 511, 3, 0.102598272F, -0.994722843F},
    {ROPE_LLAMA3, 4095, 1, -0.999538541F, 0.0303750578F},
    {ROPE_LLAMA3, 8191, 16, -0.929807723F, -0.368045628F},
    {ROPE_LLAMA3, 32000, 9, 0.820492089F, 0.571657896F},
    {ROPE_LLAMA3, 131071, 0, -0.817983508F, -0.575241685F},
    {ROPE_LLAMA3, 131071, 12, 0.687491775F, 0.726192176F},
    {ROPE_LLAMA3, 131071, 18, -0.830530822F, 0.556972682F},
    {ROPE_LLAMA3, 131071, 31, 0.999923825F, 0.0123443548F},
};
/* clang-format on */

static void angles_are_those_of_transformers(void)
{
    float *table = malloc(sizeof(float) * HEAD_DIM * POSITIONS);
    CHECK(table, "memory");
    for (size_t i = 0; table && i < sizeof rows / sizeof rows[0]; i++) {
        const struct model_config config = {.head_dim = HEAD_DIM, .rope = configs[rows[i].type]};
        if (i == 0 || rows[i].type != rows[i - 1].type) {
            rope_table_fill(&config, POSITIONS, table);
        }
        const float *pair = table + (size_t)rows[i].position * HEAD_DIM + 2 * (size_t)rows[i].pair;
        CHECK(fabsf(pair[0] - rows[i].cos) < 1.2e-7F && fabsf(pair[1] - rows[i].sin) < 1.2e-7F,
              "row %zu: %.9g %.9g", i, (double)pair[0], (double)pair[1]);
    }
    free(table);
}

CHECK_MAIN(angles_are_those_of_transformers)
