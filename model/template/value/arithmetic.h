/* arithmetic.h - Python's operators on numbers, strings and lists. Integers are 64 bits: what does
 * not fit is STATUS_INVALID. */
#pragma once
#include "model/template/value/value.h"

enum arithmetic {
    ARITHMETIC_ADD,
    ARITHMETIC_SUBTRACT,
    ARITHMETIC_MULTIPLY,
    ARITHMETIC_DIVIDE,
    ARITHMETIC_FLOOR_DIVIDE,
    ARITHMETIC_MODULO,
    ARITHMETIC_POWER,
    ARITHMETIC_COUNT
};

struct value arithmetic_apply(struct work *work, enum arithmetic operation, struct value left,
                              struct value right);
struct value arithmetic_negate(struct work *work, struct value value);
struct value arithmetic_plus(struct work *work, struct value value);
