/* lanes_base.h - what the three versions of lanes.h share. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { LANES = 16 };

/* UNROLLED stands in front of a loop whose arrays must end up in registers, INLINED at a function
 * whose parameters must become constants. Plain C would only grow by it, and so would a build with
 * sanitizers, where LANES_SMALL is set. */
#if !defined(__AVX2__) || defined(LANES_SMALL)
#define UNROLLED
#define INLINED static inline
#else
#ifdef __clang__
#define UNROLLED /* it unrolls by itself what can be, and warns about the rest */
#else
#define UNROLLED _Pragma("GCC unroll 32")
#endif
#define INLINED static inline __attribute__((always_inline))
#endif

/* A *_lanes.c is compiled for several units: the name of a function in the one of this unit. */
#ifndef LANES_UNIT
#define LANES_UNIT portable
#endif
#define LANES_JOIN_NOW(name, unit) name##_##unit
#define LANES_JOIN(name, unit)     LANES_JOIN_NOW(name, unit)
#define LANES_NAME(name)           LANES_JOIN(name, LANES_UNIT)
