#include "policy/data/shipped.h"

#include <string.h>

const struct shipped_file *shipped_find(const char *path)
{
    for (const struct shipped_file *file = shipped_files; file->path; file++) {
        if (strcmp(file->path, path) == 0) {
            return file;
        }
    }
    return NULL;
}
