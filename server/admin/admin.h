/* admin.h - handlers of /admin/v1. context is the struct service. */
#pragma once
#include "server/http/http_server.h"

/* GET /admin/v1/audit?tenant=&event=&from=&to=&after=&limit= : a page of audit records. */
void admin_audit_handle(struct http_exchange *exchange, void *context);
extern const char *const admin_audit_query[];

/* GET /admin/v1/audit/checkpoint: the last signed checkpoint, a line to copy elsewhere. It
 * counts the records of all tenants, so it needs the scope admin too. */
void admin_audit_handle_checkpoint(struct http_exchange *exchange, void *context);
