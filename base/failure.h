/* failure.h - one line that tells a person what was wrong and where: the file, the field, the
 * allowed range, the next step. It travels beside a status, owned by the caller, and is only
 * meaningful when that status is not OK. Never put prompts, completions or keys into it. */
#pragma once
#include "base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FAILURE_TEXT_BYTES = 320 };

struct failure {
    char text[FAILURE_TEXT_BYTES]; /* one line, NUL-terminated, cut when too long */
};

/* Writes the text (failure may be NULL) and returns status, so that a caller can say
 * `return fail(failure, STATUS_INVALID, "%s: tensor %s: ...", path, name);`
 * Control characters and bytes that are not UTF-8 are written as '?'. */
enum status fail(struct failure *failure, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " in front of the text, for a caller that knows the file's name. */
void fail_prefix(struct failure *failure, const char *prefix);

#ifdef __cplusplus
}
#endif
