#include "server/commands/audit/whose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

static const char by_id[] = "id:";

static bool read_id(const char *text, struct tenant_id *out)
{
    char *end = NULL;
    errno = 0;
    const unsigned long value = strtoul(text, &end, 10);
    out->value = (uint32_t)value;
    return text[0] >= '1' && text[0] <= '9' && *end == '\0' && errno == 0 && value <= LIMIT_TENANTS;
}

/* The name that its first record gives. */
static enum status find_in_records(const struct state *state, struct whose *out,
                                   struct failure *failure)
{
    const struct query query = {.has_tenant = true, .tenant = out->tenant, .to_unix_ms = INT64_MAX};
    struct query_cursor *cursor = NULL;
    struct record record;
    uint64_t sequence = 0;
    enum status status = query_open(state->audit_directory, &query, &cursor, failure);
    if (status == STATUS_OK) {
        status = query_next(cursor, 0, &record, &sequence, failure);
    }
    if (status == STATUS_OK) {
        memcpy(out->name, record.tenant_name, sizeof out->name);
    } else if (status == STATUS_NOT_FOUND) {
        status = fail(failure, STATUS_NOT_FOUND, "tenant id:%u: there are no records of it",
                      out->tenant.value);
    }
    query_close(cursor);
    return status;
}

enum status whose_find(struct state *state, const char *given, struct whose *out,
                       struct failure *failure)
{
    struct auth_tenant tenant;
    *out = (struct whose){.name = ""};
    if (strncmp(given, by_id, strlen(by_id)) == 0) {
        return read_id(given + strlen(by_id), &out->tenant)
                   ? find_in_records(state, out, failure)
                   : fail(failure, STATUS_INVALID,
                          "--tenant: after id: comes a number from 1 to %d", LIMIT_TENANTS);
    }
    enum status status = state_open(state, failure);
    if (status == STATUS_OK
        && auth_tenant_find(state->auth, given, &tenant, failure) != STATUS_OK) {
        status =
            fail(failure, STATUS_NOT_FOUND,
                 "tenant %.63s: there is none now; see `ward tenant list`. One that was removed "
                 "is named id:N, with the tenant_id of its records",
                 given);
    }
    if (status == STATUS_OK) {
        out->tenant = tenant.id;
        memcpy(out->name, tenant.name, sizeof out->name);
    }
    return status;
}
