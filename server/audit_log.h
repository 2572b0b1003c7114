/* audit_log.h - the audit log of this server: opened from its settings before anything else is,
 * closed after everything else has ended, and its first and last records. Main thread. */
#pragma once
#include "audit/audit.h"
#include "auth/auth.h"
#include "model/model.h"
#include "server/config.h"
#include "server/waker.h"

/* Under state_directory, in audit/. waker outlives the log. Every problem is one line in failure;
 * STATUS_FULL: another server has this log. */
MUST_CHECK enum status audit_log_open(const struct config *config, const char *state_directory,
                                      struct waker *waker, struct audit **out,
                                      struct failure *failure);

/* Records server.started and waits until that is durable. */
MUST_CHECK enum status audit_log_start(struct audit *audit, const struct config *config,
                                       const struct model *model, struct failure *failure);

/* has_started: records server.stopped first. NULL is fine. */
void audit_log_close(struct audit *audit, bool has_started);
