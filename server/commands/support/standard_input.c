#include "server/commands/support/standard_input.h"

#include <stdio.h>

enum { CHUNK_BYTES = 65536 };

enum status standard_input_read(struct buffer *out, struct failure *failure)
{
    static char chunk[CHUNK_BYTES];
    out->limit_bytes = STANDARD_INPUT_BYTES_MAX;
    for (;;) {
        const size_t length = fread(chunk, 1, sizeof chunk, stdin);
        if (length == 0) {
            return ferror(stdin) ? fail(failure, STATUS_IO, "standard input cannot be read")
                                 : STATUS_OK;
        }
        const enum status status = buffer_append(out, chunk, length);
        if (status != STATUS_OK) {
            return fail(failure, status, "standard input is larger than %d bytes",
                        STANDARD_INPUT_BYTES_MAX);
        }
    }
}
