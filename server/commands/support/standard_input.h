/* standard_input.h - all of stdin as bytes, for commands that take text or JSON there. */
#pragma once
#include "base/buffer.h"
#include "base/failure.h"

enum { STANDARD_INPUT_BYTES_MAX = 64 << 20 };

/* Into out, whose limit it sets. STATUS_TOO_LARGE, STATUS_IO. */
MUST_CHECK enum status standard_input_read(struct buffer *out, struct failure *failure);
