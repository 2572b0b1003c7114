/* support_api.h - the whole service around a fake engine, with a front, a tenant's key and a real
 * audit log. Only for tests. */
#pragma once
#include "server/service.h"
#include "tests/server/support_byte_model.h"
#include "tests/server/support_fake_engine.h"
#include "tests/server/support_http.h"
#include "tests/server/support_spool.h"

struct api {
    struct fake_engine fake;
    struct model model;
    struct service *service;
    struct front front;
    struct spool spool;
    struct policy *policy;
};

struct api_terms {
    uint32_t requests_max, drain_ms;
    uint32_t tenant_queued_max;                    /* 0: 64 */
    bool rebuilds;                                 /* a lost engine is replaced */
    bool keeps_in_memory;                          /* audit.on_failure: spool_memory */
    const char *policy_directory, *policy_default; /* NULL: none, "observe" */
};

/* Ready when it returns; every sequence says "Hello, world.". False: it failed, and said why on
 * stderr. */
bool api_start(struct api *api, const struct api_terms *terms);
void api_stop(struct api *api);

/* A whole request, with Connection: close; key may be NULL. */
void api_write_request(const char *line, const char *key, const char *body, char *out,
                       size_t out_bytes);

/* Sends such a request with the tenant's key on a connection of its own and reads the answer to its
 * end. Its status; 0: there was none, or no end. Any thread. */
int api_ask(const struct api *api, const char *line, const char *body, char *out, size_t out_bytes);
