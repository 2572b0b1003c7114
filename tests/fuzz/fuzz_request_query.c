/* A query from bytes: what is found is text without control characters that fits, a name that is
 * there once is found or refused, and only names that are known make a query known. */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "server/http/request_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { VALUE_BYTES = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const char *const names[] = {"after", "to", NULL};
    static const char *const none[] = {NULL};
    const char *query = (const char *)bytes;
    for (size_t i = 0; names[i]; i++) {
        char value[VALUE_BYTES];
        memset(value, 1, sizeof value);
        const enum status status = request_query_find(query, length, names[i], value, sizeof value);
        const bool is_there = length > 0 && memmem(query, length, names[i], strlen(names[i]));
        ASSERT(status == STATUS_OK || status == STATUS_NOT_FOUND || status == STATUS_INVALID);
        ASSERT(is_there || status == STATUS_NOT_FOUND);
        for (const char *c = value; status == STATUS_OK && *c != '\0'; c++) {
            ASSERT(c - value < VALUE_BYTES - 1 && (unsigned char)*c >= ' ' && *c != 0x7f);
        }
    }
    ASSERT(request_query_is_known(query, length, none) == (length == 0));
    (void)request_query_is_known(query, length, names);
    return 0;
}
