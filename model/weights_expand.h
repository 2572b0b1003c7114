/* weights_expand.h - weights for kernels that multiply plain formats only, the CPU's: E4M3 matrices
 * times their scales, rounded to bf16. Twice the memory of the file's; bf16 keeps five bits more
 * than e4m3 has, and each weight is read at bf16's speed. */
#pragma once
#include "model/weights.h"

/* *out becomes NULL where nothing is E4M3. Else a copy that shares everything but those matrices
 * with `from`, which must outlive it; weights_close() it. STATUS_IO: no memory, with the bytes. */
MUST_CHECK enum status weights_expand(const struct model_config *config, const struct weights *from,
                                      struct weights **out, struct failure *failure);
