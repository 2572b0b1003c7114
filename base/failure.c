#include "base/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* A file's own bytes may be in the text: keep it one line of valid UTF-8. */
static void clean(char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length;) {
        const size_t step = utf8_sequence_bytes(text + i, length - i);
        if (step == 0 || (unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
            text[i++] = '?';
        } else {
            i += step;
        }
    }
}

enum status fail(struct failure *failure, enum status status, const char *format, ...)
{
    if (failure) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(failure->text, sizeof failure->text, format, arguments);
        va_end(arguments);
        clean(failure->text);
    }
    return status;
}

void fail_prefix(struct failure *failure, const char *prefix)
{
    if (failure) {
        char text[FAILURE_TEXT_BYTES];
        memcpy(text, failure->text, sizeof text);
        snprintf(failure->text, sizeof failure->text, "%.150s: %.160s", prefix, text);
        clean(failure->text);
    }
}
