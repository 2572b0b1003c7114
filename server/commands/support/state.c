#include "server/commands/support/state.h"

const char *state_given;

enum status state_find(struct state *out, struct failure *failure)
{
    out->auth = NULL;
    const enum status status = state_directory_find(state_given, out->directory, failure);
    return status == STATUS_OK
               ? state_directory_audit(out->directory, out->audit_directory, failure)
               : status;
}

enum status state_open(struct state *out, struct failure *failure)
{
    const enum status status = state_find(out, failure);
    return status == STATUS_OK ? auth_open(out->directory, &out->auth, failure) : status;
}

void state_close(struct state *state)
{
    auth_close(state->auth);
    state->auth = NULL;
}
