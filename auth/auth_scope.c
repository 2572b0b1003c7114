/* auth_scope.c - what scopes are called: on disk, on the command line, in audit records. */
#include <stdio.h>
#include <string.h>

#include "auth/auth.h"

static const struct {
    const char *name;
    uint32_t scope;
} names[] = {
    {"infer", AUTH_SCOPE_INFER},
    {"admin", AUTH_SCOPE_ADMIN},
    {"audit:read", AUTH_SCOPE_AUDIT_READ},
};
enum { SCOPE_COUNT = sizeof names / sizeof names[0] };
_Static_assert(sizeof "infer,admin,audit:read" <= AUTH_SCOPES_BYTES, "all scopes fit");

static uint32_t scope_of(const char *name, size_t length)
{
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        if (strlen(names[i].name) == length && memcmp(names[i].name, name, length) == 0) {
            return names[i].scope;
        }
    }
    return 0;
}

bool auth_scopes_read(const char *text, uint32_t *out)
{
    *out = 0;
    for (;;) {
        const size_t length = strcspn(text, ",");
        const uint32_t scope = scope_of(text, length);
        if (scope == 0) {
            return false;
        }
        *out |= scope;
        if (text[length] == '\0') {
            return true;
        }
        text += length + 1;
    }
}

const char *auth_scopes_write(uint32_t scopes, char out[AUTH_SCOPES_BYTES])
{
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        if (scopes & names[i].scope) {
            length += (size_t)snprintf(out + length, AUTH_SCOPES_BYTES - length, "%s%s",
                                       length > 0 ? "," : "", names[i].name);
        }
    }
    return out;
}
