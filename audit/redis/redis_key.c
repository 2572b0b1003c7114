#include "audit/redis/redis_key.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

bool redis_key_is_prefix(const char *prefix)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789:_.-";
    const size_t length = strlen(prefix);
    return length > 0 && length < REDIS_PREFIX_BYTES && strspn(prefix, allowed) == length;
}

static size_t join(const char *prefix, const char *name, char out[REDIS_KEY_BYTES])
{
    const int length = snprintf(out, REDIS_KEY_BYTES, "%s:%s", prefix, name);
    ASSERT(length > 0 && length < REDIS_KEY_BYTES);
    return (size_t)length;
}

size_t redis_key_owner(const char *prefix, char out[REDIS_KEY_BYTES])
{
    return join(prefix, "@owner", out);
}

size_t redis_key_chain(const char *prefix, char out[REDIS_KEY_BYTES])
{
    return join(prefix, "@chain", out);
}

size_t redis_key_erased(const char *prefix, char out[REDIS_KEY_BYTES])
{
    return join(prefix, "@erased", out);
}

size_t redis_key_view(const char *prefix, const char *tenant_name, char out[REDIS_KEY_BYTES])
{
    return join(prefix, tenant_name, out);
}

static size_t write_number(uint64_t value, char *out)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < count; i++) {
        out[i] = digits[count - 1 - i];
    }
    return count;
}

size_t redis_key_id(uint64_t high, uint64_t low, char out[REDIS_ID_BYTES])
{
    size_t length = write_number(high, out);
    out[length++] = '-';
    length += write_number(low, out + length);
    out[length] = '\0';
    return length;
}

static bool read_number(const char *text, size_t length, uint64_t *out)
{
    uint64_t value = 0;
    if (length == 0 || length > 20) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        const uint64_t digit = (uint64_t)(text[i] - '0');
        if (text[i] < '0' || text[i] > '9' || value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

bool redis_key_read_id(const char *text, size_t length, uint64_t *high, uint64_t *low)
{
    const char *dash = memchr(text, '-', length);
    if (!dash) {
        return false;
    }
    const size_t before = (size_t)(dash - text);
    return read_number(text, before, high) && read_number(dash + 1, length - before - 1, low);
}
