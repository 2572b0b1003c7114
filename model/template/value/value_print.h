/* value_print.h - Python's str() and repr(). Where anything of a user is printed within a list or
 * dict, the whole print is the user's. */
#pragma once
#include "model/template/value/value.h"
#include "model/template/value/writer.h"

enum { VALUE_PRINT_FLOAT_BYTES = 40 };

const struct text *value_print(struct work *work, struct value value); /* str() */
void value_print_repr(struct writer *writer, struct value value, uint8_t origin);
/* The shortest digits that read back as the same number, as repr() writes them. */
void value_print_float(double real, char out[VALUE_PRINT_FLOAT_BYTES]);
