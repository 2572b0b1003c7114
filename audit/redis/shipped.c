/* shipped.c - one line of fixed length, written in place: "<20 digits> <crc32c of them>\n". */
#include "audit/redis/shipped.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/chain/crc32c.h"
#include "audit/spool/directory.h"
#include "audit/spool/file.h"

enum { DIGITS = 20, LINE_BYTES = DIGITS + 1 + 8 + 1 };

static void write_line(uint64_t sequence, char out[LINE_BYTES + 1])
{
    snprintf(out, LINE_BYTES + 1, "%020llu", (unsigned long long)sequence);
    snprintf(out + DIGITS, LINE_BYTES + 1 - DIGITS, " %08x\n", crc32c(0, out, DIGITS));
}

enum status shipped_open(const char *directory, struct shipped *out, uint64_t *sequence,
                         struct failure *failure)
{
    char path[DIRECTORY_PATH_BYTES];
    char line[LINE_BYTES + 1] = "";
    char again[LINE_BYTES + 1];
    *sequence = 0;
    const enum status status = directory_path(directory, NULL, "shipped", path, failure);
    if (status != STATUS_OK) {
        return status;
    }
    out->fd = file_open(path, O_RDWR | O_CREAT);
    if (out->fd < 0) {
        return file_failed(failure, path, "opened");
    }
    if (file_read_at(out->fd, line, LINE_BYTES, 0) == LINE_BYTES) {
        const uint64_t value = strtoull(line, NULL, 10);
        write_line(value, again);
        *sequence = strcmp(line, again) == 0 ? value : 0;
    }
    return STATUS_OK;
}

bool shipped_write(struct shipped *shipped, uint64_t sequence)
{
    char line[LINE_BYTES + 1];
    write_line(sequence, line);
    return file_write_at(shipped->fd, line, LINE_BYTES, 0);
}

void shipped_close(struct shipped *shipped)
{
    if (shipped->fd >= 0) {
        close(shipped->fd);
        shipped->fd = -1;
    }
}
