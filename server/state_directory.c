#include "server/state_directory.h"

#include <stdio.h>
#include <stdlib.h>

/* The variable's value, or NULL when it is not set or empty. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] != '\0' ? value : NULL;
}

static enum status join(const char *base, const char *rest, char out[STATE_DIRECTORY_BYTES],
                        struct failure *failure)
{
    const int length = snprintf(out, STATE_DIRECTORY_BYTES, "%s%s", base, rest);
    return length > 0 && length < STATE_DIRECTORY_BYTES
               ? STATUS_OK
               : fail(failure, STATUS_INVALID, "state directory: the path is longer than %d bytes",
                      STATE_DIRECTORY_BYTES - 1);
}

enum status state_directory_find(const char *configured, char out[STATE_DIRECTORY_BYTES],
                                 struct failure *failure)
{
    const struct {
        const char *base, *rest;
    } choices[] = {
        {configured && configured[0] != '\0' ? configured : NULL, ""},
        {variable("WARD_STATE_DIR"), ""},
        {variable("XDG_STATE_HOME"), "/ward"},
        {variable("HOME"), "/.local/state/ward"},
        {"/var/lib/ward", ""},
    };
    size_t i = 0;
    while (!choices[i].base) {
        i++;
    }
    return join(choices[i].base, choices[i].rest, out, failure);
}

enum status state_directory_audit(const char *state, char out[STATE_DIRECTORY_BYTES],
                                  struct failure *failure)
{
    return join(state, "/audit", out, failure);
}
