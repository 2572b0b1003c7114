#include "model/rope_table.h"

#include <math.h>

#include "base/assert.h"
#include "kernels/attention/attention.h"

static const float TWO_PI = 6.283185307F;

/* Llama 3.1: long wavelengths are stretched by factor, short ones kept, those between blended. */
static float scale_llama3(const struct rope_config *rope, float frequency)
{
    const float context = (float)rope->original_context_tokens;
    const float low = (float)rope->low_freq_factor;
    const float high = (float)rope->high_freq_factor;
    const float factor = (float)rope->factor;
    const float wavelength = TWO_PI / frequency;
    if (wavelength > context / low) {
        return frequency / factor;
    }
    if (wavelength < context / high) {
        return frequency;
    }
    const float blend = (context / wavelength - low) / (high - low);
    return (1.0F - blend) * frequency / factor + blend * frequency;
}

/* Radians per position of pair i. */
static float frequency_of(const struct model_config *config, uint32_t i)
{
    const struct rope_config *rope = &config->rope;
    const float exponent = (float)(2 * i) / (float)config->head_dim;
    const float frequency = 1.0F / powf((float)rope->theta, exponent);
    switch (rope->type) {
    case ROPE_LINEAR:
        return frequency / (float)rope->factor;
    case ROPE_LLAMA3:
        return scale_llama3(rope, frequency);
    case ROPE_DEFAULT:
        break;
    }
    return frequency;
}

void rope_table_fill(const struct model_config *config, uint32_t position_count, float *out)
{
    const uint32_t pair_count = config->head_dim / 2;
    float frequencies[ATTENTION_HEAD_DIM_MAX / 2];
    ASSERT(pair_count <= sizeof frequencies / sizeof frequencies[0]);
    for (uint32_t i = 0; i < pair_count; i++) {
        frequencies[i] = frequency_of(config, i);
    }
    for (uint32_t position = 0; position < position_count; position++) {
        float *pairs = out + (size_t)position * config->head_dim;
        for (uint32_t i = 0; i < pair_count; i++) {
            const float angle = (float)position * frequencies[i];
            pairs[2 * (size_t)i] = cosf(angle);
            pairs[2 * (size_t)i + 1] = sinf(angle);
        }
    }
}
