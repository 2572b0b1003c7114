#include "policy/data/data_file.h"

#include <stdio.h>
#include <string.h>

#include "policy/data/shipped.h"

enum { NAME_MAX_BYTES = 63 };

bool data_file_is_name(const char *name)
{
    const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    const size_t length = strlen(name);
    return length > 0 && length <= NAME_MAX_BYTES && strspn(name, allowed) == length;
}

static enum status read_shipped(const char *folder, const char *name, struct buffer *out)
{
    char key[DATA_FILE_PATH_BYTES];
    snprintf(key, sizeof key, "%s/%s.yaml", folder, name);
    const struct shipped_file *file = shipped_find(key);
    return file ? buffer_append(out, (const char *)file->bytes, *file->bytes_count)
                : STATUS_NOT_FOUND;
}

enum status data_file_read(const char *folder, const char *name, const char *directory,
                           char path[DATA_FILE_PATH_BYTES], struct buffer *out,
                           struct failure *failure)
{
    path[0] = '\0';
    if (!data_file_is_name(name)) {
        return fail(failure, STATUS_NOT_FOUND,
                    "%s \"%.40s\": a name is letters, digits, \"-\" and \"_\"", folder, name);
    }
    if (directory && directory[0]) {
        const int length =
            snprintf(path, DATA_FILE_PATH_BYTES, "%s/%s/%s.yaml", directory, folder, name);
        if (length < 0 || length >= DATA_FILE_PATH_BYTES) {
            return fail(failure, STATUS_INVALID, "%.100s: the path is too long", directory);
        }
        const enum status status = buffer_read_file(out, path);
        if (status != STATUS_NOT_FOUND) {
            return status == STATUS_OK ? status
                                       : fail(failure, status, "%s: %s", path, status_text(status));
        }
    }
    const enum status status = read_shipped(folder, name, out);
    if (status == STATUS_NOT_FOUND) {
        return fail(failure, status, "%s: there is no \"%.63s\"", folder, name);
    }
    return status == STATUS_OK ? status : fail(failure, status, "%s", status_text(status));
}
