/* data_file.h - a file of rules by folder and name: the operator's directory comes first, then what
 * the binary carries. Names are checked, so that none leads out of the folder. */
#pragma once
#include <stdbool.h>

#include "base/buffer.h"
#include "base/failure.h"

enum { DATA_FILE_PATH_BYTES = 512, DATA_FILE_BYTES_MAX = 1 << 20 };

/* Letters, digits, "-" and "_", 1 to 63 of them. */
bool data_file_is_name(const char *name);

/* Appends FOLDER/NAME.yaml to `out`. path: where it is, or would be, on disk, whether it was there
 * or not; "" without a directory. STATUS_NOT_FOUND: neither has it. STATUS_IO, STATUS_TOO_LARGE:
 * failure says why. */
MUST_CHECK enum status data_file_read(const char *folder, const char *name, const char *directory,
                                      char path[DATA_FILE_PATH_BYTES], struct buffer *out,
                                      struct failure *failure);
