/* fold.h - the one order in which 16 partial sums become one: 8+8, 4+4, 2+2, 1+1. Every sum of
 * the kernels is 16 lanes (lane = index mod 16) and then this, so that a wide vector unit, a
 * narrow one and plain C give the same bits. */
#pragma once

enum { FOLD_LANES = 16 };

static inline float fold(const float lanes[FOLD_LANES])
{
    float sums[FOLD_LANES / 2];
    for (int i = 0; i < 8; i++) {
        sums[i] = lanes[i] + lanes[i + 8];
    }
    for (int half = 4; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            sums[i] += sums[i + half];
        }
    }
    return sums[0];
}
