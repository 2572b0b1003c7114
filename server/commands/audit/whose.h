/* whose.h - which tenant's records are asked for: by name as long as it is there, by `id:N` also
 * when it was removed. Records carry the id, which is never used again, so names never mix. */
#pragma once
#include "audit/examine/query.h"
#include "server/commands/support/state.h"

#define WHOSE_VALUE "NAME|id:N"

struct whose {
    struct tenant_id tenant;
    char name[RECORD_NAME_BYTES];
};

/* Opens the tenants of the state for a name. STATUS_NOT_FOUND: failure says what to give. */
MUST_CHECK enum status whose_find(struct state *state, const char *given, struct whose *out,
                                  struct failure *failure);
