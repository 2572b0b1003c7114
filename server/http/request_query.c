#include "server/http/request_query.h"

#include <string.h>

struct pair {
    const char *name, *value; /* not NUL-terminated */
    size_t name_bytes, value_bytes;
};

/* Takes the first pair off *query; false: nothing is left. A pair without '=' has no value. */
static bool next_pair(const char **query, size_t *length, struct pair *out)
{
    if (*length == 0) {
        return false;
    }
    const char *end = memchr(*query, '&', *length);
    const size_t bytes = end ? (size_t)(end - *query) : *length;
    const char *sign = memchr(*query, '=', bytes);
    out->name = *query;
    out->name_bytes = sign ? (size_t)(sign - *query) : bytes;
    out->value = sign ? sign + 1 : *query + bytes;
    out->value_bytes = sign ? bytes - out->name_bytes - 1 : 0;
    *query += bytes + (end != NULL);
    *length -= bytes + (end != NULL);
    return true;
}

static bool is_named(const struct pair *pair, const char *name)
{
    return strlen(name) == pair->name_bytes && memcmp(name, pair->name, pair->name_bytes) == 0;
}

static int hex_value(char c)
{
    const char lower = (char)(c | 0x20);
    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool decode(const struct pair *pair, char *out, size_t out_bytes)
{
    size_t length = 0;
    for (size_t i = 0; i < pair->value_bytes; i++) {
        int c = (unsigned char)pair->value[i];
        if (c == '%') {
            const int high = i + 2 < pair->value_bytes ? hex_value(pair->value[i + 1]) : -1;
            const int low = high >= 0 ? hex_value(pair->value[i + 2]) : -1;
            c = low >= 0 ? high * 16 + low : 0;
            i += 2;
        }
        if (c < ' ' || c == 0x7f || length + 1 >= out_bytes) {
            return false;
        }
        out[length++] = (char)c;
    }
    out[length] = '\0';
    return true;
}

enum status request_query_find(const char *query, size_t length, const char *name, char *out,
                               size_t out_bytes)
{
    struct pair pair;
    enum status status = STATUS_NOT_FOUND;
    while (next_pair(&query, &length, &pair)) {
        if (is_named(&pair, name)) {
            const bool is_first = status == STATUS_NOT_FOUND;
            status = is_first && decode(&pair, out, out_bytes) ? STATUS_OK : STATUS_INVALID;
        }
    }
    return status;
}

bool request_query_is_known(const char *query, size_t length, const char *const *names)
{
    struct pair pair;
    while (next_pair(&query, &length, &pair)) {
        size_t i = 0;
        while (names[i] && !is_named(&pair, names[i])) {
            i++;
        }
        if (!names[i]) {
            return false;
        }
    }
    return true;
}
