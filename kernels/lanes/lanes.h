/* lanes.h - 16 floats that are worked on at once, for the vector unit that this file is compiled
 * for: one AVX-512 register, two AVX2 registers or plain C. Every function gives the same bits on
 * all three, so code over lanes does too. For the lane_kernels_*.c alone.
 *
 *   lanes_load_weight  16 elements of a dtype, exact
 *   ..._some           the first `count` lanes, 0 to 16; the others are zero or not written
 *   lanes_first        the first `count` lanes of a, the others of b
 *   lanes_fma          a * b + sum, rounded once
 *   lanes_max, _min    the second operand if either is NaN
 *   lanes_highest      the highest of the 16; if one is NaN, any value
 *   lanes_zero_below   zero where x < limit, else a
 *   lanes_shift_bits   the bits of each lane as an integer, shifted left, plus `added`
 *   lanes_keep         keeps a value in its register, else it is read from memory at every use
 *   lanes_fold_16      lane i of the result is fold() of vectors[i], kernels/fold.h */
#pragma once
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#include "kernels/lanes/lanes_avx512.h"
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include "kernels/lanes/lanes_avx2.h"
#else
#include "kernels/lanes/lanes_portable.h"
#endif
