#include "policy/filter/clean.h"

#include <string.h>

#include "base/utf8.h"

/* What of `open` is whole, or cannot become so. */
static enum status drain(struct clean *clean, bool has_ended, clean_told told, void *context)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && clean->open_bytes > 0
           && (has_ended || !utf8_is_open(clean->open, clean->open_bytes))) {
        const size_t bytes = utf8_sequence_bytes(clean->open, clean->open_bytes);
        const size_t used = bytes > 0 ? bytes : 1;
        status = bytes > 0 ? told(context, clean->open, bytes, false)
                           : told(context, "\xef\xbf\xbd", CLEAN_BAD_BYTES, true);
        clean->open_bytes -= used;
        memmove(clean->open, clean->open + used, clean->open_bytes);
    }
    return status;
}

enum status clean_feed(struct clean *clean, const char *text, size_t length, clean_told told,
                       void *context)
{
    enum status status = STATUS_OK;
    for (size_t at = 0; at < length && status == STATUS_OK;) {
        const size_t valid = clean->open_bytes > 0 ? 0 : utf8_valid_bytes(text + at, length - at);
        if (valid > 0) {
            status = told(context, text + at, valid, false);
            at += valid;
        } else {
            clean->open[clean->open_bytes++] = text[at++];
            status = drain(clean, false, told, context);
        }
    }
    return status;
}

enum status clean_end(struct clean *clean, clean_told told, void *context)
{
    return drain(clean, true, told, context);
}
